"""Pictures without a neural network.

StandardisedLogistic   the naive solution (slide 7): subtract the mean, divide by the deviation
PixelWindows           patches of the picture, and a classifier of what was said of them
"""

from typing import Annotated, Any

import numpy as np
from pydantic import Field
from sklearn.base import BaseEstimator
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from zoo.baselines.windows import StackedWindows
from zoo.config.types import Positive, PositiveFloat


class StandardisedLogistic(BaseEstimator):
    """Logistic regression on standardised pixels; a pixel that never varies stays zero.

    Args:
        C: inverse strength of the L2 penalty.
        max_iter: iterations of L-BFGS at most.
    """

    title = "standardise + logistic regression"

    def __init__(self, *, C: PositiveFloat, max_iter: Positive) -> None:
        self.C, self.max_iter = C, max_iter

    def fit(self, datamodule: Any) -> "StandardisedLogistic":
        """Fit on the training pixels."""
        pixels, labels = datamodule.arrays("train")
        logistic = LogisticRegression(C=self.C, max_iter=self.max_iter)
        self.pipeline_: Pipeline = make_pipeline(StandardScaler(), logistic)
        self.pipeline_.fit(_flat(pixels), labels)
        return self

    def score(self, datamodule: Any) -> dict[str, float]:
        """Accuracy on the test pixels."""
        pixels, labels = datamodule.arrays("test")
        return {"test/accuracy": float(self.pipeline_.score(_flat(pixels), labels))}


class PixelWindows(BaseEstimator):
    """Stacked windows of pixels (slides 27-28); random trees classify each patch.

    Args:
        window, stride: pixels of a patch's side, and from one to the next.
        trees: of the classifier of patches.
        folds: of the pictures, for what the last classifier learns from.
        random_state: of trees and folds.
    """

    title = "stacked windows"

    def __init__(
        self, *, window: Positive, stride: Positive, trees: Positive,
        folds: Annotated[int, Field(ge=2)], random_state: Annotated[int, Field(ge=0)],
    ) -> None:  # fmt: skip
        self.window, self.stride, self.trees = window, stride, trees
        self.folds, self.random_state = folds, random_state

    def fit(self, datamodule: Any) -> "PixelWindows":
        """Fit on the training pixels."""
        trees = ExtraTreesClassifier(
            self.trees, min_samples_leaf=3, random_state=self.random_state
        )  # a leaf of one patch is always sure
        self.classifier_ = StackedWindows(
            trees, window=self.window, stride=self.stride, folds=self.folds,
            random_state=self.random_state,
        ).fit(*datamodule.arrays("train"))  # fmt: skip
        return self

    def score(self, datamodule: Any) -> dict[str, float]:
        """Accuracy on the test pixels, and that of the patches' own vote."""
        pixels, labels = datamodule.arrays("test")
        vote = float((self.classifier_.vote(pixels) == labels).mean())
        accuracy = float(self.classifier_.score(pixels, labels))
        return {"test/accuracy": accuracy, "test/vote_accuracy": vote}


def _flat(pixels: np.ndarray) -> np.ndarray:
    """(N, H, W, C), uint8, to (N, H * W * C) in [0, 1]."""
    return pixels.reshape(len(pixels), -1).astype(np.float32) / 255
