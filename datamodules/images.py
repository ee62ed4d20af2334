"""Pictures with one label each, in memory as bytes.

    data/pets/cat/1.jpg  data/pets/dog/7.png         one folder a class
    data/pets/{train,val,test}/cat/1.jpg             with splits of its own
    data/pets/labels.csv                             file,label[,split]
    hub layout (parquet), IDX .gz files              see layouts.py

A batch is images (B, C, H, W), float, normalised, and labels (B,), int64 in [0, num_classes).
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field
from torch import Tensor
from typing_extensions import Unpack

from datamodules.bundled.digits import digits
from datamodules.inputs.image import ImageInput, scaled_blocks
from datamodules.inputs.picture_file import PAGED, decode, has_pages, open_picture
from datamodules.loading import numpy_stream
from datamodules.loading.arrays import About
from datamodules.loading.labelled import Labelled, LabelledArguments
from datamodules.loading.storage import Arrays
from datamodules.sources.files import PICTURES
from datamodules.sources.rows import Rows
from datamodules.transforms.augment import Augment, Options
from datamodules.transforms.standardise import Scaling
from datamodules.utilities.draws import Key

HALF_WAY = 90  # degrees; turned further, what stood up lies on its head


class Images(Labelled):
    """One image classification data set.

    Args, besides `LabelledArguments`:
        image_size: side in pixels; None takes the pictures' own, at most 64.
        channels: 1 or 3; None takes 1 if all pictures are grey.
        broken: what to do about a picture that cannot be read: stop, or skip and count it.
        scaling: what pixels are brought to: standard (mean 0 and deviation 1), unit ([0, 1]),
            symmetric ([-1, 1]), sample (each picture by itself), zca (whitened), or options of
            `datamodules.transforms.standardise.Standardisation`.
        augment: options of `datamodules.transforms.augment.Options`, on training batches.
    """

    BUNDLED: ClassVar[Mapping[str, Callable[[], Any]]] = {"digits": digits}
    ARRAYS: ClassVar = ("pixels", "labels")
    ARRAY_ARGUMENTS: ClassVar = ("image_size", "channels", "validation", "test", "limit", "broken")
    KIND: ClassVar = PICTURES
    INPUT: ClassVar = ImageInput

    def __init__(
        self,
        *,
        image_size: Annotated[int, Field(ge=4, le=1024)] | None,
        channels: Literal[1, 3] | None,
        broken: Literal["error", "skip"],
        scaling: Scaling,
        augment: Options,
        **shared: Unpack[LabelledArguments],
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        self.augment = Augment(augment)

    def make_context(self, rows: Rows) -> tuple[int, int, int]:
        """Height, width and channels: as asked for, else as the pictures have them."""
        size, channels = self.hparams["image_size"], self.hparams["channels"]
        if size is None or channels is None:
            sides, grey = _headers(rows)
            size = size or max(int(np.median(sides)), 4) if sides else 64
            channels = channels or (1 if grey else 3)
        return size, size, channels

    def decode(
        self, rows: Rows, split: str, shape: tuple[int, int, int], skipped: list[str]
    ) -> Arrays:
        """Pixels (N, H, W, C), uint8, and labels (N,)."""
        read = partial(decode, image_size=shape[0], channels=shape[2])
        pixels, labels = self.decode_array(rows, split, read, shape, skipped)
        skipped.extend(_pages(rows, split))
        return {"pixels": pixels, "labels": labels}

    def fit(self, metadata: dict[str, Any]) -> dict[str, Any]:
        info = super().fit(metadata)
        self.input = self.model_input or self.fit_input()
        channels, size = self.input.channels, self.input.image_size
        warnings = flip_warnings(self.hparams["augment"], self.hparams["about"])
        return {**info, "channels": channels, "image_size": size, "warnings": warnings}

    def fit_input(self) -> ImageInput:
        """What the scaling asks for, from the training pictures or augmented passes over them."""
        scaling, (pixels, _) = self.hparams["scaling"], self.arrays("train")
        rounds = 0 if isinstance(scaling, str) else scaling.get("fit_rounds", 0)

        def augmented() -> Iterator[Tensor]:
            for epoch in range(rounds):
                for number, images in enumerate(scaled_blocks(pixels)):
                    key = Key(self.hparams["seed"], epoch, number, len(images), 0, len(images))
                    yield self.augment(images, key)

        return ImageInput.fit(pixels, scaling, augmented if rounds else None)

    def flow(
        self,
        split: str = "train",
        *,
        augment: bool = False,
        epochs: int | None = None,
        batch_size: int | None = None,
        shuffle: bool = True,
        seed: int | None = None,
        layout: numpy_stream.Layout = "NHWC",
        sheets: str | Path | None = None,
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Stream batches of NumPy arrays, for learning outside the network.

        `for X, y in data.flow(augment=True): ...` goes on for ever, as Keras' does: break once you
        are happy, or say how many epochs.

        Args:
            split: train, val or test; of train what `train_samples` leaves.
            augment: by the options of this data set; without it pictures are as they are.
            epochs: how often each picture is given; None for no end. Each epoch gives all of them,
                in an incomplete last batch where they do not divide.
            batch_size, seed: other than the data set's own.
            shuffle: each epoch in an order of its own, that of training with this seed; else as
                they stand.
            layout: of the images: NHWC, or NCHW as torch has it.
            sheets: a folder for a contact sheet (PNG) of each batch, <split>-<epoch>-<batch>.png.

        Yields:
            Images, float32, normalised as the network sees them, and labels (B,), int64 (what is
            measured: float32); of a mixed picture the label of its larger part. A batch is a
            function of seed, epoch and its number.

        Raises:
            ValueError: no such split or layout, or a number of epochs or a size below 1; at once,
                not at the first batch.
        """
        batch_size = self.hparams["batch_size"] if batch_size is None else batch_size
        seed = self.hparams["seed"] if seed is None else seed
        numpy_stream.check(split, layout, epochs, batch_size)
        if not hasattr(self, "splits"):
            self.setup("fit")
        batches = numpy_stream.draw_batches(self, split, epochs, batch_size, shuffle, seed)
        options = split, augment, layout, None if sheets is None else Path(sheets)
        return (numpy_stream.to_arrays(self, batch, *options) for batch in batches)

    def batch(self, tensors: tuple[Tensor, ...], key: Key | None) -> tuple[Tensor, Tensor]:
        """Images (B, C, H, W), normalised, and labels (B,), or (B, K) where they are mixed."""
        pixels, labels = tensors
        if key is None:
            return self.input.normalise(self.input.scale(pixels)), labels
        images = self.input.normalise(self.augment(pixels.permute(0, 3, 1, 2), key))
        return self.augment.mix(images, labels, self.info.get("num_classes", 0), key)


