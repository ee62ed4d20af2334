"""Which classes a config may name, and what became of the names of before."""

import pytest
from omegaconf import OmegaConf

from zoo.config.locate import locate
from zoo.config.migrate import CLASSES, migrate
from zoo.pretrained import store
from zoo.training.run import Run


@pytest.mark.parametrize("target", CLASSES.values())
def test_each_class_that_has_moved_is_there(target):
    assert f"{locate(target).__module__}.{locate(target).__name__}" == target


def test_names_are_renewed_wherever_they_stand_and_all_else_is_kept():
    old = {"a": [{"_target_": "datamodules.reviews.Reviews", "b": 1}], "_target_": ["no name"]}
    new = {"a": [{"_target_": "datamodules.texts.Texts", "b": 1}], "_target_": ["no name"]}
    assert migrate(old) == new


def test_released_cards_and_runs_of_before_name_the_classes_of_today(tmp_path):
    assert store.read(store.find("text_cnn.imdb"))["data"]["_target_"] == "datamodules.texts.Texts"
    logger = {"csv": {"_target_": "zoo.training.metrics.CSVLogger", "save_dir": "."}}
    OmegaConf.save(OmegaConf.create({"logger": logger}), tmp_path / "config.yaml")
    assert Run(tmp_path).config["logger"]["csv"]["_target_"] == "zoo.training.csv_logger.CSVLogger"


@pytest.mark.parametrize(("words", "now"), [
    ("train proof=null", "target"), ("train proof.at_least=0.9", "target"),
    ("train ~judge", "evaluator"), ("train ~proof.metric", "target.metric"),
    ("train ++judge=x", "evaluator"), ("train +model.mirror=true", "model.flip_tta"),
    ("train model.mirror=true", "model.flip_tta"), ("train -m judge=a,b", "evaluator"),
    ("test image_cnn.mnist judge=null", "evaluator"), ("test image_cnn.mnist ~judge", "evaluator"),
    ("test image_cnn.mnist ++proof.at_least=1", "target.at_least"),
])  # fmt: skip
def test_an_override_with_an_old_key_is_one_line_that_names_the_new_one(words, now, command):
    assert command.refused(*words.split()).endswith(f" is called {now} now\n")
