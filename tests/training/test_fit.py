"""A whole run: what it learns, what it leaves, how it resumes and how it stops."""

import json

import pytest
import torch
from sklearn.metrics import accuracy_score

import zoo
from tests.data import SMALL, opened
from tests.tiny import image_folder, write
from zoo.baselines.pixels import StandardisedLogistic
from zoo.catalog.compose import as_overrides
from zoo.nn.supervised import Classifier
from zoo.training import build, report
from zoo.utilities import hardware

TINY = {
    "model": {"widths": [4, 8], "optimizer": {"lr": 0.05}},
    "data": {"limit": 200, "batch_size": 20}, "trainer": {"max_epochs": 2}, "baseline": None,
}  # fmt: skip

WORDS = [
    "experiment=cbow",
    "trainer=smoke",
    "name=a",
    *as_overrides({"data": write("python_docs", None)}),
]


def train(**changes):
    for key, value in changes.items():
        changes[key] = {**(TINY[key] or {}), **value} if isinstance(value, dict) else value
    return zoo.train("image_cnn", **{**TINY, **changes})


@pytest.fixture
def finished(trained):
    """One small run that several tests look at."""
    return trained("image_cnn", **TINY, ema=0.9)


def test_the_run_leaves_its_whole_folder(finished):
    names = {path.name for path in finished.folder.iterdir()}
    assert names == {
        "config.yaml", "composed.yaml", "results.json", "metrics.csv", "checkpoints",
        "weights.safetensors", "card.json", "report.html",
    }  # fmt: skip
    names = {path.name for path in finished.checkpoints.iterdir()}
    kept = {"best.ckpt", "last-10.ckpt", "last-20.ckpt"}
    assert names == kept | {f"{name}.sha256" for name in kept}


def test_the_results_are_those_of_the_released_weights(finished):
    """The accuracy in results.json is what scikit-learn counts with the weights and raw pixels."""
    pixels, labels = opened("digits", limit=200).arrays("test")
    answers = finished.model.predict(list(pixels))
    score = accuracy_score(labels, [int(answer["label"]) for answer in answers])
    assert finished.results["test/accuracy"] == pytest.approx(score)
    assert finished.results["test/accuracy/low"] <= score <= finished.results["test/accuracy/high"]


def test_the_results_say_what_ran(finished):
    wanted = {
        "experiment": "image_cnn", "model": "image_cnn", "data": "digits", "seed": 0,
        "smoke": False, "bundled": True, "precision": "32-true", "devices": 1,
    }  # fmt: skip
    assert {key: finished.results[key] for key in wanted} == wanted
    assert finished.results["command"].startswith("zoo train experiment=image_cnn")
    assert finished.results["train_seconds"] > 0


def test_a_checkpoint_is_enough_to_rebuild_the_model(finished):
    """Schema, class, arguments and facts, loadable without pickle."""
    told = torch.load(finished.lasts[0], weights_only=True)["zoo"]
    assert told["model"]["_target_"] == "zoo.image_cnn.ImageCNN"
    assert told["info"]["classes"] == [str(i) for i in range(10)]
    assert told["config"]["data"]["name"] == "digits"


def test_the_same_command_again_has_nothing_to_do(finished, monkeypatch, capsys):
    monkeypatch.chdir(finished.folder.parents[2])
    before = {path: path.stat().st_mtime_ns for path in finished.folder.rglob("*")}
    train(name="a", ema=0.9)
    assert "nothing to do" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in finished.folder.rglob("*")} == before


def test_the_same_seed_gives_the_same_weights_and_another_does_not():
    runs = (train(name="x"), train(name="y"), train(name="z", seed=1))
    first, second, other = (run.model.state_dict()["head.weight"] for run in runs)
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    assert not torch.equal(first, other)


def test_a_loss_that_is_not_finite_stops_before_the_update(monkeypatch, command, tmp_path):
    """The third batch of the second epoch is spoilt: the first epoch's checkpoint stays finite."""
    usual, calls = Classifier.training_step, []

    def spoilt(self, batch, batch_idx):
        calls.append(batch_idx)
        return usual(self, batch, batch_idx) * (float("nan") if len(calls) == 13 else 1.0)

    monkeypatch.setattr(Classifier, "training_step", spoilt)
    line = command.failed("train", *as_overrides({**SMALL, "name": "a", "trainer": {}}), code=1)
    assert "the loss is nan in epoch 2, batch 3 (step 12)" in line
    run = zoo.Run(tmp_path / "runs/image_cnn/a")
    saved = torch.load(run.lasts[0], weights_only=True)["state_dict"]
    assert all(value.isfinite().all() for value in saved.values())
    assert not run.finished


