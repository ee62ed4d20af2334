"""Clips without a network: gradients, pixels and colours of frames, and the same of motion.

Shapes: N clips, T frames, H x W pixels, C channels, G x G cells.
"""

from typing import Any

import numpy as np
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

from zoo.baselines.bands import over_windows
from zoo.baselines.gradients import GradientHistograms, nearness
from zoo.baselines.pictures import ColourHistograms, Thumbnails
from zoo.baselines.stateless import Stateless
from zoo.baselines.strong import BlockScaler, StrongBaseline, forest, kernel_machines
from zoo.baselines.video import features
from zoo.metrics.choice import Candidate


class OfFrames(Stateless):
    """Mean and deviation over the frames of a clip of what a transformer of pictures gives.

    Args:
        transformer: of pictures (N, H, W, C); it learns nothing.
        changes: take the changes from frame to frame, without their sign, in place of frames.
    """

    def __init__(self, transformer: Any, changes: bool = False) -> None:
        self.transformer, self.changes = transformer, changes

    def compute(self, X: Any) -> np.ndarray:
        """Map clips (N, T, H, W, C), uint8, or `Windows` of such, to (N, 2 F)."""
        return over_windows(self._of_one_length, X)

    def _of_one_length(self, clips: np.ndarray) -> np.ndarray:
        frames = changes_of(clips) if self.changes else clips
        rows = self.transformer.compute(frames.reshape(-1, *frames.shape[2:]))
        rows = rows.reshape(*frames.shape[:2], -1)
        return np.concatenate([rows.mean(1), rows.std(1)], axis=1)


class Motion(Stateless):
    """Which way a clip moves, in each cell: the product of its changes in time and in space.

    Where brightness is only carried along, their sum over a cell points against the motion (Lucas &
    Kanade 1981, "An iterative image registration technique", whose right-hand side it is). And the
    histograms of colour and change of `zoo.baselines.video`.

    Args:
        cells: along each side.
        bins: of the histograms.
    """

    def __init__(self, cells: int = 4, bins: int = 16) -> None:
        self.cells, self.bins = cells, bins

    def compute(self, X: Any) -> np.ndarray:
        """Map clips (N, T, H, W, C), uint8, or `Windows` of such, to (N, F)."""
        return over_windows(self._of_one_length, X)

    def _of_one_length(self, clips: np.ndarray) -> np.ndarray:
        return np.concatenate([features(clips, self.bins, self.cells), drift(clips, self.cells)], 1)


def changes_of(clips: np.ndarray) -> np.ndarray:
    """The size of the change from each frame to the next (N, T - 1, H, W, C); of one frame none."""
    later = clips[:, 1:] if clips.shape[1] > 1 else clips
    earlier = clips[:, :-1] if clips.shape[1] > 1 else clips
    return np.maximum(later, earlier) - np.minimum(later, earlier)


def drift(clips: np.ndarray, cells: int) -> np.ndarray:
    """The mean product of change in time with change down and right, in each cell (N, 2 G G)."""
    grey = clips.mean(4, dtype=np.float32) / 255
    if grey.shape[1] < 2 or min(grey.shape[2:]) < 2:
        return np.zeros((len(clips), 2 * cells**2), np.float32)
    later = np.diff(grey, axis=1)
    spatial = np.gradient((grey[:, 1:] + grey[:, :-1]) / 2, axis=(2, 3))
    rows, columns = (nearness(size, cells) / size * cells for size in grey.shape[2:])
    means = [rows @ (later * one).mean(1) @ columns.T for one in spatial]
    return np.stack(means, 1).reshape(len(clips), -1)


class StrongClips(StrongBaseline):
    """Frames and motion under a kernel machine, or a forest; a released network's frames, too."""

    def network_features(self, count: int) -> list[Any]:
        return [OfFrames(one) for one in super().network_features(count)]

    def candidates(self, samples: Any, datamodule: Any) -> dict[str, Candidate]:
        looks = (GradientHistograms(), Thumbnails(), ColourHistograms())
        frames = make_union(*(make_pipeline(OfFrames(one), BlockScaler()) for one in looks))
        moving = [OfFrames(one, changes=True) for one in (GradientHistograms(), Thumbnails())]
        motion = make_union(
            *(make_pipeline(one, BlockScaler()) for one in moving),
            make_pipeline(Motion(), StandardScaler(), BlockScaler()),
        )
        machines = kernel_machines(len(samples), self.random_state)
        trees = [forest(self.random_state)]
        transformers = [make_pipeline(one, StandardScaler(), BlockScaler())
                        for one in self.network_features(len(samples))]  # fmt: skip
        title = f"frames and features of {self.network}, RBF-SVM"
        both = {f"rbf_svm_{self.network}": (title, make_union(frames, *transformers), machines)}
        return {
            "rbf_svm_frames": ("frames, RBF-SVM", frames, machines),
            "rbf_svm_motion": ("motion, RBF-SVM", motion, machines),
            "rbf_svm": ("frames and motion, RBF-SVM", make_union(frames, motion), machines),
            "forest": ("frames and motion, forest", make_union(frames, motion), trees),
            **self.network_candidates(len(samples)),
            **(both if transformers else {}),
        }
