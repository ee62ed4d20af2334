"""Image augmentation on whole batches, on the device: a draw for each picture, one resampling.

The options and their meaning are those of Keras' ImageDataGenerator
(keras/src/legacy/preprocessing/image.py); those of its options that also hold outside training
(rescaling, centring, whitening) are in standardise.py. Rotation, shift, shear, zoom, crop and flips
are composed into one affine matrix a picture, which maps a place in the result to the place in the
source that it shows, both in pixels from the centre. Then come, beyond Keras, random erasing
(Zhong et al. 2017, 1708.04896), MixUp (Zhang et al. 2017, 1710.09412) and CutMix (Yun et al. 2019,
1905.04899).

Departs from Keras: shear is in degrees and its name says so; a channel shift is drawn for each
channel, as Keras 1 does, where Keras 3 draws one for all; levels are in [0, 1], `cval` and
`channel_shift_range` too.

Shapes: B pictures, C channels, H x W pixels, K classes.
"""

import math
from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor
from typing_extensions import TypedDict

from datamodules.transforms.warp import Fill, warp

if TYPE_CHECKING:
    from datamodules.utilities.draws import Key

WARPED = (
    "rotation_range", "width_shift_range", "height_shift_range", "shear_degrees", "zoom_range",
    "channel_shift_range", "crop_padding", "horizontal_flip", "vertical_flip",
)  # fmt: skip
MIX_STREAM = 4  # of the random draws of a batch; 0 is that of all else here
ERASED = (0.02, 1 / 3), (0.3, 3.3)  # share of the picture, height over width (section 4.2)
Share = Annotated[float, Field(ge=0, lt=1)]
Chance = Annotated[float, Field(ge=0, le=1)]
Factor = Annotated[float, Field(gt=0)]


class Options(TypedDict, total=False):
    """The options; those that are left out are off."""

    rotation_range: Annotated[float, Field(ge=0, le=180)]  # degrees, uniform in +-
    width_shift_range: Share  # share of the width, uniform in +-
    height_shift_range: Share
    shear_degrees: Annotated[float, Field(ge=0, lt=90)]  # uniform in +-; Keras 1 counts in radians
    zoom_range: Share | Annotated[list[Factor], Field(min_length=2, max_length=2)]
    # z: factors uniform in [1 - z, 1 + z], or in [low, high]; x and y apart; above 1 shrinks
    channel_shift_range: Share  # of levels in [0, 1], uniform in +-, each channel apart
    horizontal_flip: bool  # half of the pictures
    vertical_flip: bool
    crop_padding: Annotated[int, Field(ge=0)]  # whole pixels to move in x and in y, uniform in +-
    fill_mode: Fill  # nearest if left out
    cval: Annotated[float, Field(ge=0, le=1)]  # what `constant` fills with, in [0, 1]
    erasing: Chance  # of a rectangle filled with cval
    mixup: Annotated[float, Field(ge=0)]  # alpha of the beta distribution of a picture's share
    cutmix: Annotated[float, Field(ge=0)]  # alpha; with mixup half of the batches each


class AugmentParameters(NamedTuple):
    """The random parameters of a batch, each (B,), channel_shift (B, C)."""

    rotation: Tensor  # radians
    shift_x: Tensor  # pixels
    shift_y: Tensor
    zoom_x: Tensor
    zoom_y: Tensor
    flip_x: Tensor  # 1 or 0
    flip_y: Tensor
    shear: Tensor  # radians
    crop_x: Tensor  # whole pixels
    crop_y: Tensor
    channel_shift: Tensor  # levels


