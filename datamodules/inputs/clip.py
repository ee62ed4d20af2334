"""Raw clip -> tensor and back.

Shapes: B clips, C channels, T frames, H x W pixels.
"""

import io
import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from datamodules.inputs import config_of
from datamodules.inputs.image import MAX_PIXELS, level_moments
from datamodules.inputs.image import SUFFIXES as PICTURES
from datamodules.inputs.image import decode as decode_picture
from datamodules.transforms.standardise import NOISE

MAX_FRAMES = 20_000  # eleven minutes at 30 frames a second
FORMATS = "mov,mp4,avi,matroska,webm,mpeg,mpegvideo,mpegts"  # libav opens playlists and texts too
SUFFIXES = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg"})

Frames = Sequence[Any] | np.ndarray


class ClipInput:
    """Clips of any size and length as a normalised batch.

    Args:
        image_size: side of the square that each frame is brought to, in pixels.
        channels: 1 (grey) or 3 (red, green, blue).
        frames: how many are taken of a clip; see `pick`.
        rate: frames a second at which they are taken; None spreads them over the whole clip.
        unfold: tile the frames of a clip to one picture; see `unfold`.
        mean, std: per channel, of pixels in [0, 1].
    """

    suffixes = SUFFIXES  # of its files

    def __init__(
        self,
        *,
        image_size: int,
        channels: int,
        frames: int,
        rate: float | None,
        unfold: bool,
        mean: list[float],
        std: list[float],
    ) -> None:
        self.image_size, self.channels = image_size, channels
        self.frames, self.rate, self.unfold = frames, rate, unfold
        self.mean, self.std = mean, std

    @classmethod
    def fit(cls, clips: np.ndarray, *, rate: float | None, unfold: bool) -> "ClipInput":
        """Take sizes and moments of clips (N, T, H, W, C), uint8."""
        mean, std = level_moments(clips.reshape(-1, *clips.shape[2:]))
        return cls(
            image_size=clips.shape[2],
            channels=clips.shape[4],
            frames=clips.shape[1],
            rate=rate,
            unfold=unfold,
            mean=[round(float(m), 6) for m in mean],
            std=[round(float(s), 6) if s >= NOISE else 1.0 for s in std],
        )

    @property
    def sample_rate(self) -> float:
        """Frames a second, for pictures of clips; 0 where it differs from clip to clip."""
        return self.rate or 0

    def config(self) -> dict[str, Any]:
        """What rebuilds this input, as a plain dict."""
        return config_of(self)

    def __call__(self, raws: Any) -> Tensor:
        """Map clips to a batch (B, C, T, H, W), or (B, C, rows * H, columns * W) if unfolded.

        Args:
            raws: a path of a video or of a folder of pictures, the bytes of a video, or an array
                (T, H, W) or (T, H, W, C); or a list, or an array (B, T, H, W, C), of them.
        """
        if isinstance(raws, np.ndarray | Tensor):
            raws = list(raws) if raws.ndim == 5 else [raws]
        elif isinstance(raws, str | bytes) or not isinstance(raws, Sequence):
            raws = [raws]
        if not raws:
            raise ValueError("no clips given: the list is empty")
        pixels = np.stack([self.decode(raw) for raw in raws])
        return self.arrange(self.normalise(self.scale(torch.from_numpy(pixels))))

    def decode(self, raw: Any) -> np.ndarray:
        """Map one raw clip to pixels (T, H, W, C), uint8."""
        return decode(raw, self.image_size, self.channels, self.frames, self.rate)

    def scale(self, pixels: Tensor) -> Tensor:
        """Map pixels (B, T, H, W, C), uint8, to (B, C, T, H, W) in [0, 1], channels last."""
        return pixels.permute(0, 4, 1, 2, 3).float().div_(255)

    def normalise(self, clips: Tensor) -> Tensor:
        """Subtract the mean and divide by the deviation; (B, C, T, H, W)."""
        mean, std = self._moments(clips)
        return (clips - mean) / std

    def arrange(self, clips: Tensor) -> Tensor:
        """What the model takes of clips (B, C, T, H, W): themselves, or one picture each."""
        return unfold(clips) if self.unfold else clips

    def restore(self, batch: Tensor) -> np.ndarray:
        """Map a normalised batch back to pixels (B, T, H, W, C), uint8."""
        clips = fold(batch, self.frames) if self.unfold else batch
        mean, std = self._moments(clips)
        pixels = (clips.float() * std + mean).mul(255).round().clamp(0, 255).byte()
        return pixels.permute(0, 2, 3, 4, 1).cpu().numpy()

    def _moments(self, clips: Tensor) -> Tensor:
        """Mean and deviation, each (1, C, 1, 1, 1), on the device of the clips."""
        return torch.tensor([self.mean, self.std], device=clips.device).view(2, 1, -1, 1, 1, 1)


