"""Random draws that are a function of seed, epoch and batch, and of nothing else."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


def make_generator(*numbers: int) -> torch.Generator:
    """A fresh CPU generator: other numbers, unrelated draws."""
    mixed = np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(mixed) >> 1)


class Key(NamedTuple):
    """Which global batch this is, and which of its rows are here: what random draws depend on."""

    seed: int
    epoch: int
    batch: int
    size: int
    start: int
    stop: int

    def generator(self, stream: int = 0) -> torch.Generator:
        """A fresh CPU generator for this global batch, the same on each rank and device.

        Args:
            stream: another number, unrelated draws: 0 is augmentation's, 2 the model's.
        """
        return make_generator(self.seed, self.epoch, self.batch, *([stream] if stream else []))

    def local_rows(self, draws: Tensor) -> Tensor:
        """The rows of this rank out of draws made for the whole global batch."""
        return draws[self.start : self.stop]
