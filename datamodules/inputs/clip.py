"""Raw clip -> tensor and back.

Shapes: B clips, C channels, T frames of a window, L frames of a clip, H x W pixels.
"""

import math
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from datamodules.inputs import Input
from datamodules.inputs.image import level_moments
from datamodules.inputs.video_file import SUFFIXES, decode
from datamodules.transforms.standardise import NOISE
from datamodules.utilities.windows import MOST, Windows, cut


class ClipInput(Input):
    """Clips of any size and length as a normalised batch.

    Args:
        image_size: side of the square that each frame is brought to, in pixels.
        channels: 1 (grey) or 3 (red, green, blue).
        frames: how many are taken of a clip; see `pick`.
        rate: frames a second at which they are taken; None spreads them over the whole clip.
        unfold: tile the frames of a clip to one picture; see `unfold`.
        mean, std: per channel, of pixels in [0, 1].
        windows: how they are laid over a longer clip: one, about its middle; spread, as many as
            cover it evenly, at most `utilities.windows.MOST`. Without a rate there is one: all.
    """

    kind = "clip"
    plural = "clips"
    suffixes = SUFFIXES
    dimensions = 5

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
        windows: Literal["one", "spread"] = "one",
    ) -> None:
        self.image_size, self.channels = image_size, channels
        self.frames, self.rate, self.unfold = frames, rate, unfold
        self.mean, self.std, self.windows = mean, std, windows

    @classmethod
    def fit(cls, clips: np.ndarray, *, frames: int | None = None, **options: Any) -> "ClipInput":
        """Take sizes and moments of clips (N, T, H, W, C), uint8.

        Args:
            frames: of a window, where there are only the frames (M, H, W, C) of all clips.
            options: rate, unfold and windows.
        """
        pixels = clips if frames else clips.reshape(-1, *clips.shape[2:])
        mean, std = level_moments(pixels)
        return cls(
            image_size=pixels.shape[1],
            channels=pixels.shape[3],
            frames=frames or clips.shape[1],
            mean=[round(float(m), 6) for m in mean],
            std=[round(float(s), 6) if s >= NOISE else 1.0 for s in std],
            **options,
        )

    @property
    def seconds(self) -> float | None:
        """How long a window is; None where it is all of a clip."""
        return self.frames / self.rate if self.rate else None

    @property
    def has_windows(self) -> bool:
        """Whether a clip may have several windows."""
        return self.windows == "spread" and self.rate is not None

    @property
    def sample_rate(self) -> float:
        """Frames a second, for pictures of clips; 0 where it differs from clip to clip."""
        return self.rate or 0

    def __call__(self, raws: Any) -> Tensor | Windows:
        """Map clips to a batch (B, C, T, H, W), or (B, C, rows * H, columns * W) if unfolded.

        Of clips with several windows it is these.

        Args:
            raws: a path of a video or of a folder of pictures, the bytes of a video, or an array
                (T, H, W) or (T, H, W, C); or a list, or an array (B, T, H, W, C), of them.
        """
        pixels = self.arrays(raws)
        if isinstance(pixels, Windows):
            return pixels.map(self.prepare)
        return self.prepare(torch.from_numpy(pixels))

    def arrays(self, raws: Any) -> np.ndarray | Windows:
        """Map clips to pixels (B, T, H, W, C), uint8, or their windows, before `prepare`."""
        if self.has_windows:
            return self.cut_arrays(raws)
        return np.stack([self.decode(raw) for raw in self.as_list(raws)])

    def cut(self, raws: Any, most: int | None = MOST) -> Windows:
        """Map clips to the windows that cover them, at most so many of each."""
        return self.cut_arrays(raws, most).map(self.prepare)

    def cut_arrays(self, raws: Any, most: int | None = MOST) -> Windows:
        """The same windows as pixels (S, T, H, W, C), uint8."""
        clips = [torch.from_numpy(self.decode_all(raw)) for raw in self.as_list(raws)]
        return cut(clips, self.frames, most)

    def decode(self, raw: Any) -> np.ndarray:
        """Map one raw clip to pixels (T, H, W, C), uint8."""
        return decode(raw, self.image_size, self.channels, self.frames, self.rate)

    def decode_all(self, raw: Any) -> np.ndarray:
        """Map all of one raw clip to pixels (L, H, W, C), uint8, a window at least."""
        return decode_all(raw, self.image_size, self.channels, self.frames, self.rate)

    def prepare(self, pixels: Tensor) -> Tensor:
        """Map pixels (B, T, H, W, C), uint8, to what the model takes."""
        return self.arrange(self.normalise(self.scale(pixels)))

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


def decode_all(
    raw: Any, image_size: int, channels: int, frames: int, rate: float | None
) -> np.ndarray:
    """A clip at a rate, all of it; the last frame of one with less than `frames` is held."""
    pixels = decode(raw, image_size, channels, None, rate)
    return np.concatenate([pixels, pixels[-1:].repeat(max(frames - len(pixels), 0), 0)])


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