def tiles(frames: int) -> tuple[int, int]:
    """Rows and columns of the picture that holds so many frames: about as many of each."""
    columns = math.ceil(math.sqrt(frames))
    return math.ceil(frames / columns), columns


def unfold(clips: Tensor) -> Tensor:
    """Tile clips (B, C, T, H, W) to pictures (B, C, rows * H, columns * W), in reading order.

    What is left of the last row is zero, which is the mean of normalised pixels.
    """
    batch, channels, frames, height, width = clips.shape
    rows, columns = tiles(frames)
    clips = F.pad(clips, (0, 0, 0, 0, 0, rows * columns - frames))
    grid = clips.reshape(batch, channels, rows, columns, height, width)
    return grid.transpose(3, 4).reshape(batch, channels, rows * height, columns * width)


def fold(pictures: Tensor, frames: int) -> Tensor:
    """Cut pictures (B, C, rows * H, columns * W) into clips (B, C, T, H, W) again."""
    (batch, channels, height, width), (rows, columns) = pictures.shape, tiles(frames)
    grid = pictures.reshape(batch, channels, rows, height // rows, columns, width // columns)
    return grid.transpose(3, 4).flatten(2, 3)[:, :, :frames]


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
        found, times = read_video(raw, shrink)
        return np.stack([found[i] for i in pick(times, frames, rate)])
    pictures = pictures_in(Path(raw)) if is_folder(raw) else frames_of(np.asarray(raw))
    chosen = pick(np.arange(len(pictures)) / (rate or 1), frames, rate)
    return np.stack([shrink(pictures[i]) for i in chosen])


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
    wanted = times[0] + max(spare / 2, 0) + np.arange(frames) / rate
    return np.abs(times[:, None] - wanted).argmin(0)


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder, in the order of their names."""
    found = sorted(f for f in folder.iterdir() if f.suffix.lower() in PICTURES)
    if not found:
        raise ValueError(f"{folder} has no pictures in it: the frames of a clip are wanted")
    return found


def frames_of(array: np.ndarray) -> np.ndarray:
    """An array of one clip, checked.

    Raises:
        ValueError: another layout, or no frames.
    """
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
    try:
        import av
    except ImportError as error:
        raise ModuleNotFoundError(
            'videos are read by the package av: pip install "lightning-zoo[video]"'
        ) from error
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
    if video.width * video.height > MAX_PIXELS:
        raise ValueError(f"{name} is too large ({video.width} x {video.height} pixels)")
    found: list[np.ndarray] = []
    times: list[float] = []
    for frame in container.decode(video):
        if len(found) == MAX_FRAMES:
            raise ValueError(f"{name} has more than {MAX_FRAMES:,} frames: cut it into clips")
        upright = np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90)
        found.append(shrink(np.ascontiguousarray(upright)))
        times.append(len(times) / 25 if frame.time is None else frame.time)
    if not found:
        raise ValueError(f"{name} has no frames that can be read")
    # An mp4 counts frames that it tells players to leave out; where it is cut, decoding fails.
    promised = 0 if "mp4" in container.format.name else video.frames
    if len(found) < promised:
        raise ValueError(f"{name} is cut short: {len(found)} of {promised} frames can be read")
    return found, times
