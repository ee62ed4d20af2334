"""Clips without a network: histograms of colour and of change, and logistic regression.

Shapes: N clips, T frames, H x W pixels, C channels.
"""

from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field

from datamodules.utilities.windows import Windows
from zoo.baselines.classifier import LogisticBaseline
from zoo.config.types import Positive, PositiveFloat


class MotionHistograms(LogisticBaseline):
    """Logistic regression on what a clip shows and how much of it changes, and where.

    The features of a clip, see `features`: how its pixels are spread over the levels, how the
    changes from frame to frame are, and the mean change in each cell of a grid. Changes have no
    sign, so that no direction is given away. Of a clip with windows they are means over these.

    Args:
        bins: levels of each histogram.
        grid: cells along each side of the frame.
        C: inverse strength of the L2 penalty.
        max_iter: iterations of L-BFGS at most.
    """

    title = "colour and motion histograms + logistic regression"

    def __init__(
        self,
        *,
        bins: Annotated[int, Field(ge=2, le=256)],
        grid: Positive,
        C: PositiveFloat,
        max_iter: Positive,
    ) -> None:
        self.bins, self.grid, self.C, self.max_iter = bins, grid, C, max_iter

    def extract_features(self, datamodule: Any, split: str) -> tuple[np.ndarray, np.ndarray]:
        clips, labels = datamodule.arrays(split)
        if isinstance(clips, Windows):
            windows = features(clips.inputs.numpy(), self.bins, self.grid)
            return clips.mean(torch.from_numpy(windows)).numpy(), labels
        return features(clips, self.bins, self.grid), labels


def features(clips: np.ndarray, bins: int, grid: int) -> np.ndarray:
    """Map clips (N, T, H, W, C), uint8, to (N, C * bins + bins + grid ** 2)."""
    return np.stack([_of_one(clip, bins, grid) for clip in clips])


def _of_one(clip: np.ndarray, bins: int, grid: int) -> np.ndarray:
    """The features of a clip (T, H, W, C)."""
    changes = np.abs(np.diff(clip.astype(np.int16), axis=0)).mean(3)  # (T - 1, H, W)
    colours = [histogram(channel, bins) for channel in np.moveaxis(clip, 3, 0)]
    amount = changes.mean(0) if len(changes) else np.zeros(clip.shape[1:3])
    bands = (
        band for rows in np.array_split(amount, grid) for band in np.array_split(rows, grid, 1)
    )
    cells = [band.mean() if band.size else 0.0 for band in bands]
    return np.concatenate([*colours, histogram(changes, bins), cells])


def histogram(values: np.ndarray, bins: int) -> np.ndarray:
    """The share of values in [0, 255] in each of so many equal bins."""
    counts = np.histogram(values, bins, (0, 256))[0]
    return counts / max(values.size, 1)
