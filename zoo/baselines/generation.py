"""Pictures without a network: a Gaussian a class, in the space of a few principal components.

Shapes: N pictures (N, H, W, C), uint8; P pixels; Q components; K classes.
"""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA

from zoo.config.types import Positive
from zoo.metrics import frechet

SEED = 0  # of what is drawn


class PCAGaussian(BaseEstimator):
    """Draws from the Gaussian that fits a class' training pictures, projected.

    Args:
        components: Q; at most as many as there are training pictures and pixels.
    """

    title = "PCA + a Gaussian a class"

    def __init__(self, *, components: Positive) -> None:
        self.components = components

    def fit(self, datamodule: Any) -> "PCAGaussian":
        """Fit the projection and each class' mean and covariance on the training pictures."""
        pixels, labels = datamodule.arrays("train")
        flat = pixels.reshape(len(pixels), -1).astype(np.float32) / 255  # (N, P)
        self.pca_ = PCA(min(self.components, *flat.shape), random_state=SEED)
        codes = self.pca_.fit_transform(flat)  # (N, Q)
        self.gaussians_ = {label: gaussian(codes[labels == label]) for label in np.unique(labels)}
        self.shape_ = pixels.shape[1:]
        return self

    def draw(self, labels: np.ndarray) -> np.ndarray:
        """A picture for each label (N,)."""
        random = np.random.default_rng(SEED)
        codes = np.zeros((len(labels), self.pca_.n_components_))
        for label, (mean, covariance) in self.gaussians_.items():
            rows = labels == label
            codes[rows] = random.multivariate_normal(mean, covariance, rows.sum())
        flat = self.pca_.inverse_transform(codes).clip(0, 1)
        return (flat * 255).round().astype(np.uint8).reshape(-1, *self.shape_)

    def score(self, datamodule: Any, classifier: Any = None) -> dict[str, float]:
        """Scores of as many pictures as the test split has, in a classifier's eyes, if any."""
        if classifier is None:
            return {}
        real, labels = frechet.real(datamodule, "test")
        scores = frechet.scores(classifier, real, self.draw(labels), labels)
        return {f"test/{name}": value for name, value in scores.items()}


def gaussian(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (Q,) and covariance (Q, Q) of codes (N, Q); zero for a single one."""
    return codes.mean(0), np.atleast_2d(np.cov(codes, rowvar=False, bias=True))
