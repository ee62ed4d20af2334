"""Image augmentation on whole batches, on the device: a draw for each picture, one resampling.

The options and their meaning are those of Keras' ImageDataGenerator
(keras/src/legacy/preprocessing/image.py). Rotation, shift, shear and zoom are composed into one
affine matrix a picture, which maps a place in the result to the place in the source that it shows,
both in pixels from the centre; then come the flips.

Shapes: B pictures, C channels, H x W pixels.
"""

import math
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor
from typing_extensions import TypedDict

if TYPE_CHECKING:
    from datamodules.batches import Key

GEOMETRY = (
    "rotation_range", "width_shift_range", "height_shift_range", "shear_degrees", "zoom_range",
)  # fmt: skip
Share = Annotated[float, Field(ge=0, lt=1)]


class Options(TypedDict, total=False):
    """What may be asked for; what is left out is off."""

    width_shift_range: Share  # share of the width, uniform in +-
    height_shift_range: Share
    rotation_range: Annotated[float, Field(ge=0, le=180)]  # degrees, uniform in +-
    shear_degrees: Annotated[float, Field(ge=0, lt=90)]  # uniform in +-; Keras 1 counts in radians
    zoom_range: Share  # z: factors uniform in [1 - z, 1 + z], x and y apart
    horizontal_flip: bool
    vertical_flip: bool
    fill_mode: Literal["nearest", "constant"]
    cval: Annotated[float, Field(ge=0, le=1)]  # what `constant` fills with, in [0, 1]


class Draws(NamedTuple):
    """The random parameters of a batch, each (B,)."""

    rotation: Tensor  # radians
    shift_x: Tensor  # pixels
    shift_y: Tensor
    zoom_x: Tensor
    zoom_y: Tensor
    flip_x: Tensor  # 1 or 0
    flip_y: Tensor
    shear: Tensor  # radians


class Augment:
    """Draw parameters for a batch, and apply them.

    Args:
        options: see `Options`.
    """

    def __init__(self, options: Options) -> None:
        self.options = options

    def __call__(self, images: Tensor, key: "Key") -> Tensor:
        """Map images (B, C, H, W) to augmented ones; the draws are a function of the key."""
        if not self._any(*GEOMETRY, "horizontal_flip", "vertical_flip"):
            return images
        draws = self.draw(key.size, images.shape[-2:], key.generator())
        return self.apply(images, Draws(*(key.mine(draw) for draw in draws)))

    def _any(self, *names: str) -> bool:
        return any(self.options.get(name) for name in names)

    def draw(
        self, count: int, size: tuple[int, int] | torch.Size, generator: torch.Generator
    ) -> Draws:
        """Parameters for `count` pictures of size (H, W), on the CPU."""
        options = self.options

        def uniform(reach: float) -> Tensor:
            return (torch.rand(count, generator=generator) * 2 - 1) * reach

        def flips(wanted: bool) -> Tensor:
            return ((torch.rand(count, generator=generator) < 0.5) & wanted).float()

        return Draws(
            rotation=uniform(math.radians(options.get("rotation_range", 0))),
            shift_x=uniform(options.get("width_shift_range", 0) * size[1]),
            shift_y=uniform(options.get("height_shift_range", 0) * size[0]),
            zoom_x=1 + uniform(options.get("zoom_range", 0)),
            zoom_y=1 + uniform(options.get("zoom_range", 0)),
            flip_x=flips(options.get("horizontal_flip", False)),
            flip_y=flips(options.get("vertical_flip", False)),
            shear=uniform(math.radians(options.get("shear_degrees", 0))),
        )

    def apply(self, images: Tensor, draws: Draws) -> Tensor:
        """Resample images (B, C, H, W) once and flip them, by these parameters."""
        if self._any(*GEOMETRY):
            cval = self.options.get("cval", 0.0)
            if self.options.get("fill_mode", "nearest") == "nearest":
                images = warp(images, matrices(draws), "border")
            else:
                images = warp(images - cval, matrices(draws), "zeros") + cval
        for name, axis, flip in (("horizontal", 3, draws.flip_x), ("vertical", 2, draws.flip_y)):
            if self._any(f"{name}_flip"):
                flipped = flip.bool()[:, None, None, None].to(images.device)
                images = torch.where(flipped, images.flip(axis), images)
        return images


def matrices(draws: Draws) -> Tensor:
    """Compose rotation, shift, shear and zoom, in Keras' order, to matrices (B, 2, 3) of x, y."""
    cos, sin, zero = draws.rotation.cos(), draws.rotation.sin(), torch.zeros_like(draws.shear)
    tilt, squeeze = -draws.shear.sin(), draws.shear.cos()
    rotation = torch.stack([cos, -sin, sin, cos], 1).view(-1, 2, 2)
    shear = torch.stack([zero + 1, tilt, zero, squeeze], 1).view(-1, 2, 2)
    zoom = torch.stack([draws.zoom_x, draws.zoom_y], 1)[:, None, :]
    shift = torch.stack([draws.shift_x, draws.shift_y], 1)[:, :, None]
    return rotation @ torch.cat([shear * zoom, shift], 2)


def warp(images: Tensor, matrix: Tensor, padding: str) -> Tensor:
    """Resample images (B, C, H, W) bilinearly by matrices (B, 2, 3) in pixels from the centre."""
    height, width = images.shape[-2:]
    x = torch.arange(width, device=images.device) - (width - 1) / 2
    y = torch.arange(height, device=images.device) - (height - 1) / 2
    m = matrix.to(images)[:, :, :, None, None]
    places = m[:, :, 0] * x + m[:, :, 1] * y[:, None] + m[:, :, 2]  # (B, 2, H, W)
    grid = torch.stack([places[:, 0] * 2 / width, places[:, 1] * 2 / height], 3)  # half sides
    result = F.grid_sample(images, grid, padding_mode=padding, align_corners=False)
    last = images.is_contiguous(memory_format=torch.channels_last)
    return result.contiguous(memory_format=torch.channels_last) if last else result
