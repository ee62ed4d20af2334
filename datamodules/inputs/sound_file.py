"""A sound as a file, bytes or an array -> its wave or the beginning of it, as one channel.

libsndfile reads files, and what it does not know (AAC, WMA, AMR), PyAV does. Shapes: T samples.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from datamodules.inputs import import_reader
from datamodules.inputs.containers import open_container, videos
from datamodules.inputs.file_errors import Defect, name_of, named_errors, open_raw

LOUD = 10.0  # floats beyond it are surely no sound in [-1, 1], but 16-bit values
MAX_CHANNELS = 32  # of an array: more are several sounds
LOWEST, HIGHEST = 100, 768_000  # samples a second
LONGEST = 1 << 26  # samples of all of a sound, 25 minutes at 44.1 kHz: half a GiB
UNKNOWN = 2**63 - 1  # what libsndfile says of a FLAC without a length
FINEST = 1 << 16  # ratio of two rates: the filter has 20 times as many taps
BLOCK = 1 << 20  # values that are read at once: what a header says of the length is not believed
SUFFIXES = frozenset({
    ".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".aifc", ".au", ".snd",
    ".caf", ".w64", ".rf64", ".m4a", ".aac", ".wma", ".amr", ".mka",
})  # fmt: skip
FORMATS = ("WAV", "WAVEX", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF", "W64", "RF64", "NIST")
CONTAINERS = "flac,mov,mp4,m4a,aac,asf,matroska,webm,mpegts,mpeg,avi,flv,amr"  # for PyAV

Blocks = Callable[[int], Iterable[np.ndarray]]  # so many samples, in parts (T, channels)


def read(raw: Any, rate: int, length: int | None) -> np.ndarray:
    """A sound as one channel (T,) in [-1, 1] at `rate`; of a video file the first in it.

    Args:
        length: about so many samples of its beginning; None for all.

    Raises:
        FileNotFoundError: there is no such file.
        ModuleNotFoundError: the package soundfile is not installed.
        ValueError: no sound, damaged, empty, too long, not finite, or of a rate that no sound has;
            the message names it.
    """
    name = name_of(raw, "sound")
    with named_errors(name, "sound", "is no sound file, or damaged"):
        if isinstance(raw, np.ndarray | Tensor):
            array = _amplitudes(np.asarray(raw))
            return _mono([array if array.ndim == 2 else array[:, None]])
        with _open(raw) as (file_rate, blocks):
            if not LOWEST <= file_rate <= HIGHEST:
                raise Defect(
                    f"has {file_rate:,} samples a second: {LOWEST} to {HIGHEST:,} are read"
                )
            # A little more than is asked for: the filter of the resampling looks ahead.
            longest = LONGEST * file_rate // max(rate, file_rate)
            more = longest if length is None else math.ceil((length + 64) * file_rate / rate) + 64
            wave = _mono(blocks(more))
            if length is None and len(wave) == longest:
                minutes = longest / file_rate / 60
                raise Defect(f"lasts longer than {minutes:.0f} minutes: cut it into shorter ones")
        return wave if file_rate == rate else resample(wave, file_rate, rate)


def recognises(path: Path) -> bool:
    """Whether a file is a sound by what is in it, whatever its ending; nothing is decoded.

    A video is none, even if one hears something.
    """
    try:
        with named_errors(str(path), "sound", "is no sound"), _open(path, only=True):
            return True
    except (ValueError, OSError):
        return False


def resample(wave: np.ndarray, old: int, new: int) -> np.ndarray:
    """A wave (T,) at another rate; what the new rate cannot hold is filtered out."""
    from scipy.signal import resample_poly

    ratio = Fraction(min(old, new), max(old, new)).limit_denominator(FINEST)
    up, down = ratio.as_integer_ratio() if new < old else ratio.as_integer_ratio()[::-1]
    result: np.ndarray = resample_poly(wave, up, down)
    return result


def _mono(blocks: Iterable[np.ndarray]) -> np.ndarray:
    """Blocks (T, channels) as one wave (T,), checked."""
    waves = []
    for block in blocks:
        if not np.isfinite(block).all():
            raise Defect("has values that are not finite: amplitudes in [-1, 1] are wanted")
        if block.size and (peak := np.abs(block).max()) > LOUD:
            raise Defect(f"reaches {peak:.0f}: floats in [-1, 1] or integers are wanted")
        waves.append(block.mean(1))
    if not sum(map(len, waves)):
        raise Defect("has no samples: it lasts 0 s")
    return np.concatenate(waves)


def _amplitudes(array: np.ndarray) -> np.ndarray:
    """An array (T,) or (T, channels) as floats; integers by the largest of their type."""
    if array.ndim not in (1, 2) or (array.ndim == 2 and not 0 < array.shape[1] <= MAX_CHANNELS):
        raise Defect(
            f"has the shape {array.shape}: (T,) or (T, channels) is wanted, with at most "
            f"{MAX_CHANNELS} channels on axis 1; several sounds go into a list"
        )
    if not np.issubdtype(array.dtype, np.integer):
        return array.astype(np.float64)
    limits = np.iinfo(array.dtype)
    middle = (limits.max + limits.min + 1) / 2  # 128 of unsigned bytes, else 0
    return (array - middle) / (limits.max + 1 - middle)


@contextmanager
def _open(raw: Any, only: bool = False) -> Iterator[tuple[int, Blocks]]:
    """The rate of a sound file, and what reads its first samples.

    Args:
        only: refuse a file with moving pictures in it.
    """
    soundfile = import_reader("soundfile", "sounds", "audio")
    with open_raw(raw, "sound") as stream:
        try:
            file = _sound_file(soundfile, str(raw) if isinstance(raw, str | Path) else stream)
        except soundfile.SoundFileError as error:
            with _container(stream, error) as container:
                if only and videos(container):
                    raise Defect("is a video") from error
                rate = container.streams.audio[0].rate
                yield rate, partial(_decode, container, rate)
            return
        with file:
            if file.format not in FORMATS:
                raise Defect(f"is a {file.format} file: {', '.join(FORMATS)} are read")
            yield file.samplerate, partial(_blocks, file)


def _sound_file(soundfile: Any, place: Any) -> Any:
    """A path or an open file by libsndfile, which fails at the end of what came from a pipe."""
    file = soundfile.SoundFile(place)
    if file.frames == UNKNOWN:
        file.close()
        raise soundfile.SoundFileError("its length is not known")
    return file


def _blocks(file: Any, most: int) -> Iterator[np.ndarray]:
    """The samples of a file that libsndfile reads."""
    frames = max(BLOCK // file.channels, 1)
    while most > 0 and len(block := file.read(min(frames, most), always_2d=True)):
        yield block
        most -= len(block)


@contextmanager
def _container(stream: Any, reason: Exception) -> Iterator[Any]:
    """A file that libsndfile does not know, opened by PyAV if it has sound in it."""
    try:
        import av
    except ImportError:
        hint = "AAC, WMA and AMR are read by the package av"
        raise Defect(f"is no sound file, or damaged: {reason} ({hint})") from reason
    stream.seek(0)
    try:
        container = open_container(stream, CONTAINERS)
    except (av.error.FFmpegError, OSError):
        raise reason from None  # what libsndfile says is clearer
    with container:
        if not container.streams.audio:
            raise Defect("has no sound in it") from reason
        yield container


def _decode(container: Any, rate: int, most: int) -> Iterator[np.ndarray]:
    """The sound of a container, each frame of it a block."""
    for frame in container.decode(audio=0):
        if frame.sample_rate != rate:
            raise Defect(f"changes from {rate:,} to {frame.sample_rate:,} samples a second")
        values = frame.to_ndarray()  # (channels, T), or (1, T * channels)
        shape = (-1, frame.layout.nb_channels)
        block = _amplitudes(values.T if frame.format.is_planar else values.reshape(shape))[:most]
        yield block
        most -= len(block)
        if most <= 0:
            return
