"""Data sets opened as a run opens them, a small run, and steps on one batch."""

from collections.abc import Callable
from typing import Any

import torch

import zoo

SMALL = {  # a run of seconds, for `zoo.train("image_cnn", **SMALL)`
    "model": {"widths": [4, 8]}, "data": {"limit": 200, "batch_size": 20},
    "trainer": {"max_epochs": 1}, "baseline": None,
}  # fmt: skip


def opened(name: str, **overrides: Any) -> Any:
    """A datamodule of the catalog, prepared and set up."""
    data = zoo.create_data(name, **overrides)
    data.setup("fit")
    return data


def learned(model: torch.nn.Module, steps: int, rate: float, loss: Callable[[], Any]) -> float:
    """The loss in the last of so many steps of Adam."""
    optimizer = torch.optim.Adam(model.parameters(), rate)
    for _ in range(steps):
        optimizer.zero_grad()
        last = loss()
        last.backward()
        optimizer.step()
    return float(last.detach())
