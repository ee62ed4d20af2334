"""Optimisers and schedules by name."""

from itertools import pairwise

import pytest
import torch
from pytorch_lightning.plugins.precision import MixedPrecision
from torch import nn

from zoo.nn import optim


def recipe(**changes):
    start = {"name": "sgd", "lr": 0.4, "weight_decay": 0.1, "schedule": "constant", "warmup": 0.25}
    return {**start, **changes}


def rates(**changes):
    optimizer = optim.make_optimizer(nn.Linear(2, 2), recipe(**changes))
    schedule = optim.make_schedule(optimizer, recipe(**changes), steps=40)
    found = []
    for _ in range(40):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


def test_biases_and_normalisation_are_not_decayed():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    decayed, free = optim.make_optimizer(net, recipe()).param_groups
    assert [p.ndim for p in decayed["params"]] == [4]
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.1, 0)
    assert len(free["params"]) == 3


def test_sgd_takes_nesterovs_step():
    """Sutskever et al. 2013: v = 0.9 v + g; w -= lr (g + 0.9 v)."""
    net = nn.Linear(1, 1, bias=False)
    optimizer = optim.make_optimizer(net, recipe(weight_decay=0.0, lr=0.1))
    by_hand, velocity = net.weight.item(), 0.0
    for _ in range(5):
        optimizer.zero_grad()
        (net.weight**2).sum().backward()
        gradient = 2 * by_hand
        velocity = 0.9 * velocity + gradient
        by_hand -= 0.1 * (gradient + 0.9 * velocity)
        optimizer.step()
    assert net.weight.item() == pytest.approx(by_hand, rel=1e-5)


def test_the_others_are_torchs_with_the_rate_asked_for():
    for name, kind in (("adamw", torch.optim.AdamW), ("rmsprop", torch.optim.RMSprop)):
        optimizer = optim.make_optimizer(nn.Linear(3, 1), recipe(name=name, lr=0.05))
        assert (type(optimizer), optimizer.defaults["lr"]) == (kind, 0.05)


@pytest.mark.parametrize("name", ["sgd", "adamw", "rmsprop"])
def test_gradients_are_clipped_in_mixed_precision(name):
    """Lightning clips none of an optimiser that would divide them by a scale itself."""
    optimizer = optim.make_optimizer(net := nn.Linear(2, 1), recipe(name=name))
    net.weight.grad = torch.tensor([[3.0, 4.0]])
    MixedPrecision("bf16-mixed", "cpu").clip_gradients(optimizer, 1.0)
    assert net.weight.grad.tolist() == [[pytest.approx(0.6), pytest.approx(0.8)]]


def test_one_cycle_is_torchs():
    optimizer = torch.optim.SGD(nn.Linear(2, 2).parameters(), 0.4)
    told = {"total_steps": 41, "pct_start": 10 / 41, "cycle_momentum": False}
    torchs = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.4, **told)
    for rate in rates(schedule="one_cycle"):
        assert rate == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-4)
        optimizer.step()
        torchs.step()


def test_cosine_rises_in_a_line_and_falls_as_half_a_cosine():
    found = rates(schedule="cosine")
    steps = [b - a for a, b in pairwise(found[:10])]
    assert max(steps) == pytest.approx(min(steps))
    assert found[9] == pytest.approx(0.4)
    assert found[24] == pytest.approx(0.2, rel=0.1)  # half way down
    assert 0 < found[-1] < 0.01


@pytest.mark.parametrize("schedule", ["one_cycle", "cosine"])
def test_without_warm_up_a_schedule_starts_at_the_top(schedule):
    assert rates(schedule=schedule, warmup=0.0)[0] == pytest.approx(0.4)
