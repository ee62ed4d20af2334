"""Batches of data that fit in memory: one gather each, no per-sample Python, no worker processes.

The order of the samples is a function of (seed, epoch) and nothing else. `batch_size` is the global
batch: with W ranks each takes its own slice, so results do not depend on W.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from datamodules.utilities.draws import Key, make_generator

BUCKET = 50  # batches of a random order that are sorted by length


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
            otherwise the order is that of the rows, each is served exactly once, and a rest of
            fewer rows than ranks joins the batch before it, so that each rank gets as many batches.
        lengths: of the rows (N,), integers: rows of about one length share a batch; while training
            batches stay in random order, else the shortest come first.
        seed: of the order.
        rank, world_size: this process and how many there are.

    Raises:
        ValueError: the global batch does not divide by the world size, or there are too few rows.
    """

    pinned = False  # whether each epoch is as the first
    batch_sampler = None  # Lightning asks; it finds `set_epoch` through `sampler`

    def __init__(
        self,
        tensors: tuple[Tensor, ...],
        batch_size: int,
        *,
        indices: Tensor | None = None,
        shuffle: bool = False,
        lengths: Tensor | None = None,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.lengths = lengths
        self.tensors, self.batch_size = tensors, batch_size
        self.indices = torch.arange(len(tensors[0])) if indices is None else indices
        self.shuffle, self.seed, self.rank, self.world_size = shuffle, seed, rank, world_size
        self.epoch = self._position = self._skip = 0
        if batch_size % world_size:
            raise ValueError(
                f"data.batch_size is {batch_size}: it must divide by {world_size} devices"
            )
        least = batch_size if shuffle else world_size
        if len(self.indices) < least:
            raise ValueError(
                f"data.batch_size is {batch_size} on {world_size} device(s): there are only "
                f"{len(self.indices)} samples, {least} are needed"
            )

    def __len__(self) -> int:
        """Global batches in an epoch."""
        rows, size = len(self.indices), self.batch_size
        return rows // size if self.shuffle else max((rows + size - self.world_size) // size, 1)

    @property
    def sampler(self) -> "Batches":
        """Where Lightning looks for `set_epoch`."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of this epoch; Lightning calls it, also after a resume in mid-epoch."""
        self.epoch = 0 if self.pinned else epoch

    def order(self) -> Tensor:
        """The rows in the order of this epoch."""
        if not self.shuffle:
            return self.indices if self.lengths is None else self.sort_by_length(self.indices)
        generator = make_generator(self.seed, self.epoch, 0, 1)  # with a tag: unlike a Key's
        rows = self.indices[torch.randperm(len(self.indices), generator=generator)]
        return rows if self.lengths is None else self.order_by_buckets(rows, generator)

    def order_by_buckets(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        """Rows in whole batches of about one length, the batches in random order."""
        runs = rows[: len(self) * self.batch_size].split(BUCKET * self.batch_size)
        alike = torch.cat([self.sort_by_length(part) for part in runs])
        batches = alike.view(len(self), self.batch_size)
        return batches[torch.randperm(len(self), generator=generator)].flatten()

    def sort_by_length(self, rows: Tensor) -> Tensor:
        """Rows, the shortest first."""
        assert self.lengths is not None
        return rows[self.lengths[rows].argsort(stable=True)]

    def __iter__(self) -> Iterator[Batch]:
        order, begin, self._skip = self.order(), self._skip, 0
        count, rank, world = len(self), self.rank, self.world_size
        for number in range(begin, count):
            self._position = number + 1
            first, size = number * self.batch_size, self.batch_size
            if number == count - 1 and not self.shuffle:
                size = len(order) - first  # the rest
            start, stop = size * rank // world, size * (rank + 1) // world
            rows = order[first + start : first + stop]
            tensors = tuple([t.index_select(0, rows) for t in self.tensors])
            yield Batch(tensors, Key(self.seed, self.epoch, number, size, start, stop))

    def state_dict(self) -> dict[str, Any]:
        """How many global batches of this epoch were served."""
        return {"batches": self._position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on after that many batches at the next iteration; a whole epoch leaves none out."""
        self._position = self._skip = state["batches"] % len(self)