def flip_warnings(options: Options, about: About) -> list[str]:
    """What to say of an augmentation that makes other things of the pictures (slide 12)."""
    reason = about.get("one_way_up")
    options_on = [name for name in ("horizontal_flip", "vertical_flip") if options.get(name)]
    if options.get("rotation_range", 0) >= HALF_WAY:
        options_on.append("rotation_range")
    return [f"data.augment.{name}: {reason}" for name in options_on] if reason else []


def _pages(rows: Rows, split: str) -> list[str]:
    """A line about the files with several pages or frames, if there are any."""
    paths = [raw for raw in rows.raws if isinstance(raw, Path) and raw.suffix.lower() in PAGED]
    if not (several := [str(path) for path in paths if has_pages(path)]):
        return []
    names = ", ".join([*several[:3], *(["..."] if several[3:] else [])])
    return [f"all but the first page or frame of {len(several)} pictures of {split}: {names}"]


def _headers(rows: Rows) -> tuple[list[int], bool]:
    """The shorter side of each picture, at most 64, and whether all are grey."""
    sides, grey = [], True
    for raw in rows.raws:
        try:
            with open_picture(raw) as picture:
                sides.append(min(*picture.size, 64))
                grey &= picture.mode in ("1", "L", "LA", "La") or picture.mode[0] in "IF"
        except (ValueError, OSError):
            continue  # decoding stops at it, or skips and counts it
    return sides, grey
