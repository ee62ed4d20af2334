"""The steps of a run on data of one's own go by their size (own_training)."""

import numpy as np
import pytest
import torch

import zoo
from tests.data import arrays_of, refused
from zoo.catalog.compose import compose
from zoo.catalog.own_data import own_data
from zoo.training import build
from zoo.training.resume import Checkpoints
from zoo.utilities.errors import Stopped

FOLDERS = ["image_folder", "audio_folder", "video_folder"]
OWN = ["data=image_folder", "data.source=x"]


def epochs(batches, *words):
    """How many a run on data of so many batches takes."""
    config = compose([*OWN, "own_training={steps:800,min_epochs:5,max_epochs:60}", *words])
    data = arrays_of(None)
    data.train_dataloader = lambda: range(batches)
    build.settle_length(config, data)
    return config["trainer"]["max_epochs"]


@pytest.mark.parametrize(("batches", "words", "count"), [
    (33, [], 24), (1, [], 60), (160, [], 5), (300, [], 5),  # 24 * 33 = 792
    (33, ["trainer.max_epochs=3"], 3), (33, ["trainer.max_epochs=18"], 18),
    (33, ["trainer.max_steps=100"], 4), (33, ["trainer.max_steps=9999"], 303),
    (300, ["own_training.min_epochs=null"], 18), (300, ["own_training.max_epochs=2"], 5),
    (33, ["own_training.steps=66"], 5), (33, ["own_training=null"], 18),
    (33, ["debug=overfit"], 100), (33, ["trainer=smoke"], 1), (33, ["debug=fast_dev_run"], 1),
    (33, ["trainer.limit_train_batches=10"], 60), (33, ["trainer.limit_train_batches=0.5"], 50),
    (33, ["trainer.accumulate_grad_batches=2"], 47),  # of 17 steps
    (33, ["model=gan"], 14), (33, ["model=autoencoder"], 30),  # judged by something else
])  # fmt: skip
def test_epochs_go_by_the_batches_unless_a_length_is_given(batches, words, count):
    assert epochs(batches, *words) == count


def test_recipes_keep_their_epochs_and_those_of_other_data_do_not():
    for name in ("image_cnn", "sound_classifier", "video_conv3d"):
        assert "own_training" not in compose([f"experiment={name}"])
    for folder in FOLDERS:
        assert compose([f"data={folder}", "data.source=x"])["own_training"]["steps"] > 1
    config = compose(OWN)
    for name, key in {"image_folder": {}, "digits": {"own_training": {"steps": 9}}}.items():
        recipe = {**compose([]), "data": {"name": name}}
        own = {**config, "own_training": {"steps": 9}}
        assert own_data(own, config["choices"], recipe, [])[1] == key
    refused(r"own_training\.steps is 0", compose, [*OWN, "own_training.steps=0"])


@pytest.mark.parametrize(("words", "monitor"), [
    ([], "epoch"), (["trainer.max_epochs=3"], "epoch"), (["own_training.keep=best"], "val/loss"),
    (["early_stopping=3"], "val/loss"), (["monitor=val/accuracy", "mode=max"], "val/accuracy"),
    (["own_training=null"], "val/loss"), (["model=autoencoder"], "val/loss"),
])  # fmt: skip
def test_the_last_weights_are_kept_unless_the_best_are_asked_for(words, monitor):
    config = compose([*OWN, *words])
    assert (config["monitor"], config["mode"]) == (monitor, "min" if "loss" in monitor else "max")


@pytest.fixture
def words(tiny):
    few = {"source": tiny("image_folder")["source"], "train_samples": 8, "batch_size": 2}
    return {
        "data": "image_folder", "model.widths": [4], "baseline": None,
        "trainer.precision": "32-true", "own_training": {"steps": 12, "min_epochs": 2},
        **{f"data.{key}": value for key, value in few.items()},
    }  # fmt: skip


def test_a_run_says_its_length_stores_it_and_goes_on_to_it(words, capsys, monkeypatch):
    run = zoo.train(**words, name="a")
    said = capsys.readouterr().err
    assert "plan      about 12 steps, then test" in said
    assert "length    3 epochs of 4 steps (own_training)" in said
    assert (run.config["trainer"]["max_epochs"], run.results["epochs"]) == (3, 3)
    assert run.config["own_training"] == run.composed["own_training"]
    with monkeypatch.context() as patched:
        patched.setattr(Checkpoints, "_stop", stop)
        with pytest.raises(Stopped):
            zoo.train(**words, name="b")
    again = zoo.train(**words, name="b")
    assert "resume    from step 4" in capsys.readouterr().err
    assert again.results["epochs"] == 3
    for name, tensor in run.model.state_dict().items():
        assert torch.equal(tensor, again.model.state_dict()[name]), name


def stop(self, trainer, signal):
    if trainer.global_step == 4:
        raise Stopped(15)


def test_a_finished_run_goes_on_only_to_another_length(words, capsys):
    def epochs(**changes):
        return zoo.train(**{**words, **changes}, name="a").config["trainer"]["max_epochs"]

    first = epochs(), epochs()
    assert "nothing to do" in capsys.readouterr().err
    longer = {"own_training": {"steps": 20, "min_epochs": 2}}
    assert (*first, epochs(**longer), epochs(**{"trainer.max_epochs": 4})) == (3, 3, 5, 5)
    assert epochs(**{"trainer.max_epochs": 6}) == 6


def test_an_estimator_learns_as_long(capsys):
    X, y = np.random.default_rng(0).integers(0, 256, (20, 8, 8), np.uint8), np.arange(20) % 2
    length = {"steps": 10, "min_epochs": 1, "max_epochs": 9}
    options = {"model__widths": [4], "data__batch_size": 9, "own_training": length}
    zoo.Estimator(verbose=True, **options).fit(X, y)  # of 18 samples
    assert "length    5 epochs of 2 steps" in capsys.readouterr().err
