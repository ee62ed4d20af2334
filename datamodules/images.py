"""Pictures with one label each, in memory as bytes.

    data/pets/cat/1.jpg  data/pets/dog/7.png         one folder a class
    data/pets/{train,val,test}/cat/1.jpg             with splits of its own
    data/pets/labels.csv                             file,label[,split]
    hub layout (parquet), IDX .gz files              see layouts.py

A batch is images (B, C, H, W), float, normalised, and labels (B,), int64 in [0, num_classes).
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field
from torch import Tensor

from datamodules import sources
from datamodules.augment import Augment, Options
from datamodules.batches import Key
from datamodules.inputs.image import ImageInput, Scaling, decode, open_picture
from datamodules.layouts import PICTURES, Rows
from datamodules.memory import About, Arrays, Labelled

Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(gt=0, lt=1)]


class Images(Labelled):
    """One image classification data set.

    Args:
        name: what it is called: its folder in $ZOO_DATA and in the cache.
        source: a folder or csv of the user's; None looks by name.
        hub: id on the hub, or None.
        about: what a card says of the data.
        image_size: side in pixels; None takes the pictures' own, at most 64.
        channels: 1 or 3; None takes 1 if all pictures are grey.
        validation, test: shares that become splits where the data set has none of its own.
        batch_size: the global batch, over all devices.
        train_samples: train on so many only: stratified, seeded, nested.
        limit: take at most so many of each split, before decoding.
        broken: what to do about a picture that cannot be read: stop, or skip and count it.
        scaling: what pixels are brought to: mean 0 and deviation 1, or [0, 1], or [-1, 1].
        augment: options of `datamodules.augment.Options`, on training batches.
        seed: of order and augmentation; the splits have a seed of their own.
    """

    EMBEDDED: ClassVar[Mapping[str, Callable[[], Any]]] = {"digits": sources.digits}
    ARRAYS: ClassVar = ("pixels", "labels")
    DECIDES: ClassVar = ("image_size", "channels", "validation", "test", "limit", "broken")
    KIND: ClassVar = PICTURES
    INPUT: ClassVar = ImageInput

    def __init__(
        self,
        *,
        name: str,
        source: str | None,
        hub: str | None,
        about: About,
        image_size: Annotated[int, Field(ge=4, le=1024)] | None,
        channels: Literal[1, 3] | None,
        validation: Share,
        test: Share,
        batch_size: Positive,
        train_samples: Positive | None,
        limit: Positive | None,
        broken: Literal["error", "skip"],
        scaling: Scaling,
        augment: Options,
        seed: Annotated[int, Field(ge=0)],
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        self.augment = Augment(augment)

    def shared(self, rows: Rows) -> tuple[int, int, int]:
        """Height, width and channels: as asked for, else as the pictures have them."""
        size, channels = self.hparams["image_size"], self.hparams["channels"]
        if size is None or channels is None:
            sides, grey = _headers(rows)
            size = size or max(int(np.median(sides)), 4) if sides else 64
            channels = channels or (1 if grey else 3)
        return size, size, channels

    def decode(
        self, rows: Rows, split: str, shared: tuple[int, int, int], skipped: list[str]
    ) -> Arrays:
        """Pixels (N, H, W, C), uint8, and labels (N,)."""
        pixels = np.empty((len(rows.labels), *shared), np.uint8)
        kept: list[int] = []
        read = partial(decode, image_size=shared[0], channels=shared[2])
        for i, picture in self.readable(rows, split, read, skipped):
            pixels[len(kept)] = picture
            kept.append(i)
        return {"pixels": pixels[: len(kept)], "labels": rows.labels[kept]}

    def fit(self, known: dict[str, Any]) -> dict[str, Any]:
        facts = super().fit(known)
        self.input = self.given or ImageInput.fit(self.arrays("train")[0], self.hparams["scaling"])
        channels, size = self.input.channels, self.input.image_size
        return {**facts, "channels": channels, "image_size": size}

    def arrays(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Pixels (N, H, W, C), uint8, and labels (N,) of a split, for what is no neural network."""
        pixels, labels = self.splits[split]["pixels"], self.splits[split]["labels"]
        if split != "train" or len(self.rows) == len(labels):
            return pixels, labels
        return pixels[self.rows], labels[self.rows]

    def batch(self, tensors: tuple[Tensor, ...], key: Key | None) -> tuple[Tensor, Tensor]:
        """Images (B, C, H, W), normalised, and labels (B,)."""
        pixels, labels = tensors
        images = self.input.scale(pixels)
        if key is not None:
            images = self.augment(images, key)
        return self.input.normalise(images), labels


def _headers(rows: Rows) -> tuple[list[int], bool]:
    """The shorter side of each picture, at most 64, and whether all are grey."""
    sides, grey = [], True
    for raw in rows.raws:
        try:
            with open_picture(raw) as picture:
                sides.append(min(*picture.size, 64))
                grey &= picture.mode in ("1", "L", "LA") or picture.mode.startswith("I")
        except ValueError:
            continue  # decoding stops at it, or skips and counts it
    return sides, grey
