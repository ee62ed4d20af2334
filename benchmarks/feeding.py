"""Feeding shuffled batches of 28 x 28 uint8 images: our batches against torch's DataLoader.

The peer is DataLoader(TensorDataset, 128, shuffle=True, drop_last=True) as it stands; the second
row is its strongest form for data in memory, a BatchSampler over whole batches.
"""

from collections.abc import Iterable
from time import perf_counter
from typing import Any

import torch
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, TensorDataset

from benchmarks.common import compare, show
from datamodules.loading.batches import Batches

COUNT, BATCH = 60_000, 128


def rate(loader: Iterable[Any], epochs: int) -> float:
    """Samples per second over whole epochs."""
    start = perf_counter()
    batches = sum(1 for _ in range(epochs) for _ in loader)
    return batches * BATCH / (perf_counter() - start)


def main() -> None:
    """One thread on each side: the machine may be shared."""
    torch.set_num_threads(1)
    pixels = torch.randint(0, 256, (COUNT, 28, 28, 1), dtype=torch.uint8)
    labels = torch.randint(0, 10, (COUNT,))
    dataset = TensorDataset(pixels, labels)
    ours = Batches((pixels, labels), BATCH, shuffle=True)
    default = DataLoader(dataset, BATCH, shuffle=True, drop_last=True)
    sampler = BatchSampler(RandomSampler(dataset), BATCH, drop_last=True)
    whole = DataLoader(dataset, sampler=sampler, batch_size=None)
    rows = {
        "feeding": compare("DataLoader, default", lambda: rate(ours, 10), lambda: rate(default, 1)),
        "feeding, whole batches": compare(
            "DataLoader, BatchSampler", lambda: rate(ours, 10), lambda: rate(whole, 2)
        ),
    }
    show(rows, "samples/s, 1 thread")


if __name__ == "__main__":
    main()
