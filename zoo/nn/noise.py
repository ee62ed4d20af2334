"""Noise that spoils pictures, for models that learn to take it away and for what they compete with.

Shapes: B pictures, C channels, H x W pixels in [0, 1].
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from typing_extensions import TypedDict

from zoo.config.types import Fraction

Draw = Callable[..., Tensor]  # draw(torch.randn, *shape): random numbers of that shape


class Noise(TypedDict):
    """How pictures are spoiled: a part of a model's config.

    `gaussian` adds normal numbers of deviation `amount`, and clips; `salt_pepper` makes that share
    of the values 0 or 1, as many of each; `mask` makes that share 0 (Vincent et al. 2008, 2.3).
    """

    kind: Literal["gaussian", "salt_pepper", "mask"]
    amount: Fraction


def spoil(images: Tensor, noise: Noise, draw: Draw) -> Tensor:
    """Map images (B, C, H, W) to spoiled ones, in [0, 1] too; each value is spoiled by itself."""
    amount = noise["amount"]
    if noise["kind"] == "gaussian":
        return (images + amount * draw(torch.randn, *images.shape)).clamp(0, 1)
    chance = draw(torch.rand, *images.shape)
    spoiled = images.masked_fill(chance < amount, 0.0)
    if noise["kind"] == "mask":
        return spoiled
    return spoiled.masked_fill(chance < amount / 2, 1.0)


def seeded(seed: int) -> Draw:
    """Draws that are a function of the seed alone."""
    generator = torch.Generator().manual_seed(seed)
    return lambda sampler, *shape: sampler(*shape, generator=generator)


def psnr(errors: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in decibels of mean squared errors (...) on pixels in [0, 1].

    An error of zero, whose ratio is infinite, counts as 100 dB.
    """
    return -10 * errors.clamp(min=1e-10).log10()
