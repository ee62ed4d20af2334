"""Augmentation of sounds on whole batches of mu-law ids, on the device: a draw for each sound.

A sound is moved in time, made louder or quieter, and gets white noise, in this order. What is only
moved stays exactly what it was.

Shapes: B sounds, T samples, Q levels.
"""

from typing import TYPE_CHECKING, Annotated

import torch
from pydantic import Field
from torch import Tensor
from typing_extensions import TypedDict

if TYPE_CHECKING:
    from datamodules.utilities.draws import Key

Share = Annotated[float, Field(ge=0, lt=1)]


class SoundOptions(TypedDict, total=False):
    """The options; those that are left out are off."""

    shift_range: Share  # share of the window, uniform in +-; the place that is left is silent
    gain_db: Annotated[float, Field(ge=0, le=60)]  # decibels, uniform in +-
    noise: Share  # deviation over the sound's root mean square, uniform from 0


class AugmentSound:
    """Draw parameters for a batch, and apply them.

    Args:
        options: see `SoundOptions`.
        amplitudes: of the levels (Q,).
        edges: the amplitude from which on a sample has the next level (Q - 1,).
    """

    def __init__(self, options: SoundOptions, amplitudes: Tensor, edges: Tensor) -> None:
        self.options, self.amplitudes, self.edges = options, amplitudes, edges

    def __call__(self, ids: Tensor, key: "Key") -> Tensor:
        """Map ids (B, T), int64, to augmented ones; the draws are a function of the key."""
        random, device, length = key.generator(), ids.device, ids.shape[1]
        shift, gain, share = torch.rand(3, key.size, generator=random)
        if reach := self.options.get("shift_range"):
            places = ((2 * shift - 1) * reach * length).round().long()
            ids = self.shift(ids, key.local_rows(places).to(device))
        decibels, noise = self.options.get("gain_db", 0.0), self.options.get("noise", 0.0)
        if not (decibels or noise):
            return ids
        waves = self.amplitudes.to(device)[ids]
        if decibels:
            factors = 10 ** ((2 * gain - 1) * decibels / 20)
            waves = waves * key.local_rows(factors).to(device)[:, None]
        if noise:
            white = torch.randn(key.size, length, generator=random) * (share * noise)[:, None]
            waves = waves + key.local_rows(white).to(device) * rms(waves)
        return torch.bucketize(waves, self.edges.to(device), right=True)

    def shift(self, ids: Tensor, by: Tensor) -> Tensor:
        """Move each of ids (B, T) by so many samples (B,), to the right where that is positive."""
        length = ids.shape[1]
        places = torch.arange(length, device=ids.device) - by[:, None]
        is_inside = (places >= 0) & (places < length)
        silence = len(self.amplitudes) // 2
        return ids.gather(1, places.clamp(0, length - 1)).where(is_inside, silence)


def rms(waves: Tensor) -> Tensor:
    """The root mean square (B, 1) of waves (B, T)."""
    return waves.square().mean(1, keepdim=True).sqrt()
