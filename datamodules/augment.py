"""Image augmentation on whole batches, on the device: a draw for each picture, one resampling.

The options and their meaning are those of Keras' ImageDataGenerator
(keras/src/legacy/preprocessing/image.py). All geometry is composed into one affine matrix a picture,
which maps a place in the result to the place in the source that it shows, both in pixels from the
centre; flips are part of it.

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

Share = Annotated[float, Field(ge=0, lt=1)]


class Options(TypedDict, total=False):
    """What may be asked for; what is left out is off."""

    width_shift_range: Share  # share of the width, uniform in +-
    height_shift_range: Share
    rotation_range: Annotated[float, Field(ge=0, le=180)]  # degrees, uniform in +-
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
    flip_x: Tensor  # 1 or -1
    flip_y: Tensor


class Augment:
    """Draw parameters for a batch, and apply them.

    Args:
        options: see `Options`.
    """

    def __init__(self, options: Options) -> None:
        self.options = options

    def __call__(self, images: Tensor, key: "Key") -> Tensor:
        """Map images (B, C, H, W) to augmented ones; the draws are a function of the key."""
        if not any(value for name, value in self.options.items() if name not in ("fill_mode", "cval")):
            return images
        draws = self.draw(key.size, images.shape[-2:], key.generator())
        mine = Draws(*(key.mine(draw).to(images.device) for draw in draws))
        return self.apply(images, mine)

    def draw(self, count: int, size: tuple[int, int] | torch.Size, generator: torch.Generator) -> Draws:
        """Parameters for `count` pictures of size (H, W), on the CPU."""
        options = self.options

        def uniform(reach: float) -> Tensor:
            return (torch.rand(count, generator=generator) * 2 - 1) * reach

        def flips(wanted: bool) -> Tensor:
            heads = torch.rand(count, generator=generator) < 0.5
            return torch.where(heads & wanted, -1.0, 1.0)

        return Draws(
            rotation=uniform(math.radians(options.get("rotation_range", 0))),
            shift_x=uniform(options.get("width_shift_range", 0) * size[1]),
            shift_y=uniform(options.get("height_shift_range", 0) * size[0]),
            zoom_x=1 + uniform(options.get("zoom_range", 0)),
            zoom_y=1 + uniform(options.get("zoom_range", 0)),
            flip_x=flips(options.get("horizontal_flip", False)),
            flip_y=flips(options.get("vertical_flip", False)),
        )

    def apply(self, images: Tensor, draws: Draws) -> Tensor:
        """Resample images (B, C, H, W) once, by these parameters."""
        cval = self.options.get("cval", 0.0)
        if self.options.get("fill_mode", "nearest") == "nearest":
            return warp(images, matrices(draws), "border")
        return warp(images - cval, matrices(draws), "zeros") + cval


def matrices(draws: Draws) -> Tensor:
    """Compose the parameters to matrices (B, 2, 3): flip, then rotation, shift and zoom, as Keras."""
    cos, sin = draws.rotation.cos(), draws.rotation.sin()
    rows = (
        torch.stack([cos * draws.zoom_x, sin * draws.zoom_y, cos * draws.shift_x + sin * draws.shift_y], 1),
        torch.stack([-sin * draws.zoom_x, cos * draws.zoom_y, cos * draws.shift_y - sin * draws.shift_x], 1),
    )
    matrix = torch.stack(rows, 1)  # (B, 2, 3)
    matrix[:, :, 0] *= draws.flip_x[:, None]
    matrix[:, :, 1] *= draws.flip_y[:, None]
    return matrix


def warp(images: Tensor, matrix: Tensor, padding: str) -> Tensor:
    """Resample images (B, C, H, W) bilinearly by matrices (B, 2, 3) in pixels from the centre."""
    height, width = images.shape[-2:]
    unit = matrix.new_tensor([width / 2, height / 2, 1.0])  # grid_sample counts in half sides
    theta = matrix * unit / unit[:2, None]
    grid = F.affine_grid(theta.to(images.dtype), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode=padding, align_corners=False)
