"""The predictor: the weighted mean of its members, in a folder that is checked as it is loaded."""

import json
import math
import os
import shutil

import numpy as np
import pytest
import torch
from scipy.special import softmax

import zoo
from tests.automl.making import KINDS, opened_data, write_network, write_pipeline
from tests.automl.test_members import raws_of
from tests.automl.test_pipelines import change_card
from tests.data import missing, python, refused
from zoo.automl import cards
from zoo.automl.predictor import Part, save_predictor, update_card
from zoo.automl.test import judge_split
from zoo.metrics.novelty import NoveltyDetector
from zoo.pretrained import store
from zoo.training.run import newest


@pytest.fixture
def copied(written, tmp_path):
    """A predictor's folder, to be altered."""
    return shutil.copytree(written("labelled_text")[1] / "predictor", tmp_path / "predictor")


@pytest.mark.parametrize("name", KINDS)
def test_it_answers_by_the_weighted_mean_of_what_its_members_say(name, written, tmp_path):
    data, folder = written(name)
    raws = raws_of(data, "test", tmp_path / "scratch")
    predictor = zoo.load(folder)
    network, pipeline = (one.judge(raws).scores for one in predictor.members)
    by_hand = 0.25 * softmax(network / 2, 1) + 0.75 * softmax(pipeline / 0.5, 1)
    probabilities = predictor.predict_proba(raws, batch_size=5)
    np.testing.assert_allclose(probabilities, by_hand, atol=1e-6)
    np.testing.assert_allclose(probabilities.sum(1), 1)
    answers, classes = predictor.predict(raws), data.info["classes"]
    assert [one["label"] for one in answers] == [classes[i] for i in by_hand.argmax(1)]
    assert [*answers[0]["probabilities"]] == classes == predictor.classes
    assert answers[0]["probability"] == max(answers[0]["probabilities"].values())
    split, labels = judge_split(predictor, predictor.card["data"])
    np.testing.assert_allclose(split, probabilities, atol=1e-5)
    assert (labels == data.arrays("test")[1]).all()
    own = zoo.load(folder / "predictor" / "members" / "net").features(raws[:2])
    assert predictor.features(raws[:2]).equal(own)


def test_of_one_network_it_is_as_good_as_the_network(tiny, tmp_path):
    data = opened_data("image_folder", tiny)
    model = write_network("image_folder", data, tmp_path / "net")
    folder = save_predictor([Part("one", tmp_path / "net", 1.0, 1.0)], {}, tmp_path / "p")
    raws = raws_of(data, "test", tmp_path / "scratch")
    with open(raws[0], "rb") as file:
        answers = zoo.load(folder).predict([file, *raws[1:]])
    for answer, own in zip(answers, model.predict(raws), strict=True):
        assert answer["label"] == own["label"]
        assert answer["probabilities"] == pytest.approx(own["probabilities"], abs=1e-6)


def test_a_pipeline_is_a_predictor_of_one_without_features(written):
    _, folder = written("labelled_text")
    predictor = zoo.load(folder.parent / "b")
    texts = ["I liked it", "nothing happens"]
    own = predictor.members[0].probabilities(texts)
    np.testing.assert_allclose(predictor.predict_proba(texts), own)
    refused("no member is a network, which has features: b", predictor.features, texts)
    refused("takes no dropout", zoo.load, folder, dropout=0.5)


LOADING = """
import json, sys
import numpy as np, zoo
for folder, raws in json.loads(sys.stdin.read()):
    print(json.dumps(zoo.load(folder).predict_proba(raws).tolist()))
"""


@pytest.mark.slow
def test_a_fresh_process_without_the_data_gives_the_same_answers(written, tmp_path):
    request, expected = [], []
    for name in KINDS:
        data, folder = written(name)
        raws = raws_of(data, "test", tmp_path / name)[:4]
        if name != "labelled_text":
            raws = [shutil.copytree(raw, tmp_path / "raws" / str(raw)[1:]) if raw.is_dir()
                    else copy(raw, tmp_path / "raws" / str(raw)[1:]) for raw in raws]  # fmt: skip
        request.append([str(shutil.copytree(folder, tmp_path / "moved" / name)), [*map(str, raws)]])
        expected.append(zoo.load(folder).predict_proba(raws))
    out = python("-c", LOADING, input=json.dumps(request), env=elsewhere(tmp_path))
    found = [json.loads(line) for line in out.splitlines() if line.startswith("[[")]
    for one, own in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, own, rtol=0, atol=1e-6)


def copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    return shutil.copyfile(source, target)


def elsewhere(place):
    """An environment in which neither data nor what is made of them are found."""
    return {**os.environ, "ZOO_CACHE": str(place / "none"), "ZOO_DATA": str(place / "none"),
            "HOME": str(place)}  # fmt: skip


