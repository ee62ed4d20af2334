"""A clip as a video file, bytes, a folder of frames or an array -> frames."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from datamodules.inputs import import_reader
from datamodules.inputs.containers import avi_chunks, open_container, videos
from datamodules.inputs.file_errors import Defect, name_of, named_errors, open_raw
from datamodules.inputs.picture_file import SUFFIXES as PICTURES
from datamodules.inputs.picture_file import check_size, open_file
from datamodules.inputs.picture_file import decode as decode_picture

SUFFIXES = frozenset({
    ".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".vob", ".wmv", ".asf",
    ".ts", ".mts", ".m2ts", ".flv", ".3gp", ".3g2", ".ogv", ".gif", ".webp",
})  # fmt: skip
MAX_FRAMES = 20_000  # eleven minutes at 30 frames a second
FORMATS = "mov,mp4,3gp,avi,matroska,webm,mpeg,mpegvideo,mpegts,asf,flv,ogg"
UNTIMED = 100  # ms that a frame of an animation is shown for, where it says nothing or 0


def decode(
    raw: Any, image_size: int, channels: int, frames: int | None, rate: float | None
) -> np.ndarray:
    """Map one raw clip to pixels (T, image_size, image_size, channels), uint8.

    These are T = `frames`, see `pick`, or without it all of them, see `pick_all`.

    Each frame is cropped to a square about its centre and resized. The frames of an array or of a
    folder have no clock: they are taken to be at `rate`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: no video, damaged, or too large; the message names it.
    """
    shrink = partial(decode_picture, image_size=image_size, channels=channels)
    name = str(raw) if isinstance(raw, str | Path) else "a clip"
    choose = partial(pick, frames=frames, rate=rate) if frames else partial(pick_all, name, rate)
    if not isinstance(raw, np.ndarray | Tensor) and not is_folder(raw):
        images, times = read_video(raw, shrink)
        return np.stack([images[i] for i in choose(times)])
    pictures = pictures_in(Path(raw)) if is_folder(raw) else frames_of(np.asarray(raw))
    indices = choose(np.arange(len(pictures)) / (rate or 1))
    return np.stack([shrink(pictures[i]) for i in indices])


def recognises(path: Path) -> bool:
    """Whether a file is a video by what is in it, whatever its ending; nothing is decoded.

    A GIF or WebP is one if it has several frames.
    """
    import_reader("av", "videos", "video")
    try:
        with named_errors(str(path), "video", "is no video"), open_raw(path, "video") as file:
            if _is_animation(file):
                with open_file(file) as picture:
                    return bool(getattr(picture, "is_animated", False))
            with open_container(file, FORMATS) as container:
                return bool(videos(container))
    except (ValueError, OSError):
        return False


def is_folder(raw: Any) -> bool:
    """Whether a raw clip is the path of a folder of pictures."""
    return isinstance(raw, str | Path) and os.path.isdir(raw)  # says no to names that cannot be


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


def pick_all(name: str, rate: float | None, times: Sequence[float] | np.ndarray) -> np.ndarray:
    """The frames nearest to every 1 / rate seconds, from the first of a clip to its last.

    Raises:
        ValueError: there would be too many.
    """
    assert rate is not None
    times = np.maximum.accumulate(times)
    if (seconds := times[-1] - times[0]) * rate >= MAX_FRAMES:
        raise ValueError(
            f"{name} has more than {MAX_FRAMES:,} frames in its {seconds:.0f} s at {rate} a "
            "second: cut it into clips, or lower data.rate"
        )
    count = int(seconds * rate + 1e-6) + 1  # times are rounded
    return np.searchsorted((times[1:] + times[:-1]) / 2, times[0] + np.arange(count) / rate)


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder, in the order of their names, but for hidden files."""
    with named_errors(str(folder), "folder", "cannot be read"):
        paths = sorted(
            f for f in folder.iterdir() if f.suffix.lower() in PICTURES and f.name[0] != "."
        )
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
    raw: Any, shrink: Callable[[Any], np.ndarray]
) -> tuple[list[np.ndarray], list[float]]:
    """Every frame of a video, shrunk, and its time in seconds; what the header says of its length
    is not believed.

    Args:
        raw: a path or bytes.
        shrink: maps a frame, pixels (H, W, 3 or 4) or a PIL image, to the pixels that are kept.

    Raises:
        FileNotFoundError: there is no such file.
        ModuleNotFoundError: the package av is not installed.
        ValueError: no video, damaged, cut short or too large; the message names it.
    """
    with (
        named_errors(name_of(raw, "video"), "video", "is damaged or no video"),
        open_raw(raw, "video") as file,
    ):
        return _collect(_animation(file) if _is_animation(file) else _frames(file), shrink)


def _is_animation(file: Any) -> bool:
    """Whether an open file is a GIF or WebP."""
    start = file.read(12)
    file.seek(0)
    return start[:4] == b"GIF8" or (start[:4], start[8:]) == (b"RIFF", b"WEBP")


def _collect(
    frames: Iterable[tuple[Any, float]], shrink: Callable[[Any], np.ndarray]
) -> tuple[list[np.ndarray], list[float]]:
    """Frames, shrunk, and their times; not too many."""
    images: list[np.ndarray] = []
    times: list[float] = []
    for frame, time in frames:
        if len(images) == MAX_FRAMES:
            raise Defect(f"has more than {MAX_FRAMES:,} frames: cut it into clips")
        images.append(shrink(frame))
        times.append(time)
    if not images:
        raise Defect("has no frames that can be read")
    return images, times


def _animation(file: Any) -> Iterator[tuple[Any, float]]:
    """The frames of a GIF or WebP, as PIL images, and their times by how long each is shown."""
    with open_file(file) as picture:
        time = 0.0
        for number in range(getattr(picture, "n_frames", 1)):
            picture.seek(number)
            check_size(picture)
            picture.load()
            yield picture, time
            time += (picture.info.get("duration") or UNTIMED) / 1000


def _frames(file: Any) -> Iterator[tuple[np.ndarray, float]]:
    """The frames of a video, as pixels (H, W, 3), or (H, W, 4) where it is transparent, and their
    times."""
    import_reader("av", "videos", "video")
    with open_container(file, FORMATS) as container:
        if not (streams := videos(container)):
            kinds = ", ".join(stream.type for stream in container.streams) or "nothing"
            raise Defect(f"has no video in it: found {kinds}")
        video, count, time = streams[0], 0, 0.0
        check_size(video)
        step = 1 / (video.average_rate or 25)
        for frame in container.decode(video):
            check_size(frame)
            time = float(time if frame.time is None else frame.time)
            yield _pixels(frame), time
            count, time = count + 1, time + step
        # An mp4 counts frames that it tells players to leave out; where it is cut, decoding fails.
        # An AVI counts frames that are empty: the one before is shown on.
        if container.format.name == "avi" and count < video.frames:
            chunks = avi_chunks(file, video.index)
            if chunks < video.frames:
                raise Defect(f"is cut short: {chunks} of {video.frames} frames are there")


def _pixels(frame: Any) -> np.ndarray:
    """A frame of a video as pixels, turned as the camera says."""
    is_clear = any(component.is_alpha for component in frame.format.components)
    pixels = frame.to_ndarray(format="rgba" if is_clear else "rgb24")
    return np.ascontiguousarray(np.rot90(pixels, frame.rotation // 90))
