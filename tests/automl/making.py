"""Small members and predictors of all four kinds of data, as `zoo auto` leaves them."""

from types import SimpleNamespace

import torch
from sklearn.base import clone
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.pipeline import make_pipeline

from tests.data import opened
from zoo.automl.novelty import fit_novelty
from zoo.automl.pipelines import save_pipeline
from zoo.automl.predictor import Part, save_predictor
from zoo.baselines.bands import StrongSounds
from zoo.baselines.frames import StrongClips
from zoo.baselines.ngrams import StrongTexts
from zoo.baselines.pictures import StrongPictures
from zoo.catalog.compose import compose, compose_section
from zoo.config import schema
from zoo.pretrained import store
from zoo.pretrained.load import attach

KINDS = {  # the baseline, a network and its smaller sizes
    "image_folder": (StrongPictures, "image_cnn", {"widths": [4, 8]}),
    "labelled_text": (StrongTexts, "text_cnn", {}),
    "audio_folder": (StrongSounds, "sound_classifier", {"channels": 4}),
    "video_folder": (StrongClips, "video_conv3d", {"widths": [4, 8]}),
}
OPTIONS = {"folds": 2, "choose_on": 20, "network": None, "random_state": 0}


def opened_data(name, tiny, **more):
    return opened(name, **{**tiny(name), **more})


def card_of(name, data):
    """What a run's card says of its data."""
    own = compose([f"data={name}", f"data.source={data.hparams['source']}"])
    section = {
        **own["data"],
        **{key: data.hparams[key] for key in own["data"].keys() - {"_target_"}},
    }
    choices = {key: own["choices"][key] for key in ("model", "data")}
    return {"name": f"auto.{name}", "choices": choices, "data": section, "seen": {name: None},
            "info": data.info}  # fmt: skip


def fitted(features, classifier, samples, labels, temperature=1.5):
    """What `BestPipeline` is after `fit`, of one pipeline, with fewer trees."""
    if isinstance(classifier, ExtraTreesClassifier):
        classifier.set_params(n_estimators=3)
    best = make_pipeline(clone(features), clone(classifier)).fit(samples, labels)
    return SimpleNamespace(
        best_=best,
        classes_=sorted({*labels.tolist()}),
        temperature_=temperature,
        name_="a pipeline",
    )


def write_pipeline(name, data, folder, watch=False):
    samples, labels = data.arrays("train")
    candidates = KINDS[name][0](**OPTIONS).candidates(samples, data).values()
    _, features, classifiers = next(iter(candidates))
    one = fitted(features, classifiers[0], samples, labels)
    novelty = fit_novelty(one.best_, samples, labels) if watch else None
    return save_pipeline(one, card_of(name, data), folder, novelty)


def write_network(name, data, folder):
    _, model_name, sizes = KINDS[name]
    section = {**compose_section("model", model_name), **sizes}
    section |= {key: data.info[key] for key in section.keys() & data.info.keys()}
    torch.manual_seed(0)
    model = attach(schema.build(section, "model"), data.input, data.info).eval()
    folder.mkdir(parents=True)
    store.save(model, {**card_of(name, data), "model": section}, folder)
    return model


def write_predictor(name, data, place, weights=(0.25, 0.75)):
    """Of a network and a pipeline, whose temperatures are 2 and 0.5."""
    write_network(name, data, place / "a")
    write_pipeline(name, data, place / "b")
    parts = [Part("net", place / "a", weights[0], 2.0), Part("svm", place / "b", weights[1], 0.5)]
    metrics = {"val/accuracy": 0.9, "val/calibration_error": 0.02}
    card = {"name": f"auto.{name}", "metrics": metrics}
    return save_predictor(parts, card, place / "run" / "predictor")
