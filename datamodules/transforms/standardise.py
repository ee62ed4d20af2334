"""What pictures are brought to before a network sees them, while training and ever after.

The options are those of Keras' ImageDataGenerator (keras/src/legacy/preprocessing/image.py), in its
order: rescale, centre and scale each picture by itself, centre and scale by the data set's moments,
whiten. What is fitted travels with the weights.

Departs from Keras: pictures are in [0, 1], not in [0, 255], before `rescale`; moments are taken of
pictures as they are used, rescaled and sample-wise standardised; a deviation below 1e-6 counts as
one, where Keras adds 1e-6 to each; what is not fitted is an error, where Keras warns. As in Keras 3
the sample-wise mean is that of the whole picture: that of Keras 1, over the channels, makes grey
pictures zero.

Shapes: B pictures, C channels, H x W pixels, D = C H W.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor
from typing_extensions import TypedDict

NOISE = 1e-6  # of a deviation: what Keras adds before it divides a picture by its own
EPSILON = 1e-6  # Keras' zca_epsilon
BYTES = 8 * 4  # a number of the matrix: in float64, four times while it is made


class Standardisation(TypedDict, total=False):
    """The options; those that are left out are off."""

    rescale: Annotated[float, Field(gt=0)]  # factor of levels in [0, 1]
    samplewise_center: bool  # each picture's mean is zero
    samplewise_std_normalization: bool  # and its deviation one
    featurewise_center: bool  # each channel's mean over the training set is zero
    featurewise_std_normalization: bool  # and its deviation one; implies centring
    zca_whitening: bool  # pixels are uncorrelated; implies centring, excludes the deviation
    zca_epsilon: Annotated[float, Field(ge=0)]  # added to deviations; more hides small components
    fit_rounds: Annotated[int, Field(ge=0)]  # on so many augmented passes; 0: on the pictures


Name = Literal["standard", "unit", "symmetric", "sample", "zca"]
Scaling = Name | Standardisation
NAMED: dict[str, Standardisation] = {
    "standard": {"featurewise_center": True, "featurewise_std_normalization": True},
    "unit": {},
    "symmetric": {},  # its moments are fixed
    "sample": {"samplewise_center": True, "samplewise_std_normalization": True},
    "zca": {"zca_whitening": True},
}
FIXED = {"symmetric": (0.5, 0.5)}  # mean and deviation that are not fitted
Blocks = Callable[[], Iterable[Tensor]]


def resolve_scaling(scaling: Scaling) -> Standardisation:
    """The options that a name stands for, and those that others imply.

    Raises:
        ValueError: whitening and the data set's deviation were both asked for.
    """
    options = Standardisation(**NAMED[scaling] if isinstance(scaling, str) else scaling)
    if options.get("zca_whitening") and options.get("featurewise_std_normalization"):
        raise ValueError(
            "zca_whitening and featurewise_std_normalization exclude each other: whitening already "
            "brings every component to the same deviation; leave one out"
        )
    if options.get("zca_whitening") or options.get("featurewise_std_normalization"):
        options["featurewise_center"] = True
    return options


def inference_options(options: Standardisation) -> Standardisation:
    """The options that are needed once all is fitted, besides mean and deviation."""
    names = ("rescale", "samplewise_center", "samplewise_std_normalization", "zca_whitening")
    return {key: options[key] for key in names if options.get(key)}  # type: ignore[return-value,literal-required]


def scale_samplewise(images: Tensor, options: Standardisation) -> Tensor:
    """What needs no fitting: rescale, then centre and scale each of images (B, C, H, W)."""
    if "rescale" in options:
        images = images * options["rescale"]
    if options.get("samplewise_center"):
        images = images - images.mean((1, 2, 3), keepdim=True)
    if options.get("samplewise_std_normalization"):
        images = images / (images.std((1, 2, 3), correction=0, keepdim=True) + NOISE)
    return images


def moments(blocks: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each channel (C,) of blocks of images (B, C, H, W), in float64."""
    count, total, squares = 0, torch.zeros(()), torch.zeros(())
    for block in blocks:
        block = block.double()
        count += block.numel() // block.shape[1]
        total = total + block.sum((0, 2, 3))
        squares = squares + block.square().sum((0, 2, 3))
    mean = total / count
    return mean, (squares / count - mean.square()).clamp(min=0).sqrt()


def whitening_matrix(
    blocks: Iterable[Tensor], shape: tuple[int, int, int], epsilon: float
) -> Tensor:
    """The matrix (D, D) that makes pixels of centred images uncorrelated, each of deviation one.

    With the singular values s of n pictures it is U diag(sqrt(n) / (s + epsilon)) U^T (Krizhevsky
    2009, appendix A; Keras 3). Directions in which the pictures do not vary are left out.

    Args:
        blocks: of centred images (B, C, H, W).
        shape: (C, H, W).

    Raises:
        ValueError: the matrix does not fit in memory; with what it would take and what to do.
    """
    channels, height, width = shape
    size = channels * height * width
    needed, free = size**2 * BYTES, free_memory()
    if needed > free:
        side = int((free / BYTES) ** 0.25 / channels**0.5)
        raise ValueError(
            f"zca_whitening of pictures of {height} x {width} x {channels} makes a matrix of "
            f"{size:,} x {size:,}, {needed / 2**30:,.1f} GiB with the work on it, and "
            f"{free / 2**30:,.1f} GiB are free: data.image_size={side} would fit, or use "
            "data.scaling=standard"
        )
    count, products = 0, torch.zeros(size, size, dtype=torch.float64)
    for block in blocks:
        flat = block.flatten(1)
        count += len(flat)
        products += flat.T @ flat
    squares, directions = torch.linalg.eigh(products)
    is_spanned = squares > squares[-1] * size * torch.finfo(torch.float32).eps ** 2
    factors = torch.where(is_spanned, count**0.5 / (squares.clamp(min=0).sqrt() + epsilon), 0)
    return ((directions * factors) @ directions.T).float()


def free_memory() -> int:
    """Bytes that can be had, about."""
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
        return int(lines["MemAvailable"].split()[0]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def whiten(images: Tensor, matrix: Tensor) -> Tensor:
    """Images (B, C, H, W) by the matrix (D, D), which is symmetric."""
    flat = images.flatten(1) @ matrix.to(images)
    return flat.view(images.shape).contiguous(memory_format=torch.channels_last)
