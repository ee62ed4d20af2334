"""`zoo test`: weights on their own data and on others, read as the model reads them."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import zoo
from tests.data import SMALL, opened
from zoo.catalog.compose import compose
from zoo.nn.module import ZooModule
from zoo.pretrained.load import attach
from zoo.training import evaluate


@pytest.fixture
def run(trained):
    """One small run on digits."""
    return trained("image_cnn", **SMALL)


@pytest.mark.parametrize("name", zoo.list_data())
def test_data_read_by_an_input_that_was_fitted_on_them_are_the_same(name, tiny):
    """Contract of every data set (design.md 3.2): what flows back from a card fits nothing anew."""
    first = opened(name, **tiny(name))
    again = zoo.create_data(name, **tiny(name))
    given = attach(ZooModule(), first.input, first.info)
    again.use_input(given.input, first.info, given.classes)
    again.setup("fit")
    assert again.input is given.input
    for split in ("val", "test"):
        for one, other in zip(first.samples(split, 4), again.samples(split, 4), strict=True):
            torch.testing.assert_close(one, other)


def adopted(own, name, classes=None, **overrides):
    """Data set up to be read as others are."""
    data = zoo.create_data(name, **overrides)
    data.use_input(own.input, own.info, *filter(None, [classes]))
    data.setup("fit")
    return data


def test_other_data_are_brought_to_what_the_model_saw(tiny):
    """Pictures of another size, in colour, with the mean and deviation of the model's own data."""
    own = opened("digits", limit=50)
    data = adopted(own, "image_folder", **tiny("image_folder"))
    assert data.input is own.input
    assert data.samples("test", 2)[0].shape[1:] == (1, 28, 28)
    assert data.info["classes"] != own.info["classes"]


def test_texts_are_numbered_by_the_models_vocabulary(tiny):
    own = opened("negated_reviews", limit=100)
    other = adopted(own, "rotten_tomatoes", **tiny("rotten_tomatoes"))
    assert other.info["vocabulary_size"] == own.info["vocabulary_size"]
    texts, _ = other.arrays("test")
    torch.testing.assert_close(other.samples("test", 999)[0], own.input(texts))


def test_labels_follow_the_order_of_the_models_classes_which_must_know_all():
    data = opened("digits", limit=50)
    before, classes = data.splits["test"]["labels"].copy(), data.info["classes"]
    again = adopted(data, "digits", classes[::-1], limit=50)
    np.testing.assert_array_equal(again.splits["test"]["labels"], 9 - before)
    with pytest.raises(ValueError, match="digits has the class '9', which the model does not know"):
        adopted(data, "digits", list("012345678x"), limit=50)


def test_the_scores_of_a_run_are_found_again(run):
    scores, config, card = evaluate.evaluate(run.folder)
    assert config["choices"]["data"] == "digits"
    measured = {key: value for key, value in run.results.items() if key.startswith("test/")}
    assert scores == pytest.approx(measured, abs=1e-6)
    assert card["metrics"] == pytest.approx(measured, abs=1e-6)


def test_the_command_prints_them_beside_the_cards(run, command):
    score = run.results["test/accuracy"]
    assert command.ran("test", str(run.folder)).count(f"{100 * score:.2f} %") == 2
    out = command.ran("test", str(run.folder), "--json")
    assert json.loads(out)["test/accuracy"] == pytest.approx(score)


def test_data_of_ones_own_are_scored(run, command, tmp_path):
    """Classes are matched by name: a folder of threes and sevens."""
    pixels, labels = opened("digits", limit=200).arrays("test")
    for split in ("train", "val", "test"):
        for label in (7, 3):
            folder = tmp_path / "own" / split / str(label)
            folder.mkdir(parents=True)
            for i in np.flatnonzero(labels == label):
                Image.fromarray(pixels[i, :, :, 0]).save(folder / f"{i}.png")
    asked = ["data=image_folder", f"data.source={tmp_path / 'own'}", "data.batch_size=4"]
    out = command.ran("test", str(run.folder), *asked, "--json")
    answers = run.model.predict([pixels[i] for i in np.flatnonzero(np.isin(labels, (3, 7)))])
    truth = [str(label) for label in labels if label in (3, 7)]
    right = np.mean([a["label"] == t for a, t in zip(answers, truth, strict=True)])
    assert json.loads(out)["test/accuracy"] == pytest.approx(right)


@pytest.mark.parametrize(("words", "said"), [
    (["model.dropout=0.5"], "'model.dropout=0.5' is not for a test: it takes data, evaluator"),
    (["trainer.devices=2"], "'trainer.devices=2' is not for a test"),
    (["data=digitz"], "did you mean 'digits'"),
    (["data.limt=3"], "no key named 'data.limt': did you mean 'data.limit'"),
    (["data=negated_reviews"], "the model takes what ImageInput reads, and negated_reviews"),
])  # fmt: skip
def test_a_wrong_override_is_one_line(words, said, run, command):
    assert said in command.refused("test", str(run.folder), *words)


@pytest.mark.parametrize(("seen", "data", "too_good"), [
    ({"mnist": None}, "digits", True),  # all digits are from MNIST's training split
    ({"digits": "mnist"}, "digits", False),  # its own test split
    ({"digits": "mnist"}, "mnist", False),  # the official test split
    ({"mnist": None, "digits": "mnist"}, "digits", True),  # fine-tuned
    ({"digits": "mnist"}, "moving_digits", True), ({"fashion_mnist": None}, "digits", False),
])  # fmt: skip
def test_test_samples_that_a_model_has_learned_from_are_warned_of(seen, data, too_good):
    said = evaluate.overlap(seen, compose([f"data={data}"]))
    assert (said is not None) == too_good
    assert not said or f"{data} is taken from mnist's training split" in said
