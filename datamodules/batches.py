"""Batches of data that fit in memory: one gather each, no per-sample Python, no worker processes.

The order of the samples is a function of (seed, epoch) and nothing else. `batch_size` is the global
batch: with W ranks each takes its own slice, so results do not depend on W.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor


class Key(NamedTuple):
    """Which global batch this is, and which of its rows are here: what random draws depend on."""

    seed: int
    epoch: int
    batch: int
    size: int
    start: int
    stop: int

    def generator(self) -> torch.Generator:
        """A fresh CPU generator for this global batch, the same on each rank and device."""
        mixed = (self.seed * 1_000_003 + self.epoch) * 1_000_003 + self.batch
        return torch.Generator().manual_seed(mixed % 2**63)

    def mine(self, draws: Tensor) -> Tensor:
        """The rows of this rank out of draws made for the whole global batch."""
        return draws[self.start : self.stop]


class Batch(NamedTuple):
    """The gathered tensors of a batch, and its key."""

    tensors: tuple[Tensor, ...]
    key: Key


class Batches:
    """An iterable of batches over tensors of equal length, made for Lightning's loops.

    Args:
        tensors: each (N, ...).
        batch_size: rows of a global batch.
        indices: the rows to serve; all when None.
        shuffle: order = f(seed, epoch), and an incomplete last batch is dropped (as in training);
            otherwise the order is that of the rows, and each is served exactly once.
        seed: of the order.
        rank, world_size: this process and how many there are.

    Raises:
        ValueError: the global batch does not divide by the world size, or there are fewer rows.
    """

    batch_sampler = None  # Lightning asks; it finds `set_epoch` through `sampler`

    def __init__(
        self,
        tensors: tuple[Tensor, ...],
        batch_size: int,
        *,
        indices: Tensor | None = None,
        shuffle: bool = False,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.tensors, self.batch_size = tensors, batch_size
        self.indices = torch.arange(len(tensors[0])) if indices is None else indices
        self.shuffle, self.seed, self.rank, self.world_size = shuffle, seed, rank, world_size
        self.epoch = self._done = 0
        if shuffle and batch_size % world_size:
            raise ValueError(f"data.batch_size is {batch_size}: it must divide by {world_size} devices")
        if shuffle and len(self.indices) < batch_size:
            raise ValueError(
                f"data.batch_size is {batch_size}: there are only {len(self.indices)} training "
                "samples; use a smaller batch"
            )

    def __len__(self) -> int:
        """Global batches in an epoch."""
        rows = len(self.indices)
        return rows // self.batch_size if self.shuffle else -(-rows // self.batch_size)

    @property
    def sampler(self) -> "Batches":
        """Where Lightning looks for `set_epoch`."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of this epoch; Lightning calls it, also after a resume in mid-epoch."""
        self.epoch = epoch

    def order(self) -> Tensor:
        """The rows in the order of this epoch."""
        if not self.shuffle:
            return self.indices
        generator = torch.Generator().manual_seed((self.seed * 1_000_003 + self.epoch) % 2**63)
        return self.indices[torch.randperm(len(self.indices), generator=generator)]

    def __iter__(self) -> Iterator[Batch]:
        order, start, self._done = self.order(), self._done, 0
        for number in range(start, len(self)):
            self._done = number + 1
            rows = order[number * self.batch_size : (number + 1) * self.batch_size]
            first, last = (len(rows) * (self.rank + i) // self.world_size for i in (0, 1))
            if first < last:
                mine = rows[first:last]
                key = Key(self.seed, self.epoch, number, len(rows), first, last)
                yield Batch(tuple(t.index_select(0, mine) for t in self.tensors), key)
        self._done = 0

    def state_dict(self) -> dict[str, Any]:
        """How many global batches of this epoch were served."""
        return {"batches": self._done}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on after that many batches at the next iteration."""
        self._done = state["batches"]
