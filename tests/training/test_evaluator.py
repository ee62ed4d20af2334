"""The judge: trained once on the judged run's data, whatever the run does with them."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.data import opened
from zoo.catalog.compose import compose
from zoo.config import schema
from zoo.metrics import frechet
from zoo.training import evaluator
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
    first = evaluator.trained(config, info)
    monkeypatch.setattr(evaluator, "_train", lambda *_: pytest.fail("it was trained again"))
    again = evaluator.trained(*config_and_info("seed=3", "data.train_samples=64"))
    assert not again.training
    for a, b in zip(first.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    (kept,) = (path for path in tmp_path.glob("judge-image_cnn-digits-*") if path.is_dir())
    names = {path.name for path in kept.iterdir()}
    assert names == {"weights.safetensors", "card.json", "config.yaml"}


def test_its_input_is_its_own_and_takes_raw_pixels():
    """The judged data are in [-1, 1]; the judge standardises."""
    config, info = config_and_info()
    both = (config["data"], evaluator.evaluator_config(config, info)["data"])
    assert [one["scaling"] for one in both] == ["symmetric", "standard"]
    assert [one["augment"]["rotation_range"] for one in both] == [0, 15]


def test_other_data_have_another_judge(monkeypatch):
    made = set()
    monkeypatch.setattr(evaluator, "load", lambda folder: SimpleNamespace(input=SimpleNamespace()))
    monkeypatch.setattr(evaluator, "cached", lambda name, key, build: made.add((name, key)))
    config, info = config_and_info()
    mnist = {**config, "choices": {**config["choices"], "data": "mnist"}}
    for given in ((config, info), (config, {**info, "digest": "another"}), (mnist, info)):
        evaluator.trained(*given)
    assert len(made) == 3


def test_its_recipe_is_short_and_its_own_whatever_the_run_trains_on():
    config = compose(["experiment=gan", "seed=2", "data.train_samples=100"])
    asked = evaluator.evaluator_config(config, {"samples": {"train": 100}})
    assert asked["choices"]["model"] == "image_cnn"
    assert (asked["data"]["seed"], asked["data"]["train_samples"]) == (0, None)
    assert (asked["data"]["batch_size"], asked["trainer"]["max_epochs"]) == (64, evaluator.EPOCHS)
    assert asked["baseline"] is asked["target"] is asked["evaluator"] is None
    assert (
        evaluator.evaluator_config(config, {"samples": {"train": 20}})["data"]["batch_size"] == 20
    )


def test_it_sees_the_data_of_ones_own():
    """data.source reaches the judge, too."""
    config = compose(["data=image_folder", "model=gan", "evaluator=image_cnn", "data.source=pets"])
    asked = evaluator.evaluator_config(config, {"samples": {"train": 20}})
    assert (asked["data"]["source"], asked["choices"]["model"]) == ("pets", "image_cnn")


def test_a_training_that_fails_leaves_nothing(monkeypatch, tmp_path, capfd):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    config, info = config_and_info()
    monkeypatch.setattr(evaluator.sys, "executable", "false")
    with pytest.raises(Failure, match="judge could not be trained"):
        evaluator.trained(config, info)
    assert not [path for path in tmp_path.glob("judge-*") if path.is_dir()]


def test_the_process_is_alone_even_where_torchrun_started_this_one(monkeypatch, tmp_path):
    seen, done = {}, SimpleNamespace(returncode=1)
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(evaluator.subprocess, "run", lambda words, env: seen.update(env) or done)
    with pytest.raises(Failure):
        evaluator._train(evaluator.evaluator_config(*config_and_info()), tmp_path)
    assert "WORLD_SIZE" not in seen


@pytest.mark.slow
def test_it_knows_the_digits(tmp_path):
    """Three of four epochs would do: 96 % on the test digits at least."""
    config = compose(["experiment=gan"])
    data = opened("digits")
    pixels, labels = data.arrays("test")
    _, said = frechet.classify(evaluator.trained(config, data.info), pixels)
    assert np.mean(said == labels) > 0.96
