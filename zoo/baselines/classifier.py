"""Classifiers of scikit-learn beside a model: fitted on the same samples, judged by its metric."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


class ClassifierBaseline(BaseEstimator):
    """A classifier of the samples of a data set that is no neural network."""

    title: str

    def classifier(self) -> Any:
        """A classifier that has learned nothing."""
        raise NotImplementedError

    def extract_features(self, datamodule: Any, split: str) -> tuple[Any, np.ndarray]:
        """What it sees of the N samples of a split, and their labels (N,)."""
        samples, labels = datamodule.arrays(split)
        return samples, labels

    def fit(self, datamodule: Any) -> "ClassifierBaseline":
        """Fit on the training samples."""
        self.classifier_ = self.classifier().fit(*self.extract_features(datamodule, "train"))
        return self

    def score(self, datamodule: Any) -> dict[str, float]:
        """Accuracy on the test samples."""
        features, labels = self.extract_features(datamodule, "test")
        return {"test/accuracy": float(self.classifier_.score(features, labels))}


class LogisticBaseline(ClassifierBaseline):
    """Logistic regression on standardised features."""

    C: float
    max_iter: int

    def classifier(self) -> Any:
        logistic = LogisticRegression(C=self.C, max_iter=self.max_iter)
        return make_pipeline(StandardScaler(), logistic)


class WindowsBaseline(ClassifierBaseline):
    """Stacked windows of samples."""

    title = "stacked windows"

    def score(self, datamodule: Any) -> dict[str, float]:
        """Accuracy on the test samples, and that of the windows' own vote."""
        samples, labels = datamodule.arrays("test")
        vote = float((self.classifier_.vote(samples) == labels).mean())
        return {**super().score(datamodule), "test/vote_accuracy": vote}
