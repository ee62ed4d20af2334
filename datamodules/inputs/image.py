"""Raw picture -> tensor and back."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from datamodules.inputs import Input
from datamodules.inputs.picture_file import SUFFIXES, decode
from datamodules.transforms.standardise import (
    EPSILON,
    FIXED,
    NOISE,
    Blocks,
    Scaling,
    Standardisation,
    inference_options,
    moments,
    resolve_scaling,
    scale_samplewise,
    whiten,
    whitening_matrix,
)

BLOCK = 1000  # pictures that are looked at together
RIMS = 10_000  # pictures whose rims are looked at, at most
NEARLY_ALL = 0.95  # of the pictures, whose rims must be within 0.1 of one level


class ImageInput(Input):
    """Pictures of any size and mode as a normalised batch.

    What a person gives may be black on white where the training pictures are white on black. Where
    they all have a rim of one level, `background`, a picture whose rim is nearer to the opposite
    level is inverted, and stretched where its paper is not quite white. This is for what is given
    to a call: `decode`, `scale` and `normalise`, which make the batches of a data set, leave
    pictures as they are.

    Args:
        image_size: side of the square that each picture is brought to, in pixels.
        channels: 1 (grey) or 3 (red, green, blue).
        mean, std: per channel, of pixels in [0, 1], or of what `steps` make of them.
        background: level in [0, 1] of the rim of nearly all training pictures; None where rims
            differ, as those of photographs do, and nothing is inverted.
        steps: what else is done to pixels; see `standardise.Standardisation`. Whitening needs its
            matrix, `zca`, which is fitted or comes with the weights.
    """

    kind = "image"
    plural = "pictures"
    suffixes = SUFFIXES
    dimensions = 4

    def __init__(
        self,
        *,
        image_size: int,
        channels: int,
        mean: list[float],
        std: list[float],
        background: float | None = None,
        steps: Standardisation | None = None,
    ) -> None:
        self.image_size, self.channels = image_size, channels
        self.mean, self.std = mean, std
        self.background = background
        self.steps: Standardisation = steps or {}
        self.zca: Tensor | None = None

    @classmethod
    def fit(
        cls, pixels: np.ndarray, scaling: Scaling = "standard", augmented: Blocks | None = None
    ) -> "ImageInput":
        """Take size, background and what the scaling asks for from training pictures.

        Args:
            pixels: (N, H, W, C), uint8.
            augmented: gives blocks of images (B, C, H, W) in [0, 1] to take statistics from
                instead, the same ones each time.

        Raises:
            ValueError: options that exclude each other, or a whitening that does not fit in memory.
        """
        options, (_, height, width, channels) = resolve_scaling(scaling), pixels.shape
        centre, spread = FIXED.get(str(scaling), (0.0, 1.0))
        image_input = cls(
            image_size=height, channels=channels, mean=[centre] * channels, std=[spread] * channels,
            background=background_of(pixels), steps=inference_options(options),
        )  # fmt: skip

        def blocks() -> Iterator[Tensor]:
            for block in augmented() if augmented else scaled_blocks(pixels):
                yield scale_samplewise(block, options)

        if options.get("featurewise_center"):
            exact = not augmented and not image_input.steps
            mean, std = level_moments(pixels) if exact else moments(blocks())
            image_input.mean = [round(float(m), 6) for m in mean]
            if options.get("featurewise_std_normalization"):
                image_input.std = [round(float(s), 6) if s >= NOISE else 1.0 for s in std]
        if options.get("zca_whitening"):
            centred = (block - image_input._moments(block)[0] for block in blocks())
            epsilon = options.get("zca_epsilon", EPSILON)
            image_input.zca = whitening_matrix(centred, (channels, height, width), epsilon)
        return image_input

    def config(self) -> dict[str, Any]:
        """What rebuilds this input, as a plain dict; see `tensors` for the rest of it."""
        return {key: value for key, value in super().config().items() if key != "zca"}

    def tensors(self) -> dict[str, Tensor]:
        """What else was fitted, by the attribute that holds it."""
        return {} if self.zca is None else {"zca": self.zca}

    def __call__(self, raws: Any) -> Tensor:
        """Map pictures to a batch (B, C, H, W).

        Args:
            raws: a path, bytes, PIL image or array; or a list, or an array (B, H, W, C), of them.
                Those on the opposite of the training pictures' background are inverted.
        """
        return self.normalise(self.scale(torch.from_numpy(self.arrays(raws))))

    def arrays(self, raws: Any) -> np.ndarray:
        """Map pictures to pixels (B, H, W, C), uint8, not yet normalised; see `__call__`."""
        pixels = np.stack([self.decode(raw) for raw in self.as_list(raws)])
        return self.match_background(pixels)

    def decode(self, raw: Any) -> np.ndarray:
        """Map one raw picture to pixels (H, W, C), uint8."""
        return decode(raw, self.image_size, self.channels)

    def match_background(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels (B, H, W, C), uint8, with those pictures inverted whose rim says so."""
        if self.background is None:
            return pixels
        levels = rims(pixels)
        opposite = (levels > 0.5) != (self.background > 0.5)
        if opposite.any():
            pixels = pixels.copy()
            pixels[opposite] = invert(pixels[opposite], levels[opposite], self.background)
        return pixels

    def scale(self, pixels: Tensor) -> Tensor:
        """Map pixels (B, H, W, C), uint8, to (B, C, H, W) in [0, 1], channels last in memory."""
        return pixels.permute(0, 3, 1, 2).float().div_(255)

    def normalise(self, images: Tensor) -> Tensor:
        """Bring images (B, C, H, W) in [0, 1] to what the network takes.

        Raises:
            ValueError: they are to be whitened, and that was not fitted.
        """
        mean, std = self._moments(images)
        images = (scale_samplewise(images, self.steps) - mean) / std
        if not self.steps.get("zca_whitening"):
            return images
        if self.zca is None:
            raise ValueError("the whitening is not fitted: load the weights that it came with")
        return whiten(images, self.zca)

    def restore(self, images: Tensor) -> np.ndarray:
        """Map a normalised batch (B, C, H, W) back to pixels (B, H, W, C), uint8.

        What was centred or scaled picture by picture, or whitened, is stretched to the whole range.
        """
        mean, std = self._moments(images)
        images = images.float() * std + mean
        if {"samplewise_center", "samplewise_std_normalization", "zca_whitening"} & {*self.steps}:
            low, high = images.amin((1, 2, 3), True), images.amax((1, 2, 3), True)
            images = (images - low) / (high - low).clamp(min=NOISE)
        elif "rescale" in self.steps:
            images = images / self.steps["rescale"]
        pixels = images.mul(255).round().clamp(0, 255).byte()
        return pixels.permute(0, 2, 3, 1).cpu().numpy()

    def _moments(self, images: Tensor) -> Tensor:
        """Mean and deviation, each (1, C, 1, 1), on the device of the images."""
        return torch.tensor([self.mean, self.std], device=images.device).view(2, 1, -1, 1, 1)


