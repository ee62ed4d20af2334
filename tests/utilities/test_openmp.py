"""Threads that wait give up their core soon: those of the commands and of what they start."""

import os
from unittest.mock import Mock

import pytest

from tests.data import python
from zoo.distributed import torchrun
from zoo.training import worker
from zoo.utilities.openmp import SPIN_COUNT, limit_spinning


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, "")  # so that it is as before after the test
        monkeypatch.delenv(name)


def test_a_command_sets_it_and_what_the_environment_says_stays(command, monkeypatch):
    command("--version")
    assert os.environ["GOMP_SPINCOUNT"] == SPIN_COUNT
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    limit_spinning()
    assert os.environ["GOMP_SPINCOUNT"] == "7"
    monkeypatch.delenv("GOMP_SPINCOUNT")
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    limit_spinning()
    assert "GOMP_SPINCOUNT" not in os.environ


def test_a_process_of_a_run_sets_it_first_of_all(monkeypatch):
    monkeypatch.setattr(torchrun, "end_with_parent", Mock(side_effect=InterruptedError))
    with pytest.raises(InterruptedError):
        worker.main("a folder")
    assert os.environ["GOMP_SPINCOUNT"] == SPIN_COUNT


@pytest.mark.parametrize("module", ["zoo.commands.main", "zoo.training.worker"])
def test_it_is_set_before_torch_reads_it(module):
    early = "{'torch', 'GOMP_SPINCOUNT'} & {*sys.modules, *os.environ}"
    check = f"import os, sys, {module}; assert not {early}"
    python("-c", check)
