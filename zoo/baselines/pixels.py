"""Pictures without a neural network.

StandardisedLogistic   the naive solution (slide 7): subtract the mean, divide by the deviation
PixelWindows           patches of the picture, and a classifier of what was said of them
"""

from typing import Annotated, Any

import numpy as np
from pydantic import Field
from sklearn.ensemble import ExtraTreesClassifier

from zoo.baselines.classifier import LogisticBaseline, WindowsBaseline
from zoo.baselines.windows import StackedWindows
from zoo.config.types import Positive, PositiveFloat


class StandardisedLogistic(LogisticBaseline):
    """Logistic regression on standardised pixels; a pixel that never varies stays zero.

    Args:
        C: inverse strength of the L2 penalty.
        max_iter: iterations of L-BFGS at most.
    """

    title = "standardise + logistic regression"

    def __init__(self, *, C: PositiveFloat, max_iter: Positive) -> None:
        self.C, self.max_iter = C, max_iter

    def extract_features(self, datamodule: Any, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Pixels (N, H * W * C) in [0, 1], and labels (N,)."""
        pixels, labels = datamodule.arrays(split)
        return pixels.reshape(len(pixels), -1).astype(np.float32) / 255, labels


class PixelWindows(WindowsBaseline):
    """Stacked windows of pixels (slides 27-28); random trees classify each patch.

    Args:
        window, stride: pixels of a patch's side, and from one to the next.
        trees: of the classifier of patches.
        folds: of the pictures, for what the last classifier learns from.
        random_state: of trees and folds.
    """

    def __init__(
        self, *, window: Positive, stride: Positive, trees: Positive,
        folds: Annotated[int, Field(ge=2)], random_state: Annotated[int, Field(ge=0)],
    ) -> None:  # fmt: skip
        self.window, self.stride, self.trees = window, stride, trees
        self.folds, self.random_state = folds, random_state

    def classifier(self) -> Any:
        trees = ExtraTreesClassifier(
            self.trees, min_samples_leaf=3, random_state=self.random_state
        )  # a leaf of one patch is always sure
        return StackedWindows(
            trees, window=self.window, stride=self.stride, folds=self.folds,
            random_state=self.random_state,
        )  # fmt: skip