def scaled_blocks(pixels: np.ndarray) -> Iterator[Tensor]:
    """Pixels (N, H, W, C), uint8, as blocks of images (B, C, H, W) in [0, 1]."""
    for start in range(0, len(pixels), BLOCK):
        block = torch.from_numpy(pixels[start : start + BLOCK])
        yield block.permute(0, 3, 1, 2).float().div_(255)


def level_moments(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of each channel (C,) of pixels (N, H, W, C), uint8, in [0, 1]: exact."""
    counts = np.zeros((pixels.shape[3], 256), np.int64)
    for start in range(0, len(pixels), BLOCK):  # bincount widens to int64
        block = pixels[start : start + BLOCK]
        counts += [np.bincount(channel.ravel(), minlength=256) for channel in block.T]
    levels, shares = np.arange(256) / 255, counts / counts[0].sum()
    mean = shares @ levels
    return mean, np.sqrt(np.maximum(shares @ levels**2 - mean**2, 0))


def background_of(pixels: np.ndarray) -> float | None:
    """The dark or bright level in [0, 1] that nearly all rims of grey pictures (N, H, W, C) have.

    None where they differ, where the level is a middle one, which has no opposite, and for
    pictures in colour: the negative of one is no picture of the same thing.
    """
    if pixels.shape[3] > 1:
        return None
    levels = rims(pixels[:: -(-len(pixels) // RIMS)])
    level = float(np.median(levels))
    same = (np.abs(levels - level) < 0.1).mean() >= NEARLY_ALL
    return round(level, 6) if same and abs(level - 0.5) >= 0.25 else None


def rims(pixels: np.ndarray) -> np.ndarray:
    """The level in [0, 1] of each picture's rim (N,): the median of its outermost pixels.

    Args:
        pixels: (N, H, W, C), uint8.
    """
    sides = (pixels[:, 0], pixels[:, -1], pixels[:, 1:-1, 0], pixels[:, 1:-1, -1])
    return np.median(np.concatenate(sides, 1), axis=(1, 2)) / 255


def invert(pixels: np.ndarray, levels: np.ndarray, background: float) -> np.ndarray:
    """Invert pictures so that their rims get the level of the background, in [0, 1].

    Paper is seldom quite white: what is drawn on it is stretched to the whole range.

    Args:
        pixels: (N, H, W, C), uint8.
        levels: of their rims, in [0, 1], (N,); nearer to the opposite of the background.
    """
    rim, goal = 255 * levels[:, None, None, None], 255 * background
    result = goal + (rim - pixels) * ((255 - 2 * goal) / (rim - goal))
    return result.round().clip(0, 255).astype(np.uint8)
