"""Processes: sweeps, the worker, several devices."""

import re

import pytest

import zoo
from tests.data import python, refused
from zoo.training import launch
from zoo.training.run import COMPOSED, write_config
from zoo.utilities import hardware

SMALL = [
    "data.limit=120", "data.batch_size=20", "model.widths=[4]", "trainer.max_epochs=1",
    "baseline=null",
]  # fmt: skip


def test_without_a_compiler_compile_is_left_out_with_one_line(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(hardware.shutil, "which", lambda name: None)
    config = launch.compose_run(["compile=true", "trainer.accelerator=cpu"])
    launch.settle_hardware(config, zoo.Run(tmp_path))
    assert config["compile"] is False
    assert "no C++ compiler found" in capsys.readouterr().err


def test_a_model_in_the_place_of_an_experiment_is_refused_with_what_is_taken():
    with pytest.raises(ValueError, match=r"takes the name of an experiment .*, not a ImageMLP"):
        zoo.train(zoo.create_model("image_mlp"))


def test_help_says_what_a_run_has():
    returns = zoo.train.__doc__.split("Returns:")[1].split("Raises:")[0]
    named = {*re.findall(r"`(\w+)`", returns)} - {"Run", "predict"}
    assert named == {*vars(zoo.Run), "folder"} & named
    assert named >= {"folder", "results", "model", "config", "finished"}


@pytest.mark.parametrize("chip", ["bf16-mixed", "32-true"])
def test_a_run_keeps_its_precision_on_another_chip(chip, tmp_path, monkeypatch):
    run = zoo.Run(tmp_path)
    write_config(run, {"trainer": {"precision": chip}}, COMPOSED)
    write_config(run, {"trainer": {"precision": chip}})
    monkeypatch.setattr(hardware, "native_bf16", lambda accelerator: chip == "32-true")
    trainer = {"precision": "auto", "accelerator": "cpu"}
    config = {"bf16": True, "compile": False, "trainer": trainer}
    launch.settle_hardware(config, run)
    assert config["trainer"]["precision"] == chip


@pytest.mark.slow
def test_a_sweep_over_devices_leaves_exactly_its_runs_with_the_same_scores(command, tmp_path):
    """Lightning's own way trains the second job on half of the data, and exits 0."""
    exact = [*SMALL, "data.limit=499", "trainer.precision=64-true"]
    sweep = ["trainer.devices=2,1", "trainer=ddp", "name=both"]
    assert "trainer.devices" in command.ran("train", "-m", *sweep, *exact)
    folders = sorted((tmp_path / "runs/image_cnn/both").glob("[!c]*"))
    runs = [zoo.Run(folder).results for folder in folders]
    assert [folder.name for folder in folders] == ["0", "1"]
    assert [run["devices"] for run in runs] == [2, 1]
    two, one = runs
    assert one["samples"]["test"] == 499  # an odd number: one process has a sample more
    assert [one[key] == two[key] for key in ("samples", "test/accuracy")] == [True, True]
    scores = {key: value for key, value in one.items() if key.startswith("test/")}
    assert {key: two[key] for key in scores} == pytest.approx(scores, rel=1e-6)


@pytest.mark.slow
def test_processes_that_torchrun_started_do_one_run(tmp_path, monkeypatch, capsys):
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    words = ["trainer=ddp", *SMALL, "name=a"]
    said = python(*torchrun, "-m", "zoo", "train", *words)
    assert zoo.Run(tmp_path / "runs/image_cnn/a").results["devices"] == 2
    assert said.count("data      digits") == 1  # one of them speaks
    by_torchrun(monkeypatch)
    launch.start(words)
    assert "nothing to do" in capsys.readouterr().err


def test_processes_that_torchrun_started_need_a_name(monkeypatch):
    by_torchrun(monkeypatch)
    refused("torchrun started several processes: give name=", launch.start, ["trainer=ddp", *SMALL])


def by_torchrun(monkeypatch):
    """Be the second of two processes of torchrun's, as far as variables tell."""
    told = {"TORCHELASTIC_RUN_ID": "x", "RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