def test_steps_without_backward_stop_before_what_is_not_finite_is_saved(command, tmp_path):
    """Word vectors take their steps by hand; save_every asks for a checkpoint after each."""
    line = command.failed("train", *WORDS, "model.optimizer.lr=1e20", "save_every=1e-9", code=1)
    assert "the loss is nan in epoch 1, batch 1" in line
    assert not zoo.Run(tmp_path / "runs/cbow/a").lasts


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_without_locks_are_named_in_the_results(threads, command, tmp_path):
    """S63: nothing else in a folder says why such a run is not repeated exactly."""
    command.ran("train", *WORDS, f"model.threads={threads}")
    assert zoo.Run(tmp_path / "runs/cbow/a").results.get("lock_free_threads", 1) == threads


def test_early_stopping_ends_a_run_that_gets_no_better():
    run = train(early_stopping=1, model={"optimizer": {"lr": 1e-12}}, trainer={"max_epochs": 9})
    assert run.results["epochs"] < 9


def test_the_average_of_the_weights_is_what_is_judged(finished):
    """The best checkpoint holds the average, and the run's weights are it, buffers too."""
    best = torch.load(finished.best, weights_only=True)
    weights = finished.model.state_dict()
    torch.testing.assert_close(weights, best["state_dict"], rtol=0, atol=0)
    assert (best["current_model_state"]["head.weight"] - weights["head.weight"]).abs().max() > 1e-3


def test_the_facts_of_the_data_set_the_sizes_and_no_other_value_than_the_files_stands():
    composed = {"_target_": "zoo.image_cnn.ImageCNN", "channels": 1, "num_classes": 10}
    info = {"channels": 3, "num_classes": 4, "image_size": 32}
    agreed = build.fill_sizes(composed, composed, info)
    assert agreed == {**composed, "channels": 3, "num_classes": 4}
    with pytest.raises(ValueError, match=r"is 7: the data have 4 and the model's file 10"):
        build.fill_sizes({**composed, "num_classes": 7}, composed, {"num_classes": 4})


@pytest.mark.parametrize(("asked", "proven", "native", "resolved"), [
    ("auto", True, True, "bf16-mixed"), ("auto", True, False, "32-true"),
    ("auto", False, True, "32-true"), ("64-true", True, True, "64-true"),
])  # fmt: skip
def test_automatic_precision_needs_proof_and_a_chip(asked, proven, native, resolved, monkeypatch):
    monkeypatch.setattr(hardware, "native_bf16", lambda accelerator: native)
    config = {"bf16": proven, "trainer": {"precision": asked, "accelerator": "cpu"}}
    assert hardware.precision(config) == resolved


def test_the_baseline_stands_beside_the_model_and_is_fitted_once(monkeypatch):
    section = {"_target_": "zoo.baselines.pixels.StandardisedLogistic", "C": 0.02, "max_iter": 50}
    first = train(baseline=section).results
    assert first["baseline"] == "standardise + logistic regression"
    assert first["baseline/train_seconds"] > 0
    monkeypatch.setattr(StandardisedLogistic, "fit", lambda *_: pytest.fail("fitted again"))
    again = train(baseline=section).results
    assert again["baseline/test/accuracy"] == first["baseline/test/accuracy"]


@pytest.mark.slow
def test_a_run_with_compile_falls_back_or_runs():
    assert train(compile=True, model={"widths": [4]}, trainer={"max_epochs": 1}).finished


def test_the_pictures_are_of_the_scored_model(monkeypatch):
    """The confusion matrix counts the right answers that the accuracy does, in eval mode."""
    shown = {}
    monkeypatch.setattr(report, "write", lambda folder, results, figures: shown.update(figures))
    run = train()
    matrix = shown["Confusion matrix"].matrix
    assert matrix.sum() == 200
    assert matrix.trace() == pytest.approx(run.results["test/accuracy"] * 200)


def test_config_yaml_is_what_was_built_and_the_same_command_still_knows_the_run(tmp_path, capsys):
    image_folder.write(tmp_path / "pets")
    own = {"data.source": str(tmp_path / "pets"), "data.limit": 8, "data.batch_size": 2}
    run = zoo.train(data="image_folder", trainer="smoke", name="a", **own)
    card = json.loads((run.folder / "card.json").read_text())
    assert run.config["model"] == card["model"]
    assert card["model"]["num_classes"] == len(card["info"]["classes"])
    assert run.composed["model"]["num_classes"] == 10
    zoo.train(data="image_folder", trainer="smoke", name="a", **own)
    assert "nothing to do" in capsys.readouterr().err