def test_an_altered_byte_of_any_file_is_refused_and_a_missing_one_named(copied):
    files = sorted(path for path in copied.rglob("*") if path.is_file())
    assert len(files) == 5
    for path in files:
        content = path.read_bytes()
        for place in {0, len(content) // 2, len(content) - 1}:
            altered = bytearray(content)
            altered[place] ^= 1
            path.write_bytes(altered)
            message = r"sha256 differs|is no card" if path.parent == copied else "sha256 differs"
            refused(message, zoo.load, copied)
        path.unlink()
        missing(f"{path.name}.* is missing|no card", zoo.load, copied)
        path.write_bytes(content)
    zoo.load(copied)


@pytest.mark.parametrize(("entries", "message"), [
    ({"weights": [math.nan, 1.0]}, r"the weights are \[nan, 1.0\]: they must be above 0"),
    ({"weights": [0.5, 0.4]}, "they must be above 0 and add up to 1"),
    ({"weights": [1.5, -0.5]}, "they must be above 0 and add up to 1"),
    ({"temperatures": [math.inf, 1.0]}, "the temperatures are"),
    ({"temperatures": [0.0, 1.0]}, "the temperatures are"),
])  # fmt: skip
def test_weights_that_are_none_are_refused(entries, message, copied, written):
    card = json.loads((copied / cards.CARD).read_text())
    for key, values in entries.items():
        for one, value in zip(card["members"], values, strict=True):
            one[key.removesuffix("s")] = value
    change_card(copied, members=card["members"])
    refused(message, zoo.load, copied)
    place = written("labelled_text")[1].parent
    numbers = {"weights": [0.5, 0.5], "temperatures": [1.0, 1.0], **entries}
    rows = zip(("a", "b"), numbers["weights"], numbers["temperatures"], strict=True)
    parts = [Part(name, place / name, weight, one) for name, weight, one in rows]
    refused(message, save_predictor, parts, {}, copied)
    assert cards.kind_of(copied) == "predictor"  # what was there stays


def test_other_schemas_names_and_classes_are_refused(copied, written, tiny, tmp_path):
    text = (copied / cards.CARD).read_text()
    for schema in ("2", "null", '"1"'):
        (copied / cards.CARD).write_text(text.replace('"schema": 1', f'"schema": {schema}', 1))
        refused("has schema .*: this zoo reads 1 to 1", zoo.load, copied)
    place = written("labelled_text")[1].parent
    for names in (("a", "a"), ("a/b", "c"), ("..", "c"), ("", "c")):
        parts = [Part(name, place / "a", 0.5, 1.0) for name in names]
        refused(
            "each needs a name of its own|it needs the name of a folder",
            save_predictor,
            parts,
            {},
            tmp_path / "p",
        )
    data = opened_data("image_folder", tiny)
    write_pipeline("image_folder", data, tmp_path / "other")
    parts = [Part("a", place / "a", 0.5, 1.0), Part("b", tmp_path / "other", 0.5, 1.0)]
    refused("b has the classes bright, dark, and a blame", save_predictor, parts, {}, tmp_path)
    assert not [*tmp_path.parent.glob("*.part"), *tmp_path.glob("*.part")]


def test_a_predictor_takes_the_place_of_the_one_before_it(copied, written):
    place = written("labelled_text")[1].parent
    save_predictor([Part("only", place / "b", 1.0, 1.0)], {"name": "second"}, copied)
    predictor = zoo.load(copied)
    assert [one.name for one in predictor.members] == ["only"]
    assert {path.name for path in copied.parent.iterdir()} == {"predictor"}
    update_card(copied, metrics={"test/accuracy": 0.5})
    assert zoo.load(copied).card["metrics"] == {"test/accuracy": 0.5}
    assert zoo.load(copied).card["name"] == "second"


def test_what_is_usual_is_what_the_networks_of_the_folds_had_not_seen(tiny, tmp_path):
    """Of samples that a network has learned from it knows too well what is usual."""
    data = opened_data("image_folder", tiny)
    x, y = torch.rand(40, 8), torch.arange(40) % 2
    usual = NoveltyDetector.fit(x, y, x)
    for name, threshold in (("final", 2.0), ("fold0", 4.0), ("fold1", 5.0), ("fold2", None)):
        model = write_network("image_folder", data, tmp_path / name)
        if threshold:
            tensors = {**usual.tensors(), "threshold": torch.tensor([threshold])}
            model.novelty = NoveltyDetector(**tensors)
            store.save(model, store.read(tmp_path / name / "weights.safetensors"), tmp_path / name)
    (tmp_path / "fold3").mkdir()
    folds = [tmp_path / f"fold{i}" for i in range(4)]
    folder = save_predictor([Part("a", tmp_path / "final", 1.0, 1.0, folds)], {}, tmp_path / "p")
    network, own = zoo.load(folder).network, zoo.load(tmp_path / "final")
    assert float(network.novelty.threshold) == 4.5
    assert float(own.novelty.threshold) == 2
    assert network.novelty.means.equal(own.novelty.means)
    assert all(one.equal(own.state_dict()[name]) for name, one in network.state_dict().items())


def test_windows_are_judged_by_themselves(written, tmp_path):
    data, folder = written("audio_folder")
    raws, predictor = raws_of(data, "test", tmp_path / "scratch"), zoo.load(folder)
    counts = data.arrays("test")[0].counts.tolist()
    short, long = raws[counts.index(1)], raws[counts.index(2)]
    (answer,) = predictor.predict_windows(short)
    assert (answer["begin"], answer["end"]) == (0, 0.25)
    own = predictor.predict(short)[0]["probabilities"]
    assert answer["probabilities"] == pytest.approx(own, abs=1e-6)
    first, last = predictor.predict_windows(long)
    assert first["begin"] == 0
    assert 0.0 < last["begin"] < 0.25


def test_an_auto_runs_networks_are_no_models_own_runs(tmp_path):
    """What `zoo auto` tried is not what `zoo predict image_cnn` means."""
    results = json.dumps({"experiment": "image_cnn", "model": "image_cnn", "smoke": False})
    for place in ("auto/pets/a/candidates/net/fold0", "image_cnn/b"):
        (tmp_path / "runs" / place).mkdir(parents=True)
        (tmp_path / "runs" / place / "results.json").write_text(results)
        run = newest("image_cnn")
        assert (run and run.folder.name) == (None if "auto" in place else "b")
