"""Who started a process, how many there are, what they agree on, and what is said when they end."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
import torch
import torch.distributed as dist
from pytorch_lightning.strategies import DDPStrategy

import zoo
from scripts.torture import all_gone, ranks
from zoo.distributed import collectives, environment, torchrun
from zoo.gan import GAN
from zoo.training import checkpoints, launch
from zoo.utilities.errors import Failure, Stopped, code

SMALL = ["data.limit=400", "data.batch_size=20", "model.widths=[8]", "baseline=null", "name=a"]


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """No variables of torchrun or SLURM."""
    for name in list(os.environ):
        if name in environment.STALE or name.startswith(("SLURM_", "TORCHELASTIC_")):
            monkeypatch.delenv(name)


def trainer(**changes):
    return {"trainer": {"devices": 1, "num_nodes": 1, "strategy": "auto", **changes}, "timeout": 10}


# --- who started it -------------------------------------------------------------------------------


ON_SLURM = {"SLURM_NTASKS": "4", "SLURM_NTASKS_PER_NODE": "2", "SLURM_PROCID": "2"}


@pytest.mark.parametrize(("variables", "by", "number"), [
    ({}, None, 0), ({"TORCHELASTIC_RUN_ID": "x", "RANK": "3", "WORLD_SIZE": "4"}, "torchrun", 3),
    (ON_SLURM | {"SLURM_STEP_ID": "0"}, "srun", 2),
    (ON_SLURM | {"SLURM_JOB_ID": "7", "SLURM_PROCID": "0"}, None, 0),  # in sbatch
    ({"SLURM_STEP_ID": "0", "SLURM_NTASKS": "1", "SLURM_PROCID": "0"}, None, 0),  # srun --pty
])  # fmt: skip
def test_torchrun_and_srun_are_known_by_their_variables(variables, by, number, monkeypatch):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert (environment.launcher_name(), environment.rank()) == (by, number)
    kinds = {None: "Lightning", "torchrun": "TorchElastic", "srun": "SLURM"}
    assert type(environment.environment()).__name__ == f"{kinds[by]}Environment"


def test_variables_that_were_left_behind_are_named(monkeypatch, command):
    """They would make a lone process wait for others."""
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("MASTER_ADDR", "localhost")
    line = command.failed("train", *SMALL)
    assert "RANK, MASTER_ADDR stand in the environment" in line
    assert line.endswith("unset RANK MASTER_ADDR")


def test_another_number_of_processes_than_the_config_asks_for_is_refused(monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(ValueError, match="3 processes were started, the config asks for 4"):
        environment.check_world_size(trainer(devices=2, num_nodes=2))


def test_several_machines_need_torchrun_or_srun_and_sweeps_none_of_them(monkeypatch, command):
    line = command.failed("train", "trainer=ddp", "trainer.num_nodes=2", *SMALL)
    assert "trainer.num_nodes is 2: start this command on each machine" in line
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    line = command.failed("train", "-m", "seed=0,1", *SMALL)
    assert "-m starts processes of its own" in line


def test_several_processes_are_ddp_and_the_gan_looks_for_idle_parameters():
    strategy = environment.strategy
    assert strategy(trainer()) == "auto"
    assert strategy(trainer(strategy="ddp")) == "auto"  # one process has nobody to ask
    assert strategy(trainer(strategy="fsdp", devices=2)) == "fsdp"
    found = strategy(trainer(strategy="ddp", devices=2), GAN)
    assert isinstance(found, DDPStrategy)
    assert found._ddp_kwargs["find_unused_parameters"]
    assert found._timeout.total_seconds() == 600


# --- what they agree on ---------------------------------------------------------------------------


def test_one_process_agrees_with_itself():
    assert collectives.all_max(15, False) == [15, 0]
    assert torch.equal(collectives.all_sum(torch.tensor([1.0, 2.0])), torch.tensor([1.0, 2.0]))
    assert collectives.unresponsive_ranks(RuntimeError("gloo: connection closed")) == []


@pytest.mark.parametrize(("said", "lost"), [
    ("[/gloo/transport/tcp/unbound_buffer.cc:81] Timed out waiting for recv", [1]),
    ("Application timeout caused pair closure", [1]),  # what a second message waited for
    ("The size of tensor a must match the size of tensor b", []),
])  # fmt: skip
def test_who_is_silent_is_lost_if_the_error_is_one_of_talking(said, lost, monkeypatch):
    store = dist.HashStore()
    monkeypatch.setattr(dist.distributed_c10d, "_get_default_store", lambda: store)
    for name, value in (("is_initialized", True), ("get_world_size", 2), ("get_rank", 0)):
        monkeypatch.setattr(dist, name, lambda value=value: value)
    monkeypatch.setattr(collectives, "ANSWER", 0.2)
    assert collectives.unresponsive_ranks(RuntimeError(said)) == lost


# --- what is said when they end -------------------------------------------------------------------


def failure(exitcode, line=None, order=0):
    told = {"message": line, "extraInfo": {"order": order}} if line else "<NONE>"
    name = lambda: signal.Signals(-exitcode).name  # noqa: E731
    return SimpleNamespace(exitcode=exitcode, error_file_data={"message": told}, signal_name=name)


@pytest.mark.parametrize(("failures", "kind", "text"), [
    ({0: failure(1, "lost", 9), 1: failure(2, "no such file", 5)}, ValueError, "no such file"),
    ({0: failure(143, "stopped"), 1: failure(-9)}, Failure, "process 1 was killed by SIGKILL"),
    ({0: failure(-15), 1: failure(-9)}, Failure, "process 1 was killed by SIGKILL"),
    ({0: failure(1, "1 does not answer"), 1: failure(-9)}, Failure, "1 does not answer"),
    ({0: failure(143, "stopped", 2), 1: failure(143, "stopped", 1)}, Stopped, "SIGTERM"),
    ({1: failure(1)}, Failure, "process 1 ended with exit code 1"),
])  # fmt: skip
def test_the_first_cause_is_told_once(failures, kind, text):
    found = torchrun.cause(SimpleNamespace(failures=failures))
    assert type(found) is kind
    assert text in str(found)


def test_a_worker_leaves_its_line_for_the_agent(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCHELASTIC_ERROR_FILE", str(tmp_path / "error.json"))
    torchrun.report("the loss is nan")
    told = json.loads((tmp_path / "error.json").read_text())["message"]
    assert told["message"] == "the loss is nan"
    assert abs(told["extraInfo"]["timestamp"] - time.time()) < 5


@pytest.mark.parametrize(("number", "wanted"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_run_that_a_signal_stopped_has_the_exit_code_of_that_signal(number, wanted):
    assert code(Stopped(number, 7)) == wanted
    assert "after step 7, which is saved" in str(Stopped(number, 7))


@pytest.mark.slow
def test_an_error_of_one_run_is_one_line_whatever_the_number_of_processes(command, monkeypatch):
    """Both processes say it, one is heard."""
    monkeypatch.setitem(os.environ, "OMP_NUM_THREADS", "1")
    code, _, err = command("train", "trainer=ddp", *SMALL, "data.batch_size=21")
    assert code == 2
    assert err.splitlines()[-1] == "zoo: data.batch_size is 21: it must divide by 2 devices"
    assert err.count("must divide") == 1


# --- real signals and kills -----------------------------------------------------------------------


def started(tmp_path, *overrides):
    """A run of two processes that has saved twice, and the processes by rank."""
    command = [sys.executable, "-m", "zoo", "train", "trainer=ddp", *SMALL, *overrides]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    run = zoo.Run(tmp_path / "runs/image_cnn/a")
    wait_for(lambda: len(run.lasts) == 2, process)
    return process, run, ranks(run.folder)


def wait_for(happens, process, seconds=300):
    end = time.monotonic() + seconds
    while not happens():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.slow
def test_a_signal_to_one_process_saves_once_and_ends_all(tmp_path):
    """Lightning's handler hangs here: it waits in a broadcast that the other is not in."""
    process, run, pids = started(tmp_path, "trainer.max_epochs=9999")
    os.kill(pids[1], signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 143, err
    assert "stopped by SIGTERM" in err.splitlines()[-1]
    assert all_gone(pids.values(), 0)
    assert len(run.lasts) == 2
    assert not list(run.folder.rglob("*.part"))


@pytest.mark.slow
def test_when_what_started_them_is_killed_the_processes_end(tmp_path):
    process, _, pids = started(tmp_path, "trainer.max_epochs=9999")
    process.kill()
    process.communicate()
    assert all_gone(pids.values(), 30)


@pytest.mark.slow
def test_a_process_that_stands_still_is_named_after_the_time_out(tmp_path):
    process, _, pids = started(tmp_path, "trainer.max_epochs=9999", "timeout=0.2")
    os.kill(pids[1], signal.SIGSTOP)
    _, err = process.communicate(timeout=240)
    assert process.returncode == 1, err
    assert "process 1 does not answer" in err.splitlines()[-1]
    assert all_gone(pids.values(), 0)


SHORT = ["trainer.max_epochs=3", "save_every=1e-9", "trainer.precision=64-true"]


def last_weights(*words):
    """Of a run that goes on until it is done."""
    run = launch.start(["trainer=ddp", *SMALL, *SHORT, *words])
    assert run.finished
    return checkpoints.load(run.lasts[0])["state_dict"]


@pytest.mark.slow
def test_when_one_process_is_killed_the_other_ends_and_two_or_one_go_on(tmp_path):
    """As two with the same weights to the bit, as one within what float64 rounds."""
    process, run, pids = started(tmp_path, *SHORT)
    os.kill(pids[0], signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.splitlines()[-1] == "zoo: process 0 was killed by SIGKILL: all have ended"
    assert all_gone(pids.values(), 0)
    assert not run.finished
    shutil.copytree(run.folder, run.folder.with_name("b"))
    wanted = last_weights("name=whole")
    for changes, close in ([], 0), (["name=b", "trainer.devices=1"], 1e-9):
        found = last_weights(*changes)
        for key, tensor in wanted.items():
            torch.testing.assert_close(found[key], tensor, rtol=close, atol=close)
