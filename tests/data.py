"""Data sets opened as a run opens them, a small run, steps on one batch, calls that are refused."""

import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from pytorch_lightning import Trainer

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


def arrays_of(train: Any, test: Any = None, **info: Any) -> Any:
    """A datamodule that has only arrays, of its two splits, and this info."""
    return SimpleNamespace(arrays={"train": train, "test": test}.__getitem__, info=info)


def bare_trainer(**options: Any) -> Trainer:
    """Lightning's Trainer on the CPU, which writes and says nothing."""
    return Trainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, num_sanity_val_steps=0, use_distributed_sampler=False,
        **options,
    )  # fmt: skip


def learned(model: torch.nn.Module, steps: int, rate: float, loss: Callable[[], Any]) -> float:
    """The loss in the last of so many steps of Adam."""
    optimizer = torch.optim.Adam(model.parameters(), rate)
    for _ in range(steps):
        optimizer.zero_grad()
        last = loss()
        last.backward()
        optimizer.step()
    return float(last.detach())


def python(*words: str, **more: Any) -> str:
    """What a program prints that ends well, in a process of its own."""
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def refused(said: str, call: Callable[..., Any], /, *given: Any, **options: Any) -> str:
    """What a ValueError says, and it says this, by which a call is refused."""
    with pytest.raises(ValueError, match=said) as error:
        call(*given, **options)
    return str(error.value)


def missing(said: str, call: Callable[..., Any], /, *given: Any, **options: Any) -> None:
    """A call finds no file, and its error says this."""
    with pytest.raises(FileNotFoundError, match=said):
        call(*given, **options)


def seeded(name: str, **overrides: Any) -> Any:
    """A model of the catalog whose weights are the same each time, to be asked."""
    torch.manual_seed(0)
    return zoo.create_model(name, **overrides).eval()


@contextmanager
def memory_limit(mebibytes: int) -> Iterator[None]:
    """No more memory than there is now, and so much, can be had inside."""
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size + (mebibytes << 20), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
