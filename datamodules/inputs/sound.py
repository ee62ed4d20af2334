"""Raw sound -> mu-law ids and back.

ITU-T recommendation G.711 (1988), mu = 255: F(x) = sign(x) ln(1 + mu |x|) / ln(1 + mu) keeps the
steps small where a sound is quiet; WaveNet (https://arxiv.org/abs/1609.03499, section 2.2) predicts
its levels.

Shapes: B sounds, T samples.
"""

import io
import math
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from datamodules.inputs import Input, as_list, import_reader

LOUD = 10.0  # floats beyond it are surely no sound in [-1, 1], but 16-bit values
MAX_CHANNELS = 32
SUFFIXES = frozenset({".wav", ".flac", ".ogg"})


class SoundInput(Input):
    """Sounds of any rate, width and number of channels as ids of one length.

    They are mixed to one channel, resampled, cut or filled up with silence; loudness is kept.

    Args:
        sample_rate: samples per second.
        levels: of amplitude; mu is one less.
        length: in samples.
        windows: how they are laid over a longer sound: one, its beginning.
    """

    kind = "sound"
    suffixes = SUFFIXES

    def __init__(
        self, *, sample_rate: int, levels: int, length: int, windows: Literal["one"] = "one"
    ) -> None:
        self.sample_rate, self.levels, self.length = sample_rate, levels, length
        self.windows = windows

    def __call__(self, raws: Any) -> Tensor:
        """Map sounds to ids (B, T), int64, in [0, levels).

        Args:
            raws: a path, bytes, or a wave (T,) or (T, channels) that has this input's rate:
                floats in [-1, 1] or integers; or a list of them.
        """
        ids = np.stack([self.decode(raw) for raw in as_list(raws, "sounds")])
        return torch.from_numpy(ids).long()

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


def read(raw: Any, rate: int, length: int) -> np.ndarray:
    """The beginning of a sound as one channel (T,) in [-1, 1] at `rate`, about `length` samples.

    Raises:
        FileNotFoundError: there is no such file.
        ModuleNotFoundError: the package soundfile is not installed.
        ValueError: no sound, damaged, empty or not finite; the message names it.
    """
    name = str(raw) if isinstance(raw, str | Path) else f"a sound ({type(raw).__name__})"
    if isinstance(raw, np.ndarray | Tensor):
        wave, file_rate = _amplitudes(np.asarray(raw)), rate
    else:
        wave, file_rate = _file(raw, name, rate, length)
    if not wave.size:
        raise ValueError(f"{name} has no samples: it lasts 0 s")
    if not np.isfinite(wave).all():
        raise ValueError(f"{name} has values that are not finite: amplitudes in [-1, 1] are wanted")
    if np.abs(wave).max() > LOUD:
        raise ValueError(
            f"{name} reaches {np.abs(wave).max():.0f}: floats in [-1, 1] or integers are wanted"
        )
    if wave.ndim == 2:
        wave = wave.mean(1)
    return wave if file_rate == rate else resample(wave, file_rate, rate)


def resample(wave: np.ndarray, old: int, new: int) -> np.ndarray:
    """A wave (T,) at another rate; what the new rate cannot hold is filtered out."""
    from scipy.signal import resample_poly

    common = math.gcd(old, new)
    result: np.ndarray = resample_poly(wave, new // common, old // common)
    return result


def _amplitudes(array: np.ndarray) -> np.ndarray:
    """An array (T,) or (T, channels) as floats; integers by the largest of their type."""
    if array.ndim not in (1, 2) or (array.ndim == 2 and array.shape[1] > MAX_CHANNELS):
        raise ValueError(
            f"a sound has the shape {array.shape}: (T,) or (T, channels) is wanted, with at most "
            f"{MAX_CHANNELS} channels on axis 1; several sounds go into a list"
        )
    if not np.issubdtype(array.dtype, np.integer):
        return array.astype(np.float64)
    limits = np.iinfo(array.dtype)
    middle = (limits.max + limits.min + 1) / 2  # 128 of unsigned bytes, else 0
    return (array - middle) / (limits.max + 1 - middle)


def _file(raw: Any, name: str, rate: int, length: int) -> tuple[np.ndarray, int]:
    """The beginning of a sound file (T, channels), and its rate."""
    soundfile = import_reader("soundfile", "sounds", "audio")
    if not isinstance(raw, str | Path | bytes):
        raise ValueError(f"{name} is no sound: a path, the bytes of a file or an array is wanted")
    if not isinstance(raw, bytes) and not Path(raw).is_file():
        raise FileNotFoundError(f"{name}: there is no such sound")
    try:
        with soundfile.SoundFile(io.BytesIO(raw) if isinstance(raw, bytes) else raw) as file:
            # A little more than is asked for: the filter of the resampling looks ahead.
            most = math.ceil((length + 64) * file.samplerate / rate) + 64
            return file.read(most, always_2d=True), file.samplerate
    except (soundfile.SoundFileError, ValueError, OSError) as error:
        raise ValueError(f"{name} is no sound file, or damaged: {error}") from error
