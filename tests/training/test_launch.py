"""Processes: sweeps, the worker, several devices."""

import pytest

import zoo
from zoo.errors import Failure
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
    from zoo.training import hardware

    monkeypatch.setattr(hardware.shutil, "which", lambda name: None)
    assert launch.composed(["compile=true", "trainer.accelerator=cpu"])["compile"] is False
    assert "no C++ compiler found" in capsys.readouterr().err


@pytest.mark.slow
def test_a_sweep_is_a_folder_of_numbered_runs(command, tmp_path):
    code, out, err = command("train", "-m", "seed=0,1", "name=both", *SMALL)
    assert code == 0, err
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
    code, _, err = command("train", "trainer=ddp", "name=two", *SMALL)
    assert code == 0, err
    two = zoo.Run(tmp_path / "runs/image_cnn/two").results
    assert two["devices"] == 2
    assert two["samples"]["test"] == 120
    correct = two["test/accuracy"] * 120
    assert correct == pytest.approx(round(correct), abs=1e-3)


def test_the_worker_refuses_another_number_of_processes(monkeypatch, tmp_path):
    from zoo.training import worker
    from zoo.training.run import Run, write_config

    monkeypatch.setenv("WORLD_SIZE", "3")
    config = launch.composed(SMALL)
    write_config(Run(tmp_path), config)
    with pytest.raises(Failure, match="3 processes were started, the config asks for 1"):
        worker.main(str(tmp_path))
