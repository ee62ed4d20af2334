"""A clip as a video file, bytes, a folder of frames or an array -> frames."""

import io
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from datamodules.inputs import import_reader
from datamodules.inputs.picture_file import LARGE
from datamodules.inputs.picture_file import SUFFIXES as PICTURES
from datamodules.inputs.picture_file import decode as decode_picture

SUFFIXES = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg"})
MAX_FRAMES = 20_000  # eleven minutes at 30 frames a second
FORMATS = "mov,mp4,avi,matroska,webm,mpeg,mpegvideo,mpegts"  # libav opens playlists and texts too


def decode(raw: Any, image_size: int, channels: int, frames: int, rate: float | None) -> np.ndarray:
    """Map one raw clip to pixels (frames, image_size, image_size, channels), uint8.

    Each frame is cropped to a square about its centre and resized. The frames of an array or of a
    folder have no clock: they are taken to be at `rate`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: no video, damaged, or too large; the message names it.
    """
    shrink = partial(decode_picture, image_size=image_size, channels=channels)
    if not isinstance(raw, np.ndarray | Tensor) and not is_folder(raw):
        images, times = read_video(raw, shrink)
        return np.stack([images[i] for i in pick(times, frames, rate)])
    pictures = pictures_in(Path(raw)) if is_folder(raw) else frames_of(np.asarray(raw))
    indices = pick(np.arange(len(pictures)) / (rate or 1), frames, rate)
    return np.stack([shrink(pictures[i]) for i in indices])


def recognises(path: Path) -> bool:
    """Whether a file is a video by what is in it, whatever its ending; nothing is decoded."""
    av = import_reader("av", "videos", "video")
    try:
        with av.open(str(path), options={"format_whitelist": FORMATS}) as container:
            return bool(container.streams.video)
    except (av.error.FFmpegError, OSError, ValueError):
        return False


def is_folder(raw: Any) -> bool:
    """Whether a raw clip is the path of a folder of pictures."""
    return isinstance(raw, str | Path) and Path(raw).is_dir()


def pick(times: Sequence[float] | np.ndarray, frames: int, rate: float | None) -> np.ndarray:
    """Which frames are taken of a clip, from the time of each of them, in seconds.

    Without a rate: so many spread evenly over the whole clip, each the middle of its share; of a
    clip with fewer, some are taken again. With one: those nearest to every 1 / rate seconds about
    the middle of the clip; one that is too short is taken from its start, and its last is held.
    """
    times = np.asarray(times)
    if rate is None:
        return ((np.arange(frames) + 0.5) * len(times) / frames).astype(np.int64)
    spare = times[-1] - times[0] - (frames - 1) / rate
    moments = times[0] + max(spare / 2, 0) + np.arange(frames) / rate
    return np.abs(times[:, None] - moments).argmin(0)


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder, in the order of their names."""
    paths = sorted(f for f in folder.iterdir() if f.suffix.lower() in PICTURES)
    if not paths:
        raise ValueError(f"{folder} has no pictures in it: the frames of a clip are wanted")
    return paths


def frames_of(array: np.ndarray) -> np.ndarray:
    """An array of one clip, checked."""
    picture = array.ndim == 3 and array.shape[2] in (1, 3, 4)
    if array.ndim not in (3, 4) or picture or not len(array):
        raise ValueError(
            f"a clip has the shape {array.shape}: (T, H, W) or (T, H, W, C) is wanted, "
            "with one frame or more on the first axis"
        )
    return array


def read_video(
    raw: Any, shrink: Callable[[np.ndarray], np.ndarray]
) -> tuple[list[np.ndarray], list[float]]:
    """Every frame of a video, shrunk, and its time in seconds; what the header says of its length
    is not believed.

    Args:
        raw: a path or bytes.
        shrink: maps the pixels (H, W, 3) of a frame to those that are kept.

    Raises:
        FileNotFoundError: there is no such file.
        ModuleNotFoundError: the package av is not installed.
        ValueError: no video, damaged, cut short or too large; the message names it.
    """
    av = import_reader("av", "videos", "video")
    name = str(raw) if isinstance(raw, str | Path) else f"a video ({type(raw).__name__})"
    try:
        with (
            io.BytesIO(raw) if isinstance(raw, bytes) else open(raw, "rb") as file,
            av.open(file, options={"format_whitelist": FORMATS}) as container,
        ):
            return _frames(container, name, shrink)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{name}: there is no such video") from error
    except (av.error.FFmpegError, OSError) as error:
        raise ValueError(f"{name} is damaged or no video: {error.strerror}") from error


def _frames(
    container: Any, name: str, shrink: Callable[[np.ndarray], np.ndarray]
) -> tuple[list[np.ndarray], list[float]]:
    """The frames of an open video, shrunk, and their times."""
    if not container.streams.video:
        kinds = ", ".join(stream.type for stream in container.streams) or "nothing"
        raise ValueError(f"{name} has no video in it: found {kinds}")
    video = container.streams.video[0]
    if video.width * video.height > LARGE:
        raise ValueError(f"{name} is too large ({video.width} x {video.height} pixels)")
    images: list[np.ndarray] = []
    times: list[float] = []
    for frame in container.decode(video):
        if len(images) == MAX_FRAMES:
            raise ValueError(f"{name} has more than {MAX_FRAMES:,} frames: cut it into clips")
        upright = np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90)
        images.append(shrink(np.ascontiguousarray(upright)))
        times.append(len(times) / 25 if frame.time is None else frame.time)
    if not images:
        raise ValueError(f"{name} has no frames that can be read")
    # An mp4 counts frames that it tells players to leave out; where it is cut, decoding fails.
    promised = 0 if "mp4" in container.format.name else video.frames
    if len(images) < promised:
        raise ValueError(f"{name} is cut short: {len(images)} of {promised} frames can be read")
    return images, times
