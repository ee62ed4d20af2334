"""What the processes of a run say to each other: what they do next, sums, who is gone."""

import time
from functools import lru_cache
from typing import Any

import torch
import torch.distributed as dist

from zoo.utilities.compat import process_store

ANSWER = 5  # seconds that a process has to say that it is alive
GLOO = ("gloo", "caused pair closure")  # what its errors say; the second kind names no file


def all_max(*values: int) -> list[int]:
    """The greatest of each value over all processes: what they do next, agreed."""
    mine = torch.tensor(values)
    if is_distributed():
        dist.all_reduce(mine, dist.ReduceOp.MAX, group=_control())
    return [int(value) for value in mine.tolist()]


def all_sum(values: torch.Tensor) -> torch.Tensor:
    """The sum of a tensor over all processes, on the CPU."""
    mine = values.detach().cpu()
    if is_distributed():
        dist.all_reduce(mine, group=_control())
    return mine


def leave() -> None:
    """End the talk with the other processes."""
    if dist.is_initialized():
        dist.destroy_process_group()


def is_distributed() -> bool:
    """Whether there is more than one process."""
    return dist.is_initialized() and dist.get_world_size() > 1


@lru_cache(maxsize=1)
def _control_beside(world: Any) -> Any:
    return dist.new_group(backend="gloo")


def _control() -> Any:
    """A group whose messages do not wait for the GPU; None: the usual one is such."""
    return None if dist.get_backend() == "gloo" else _control_beside(dist.group.WORLD)


def unresponsive_ranks(error: RuntimeError) -> list[int]:
    """The processes that are gone or stand still, if that is what an error in this one comes from.

    Each process that gave up waiting leaves word in the store that all of them know.
    """
    is_lost = isinstance(error, dist.DistError) or any(text in str(error) for text in GLOO)
    if not (is_distributed() and is_lost):
        return []
    store, ranks = process_store(), range(dist.get_world_size())
    try:
        store.set(f"alive/{dist.get_rank()}", "")
        deadline = time.monotonic() + ANSWER
        while time.monotonic() < deadline and not store.check([f"alive/{rank}" for rank in ranks]):
            time.sleep(0.1)
        return [rank for rank in ranks if not store.check([f"alive/{rank}"])]
    except RuntimeError:
        return [0]  # which kept the store
