"""Two processes against one: the same data, losses, weights and scores, and how much they send."""

import os
from pathlib import Path

import pytest
import torch
from filelock import FileLock

import zoo
from tests.data import python
from tests.training.pair import followed

PAIR = Path(__file__).with_name("pair.py")
CLOSE = 1e-9  # losses and weights
STEPS = 6
APART = "cbow"  # whose processes learn apart, and share what they have changed after each step
TOGETHER = [name for name in zoo.list_models() if name != APART]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pair(tmp_path_factory, cache):
    """What two processes leave of every model, once for all workers of pytest."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "pair"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            folder.mkdir()
            train(folder, cache)
    return folder


def train(folder, cache):
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = {**os.environ, "ZOO_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    python(*torchrun, str(PAIR), str(folder), env=environment)


@pytest.mark.parametrize("name", TOGETHER)
def test_two_processes_learn_what_one_learns(name, pair, tmp_path):
    """In float64, at the recipe's rate, but for one model of `OWN`, step by step.

    More steps say no more: what is not brought together shows in the step after. Of the odd number
    of test samples each is scored once.
    """
    found = torch.load(pair / name / "found.pt", weights_only=True)
    wanted = followed(name, 1, tmp_path / "one")
    assert len(wanted["losses"]) == STEPS
    assert found["losses"] == pytest.approx(wanted["losses"], rel=CLOSE)
    assert apart(found["weights"], wanted["weights"]) <= CLOSE
    assert found["test"] == pytest.approx(wanted["test"], rel=1e-4)


def apart(found, wanted):
    """||dw|| / ||w|| over all tensors."""
    both = [(found[key].double(), tensor.double()) for key, tensor in wanted.items()]
    differences = torch.cat([(a - b).flatten() for a, b in both])
    return float(differences.norm() / torch.cat([b.flatten() for _, b in both]).norm())


@pytest.mark.parametrize("name", TOGETHER)
def test_a_step_sends_a_number_for_each_parameter_and_backward_pass(name, pair):
    """The model of docs/devices.md, within 5 %: gradients, and what normalisation needs."""
    found = torch.load(pair / name / "found.pt", weights_only=True)
    assert found["sent"] == pytest.approx(found["parameters"] * found["backward passes"], rel=0.05)


def test_word_vectors_learn_as_much_in_two_processes_and_send_the_rows_that_changed(pair, tmp_path):
    """S63: at the recipe's rate; of a text of 8,000 words a step changes fewer rows than half."""
    found = torch.load(pair / APART / "found.pt", weights_only=True)
    wanted = followed(APART, 1, tmp_path / "one")
    assert found["sent"] < 0.5 * found["parameters"]
    learned = [losses[0] - losses[-1] for losses in (found["losses"], wanted["losses"])]
    assert learned[0] > 0.8 * learned[1] > 0.1
    assert found["test"]["test/loss"] == pytest.approx(wanted["test"]["test/loss"], rel=0.02)
