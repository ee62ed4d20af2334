"""Batches as NumPy arrays, for learning outside the network: `partial_fit`, a loop of one's own.

A batch is what the network would see: of the same order, draws and normalisation, which are
functions of (seed, epoch, batch). Unlike in training each sample is given once an epoch.

Shapes: B samples, C channels, H x W pixels.
"""

import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from datamodules.loading.batches import Batch, Batches
from datamodules.sources.rows import NAMES

Layout = Literal["NHWC", "NCHW"]
GAP = 2  # pixels between the pictures of a sheet


def check(split: str, layout: str, epochs: int | None, batch_size: int) -> None:
    """Refuse what `Images.flow` cannot do."""
    for name, value, choices in (("split", split, NAMES), ("layout", layout, get_args(Layout))):
        if value not in choices:
            raise ValueError(f"{name} is {value!r}: it must be one of {', '.join(choices)}")
    for name, count in (("epochs", epochs), ("batch_size", batch_size)):
        if count is not None and count < 1:
            raise ValueError(f"{name} is {count}: it must be 1 or more")


def draw_batches(
    data: Any, split: str, epochs: int | None, batch_size: int, shuffle: bool, seed: int
) -> Iterator[Batch]:
    """Every sample of the split once an epoch, in the order that training has, with its keys."""
    tensors, indices = data.tensors(split), data.row_indices(split)
    rows = len(tensors[0] if indices is None else indices)
    size = min(batch_size, rows)
    one_pass = Batches(tensors, size, indices=indices, shuffle=shuffle, seed=seed)
    for epoch in itertools.count() if epochs is None else range(epochs):
        one_pass.set_epoch(epoch)
        all_rows = Batches(tensors, size, indices=one_pass.order(), seed=seed)  # with the rest
        all_rows.set_epoch(epoch)
        yield from all_rows


def to_arrays(
    data: Any, batch: Batch, split: str, augment: bool, layout: Layout, sheets: Path | None
) -> tuple[np.ndarray, np.ndarray]:
    """A batch as arrays, and its sheet in the folder."""
    images, targets = data.batch(batch.tensors, batch.key if augment else None)
    if targets.ndim == 2:  # shares of the classes, where pictures are mixed
        targets = targets.argmax(1)
    if sheets is not None:
        name = f"{split}-{batch.key.epoch:03d}-{batch.key.batch:05d}.png"
        save_sheet(data.input.restore(images), sheets / name)
    arranged = images.permute(0, 2, 3, 1) if layout == "NHWC" else images
    return np.ascontiguousarray(arranged.numpy()), targets.numpy()


def save_sheet(pixels: np.ndarray, path: Path) -> None:
    """Write pictures (B, H, W, C), uint8, side by side, row by row, as a PNG; make its folder."""
    from PIL import Image

    columns = math.ceil(math.sqrt(len(pixels)))
    spare = -len(pixels) % columns
    padded = np.pad(pixels, ((0, spare), (0, GAP), (0, GAP), (0, 0)))
    count, height, width, channels = padded.shape
    rows = padded.reshape(count // columns, columns, height, width, channels).swapaxes(1, 2)
    sheet = rows.reshape(count // columns * height, columns * width, channels)[:-GAP, :-GAP]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet[..., 0] if channels == 1 else sheet).save(path)
