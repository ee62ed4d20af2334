"""A package of the user's: its conf/ joins the catalog, and only what the user names is built."""

import shutil
import sys

import numpy as np
import pytest

import zoo
from tests.data import refused
from tests.test_ninth_topic import write_package
from zoo.catalog import registry
from zoo.config import schema
from zoo.config.schema import locate
from zoo.utilities import packages

NAMED = "you have not named the package '{0}', .* set ZOO_PACKAGES={0}"
READER = """
from datamodules.images import Images
from datamodules.inputs.image import ImageInput


class Reader(ImageInput):
    pass


class Pictures(Images):
    INPUT = Reader

    def fit_input(self):
        fitted = super().fit_input().config()
        return Reader(**{key: value for key, value in fitted.items() if key != "kind"})
"""
MEAN = """
import numpy as np
from sklearn.base import BaseEstimator


class Most(BaseEstimator):
    title = "the largest class"

    def fit(self, data):
        self.label = np.bincount(data.arrays("train")[1]).argmax()
        return self

    def score(self, data):
        return {"test/accuracy": float((data.arrays("test")[1] == self.label).mean())}
"""
PLAIN = """
from pytorch_lightning import LightningDataModule, LightningModule
from torch import nn, optim


class Bare(LightningModule):
    def __init__(self, channels: int, image_size: int, num_classes: int, width: int = 4):
        super().__init__()
        self.input, self.classes, self.card = nn.Flatten(), num_classes, None
        inner = nn.Linear(channels * image_size**2, width)
        self.layers = nn.Sequential(self.input, inner, nn.Linear(width, num_classes))

    def loss(self, batch):
        return nn.functional.cross_entropy(self.layers(batch[0]), batch[1])

    def training_step(self, batch, batch_idx):
        return self.loss(batch)

    def configure_optimizers(self):
        return optim.SGD(self.parameters(), 0.1)


class Logs(Bare):
    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self.loss(batch))

    def test_step(self, batch, batch_idx):
        self.log("test_loss", self.loss(batch))
        return self.loss(batch)


class Watched(Logs):
    def training_step(self, batch, batch_idx):
        self.log("acc", 0.5)
        return self.loss(batch)


class Data(LightningDataModule):
    pass


class Untrained(LightningModule):
    def training_step(self, batch, batch_idx):
        return None
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working folder whose packages are new to Python and known to no zoo."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    for variable in (packages.VARIABLE, packages.TRUST):
        monkeypatch.setenv(variable, "")
    (tmp_path / "mine.py").write_text(PLAIN)
    yield tmp_path
    for name in [name for name in sys.modules if name.split(".")[0] in ("mixers", "mine")]:
        del sys.modules[name]


@pytest.fixture
def mixers(place, monkeypatch):
    """The package of docs/ninth_topic.md with data, an input and a baseline of its own."""
    write_package(place / "project")
    folder = (place / "project" / "mixers").rename(place / "mixers")
    (folder / "pictures.py").write_text(READER)
    (folder / "most.py").write_text(MEAN)
    target = "_target_: mixers.pictures.Pictures\n"
    (folder / "conf" / "data").mkdir()
    (folder / "conf" / "data" / "own.yaml").write_text(f"# Own.\ndefaults: [digits]\n{target}")
    monkeypatch.setenv(packages.VARIABLE, "mixers")
    return folder


def test_its_models_and_data_are_used_as_ours_until_it_is_named_no_more(
    mixers, command, monkeypatch
):
    assert "  mixer  " in command.ran("list", "models")
    assert "mixers" not in sys.modules  # which a list does not import
    assert str(mixers / "conf/model/mixer.yaml") in command.ran("show", "mixer")
    baseline = {"baseline": {}, "baseline._target_": "mixers.most.Most"}
    small = {"data": "own", "data.limit": 200, "data.batch_size": 20, "trainer.max_epochs": 1}
    run = zoo.train("mixer", **small, **baseline, name="a")
    assert run.results["baseline"] == "the largest class"
    assert type(run.model.input).__name__ == "Reader"
    assert len(run.model.predict([np.zeros((28, 28), np.uint8)] * 2)) == 2
    assert "written" in command.ran("export", str(run.folder), "--format", "torch")
    assert "test/accuracy" in command.ran("test", str(run.folder), "--json")
    again = zoo.train("mixer", init=str(run.folder), trainer="smoke", name="b", data="own")
    assert again.finished

    monkeypatch.setenv(packages.VARIABLE, "")
    said = NAMED.format("mixers")
    for call in (zoo.load, type(run.model).from_pretrained):
        refused(said, call, run.folder)
    for words in (["predict"], ["test"], ["export"]):
        assert "ZOO_PACKAGES=mixers" in command.failed(*words, str(run.folder))
    assert "ZOO_PACKAGES=mixers" in command.refused("train", f"init={run.folder}")
    refused(said, schema.build_input, {"kind": "mixers.pictures.Reader"})
    logger = {"kind": "pytorch_lightning.loggers.CSVLogger", "save_dir": "x"}
    refused("not an input", schema.build_input, logger)
    refused(said, schema.build, run.config["model"], "model")
    refused("no model named .mixer.", zoo.create_model, "mixer")


def test_what_is_in_the_way_of_a_package_is_one_line(mixers, monkeypatch, command):
    twice = mixers / "conf/model/image_cnn.yaml"
    shutil.copy(mixers / "conf/model/mixer.yaml", twice)
    said = refused("model 'image_cnn' exists twice", zoo.list_models)
    assert str(twice) in said
    assert str(registry.conf_folder() / "model" / "image_cnn.yaml") in said
    twice.write_text("a: [")
    twice.rename(twice.with_stem("torn"))
    assert "torn.yaml" in command.refused("train", "model=torn")
    for name in ("nowhere", "a/b"):
        monkeypatch.setenv(packages.VARIABLE, f"mixers, {name}")
        refused(f"ZOO_PACKAGES names '{name}': there is no such package", zoo.list_data)
    monkeypatch.setenv(packages.VARIABLE, "mixers.conf")
    refused("name the package at the top", zoo.list_data)


def test_an_installed_package_is_found_without_being_imported(mixers, monkeypatch):
    monkeypatch.setenv(packages.VARIABLE, "")
    entry = mixers.parent / "mixers-1.dist-info" / "entry_points.txt"
    entry.parent.mkdir()
    entry.write_text(f"[{packages.GROUP}]\nmixers = mixers\n")
    monkeypatch.syspath_prepend(mixers.parent)
    packages.installed.cache_clear()
    try:
        assert registry.roots() == [registry.conf_folder(), mixers / "conf"]
        assert "mixer" in zoo.list_models()
        assert "mixers" not in sys.modules
        assert locate("mixers.Mixer").__name__ == "Mixer"
    finally:
        packages.installed.cache_clear()


# --- a class that the user types ------------------------------------------------------------------


@pytest.mark.parametrize(("name", "said"), [
    ("Bare", "no validation (the last weights count); no test scores"),
    ("Logs", "no val/loss: the last weights count (logged: val_loss)"),
])  # fmt: skip
def test_any_lightning_module_trains_and_what_it_lacks_is_said(name, said, place, command):
    """Also one that calls attributes as we do; its sizes are the data's."""
    words = [f"model._target_=mine.{name}", "model.width=3", "data=digits_flipped", "trainer=smoke"]
    code, out, err = command("train", *words, "name=a")
    assert code == 0, err
    assert err.count("no predict, export, report pictures, intervals") == err.count(said) == 1
    run = zoo.Run(place / "runs" / f"digits_flipped_mine.{name}" / "a")
    assert ("test_loss" in run.results) == ("test_loss" in out) == (name == "Logs")
    assert "test_loss/low" not in run.results


