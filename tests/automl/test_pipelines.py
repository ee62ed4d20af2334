"""Pipelines in files: what was fitted is what is loaded, and nothing that is not trusted is."""

import io
import json
import os
import warnings
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
import sklearn
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC
from skops import io as skops

from datamodules.inputs.sound import SoundInput
from tests.automl.making import OPTIONS, fitted
from tests.baselines.test_strong import pictures, texts
from tests.data import refused
from zoo.automl import cards
from zoo.automl.pipelines import load_pipeline, save_pipeline, types_in
from zoo.baselines import strong
from zoo.baselines.bands import StrongSounds
from zoo.baselines.frames import StrongClips
from zoo.baselines.ngrams import StrongTexts
from zoo.baselines.pictures import StrongPictures
from zoo.metrics.choice import scores_of

SOUND = SoundInput(sample_rate=8000, levels=256, length=400)
CARD = {"info": {"classes": ["a", "b", "c"], "input": {"kind": "sound", **vars(SOUND)}}}
ALL = {
    StrongPictures: (pictures(9, 8, 3), "image_cnn.cifar10"),
    StrongTexts: (texts(40), "text_cnn.imdb"),
    StrongClips: (pictures(3, 9, 8, 1), "image_cnn.digits"),
    StrongSounds: (pictures(50, 8, 1).reshape(40, 400), None),
}


def change_card(folder, **entries):
    """A card with other entries, which is sealed again."""
    cards.seal(folder, {**json.loads((folder / cards.CARD).read_text()), **entries})


def saved(folder, pipeline=None):
    one = pipeline or make_pipeline(FunctionTransformer(), LinearSVC())
    named = {"classes_": [0, 1], "temperature_": 1.0, "name_": "one"}
    return save_pipeline(SimpleNamespace(best_=one, **named), CARD, folder)


@pytest.mark.parametrize("many", [5000, 10])  # kernels of all pairs, and Nystroem's
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", ALL)
def test_each_candidate_gives_the_same_scores_from_its_file(
    kind, classes, many, tmp_path, monkeypatch
):
    monkeypatch.setattr(strong, "MANY", many)
    monkeypatch.setattr(strong, "LANDMARKS", 10)
    (samples, network), labels = ALL[kind], np.arange(40) % classes
    baseline = kind(**{**OPTIONS, "network": network})
    candidates = baseline.candidates(samples, SimpleNamespace(input=SOUND))
    for name, (_, features, machines) in candidates.items():
        one = fitted(features, machines[0], samples, labels)
        save_pipeline(one, CARD, tmp_path / name)
        member = load_pipeline(tmp_path / name)
        found = member.judge_arrays(samples).scores
        own = scores_of(one.best_, samples, classes) / one.temperature_
        np.testing.assert_allclose(found[:, :classes], own, rtol=0, atol=1e-6)
        assert (found[:, classes:] < -100).all()


def test_the_one_class_is_a_pipeline_too(tmp_path):
    one = DummyClassifier().fit([[0]], [0])
    card = {"info": {**CARD["info"], "classes": ["a"]}}
    named = {"classes_": [0], "temperature_": 1.0, "name_": "the one class"}
    save_pipeline(SimpleNamespace(best_=one, **named), card, tmp_path)
    assert load_pipeline(tmp_path).judge_arrays(np.zeros((2, 5))).scores.shape == (2, 1)


def test_a_type_that_is_not_trusted_is_neither_written_nor_read(tmp_path):
    bad = make_pipeline(FunctionTransformer(os.getcwd), LinearSVC())
    message = r"holds what is not trusted: posix.getcwd, sklearn.*FunctionTransformer"
    refused(message, saved, tmp_path / "a", bad)
    assert not (tmp_path / "a").exists()
    folder = saved(tmp_path / "b", make_pipeline(LinearSVC()))
    (folder / cards.PIPELINE).write_bytes(skops.dumps(bad))
    change_card(folder)
    refused(message, load_pipeline, folder)
    (folder / cards.PIPELINE).write_bytes(b"no zip")
    change_card(folder)
    refused("is no skops file, or damaged", load_pipeline, folder)


def test_types_are_those_of_every_node_wherever_it_stands():
    data = skops.dumps({"x": [make_pipeline(LinearSVC())], "f": os.getcwd})
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        found = {*types_in(json.loads(file.read("schema.json")))}
    assert found >= {"posix.getcwd", "sklearn.svm._classes.LinearSVC", "sklearn.pipeline.Pipeline"}


def test_another_scikit_learn_is_said(tmp_path, capsys, monkeypatch):
    folder = saved(tmp_path / "a", make_pipeline(LinearSVC()).fit([[0], [1]], [0, 1]))
    major, minor, _ = sklearn.__version__.split(".")[:3]
    for version, lines in ((f"{major}.{minor}.99", 0), (f"{major}.99.0", 1), ("9.0.0", 1)):
        change_card(folder, versions={"scikit-learn": version})
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            load_pipeline(folder)
        said = capsys.readouterr().err
        assert said.count("\n") == lines
        assert (f"{version} wrote it, its answers may differ" in said) == bool(lines)


def test_features_are_those_of_the_same_network(tmp_path):
    samples, network = ALL[StrongTexts]
    baseline = StrongTexts(**{**OPTIONS, "network": network})
    _, features, (linear, *_) = baseline.candidates(samples, None)["features_text_cnn.imdb"]
    folder = tmp_path / "a"
    save_pipeline(fitted(features, linear, samples, np.arange(40) % 2), CARD, folder)
    assert [*json.loads((folder / cards.CARD).read_text())["networks"]] == ["text_cnn.imdb"]
    change_card(folder, networks={"text_cnn.imdb": "0" * 64})
    refused("needs the features of text_cnn.imdb: its weights are others", load_pipeline, folder)
    change_card(folder, networks={"text_cnn.mine": "0" * 64})
    refused("needs the features of text_cnn.mine: no weights named", load_pipeline, folder)


def test_a_vocabulary_takes_little_room_and_keeps_its_numbers(tmp_path):
    words = [f"w{i}" for i in range(3000)]
    features = (
        StrongTexts(**OPTIONS).candidates([], None)["nb_svm"][1].set_params(ngram_range=(1, 1))
    )
    labels = np.arange(3000) % 2
    folder = save_pipeline(fitted(features, LinearSVC(), words, labels), CARD, tmp_path / "a")
    assert (folder / cards.PIPELINE).stat().st_size < 60_000
    found = load_pipeline(folder).pipeline[0].vocabulary_
    assert found == {word: i for i, word in enumerate(sorted(words))}
