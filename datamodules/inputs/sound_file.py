"""A sound as a file, bytes or an array -> its wave or the beginning of it, as one channel.

Shapes: T samples.
"""

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from datamodules.inputs import import_reader

LOUD = 10.0  # floats beyond it are surely no sound in [-1, 1], but 16-bit values
MAX_CHANNELS = 32
MAX_VALUES = 2**27  # of all channels together: 25 minutes of stereo at 44.1 kHz, 1 GiB
SUFFIXES = frozenset({".wav", ".flac", ".ogg"})


def read(raw: Any, rate: int, length: int | None) -> np.ndarray:
    """A sound as one channel (T,) in [-1, 1] at `rate`.

    Args:
        length: about so many samples of its beginning; None for all.

    Raises:
        FileNotFoundError: there is no such file.
        ModuleNotFoundError: the package soundfile is not installed.
        ValueError: no sound, damaged, empty, too long or not finite; the message names it.
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


def recognises(path: Path) -> bool:
    """Whether a file is a sound by what is in it, whatever its ending; nothing is decoded."""
    soundfile = import_reader("soundfile", "sounds", "audio")
    try:
        return bool(soundfile.info(path).samplerate)
    except (soundfile.SoundFileError, OSError, ValueError):
        return False


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


def _file(raw: Any, name: str, rate: int, length: int | None) -> tuple[np.ndarray, int]:
    """A sound file or its beginning (T, channels), and its rate."""
    soundfile = import_reader("soundfile", "sounds", "audio")
    if not isinstance(raw, str | Path | bytes):
        raise ValueError(f"{name} is no sound: a path, the bytes of a file or an array is wanted")
    if not isinstance(raw, bytes) and not Path(raw).is_file():
        raise FileNotFoundError(f"{name}: there is no such sound")
    try:
        with soundfile.SoundFile(io.BytesIO(raw) if isinstance(raw, bytes) else raw) as file:
            if length is None:
                return _read_all(file), file.samplerate
            # A little more than is asked for: the filter of the resampling looks ahead.
            most = math.ceil((length + 64) * file.samplerate / rate) + 64
            return file.read(most, always_2d=True), file.samplerate
    except (soundfile.SoundFileError, ValueError, OSError) as error:
        raise ValueError(f"{name} is no sound file, or damaged: {error}") from error


def _read_all(file: Any) -> np.ndarray:
    """All of an open sound file (T, channels)."""
    most = MAX_VALUES // file.channels
    if file.frames > most:
        minutes = most / file.samplerate / 60
        raise ValueError(f"it lasts longer than {minutes:.0f} minutes: cut it into shorter ones")
    wave: np.ndarray = file.read(always_2d=True)
    return wave
