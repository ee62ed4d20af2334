"""The naive solution (slide 7): subtract the mean, divide by the deviation, fit, predict."""

from typing import Annotated, Any

import numpy as np
from pydantic import Field
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler


class StandardisedLogistic(BaseEstimator):
    """Logistic regression on standardised pixels; a pixel that never varies stays zero.

    Args:
        C: inverse strength of the L2 penalty.
        max_iter: iterations of L-BFGS at most.
    """

    title = "standardise + logistic regression"

    def __init__(
        self, *, C: Annotated[float, Field(gt=0)], max_iter: Annotated[int, Field(ge=1)]
    ) -> None:
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


def _flat(pixels: np.ndarray) -> np.ndarray:
    """(N, H, W, C), uint8, to (N, H * W * C) in [0, 1]."""
    return pixels.reshape(len(pixels), -1).astype(np.float32) / 255
