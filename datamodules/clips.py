"""Clips with one label each, in memory as bytes.

    data/sport/run/1.mp4  data/sport/swim/7.avi      one folder a class
    data/sport/{train,val,test}/run/1.mp4            with splits of its own
    data/sport/run/1/0001.png                        a folder of pictures is a clip too
    data/sport/clips.csv                             file,label[,split]

A batch is clips (B, C, T, H, W), float, normalised, and labels (B,), int64 in [0, num_classes);
`unfold` tiles the frames of a clip to one picture, and a batch is (B, C, rows * H, columns * W).

All clips are held in memory, each frames * image_size ** 2 * channels bytes: a thousand of 16
frames of 48 x 48 in colour take 111 MB; with windows, all frames of each at the rate.
"""

import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from typing_extensions import Unpack

from datamodules.bundled.moving_digits import Label, moving_digits
from datamodules.inputs.clip import ClipInput, decode_all
from datamodules.inputs.video_file import decode
from datamodules.loading.labelled import LabelledArguments
from datamodules.loading.storage import Arrays
from datamodules.loading.windows import MEMORY, Choice, Windowed
from datamodules.sources.files import CLIPS
from datamodules.sources.rows import Rows, Source
from datamodules.transforms.augment import Augment, Options
from datamodules.utilities.draws import Key
from datamodules.utilities.windows import Windows

Order = Literal["forward", "shuffled", "first"]


class Clips(Windowed):
    """One video classification data set.

    Args, besides `LabelledArguments`:
        frames: how many are taken of each clip.
        rate: frames a second at which they are taken, about the middle of the clip; None spreads
            them evenly over all of it. What clips that are too short show: see `inputs.clip.pick`.
        windows: of clips that last longer than their frames at a rate: one, about the middle;
            spread, another in each epoch, and scores are means over those that cover a clip.
            Without a rate the one window is all of a clip.
        image_size: side in pixels of the square that each frame is brought to.
        channels: 1 (grey) or 3.
        label: what is asked of moving digits; None for clips with labels of their own.
        order: of the frames. The others are controls, which show what a model learns without time:
            shuffled, each clip in an order of its own, or its first frame again and again.
        unfold: tile the frames of a clip to one picture, for an image model.
        broken: what to do about a clip that cannot be read: stop, or skip and count it.
        augment: options of `datamodules.transforms.augment.Options`, on training batches; the
            frames of a clip are changed alike.
    """

    BUNDLED: ClassVar[Mapping[str, Callable[[], Source]]] = {"moving_digits": moving_digits}
    ARRAYS: ClassVar = ("clips", "labels")
    ARRAY_ARGUMENTS: ClassVar = (
        "frames", "rate", "image_size", "channels", "label", "order", "validation", "test", "limit",
        "broken",
    )  # fmt: skip
    KIND: ClassVar = CLIPS
    INPUT: ClassVar = ClipInput

    def __init__(
        self,
        *,
        frames: Annotated[int, Field(ge=1, le=1024)],
        rate: Annotated[float, Field(gt=0)] | None,
        windows: Choice,
        image_size: Annotated[int, Field(ge=4, le=1024)],
        channels: Literal[1, 3],
        label: Label | None,
        order: Order,
        unfold: bool,
        broken: Literal["error", "skip"],
        augment: Options,
        **shared: Unpack[LabelledArguments],
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        self.augment = Augment(augment)

    @property
    def window(self) -> int:
        frames: int = self.hparams["frames"]
        return frames

    @property
    def has_windows(self) -> bool:
        return super().has_windows and self.hparams["rate"] is not None

    def read_source(self, location: Path | str, scratch: Path) -> Source:
        """The rows, not decoded yet.

        Raises:
            ValueError: another label than their own is asked of clips that are read, or another
                order of frames than forward of windows.
        """
        label, order = self.hparams["label"], self.hparams["order"]
        if self.has_windows and order != "forward":
            raise ValueError(f"data.order is {order!r}: that is for data.windows=one")
        if self.bundled:
            return moving_digits(label)
        if label is not None:
            raise ValueError(f"data.label is {label!r}: only moving digits have it; set it to null")
        return super().read_source(location, scratch)

    def decode(self, rows: Rows, split: str, context: None, skipped: list[str]) -> Arrays:
        """Clips (N, T, H, W, C), uint8, and labels (N,); or whole ones, see `Windowed`.

        Raises:
            ValueError: they do not fit in memory.
        """
        options = {key: self.hparams[key] for key in ("image_size", "channels", "frames", "rate")}
        if self.has_windows:
            return self.decode_recordings(rows, split, partial(decode_all, **options), skipped)
        size = options["image_size"]
        shape = (options["frames"], size, size, options["channels"])
        if (needed := len(rows.labels) * math.prod(shape)) > MEMORY:
            raise ValueError(
                f"the clips of {split} would take {needed / 2**30:.1f} GiB of memory: lower "
                "data.image_size or data.frames, or take fewer with data.limit"
            )
        read = partial(decode, **options)
        clips, labels = self.decode_array(rows, split, read, shape, skipped)
        return {"clips": reorder_frames(clips, self.hparams["order"]), "labels": labels}

    def fit(self, metadata: dict[str, Any]) -> dict[str, Any]:
        info = super().fit(metadata)
        self.input = self.model_input or self.fit_input()
        return {**info, "channels": self.input.channels}

    def fit_input(self) -> ClipInput:
        """With the moments of the training clips, of all their frames."""
        options = {name: self.hparams[name] for name in ("rate", "unfold", "windows")}
        if not self.has_windows:
            return ClipInput.fit(self.arrays("train")[0], **options)
        clips = torch.cat(self.recordings("train").take(torch.from_numpy(self.rows)))
        return ClipInput.fit(clips.numpy(), frames=self.window, **options)

    def batch(
        self, tensors: tuple[Tensor, ...], key: Key | None
    ) -> tuple[Tensor | Windows, Tensor]:
        """Clips, normalised, or the windows that cover whole ones, and labels (B,)."""
        pixels, labels = self.choose(tensors, key)
        if isinstance(pixels, Windows):
            return pixels.map(self.input.prepare), labels
        clips = self.input.scale(pixels)  # (B, C, T, H, W)
        if key is not None and self.hparams["augment"]:
            frames = self.augment(clips.flatten(1, 2), key, clips.shape[2])  # as channels
            clips = frames.unflatten(1, clips.shape[1:3])
        return self.input.arrange(self.input.normalise(clips)), labels


def reorder_frames(clips: np.ndarray, order: Order) -> np.ndarray:
    """Clips (N, T, H, W, C) with their frames in another order; `shuffled` is seeded."""
    if order == "first":
        return np.repeat(clips[:, :1], clips.shape[1], 1)
    if order == "shuffled":
        places = np.tile(np.arange(clips.shape[1]), (len(clips), 1))
        places = np.random.default_rng(0).permuted(places, axis=1)
        return np.take_along_axis(clips, places[:, :, None, None, None], 1)
    return clips
