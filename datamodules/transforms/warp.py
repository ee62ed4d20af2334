"""Resample whole batches of pictures, each by a matrix of its own: one bilinear pass.

What lies beyond a picture is filled as scipy.ndimage's modes of these names do, which Keras uses:
`nearest` repeats the outermost pixels, `reflect` mirrors about the picture's edge, `wrap` repeats
the picture with a period of N - 1 pixels, so that first and last coincide, and `constant` has a
hard edge: a place beyond the outermost pixel centres is `cval`. `tile` is ours: a true tiling, of
period N.

On a CPU a compiled kernel does it (warp.cpp); elsewhere, and without a compiler, PyTorch.

Shapes: B pictures, C channels, H x W pixels.
"""

from ctypes import CDLL, c_float, c_int64, c_void_p
from pathlib import Path
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from datamodules.utilities.native import kernel

Fill = Literal["nearest", "constant", "reflect", "wrap", "tile"]
FILLS: tuple[str, ...] = get_args(Fill)
SLACK = 1e-4  # pixels beyond the edge that still count as inside, for rounding


def warp(
    images: Tensor, matrices: Tensor, fill: Fill, cval: float = 0.0, shifts: Tensor | None = None
) -> Tensor:
    """Map images (B, C, H, W) to resampled ones, float in [0, 1], in channels-last memory.

    Args:
        images: uint8, or float in [0, 1].
        matrices: (B, 2, 3); each maps x, y of the result to x, y of the source that it shows, in
            pixels from the centre.
        fill: what is shown from beyond the source.
        cval: of `constant`, in [0, 1].
        shifts: (B, C), added to the channels; a picture keeps to the range that it had.
    """
    if images.device.type == "cpu" and images.dtype in (torch.uint8, torch.float32):
        library = kernel(Path(__file__).with_suffix(".cpp"))
        if library is not None:
            return _run_kernel(library, images, matrices, fill, cval, shifts)
    return in_torch(images, matrices, fill, cval, shifts)


def in_torch(
    images: Tensor, matrices: Tensor, fill: Fill, cval: float = 0.0, shifts: Tensor | None = None
) -> Tensor:
    """What `warp` does, in PyTorch."""
    images = images.float() / 255 if images.dtype == torch.uint8 else images
    m, (height, width) = matrices.to(images)[:, :, :, None, None], images.shape[2:]
    middle = torch.tensor([width - 1, height - 1], device=images.device)[:, None, None] / 2
    x = torch.arange(width, device=images.device) - middle[0]
    y = (torch.arange(height, device=images.device) - middle[1, 0])[:, None]
    places = m[:, :, 0] * x + m[:, :, 1] * y + m[:, :, 2] + middle  # (B, 2, H, W) in the source
    sizes = torch.tensor(images.shape[:1:-1], device=images.device).view(2, 1, 1)
    last = sizes - 1
    inside = ((places >= -SLACK) & (places <= last + SLACK)).all(1, keepdim=True)
    places = map_places(places, sizes, fill)
    if fill == "tile":  # the neighbour of the last pixel is the first one
        images = F.pad(images, (0, 1, 0, 1), mode="circular")
        sizes = sizes + 1
    grid = ((2 * places + 1) / sizes - 1).permute(0, 2, 3, 1)  # in half sides from the centre
    result = F.grid_sample(images, grid.to(images), padding_mode="border", align_corners=False)
    if fill == "constant":
        result = torch.where(inside, result, cval)
    if shifts is not None:
        low, high = result.amin((1, 2, 3), True), result.amax((1, 2, 3), True)
        result = (result + shifts.to(result)[:, :, None, None]).clamp(low, high)
    return result.contiguous(memory_format=torch.channels_last)


def map_places(places: Tensor, lengths: Tensor, fill: Fill) -> Tensor:
    """Places anywhere as the places in a row of so many pixels that they show."""
    last = lengths - 1
    if fill == "reflect":
        along = (places + 0.5) % (2 * lengths)
        return torch.minimum(along, 2 * lengths - along) - 0.5
    if fill == "wrap":
        along = places.abs() % last.clamp(min=1)
        mirrored = torch.where(places < 0, last - along, along)
        return torch.where((places < 0) | (places > last), mirrored, places)
    if fill == "tile":
        return places % lengths
    return places.clamp(torch.zeros_like(last), last)


def _run_kernel(
    library: CDLL, images: Tensor, matrices: Tensor, fill: Fill, cval: float, shifts: Tensor | None
) -> Tensor:  # fmt: skip
    pixels = images.permute(0, 2, 3, 1).contiguous()
    result = torch.empty(pixels.shape)
    matrices = matrices.float().contiguous()
    shifts = shifts if shifts is None else shifts.float().contiguous()
    library.warp(
        _at(pixels), pixels.element_size(), _at(result), *map(c_int64, pixels.shape),
        _at(matrices), None if shifts is None else _at(shifts), FILLS.index(fill),
        c_float(cval), c_float(SLACK), min(torch.get_num_threads(), max(len(pixels), 1)),
    )  # fmt: skip
    return result.permute(0, 3, 1, 2)


def _at(tensor: Tensor) -> c_void_p:
    return c_void_p(tensor.data_ptr())