class Augment:
    """Draw parameters for a batch, and apply them.

    Args:
        options: see `Options`.
    """

    def __init__(self, options: Options) -> None:
        self.options = options

    def __call__(self, images: Tensor, key: "Key", frames: int = 1) -> Tensor:
        """Map images (B, C, H, W) to augmented ones; the draws are a function of the key.

        Args:
            images: uint8, or float in [0, 1]; what comes out is float.
            frames: so many channels in a row are one colour of a clip, which is changed alike.
        """
        if images.dtype == torch.uint8 and not self.any(*WARPED):
            images = images.float().div_(255)
        random = key.generator()
        if self.any(*WARPED):
            draws = self.draw(key.size, images.shape[-2:], random, images.shape[1] // frames)
            images = self.apply(images, AugmentParameters(*map(key.local_rows, draws)), frames)
        if self.any("erasing"):
            boxes = self.boxes(key.size, images.shape[-2:], random)
            images = torch.where(key.local_rows(boxes).to(images.device), self._cval, images)
        return images

    def any(self, *names: str) -> bool:
        """Whether one of these options is on."""
        return any(self.options.get(name) for name in names)

    @property
    def _cval(self) -> float:
        return self.options.get("cval", 0.0)

    def draw(
        self, count: int, size: tuple[int, int] | torch.Size, random: torch.Generator,
        channels: int = 1,
    ) -> AugmentParameters:  # fmt: skip
        """Parameters for `count` pictures of size (H, W), on the CPU."""
        ranges = self._ranges(size)
        shift = self.options.get("channel_shift_range", 0)
        low, high = torch.tensor([*ranges.values(), *[(-shift, shift)] * channels]).float().T
        values = low + torch.rand(count, len(low), generator=random) * (high - low)
        parameters = dict(zip(ranges, values.unbind(1), strict=False))
        for name in ("flip_x", "flip_y"):
            parameters[name] = (parameters[name] > 0).float()
        for name in ("crop_x", "crop_y"):
            parameters[name] = parameters[name].floor()
        return AugmentParameters(**parameters, channel_shift=values[:, len(ranges) :])

    def _ranges(self, size: tuple[int, int] | torch.Size) -> dict[str, tuple[float, float]]:
        """Between what each parameter is uniform; a flip is where it is above zero."""
        options = self.options
        zoom, padding = options.get("zoom_range", 0.0), options.get("crop_padding", 0)
        low, high = zoom if isinstance(zoom, list) else (1 - zoom, 1 + zoom)
        reach: dict[str, float] = {
            "rotation": math.radians(options.get("rotation_range", 0)),
            "shift_x": options.get("width_shift_range", 0) * size[1],
            "shift_y": options.get("height_shift_range", 0) * size[0],
            "flip_x": options.get("horizontal_flip", False),
            "flip_y": options.get("vertical_flip", False),
            "shear": math.radians(options.get("shear_degrees", 0)),
        }
        pixels = (-padding, padding + 1 - 1e-4)  # to be rounded down
        evenly = {name: (-far, far) for name, far in reach.items()}
        return {
            **evenly, "zoom_x": (low, high), "zoom_y": (low, high), "crop_x": pixels,
            "crop_y": pixels,
        }  # fmt: skip

    def apply(self, images: Tensor, draws: AugmentParameters, frames: int = 1) -> Tensor:
        """Resample images (B, C, H, W) once by these parameters."""
        shifts = None
        if self.any("channel_shift_range"):
            shifts = draws.channel_shift.repeat_interleave(frames, 1)
        fill = self.options.get("fill_mode", "nearest")
        return warp(images, matrices(draws), fill, self._cval, shifts)

    def boxes(
        self, count: int, size: tuple[int, int] | torch.Size, random: torch.Generator
    ) -> Tensor:
        """What is erased of pictures of size (H, W): (count, 1, H, W), bool (section 4.1)."""
        (least, most), (flat, tall) = ERASED
        share, form, y, x, chance = torch.rand(5, count, generator=random)
        area = (least + (most - least) * share) * size[0] * size[1]
        ratio = torch.exp(math.log(flat) + math.log(tall / flat) * form)
        height, width = (area * ratio).sqrt(), (area / ratio).sqrt()
        is_erased = chance < self.options.get("erasing", 0.0)
        return _rectangles(height * is_erased, width * is_erased, y, x, size)

    def mix(
        self, images: Tensor, labels: Tensor, classes: int, key: "Key"
    ) -> tuple[Tensor, Tensor]:
        """Mix each picture of a shuffled batch with its neighbour, and their labels alike.

        Pairs are neighbours, so that each device has both of them.

        Args:
            images: (B, C, H, W), before or after normalisation.
            labels: (B,), in [0, classes).

        Returns:
            Images, and labels (B, K) that sum to one; both unchanged if nothing is asked for.
        """
        alphas = [self.options.get("mixup", 0.0), self.options.get("cutmix", 0.0)]
        if not any(alphas):
            return images, labels
        random = np.random.default_rng(key.generator(MIX_STREAM).initial_seed())
        cut = bool(random.integers(2)) if all(alphas) else bool(alphas[1])
        shares = random.beta(alphas[cut], alphas[cut], key.size)
        weights = key.local_rows(torch.from_numpy(shares)).to(images)
        other = (torch.arange(len(images), device=images.device) ^ 1).clamp(max=len(images) - 1)
        if cut:
            places = key.local_rows(torch.from_numpy(random.random((key.size, 2)))).to(images)
            side = (1 - weights).sqrt()[:, None] * torch.tensor(images.shape[2:]).to(images)
            (height, width), (y, x) = side.T, places.T
            box = _rectangles(height, width, y, x, images.shape[2:])
            images = torch.where(box, images[other], images)
            weights = 1 - box.float().mean((1, 2, 3)).to(weights)
        else:
            images = torch.lerp(images[other], images, weights[:, None, None, None])
        hard = F.one_hot(labels, classes).to(images)
        return images, torch.lerp(hard[other], hard, weights[:, None])


def _rectangles(
    height: Tensor, width: Tensor, y: Tensor, x: Tensor, size: tuple[int, int] | torch.Size
) -> Tensor:
    """Rectangles (B, 1, H, W), bool, of sizes in pixels; y and x in [0, 1] say where they fit."""

    def along(length: Tensor, place: Tensor, side: int) -> Tensor:
        length = length.round().clamp(max=side)[:, None]
        start = (place[:, None] * (side - length + 1)).floor()
        at = torch.arange(side, device=length.device)
        return (at >= start) & (at < start + length)

    rows, columns = along(height, y, size[0]), along(width, x, size[1])
    return (rows[:, :, None] & columns[:, None, :])[:, None]


def matrices(draws: AugmentParameters) -> Tensor:
    """Compose all that moves pixels, in Keras' order, to matrices (B, 2, 3) of x, y.

    A place is first mirrored and moved by whole pixels, then zoomed, sheared, shifted and rotated:
    R(turn) (Shear(shear) Zoom (Mirror place + crop) + shift), and R Shear turns its second axis by
    turn + shear.
    """
    turn, tilt = draws.rotation, draws.rotation + draws.shear
    mirror_x, mirror_y = 1 - 2 * draws.flip_x, 1 - 2 * draws.flip_y
    cos, sin = turn.cos(), turn.sin()
    across_x, across_y = cos * draws.zoom_x, sin * draws.zoom_x  # where a step to the right leads
    down_x, down_y = -tilt.sin() * draws.zoom_y, tilt.cos() * draws.zoom_y  # and one down
    x = across_x * draws.crop_x + down_x * draws.crop_y + cos * draws.shift_x - sin * draws.shift_y
    y = across_y * draws.crop_x + down_y * draws.crop_y + sin * draws.shift_x + cos * draws.shift_y
    rows = [across_x * mirror_x, down_x * mirror_y, x, across_y * mirror_x, down_y * mirror_y, y]
    return torch.stack(rows, 1).view(-1, 2, 3)
