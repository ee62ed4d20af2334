"""Python values reach a config exactly, also from several threads; an empty dict empties."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

import zoo
from tests.data import SMALL, refused
from zoo.catalog.compose import compose
from zoo.catalog.overrides import as_overrides
from zoo.catalog.parsing import parse
from zoo.training.run import Run, read_config, write_config

PARTS = ("\\", "'", '"', "${", "$", "}", "\n", " ", ",", "=", "ü", "[", "~", "seed", "\U0001f422")
MAYBE = np.random.default_rng(0)
TEXTS = ["a\\", "${seed}", "${", "\\${x}\\", *map("".join, MAYBE.choice(PARTS, (12, 6)))]


def value_of(key, value):
    """What a Python value becomes in a config, which is also written and read."""
    config = compose(as_overrides({key: value}))
    run = Run(Path.cwd())
    write_config(run, config)
    assert read_config(run.folder / "config.yaml") == config
    for part in key.split("."):
        config = config[part]
    return config


@pytest.mark.parametrize("text", TEXTS)
def test_a_string_reaches_the_config_and_comes_back_from_its_file(text):
    assert value_of("data.source", text) == text


EXACT = [
    ("model.widths", np.array([4, 8]), [4, 8]), ("model.widths", torch.Size([4, 8]), [4, 8]),
    ("model.widths", (4, 8), [4, 8]), ("model.widths", OmegaConf.create([4, 8]), [4, 8]),
    ("model.num_classes", np.int64(7), 7), ("model.num_classes", torch.tensor(7), 7),
    ("ema", np.float32(0.1), 0.10000000149011612), ("ema", 1e-5, 1e-5), ("ema", None, None),
    ("compile", np.bool_(True), True), ("data.source", Path("a b/c"), "a b/c"),
    ("data.augment", {}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value", "wanted"), EXACT, ids=lambda one: type(one).__name__)
def test_values_of_other_libraries_are_plain_ones(key, value, wanted):
    got = value_of(key, value)
    assert (got, type(got)) == (wanted, type(wanted))


def test_a_dict_changes_its_keys_an_empty_one_empties_and_both_replace():
    names = compose([])["data"]["augment"].keys()
    assert value_of("data.augment", {"zoom_range": 0.3}).keys() == names
    assert compose(["data.augment={}"])["data"]["augment"] == {}
    both = as_overrides({"data.augment": {}, "data.augment.zoom_range": 0.3})
    assert compose(both)["data"]["augment"] == {"zoom_range": 0.3}
    assert zoo.create_data("digits", augment={}).hparams["augment"] == {}
    same = {"model": {}, "trainer": OmegaConf.create({"max_epochs": 3})}  # sections stay
    assert compose(as_overrides(same)) == compose(["trainer.max_epochs=3"])
    refused("data.augment is None", compose, ["data.augment=null"])
    refused("data.augment is missing", compose, ["~data.augment"])


def test_dicts_may_have_any_keys_and_stand_in_lists():
    value = {"a.b": 1, "c d": ["x", {"e:f": 2.5}]}
    (override,) = as_overrides({"+baseline.weights": value})
    assert parse([override])[0].value() == value


@pytest.mark.parametrize("value", [b"x", {1, 2}, object(), torch.nn.ReLU()])
def test_what_no_config_can_hold_is_refused(value):
    refused("model.x is of ", as_overrides, {"model": {"x": value}})


def test_models_are_made_in_threads():
    with ThreadPoolExecutor(4) as threads:
        models = threads.map(lambda n: zoo.create_model("image_mlp", num_classes=n), range(40, 52))
        assert [model.hparams["num_classes"] for model in models] == [*range(40, 52)]


def test_two_runs_at_once_are_those_that_are_made_alone(tmp_path):
    """One waits for the other: the generators that a run seeds are the process'."""
    settings = {**SMALL, "model": {"widths": [4, 8], "dropout": 0.5}}

    def weights(name):
        run = zoo.train("image_cnn", **settings, name=name)
        return (run.folder / "weights.safetensors").read_bytes()

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(weights, ("a", "b"))
    assert first == second == weights("c")
