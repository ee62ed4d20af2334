"""What stands beside a run on data of one's own: the best of several pipelines of scikit-learn."""

import warnings
from typing import Annotated, Any

import numpy as np
from pydantic import Field
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from zoo.baselines.classifier import ClassifierBaseline
from zoo.baselines.networks import NetworkFeatures
from zoo.config.types import Positive
from zoo.metrics.choice import BestPipeline, Candidate
from zoo.utilities.errors import no_such

MANY = 10_000  # training samples up to which a kernel of all pairs and a network are afforded
GAMMAS, COSTS = (0.3, 1.0), (1.0, 10.0)  # of kernels of rows whose variances add up to 1, and C
LANDMARKS = 1500  # samples that a kernel of more is approximated by


class StrongBaseline(ClassifierBaseline):
    """A pipeline of scikit-learn, chosen with its C by folds of the training split.

    After `fit`, `classifier_` is a `BestPipeline`, which takes samples as `datamodule.arrays` gives
    them.

    Args:
        folds: fewer where a class has fewer samples.
        choose_on: training samples that the choice is made on, at most.
        network: released weights, such as image_cnn.cifar10, a linear model on whose features is
            tried, too, where there are not more samples than `MANY`; None: no network's.
        random_state: of folds, subset and trees.
    """

    def __init__(
        self, *, folds: Annotated[int, Field(ge=2)], choose_on: Positive,
        network: str | None, random_state: Annotated[int, Field(ge=0)],
    ) -> None:  # fmt: skip
        self.folds, self.choose_on, self.random_state = folds, choose_on, random_state
        self.network = network

    def candidates(self, samples: Any, datamodule: Any) -> dict[str, Candidate]:
        """What is tried on these training samples, by short names."""
        raise NotImplementedError

    def network_features(self, count: int) -> list[Any]:
        """A transformer to the network's features, if these are to be tried."""
        return [NetworkFeatures(self.network)] if self.network and count <= MANY else []

    def network_candidates(self, count: int) -> dict[str, Candidate]:
        """Logistic regression on a network's features, if these are to be tried."""
        if not (steps := self.network_features(count)):
            return {}
        features = make_pipeline(*steps, StandardScaler())
        linear = [LogisticRegression(C=C, max_iter=300) for C in (0.001, 0.01, 0.1)]
        title = f"features of {self.network}, logistic regression"
        return {f"features_{self.network}": (title, features, linear)}

    def fit(self, datamodule: Any) -> "StrongBaseline":
        """Choose and fit on the training samples."""
        samples, labels = self.extract_features(datamodule, "train")
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "n_components > n_samples")  # of the choice's few
            self.classifier_ = self.chooser(samples, datamodule).fit(samples, labels)
        self.title = self.classifier_.name_
        return self

    def chooser(self, samples: Any, datamodule: Any, name: str | None = None) -> BestPipeline:
        """What chooses among all pipelines, or C alone of the one of that name; not fitted.

        Raises:
            ValueError: there is none of that name.
        """
        candidates = self.candidates(samples, datamodule)
        if name is not None and name not in candidates:
            size = f" for {len(samples):,} samples"
            raise ValueError(no_such("pipeline", name, candidates) + size)
        few = [candidates[name]] if name else list(candidates.values())
        options = {key: getattr(self, key) for key in ("folds", "choose_on", "random_state")}
        return BestPipeline(few, **options)


class BlockScaler(TransformerMixin, BaseEstimator):
    """Centre each feature, and divide all by one number, so that their variances add up to 1.

    So blocks of features have the same say whatever their number, and a feature that hardly varies
    is not blown up.
    """

    def fit(self, X: np.ndarray, y: Any = None) -> "BlockScaler":
        """Learn from features (N, F)."""
        self.mean_ = X.mean(0)
        self.scale_ = float(np.sqrt(X.var(0).sum())) or 1.0
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Features (N, F), scaled."""
        return (X - self.mean_) / self.scale_


def kernel_machines(count: int, seed: int) -> list[Any]:
    """Support vector machines with a Gaussian kernel, for so many rows, scaled as `BlockScaler`.

    For more than `MANY` they are logistic regression on the kernel's values at some rows
    (Nystroem's method; Williams & Seeger 2001), whose time and memory grow with the rows alone.
    """
    if count <= MANY:
        return [SVC(C=C, gamma=gamma, cache_size=500) for gamma in GAMMAS for C in COSTS]
    kernels = [Nystroem(gamma=g, n_components=LANDMARKS, random_state=seed) for g in GAMMAS]
    return [make_pipeline(k, LogisticRegression(C=C, max_iter=300)) for k in kernels for C in COSTS]


def forest(seed: int) -> Any:
    """Random trees (Geurts et al. 2006)."""
    return ExtraTreesClassifier(300, min_samples_leaf=2, random_state=seed)
