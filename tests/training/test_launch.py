"""Processes: sweeps, the worker, several devices."""

import subprocess
import sys

import pytest

import zoo
from zoo.training import launch

SMALL = [
    "data.limit=120",
    "data.batch_size=20",
    "model.widths=[4]",
    "trainer.max_epochs=1",
    "baseline=null",
]


def test_a_sweep_checks_every_job_before_the_first_starts(tmp_path):
    with pytest.raises(ValueError, match=r"data\.batch_size is 0"):
        launch.sweep([*SMALL, "data.batch_size=8,0"])
    assert not (tmp_path / "runs").exists()


def test_without_a_compiler_compile_is_left_out_with_one_line(monkeypatch, capsys):
    from zoo import hardware

    monkeypatch.setattr(hardware.shutil, "which", lambda name: None)
    assert launch.composed(["compile=true", "trainer.accelerator=cpu"])["compile"] is False
    assert "no C++ compiler found" in capsys.readouterr().err


@pytest.mark.slow
def test_a_sweep_is_a_folder_of_numbered_runs(command, tmp_path):
    out = command.ran("train", "-m", "seed=0,1", "name=both", *SMALL)
    seeds = [zoo.Run(tmp_path / f"runs/image_cnn/both/{job}").results["seed"] for job in (0, 1)]
    assert seeds == [0, 1]
    assert "seed=1" in out


@pytest.mark.slow
def test_a_job_that_fails_is_named_and_the_others_are_done(command, tmp_path):
    """A rate of 1e30 makes the first job's loss infinite or not a number."""
    rates = "model.optimizer.lr=1e30,0.05"
    code, _, err = command("train", "-m", "name=both", rates, *SMALL)
    assert code == 1
    assert err.splitlines()[-1] == "zoo: 1 of 2 jobs failed: 0"
    runs = [zoo.Run(tmp_path / f"runs/image_cnn/both/{job}") for job in (0, 1)]
    assert [run.finished for run in runs] == [False, True]


@pytest.mark.slow
def test_two_processes_see_the_same_data_and_score_each_sample_once(command, tmp_path):
    """The global batch is what counts: two ranks take halves of what one takes."""
    command.ran("train", "trainer=ddp", "name=two", *SMALL)
    two = zoo.Run(tmp_path / "runs/image_cnn/two").results
    assert two["devices"] == 2
    assert two["samples"]["test"] == 120
    correct = two["test/accuracy"] * 120
    assert correct == pytest.approx(round(correct), abs=1e-3)


@pytest.mark.slow
def test_a_sweep_in_several_processes_leaves_exactly_its_runs(command, tmp_path):
    command.ran("train", "-m", "seed=1,2", "trainer=ddp", "name=both", *SMALL)
    runs = [
        zoo.Run(folder).results for folder in sorted((tmp_path / "runs/image_cnn/both").iterdir())
    ]
    assert [(run["seed"], run["devices"]) for run in runs] == [(1, 2), (2, 2)]


@pytest.mark.slow
def test_a_sweep_over_devices_gives_the_same_scores_on_one_and_on_two(command, tmp_path):
    """Lightning's own way trains the second job on half of the data, and exits 0."""
    exact = [*SMALL, "data.limit=499", "trainer.precision=64-true"]
    command.ran("train", "-m", "trainer.devices=1,2", "trainer=ddp", "name=both", *exact)
    one, two = (zoo.Run(tmp_path / f"runs/image_cnn/both/{job}").results for job in (0, 1))
    assert (one["devices"], two["devices"]) == (1, 2)
    assert one["samples"] == two["samples"]
    assert one["samples"]["test"] == 499  # an odd number: one process has a sample more
    assert one["test/accuracy"] == two["test/accuracy"]
    scores = {key: value for key, value in one.items() if key.startswith("test/")}
    assert {key: two[key] for key in scores} == pytest.approx(scores, rel=1e-6)


@pytest.mark.slow
def test_processes_that_torchrun_started_do_one_run(tmp_path):
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [sys.executable, *torchrun, "-m", "zoo", "train", "trainer=ddp", *SMALL]
    done = subprocess.run([*command, "name=a"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert zoo.Run(tmp_path / "runs/image_cnn/a").results["devices"] == 2
    assert done.stderr.count("data      digits") == 1  # one of them speaks
    again = subprocess.run([*command, "name=a"], capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert "nothing to do" in again.stderr
    nameless = subprocess.run(command, capture_output=True, text=True)
    assert nameless.returncode != 0
    assert "zoo: torchrun started several processes: give name=" in nameless.stderr