def test_its_weights_load_and_go_on_where_the_class_is_named(place, command, monkeypatch):
    typed = {"model._target_": "mine.Logs", "model.width": 3, "trainer": "smoke", "name": "a"}
    run = zoo.train("image_cnn", **typed)  # of the recipe without its numbers for image_cnn
    model = zoo.load(run.folder)
    sizes = {"channels": 1, "image_size": 28, "num_classes": 10, "width": 3}
    assert run.config["model"] == {"_target_": "mine.Logs", **sizes}
    assert (type(model).__name__, model.training, model.classes) == ("Logs", False, 10)
    assert f"{run.results['test_loss']:.3f}" in command.ran("test", str(run.folder))
    assert "it has no predict" in command.failed("predict", str(run.folder))
    assert "it has no export" in command.failed("export", str(run.folder))
    on = zoo.train("image_cnn", init=str(run.folder), trainer="smoke", name="b")
    assert on.config["model"] == run.config["model"]
    monkeypatch.setenv(packages.TRUST, "")
    refused(NAMED.format("mine"), zoo.load, run.folder)
    assert "ZOO_PACKAGES=mine" in command.refused("train", f"init={run.folder}")


TYPED = {
    "model.width=0.5": "model.width is 0.5", "model.widht=1": "did you mean 'model.width'",
    "~model.width": "there is no such key", "monitor=val/los": "no metric named 'val/los'",
    "data=negated_reviews": "model.channels is missing",
    "model._target_=mine.Untrained": "Untrained has no configure_optimizers",
    "model._target_=mine.Nothing": "there is no such class",
    "model._target_=mine.nn.Linear": "there is no such class",
    "model._target_=mine.optim": "not a model", "model._target_=os.system": "not a model",
    "model._target_=subprocess.Popen": "not a model", "model._target_=sklearn.svm.SVC": "not a mo",
    "data._target_=mine.Data": "not a datamodule, built on one of ours",
    "model._target_=broken.Net": "name 'x' is",
    "init=image_cnn.digits": "model.",
}  # fmt: skip


