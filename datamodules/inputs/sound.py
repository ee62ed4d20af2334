"""Raw sound -> mu-law ids and back.

ITU-T recommendation G.711 (1988), mu = 255: F(x) = sign(x) ln(1 + mu |x|) / ln(1 + mu) keeps the
steps small where a sound is quiet; WaveNet (https://arxiv.org/abs/1609.03499, section 2.2) predicts
its levels.

Shapes: B sounds, T samples of a window, L samples of a sound.
"""

from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from datamodules.inputs import Input
from datamodules.inputs.sound_file import SUFFIXES, read
from datamodules.utilities.windows import MOST, Windows, cut


class SoundInput(Input):
    """Sounds of any rate, width and number of channels as ids of one length.

    They are mixed to one channel, resampled, cut or filled up with silence; loudness is kept.

    Args:
        sample_rate: samples per second.
        levels: of amplitude; mu is one less.
        length: in samples.
        windows: how they are laid over a longer sound: one, its beginning; spread, as many as
            cover it evenly, at most `utilities.windows.MOST`.
    """

    kind = "sound"
    plural = "sounds"
    suffixes = SUFFIXES

    def __init__(
        self,
        *,
        sample_rate: int,
        levels: int,
        length: int,
        windows: Literal["one", "spread"] = "one",
    ) -> None:
        self.sample_rate, self.levels, self.length = sample_rate, levels, length
        self.windows = windows

    @property
    def has_windows(self) -> bool:
        """Whether a sound may have several windows."""
        return self.windows == "spread"

    @property
    def seconds(self) -> float:
        """How long a window is."""
        return self.length / self.sample_rate

    def __call__(self, raws: Any) -> Tensor | Windows:
        """Map sounds to ids (B, T), int64, in [0, levels), or to their windows.

        Args:
            raws: a path, bytes, or a wave (T,) or (T, channels) that has this input's rate:
                floats in [-1, 1] or integers; or a list of them.
        """
        ids = self.arrays(raws)
        return ids.map(Tensor.long) if isinstance(ids, Windows) else torch.from_numpy(ids).long()

    def arrays(self, raws: Any) -> np.ndarray | Windows:
        """Map sounds to ids (B, T), uint8, or to their windows; see `__call__`."""
        if self.has_windows:
            return self.cut_arrays(raws)
        return np.stack([self.decode(raw) for raw in self.as_list(raws)])

    def cut(self, raws: Any, most: int | None = MOST) -> Windows:
        """Map sounds to the windows that cover them, at most so many of each."""
        return self.cut_arrays(raws, most).map(Tensor.long)

    def cut_arrays(self, raws: Any, most: int | None = MOST) -> Windows:
        """The same windows as they are in memory, uint8."""
        ids = [torch.from_numpy(self.decode_all(raw)) for raw in self.as_list(raws)]
        return cut(ids, self.length, most)

    def decode(self, raw: Any) -> np.ndarray:
        """Map one raw sound to ids (T,), uint8.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: no sound, damaged, empty or not finite; the message names it.
        """
        wave = read(raw, self.sample_rate, self.length)
        fixed_length = np.zeros(self.length)
        fixed_length[: len(wave)] = wave[: self.length]
        return encode(fixed_length, self.levels)

    def decode_all(self, raw: Any) -> np.ndarray:
        """Map all of one raw sound to ids (L,), uint8, a window at least; raises as `decode`."""
        wave = read(raw, self.sample_rate, None)
        return encode(np.pad(wave, (0, max(self.length - len(wave), 0))), self.levels)

    def restore(self, ids: Tensor) -> list[np.ndarray]:
        """Map ids (B, T) back to waves, each (T,) in [-1, 1]."""
        return list(decode(ids.cpu().numpy(), self.levels))


def encode(wave: np.ndarray, levels: int) -> np.ndarray:
    """Map amplitudes, clipped to [-1, 1], to mu-law ids in [0, levels), uint8; any shape."""
    mu, wave = levels - 1, np.clip(wave, -1, 1)
    pressed = np.sign(wave) * np.log1p(mu * np.abs(wave)) / np.log1p(mu)  # [-1, 1]
    return np.floor((pressed + 1) / 2 * mu + 0.5).astype(np.uint8)


def decode(ids: np.ndarray, levels: int) -> np.ndarray:
    """Map mu-law ids to amplitudes in [-1, 1], float32: the inverse of `encode` on ids."""
    mu = levels - 1
    pressed = 2 * ids.astype(np.float64) / mu - 1
    return (np.sign(pressed) * np.expm1(np.abs(pressed) * np.log1p(mu)) / mu).astype(np.float32)
