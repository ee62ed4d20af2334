"""Pictures without a network of one's own: pixels, gradients and colours, and a kernel machine.

Shapes: N pictures of H x W pixels and C channels.
"""

from typing import Any

import numpy as np
from sklearn.pipeline import make_pipeline, make_union

from zoo.baselines.gradients import GradientHistograms, nearness
from zoo.baselines.stateless import Stateless
from zoo.baselines.strong import BlockScaler, StrongBaseline, kernel_machines
from zoo.metrics.choice import Candidate


class Thumbnails(Stateless):
    """Pictures, brought to few pixels.

    Args:
        side: in pixels, at most.
    """

    def __init__(self, side: int = 14) -> None:
        self.side = side

    def compute(self, X: np.ndarray) -> np.ndarray:
        """Map pictures (N, H, W, C), uint8, to (N, side * side * C) in [0, 1]."""
        down, across = (weights(size, self.side) for size in X.shape[1:3])
        small = np.einsum("gh,nhwc->ngwc", down, X.astype(np.float32) / 255, optimize=True)
        return np.einsum("kw,ngwc->ngkc", across, small, optimize=True).reshape(len(X), -1)


class ColourHistograms(Stateless):
    """The share of a picture's pixels that has each colour, under a square root.

    The root makes the distance of two histograms Hellinger's.

    Args:
        levels: of each channel, whose combinations are the colours.
    """

    def __init__(self, levels: int = 4) -> None:
        self.levels = levels

    def compute(self, X: np.ndarray) -> np.ndarray:
        """Map pictures (N, H, W, C), uint8, to (N, levels ** C)."""
        base = self.levels ** np.arange(X.shape[3])
        rows = np.stack([
            np.bincount(
                (picture.astype(int) * self.levels // 256 @ base).ravel(),
                minlength=self.levels ** X.shape[3],
            )
            for picture in X
        ])  # fmt: skip
        return np.sqrt(rows / rows.sum(1, keepdims=True))


def weights(size: int, most: int) -> np.ndarray:
    """What brings so many pixels to `most`: (G, size), rows that add up to 1."""
    if size <= most:
        return np.eye(size, dtype=np.float32)
    near = nearness(size, most)
    return near / near.sum(1, keepdims=True)


def looks() -> Any:
    """All three kinds of features of a picture, with the same say."""
    kinds = (GradientHistograms(), Thumbnails(), ColourHistograms())
    return make_union(*(make_pipeline(kind, BlockScaler()) for kind in kinds))


class StrongPictures(StrongBaseline):
    """Gradients, pixels and colours under a kernel machine; or a released network's features."""

    def candidates(self, samples: np.ndarray, datamodule: Any) -> dict[str, Candidate]:
        machines = kernel_machines(len(samples), self.random_state)
        edges = make_pipeline(GradientHistograms(), BlockScaler())
        return {
            "rbf_svm_gradients": ("gradients, RBF-SVM", edges, machines),
            "rbf_svm_looks": ("gradients, pixels and colours, RBF-SVM", looks(), machines),
            **self.network_candidates(len(samples)),
        }