@pytest.mark.parametrize(("override", "said"), TYPED.items())
def test_a_wrong_key_of_a_typed_class_is_one_line(override, said, place, command):
    (place / "broken.py").write_text("x")
    words = ["model._target_=mine.Logs", "trainer=smoke", override]
    assert said in command.failed("train", *words)


@pytest.mark.parametrize(("override", "said"), [
    ("monitor=val/los", "Bare has no validation_step: set monitor=epoch"),
    ("early_stopping=2", "Bare has no validation_step: set early_stopping=null"),
])  # fmt: skip
def test_what_watches_no_validation_is_refused(override, said, place, command):
    assert said in command.failed("train", "model._target_=mine.Bare", "trainer=smoke", override)


def test_a_metric_of_training_may_be_watched(place, command):
    """Which no sanity check has seen."""
    typed = {"model._target_": "mine.Watched", "trainer": "smoke"}
    assert zoo.train(**typed, monitor="acc", name="a").best.exists()
    words = ["train", "model._target_=mine.Watched", "trainer=smoke"]
    assert "no metric named 'ac': did you mean 'acc'" in command.failed(*words, "monitor=ac")


def test_a_class_may_take_the_place_of_one_with_the_same_arguments(place):
    """With `model=` the numbers of that file are kept."""
    source = "from zoo.image_mlp import ImageMLP\n\n\nclass Sub(ImageMLP): ...\n"
    (place / "mine.py").write_text(source)
    model = zoo.create_model("image_mlp", _target_="mine.Sub", num_classes=3)
    assert (type(model).__module__, model.hparams["num_classes"]) == ("mine", 3)
    typed = {"model": "image_mlp", "model._target_": "mine.Sub"}
    run = zoo.train("image_mlp", **typed, trainer="smoke", name="a")
    assert type(run.model).__name__ == "Sub"
    on = zoo.train(init=str(run.folder), trainer="smoke", name="b")
    assert on.config["model"]["_target_"] == "mine.Sub"


@pytest.mark.slow
def test_sweeps_and_several_processes_know_what_was_named(place, command):
    """Their processes build what the command built; a run goes on by the same command."""
    train = ["train", "model._target_=mine.Logs", "trainer=smoke"]
    for epochs in (10, 11):
        command.ran(*train, "trainer.devices=2", f"trainer.max_epochs={epochs}", "name=a")
    run = zoo.Run(place / "runs/digits_mine.Logs/a")
    assert run.results["devices"] == 2
    command.ran(*train, "-m", "model.width=3,2", "name=s")
    swept = [zoo.Run(run.folder.parent / "s" / job).config["model"]["width"] for job in "01"]
    assert swept == [3, 2]
