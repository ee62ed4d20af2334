"""The evaluator: trained once on the data of the run that it scores, whatever the run does."""

from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from pytorch_lightning.callbacks import EMAWeightAveraging

import zoo
from tests.data import opened
from zoo.catalog.compose import compose
from zoo.config import schema
from zoo.metrics import frechet
from zoo.training import csv_logger, evaluator
from zoo.training.evaluator import FEW, Evaluator
from zoo.utilities.errors import Failure

SMOKE = ["experiment=gan", "trainer=smoke", "data.limit=80", "data.batch_size=16"]


def config_and_info(*changes):
    config = compose([*SMOKE, *changes])
    data = schema.build(config["data"], "data")
    data.setup("fit")
    return config, data.info


@pytest.mark.slow
def test_it_is_trained_once_and_kept(monkeypatch, tmp_path):
    """The second call, of another seed and with part of the samples, trains nothing."""
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    config, info = config_and_info()
    first = Evaluator(config).load(info)
    monkeypatch.setattr(evaluator, "_train", lambda *_: pytest.fail("it was trained again"))
    config, info = config_and_info("seed=3", "data.train_samples=64")
    again = Evaluator(config).load(info)
    assert not again.training
    for a, b in zip(first.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    (kept,) = (path for path in tmp_path.glob("judge-image_cnn-digits-*") if path.is_dir())
    names = {path.name for path in kept.iterdir()}
    assert names == {"weights.safetensors", "card.json", "config.yaml"}


def test_other_data_have_another_classifier_and_few_samples_smaller_batches(monkeypatch):
    made, sizes = set(), []
    monkeypatch.setattr(evaluator, "load", lambda folder: SimpleNamespace(input=SimpleNamespace()))
    monkeypatch.setattr(evaluator, "cached", lambda *key: key[2]("") or made.add(key[:2]))
    train = lambda recipe, _: sizes.append(recipe["data"]["batch_size"])  # noqa: E731
    monkeypatch.setattr(evaluator, "_train", train)
    config, info = config_and_info()
    few, other = {**info, "samples": {"train": 20}}, {**info, "digest": "another"}
    mnist = {**config, "choices": {**config["choices"], "data": "mnist"}}
    for given in ((config, info), (config, other), (config, few), (mnist, info)):
        Evaluator(given[0]).load(given[1])
    assert (len(made), sizes) == (4, [64, 64, 20, 80])


def test_its_recipe_is_short_and_its_own_whatever_the_run_trains_on():
    """The generator's data are in [-1, 1]; the classifier standardises."""
    config = compose(["experiment=gan", "seed=2", "data.train_samples=100"])
    asked = evaluator.make_recipe(config)
    assert asked["choices"]["model"] == "image_cnn"
    assert (asked["data"]["seed"], asked["data"]["train_samples"]) == (0, None)
    assert (asked["data"]["batch_size"], asked["trainer"]["max_epochs"]) == (64, evaluator.EPOCHS)
    assert asked["baseline"] is asked["target"] is asked["evaluator"] is None
    both = config["data"], asked["data"]
    assert [one["scaling"] for one in both] == ["symmetric", "standard"]
    assert [one["augment"]["rotation_range"] for one in both] == [0, 15]


def test_it_sees_the_data_of_ones_own():
    """data.source reaches the classifier, too."""
    config = compose(["data=image_folder", "model=gan", "evaluator=image_cnn", "data.source=pets"])
    asked = evaluator.make_recipe(config)
    assert (asked["data"]["source"], asked["choices"]["model"]) == ("pets", "image_cnn")


def test_a_training_that_fails_leaves_nothing(monkeypatch, tmp_path, capfd):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    config, info = config_and_info()
    monkeypatch.setattr(evaluator.sys, "executable", "false")
    with pytest.raises(Failure, match="evaluator could not be trained"):
        Evaluator(config).load(info)
    assert not [path for path in tmp_path.glob("judge-*") if path.is_dir()]


def test_the_process_is_alone_even_where_torchrun_started_this_one(monkeypatch, tmp_path):
    seen, done = {}, SimpleNamespace(returncode=1)
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(evaluator.subprocess, "run", lambda words, env: seen.update(env) or done)
    with pytest.raises(Failure):
        evaluator._train(evaluator.make_recipe(config_and_info()[0]), tmp_path)
    assert "WORLD_SIZE" not in seen


@pytest.mark.slow
def test_it_knows_the_digits(tmp_path):
    """Three of four epochs would do: 96 % on the test digits at least."""
    data = opened("digits")
    pixels, labels = data.arrays("test")
    _, answers = frechet.classify(Evaluator(compose(["experiment=gan"])).load(data.info), pixels)
    assert np.mean(answers == labels) > 0.96


class Brightness(torch.nn.Module):
    """A classifier that notes the pictures that it scores."""

    def __init__(self):
        super().__init__()
        self.hparams, self.input, self.device = {"num_classes": 10}, torch.from_numpy, "cpu"
        self.seen = []

    def forward_features(self, pixels):
        self.seen.append(pixels.clone())
        return pixels.flatten(1).float()[:, 300:304]

    def forward(self, pixels):
        return pixels.flatten(1).float()[:, :10]


@pytest.fixture
def scored(monkeypatch, tmp_path):
    """Runs of a gan, and what the average of their weights draws at each of their checkpoints."""
    monkeypatch.chdir(tmp_path)
    own = {
        "model": {"width": 4, "noise": 8}, "baseline": None, "ema": 0.9,
        "data": {"limit": 60, "batch_size": 20}, "monitor": "val/frechet",
    }  # fmt: skip
    classifier = Brightness()
    monkeypatch.setattr(Evaluator, "load", lambda self, _: vars(self).update(classifier=classifier))

    def train(epochs, name="a"):
        classifier.seen.clear()
        run = zoo.train("gan", name=name, trainer={"max_epochs": epochs}, **own)
        return run, [drawn for drawn in classifier.seen[1::2] if len(drawn) > FEW]

    return train


def drawn_by(state, run):
    model = run.model.eval()
    model.load_state_dict(state)
    labels = torch.from_numpy(opened("digits", limit=60).arrays("val")[1])
    return torch.from_numpy(np.stack(model.generate(model.noise(len(labels), 0), labels)))


def test_it_scores_the_average_of_the_weights_before_and_behind_a_resume(scored):
    """Each validation's pictures are those of the state_dict that its checkpoint saves."""
    run, first = scored(1)
    _, more = scored(3)
    last = [torch.load(path, weights_only=True) for path in run.lasts]  # epochs 3 and 2
    for saved, pictures in ((last[1], more[0]), (last[0], more[1])):
        assert torch.equal(drawn_by(saved["state_dict"], run), pictures)
        assert not torch.equal(drawn_by(saved["current_model_state"], run), pictures)
    whole, pictures = scored(3, "b")
    assert torch.equal(torch.cat(pictures[:3]), torch.cat([first[0], *more[:2]]))
    rows = [csv_logger.read(one.folder / "metrics.csv") for one in (run, whole)]
    assert rows[0] == rows[1]


def test_checkpoints_and_stopping_read_its_scores(scored):
    """It logs before they look: the best checkpoint is that of the lowest val/frechet."""
    run, _ = scored(3)
    rows = csv_logger.read(run.folder / "metrics.csv")
    scores = [float(row["val/frechet"]) for row in rows if row["val/frechet"]]
    best = torch.load(run.best, weights_only=True)
    assert best["epoch"] == scores.index(min(scores))


@pytest.mark.parametrize("in_order", [True, False])
def test_in_front_of_the_average_it_is_refused(in_order, monkeypatch):
    watcher, average = Evaluator(compose(["experiment=gan"])), EMAWeightAveraging(decay=0.9)
    monkeypatch.setattr(watcher, "load", lambda info: None)
    callbacks = [average, watcher] if in_order else [watcher, average]
    trainer = SimpleNamespace(callbacks=callbacks, datamodule=SimpleNamespace(info={}))
    with nullcontext() if in_order else pytest.raises(ValueError, match="put it behind"):
        watcher.setup(trainer, zoo.create_model("gan"), "fit")


def test_a_model_that_draws_nothing_is_refused_in_one_line(command):
    line = command.failed("train", "evaluator=image_cnn", "trainer=smoke")
    assert "ImageCNN draws no pictures" in line
