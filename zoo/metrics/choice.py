"""The best of several pipelines, chosen by folds of the training samples, with probabilities.

Shapes: N samples, K classes.
"""

from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_consistent_length, check_is_fitted

Candidate = tuple[str, Any, list[Any]]  # a name, a transformer of samples, classifiers of its rows
Fold = tuple[np.ndarray, np.ndarray]  # samples to learn from, samples to score
ABSENT = -1e3  # log-odds of a class that a fold has no sample of
TEMPERATURES = (-7.0, 7.0)  # bounds of the logarithm of what scores are divided by


class BestPipeline(ClassifierMixin, BaseEstimator):
    """The candidate that is right most often on folds of the training samples, fitted on all.

    Where several are, the one whose probabilities have the least log loss. Probabilities are the
    softmax of its scores divided by a temperature (Guo et al. 2017, "On calibration of modern
    neural networks", section 4.2), which the folds' scores give: no further model is fitted, and
    the class stays the one with the highest score.

    After `fit`, `best_` is a pipeline, `name_` and `accuracy_` are its candidate's name and its
    share of right answers on the folds, `accuracies_` has the best one of each candidate.

    Args:
        candidates: (name, transformer, classifiers). The transformer makes rows of features of
            samples, for the choice once, and is not told labels. Samples are a list, or an array
            or another sequence that takes a list of indices.
        folds: fewer where a class has fewer samples; a class of one sample is always learned from.
        choose_on: samples that the choice is made on, at most, all classes in proportion.
        random_state: of folds and of that subset.
    """

    def __init__(
        self, candidates: list[Candidate], *, folds: int = 5, choose_on: int = 1000,
        random_state: int = 0,
    ) -> None:  # fmt: skip
        self.candidates, self.folds = candidates, folds
        self.choose_on, self.random_state = choose_on, random_state

    def fit(self, X: Any, y: Any) -> "BestPipeline":
        """Learn from N samples and their labels (N,).

        With one class only, or too few samples to hold any out, nothing is chosen: `accuracy_` is
        NaN.
        """
        check_consistent_length(y, X)
        self.classes_, labels = np.unique(np.asarray(y), return_inverse=True)
        self.accuracy_ = float("nan")
        self.accuracies_: dict[str, float] = {}
        few = subset(labels, self.choose_on, self.random_state)
        splits = divide(labels[few], self.folds, self.random_state)
        if len(self.classes_) < 2:
            name, pipeline, scores = "the one class", DummyClassifier(), None
        elif not splits:
            name, features, classifiers = self.candidates[0]
            pipeline, scores = make_pipeline(clone(features), clone(classifiers[0])), None
        else:
            name, pipeline, scores = self._choose(take(X, few), labels[few], splits)
        self.name_, self.best_ = name, pipeline.fit(indexed(X), labels)
        self.temperature_ = 1.0 if scores is None else temperature(*scores)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The class of each sample (N,)."""
        return self.classes_[self._scores(X).argmax(1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class (N, K)."""
        probabilities: np.ndarray = softmax(self._scores(X) / self.temperature_, axis=1)
        return probabilities

    def _scores(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return scores_of(self.best_, indexed(X), len(self.classes_))

    def _choose(self, X: Any, labels: np.ndarray, splits: list[Fold]) -> tuple[str, Any, Any]:
        """The best candidate: name, pipeline, and the folds' scores with their labels."""
        tried = []
        for name, features, classifiers in self.candidates:
            rows = clone(features).fit_transform(X)
            for classifier in classifiers:
                scores = out_of_fold(classifier, rows, labels, splits)
                held_out = ~np.isnan(scores[:, 0])
                scored = scores[held_out], labels[held_out]
                accuracy = float((scored[0].argmax(1) == scored[1]).mean())
                loss = log_loss(scored[0] / temperature(*scored), scored[1])
                pipeline = make_pipeline(clone(features), clone(classifier))
                tried.append(((accuracy, -loss), name, pipeline, scored))
        tried.sort(key=lambda one: one[0])
        self.accuracies_ = {name: accuracy for (accuracy, _), name, *_ in tried}
        (self.accuracy_, _), name, pipeline, scored = tried[-1]
        return name, pipeline, scored


def out_of_fold(model: Any, rows: Any, labels: np.ndarray, splits: list[Fold]) -> np.ndarray:
    """The scores (N, K) of rows of features by what did not learn from them; NaN of others."""
    count = int(labels.max()) + 1
    scores = np.full((len(labels), count), np.nan)
    for train, test in splits:
        scores[test] = scores_of(clone(model).fit(rows[train], labels[train]), rows[test], count)
    return scores


def scores_of(model: Any, X: Any, count: int) -> np.ndarray:
    """What a classifier of labels 0 to K - 1 says of each class (N, K): decision or log-odds.

    A class that it has not seen has a score far below.
    """
    if hasattr(model, "decision_function"):
        own = model.decision_function(X)
        own = np.stack([np.zeros(len(own)), own], 1) if own.ndim == 1 else own
    else:
        own = np.log(model.predict_proba(X).clip(1e-6))
    scores = np.full((len(own), count), ABSENT)
    scores[:, model.classes_] = own
    return scores


def temperature(scores: np.ndarray, labels: np.ndarray) -> float:
    """What scores (N, K) are divided by so that their softmax has the least log loss."""
    loss = minimize_scalar(
        lambda log: log_loss(scores / np.exp(log), labels), bounds=TEMPERATURES, method="bounded"
    )
    return float(np.exp(loss.x))


def log_loss(scores: np.ndarray, labels: np.ndarray) -> float:
    """The mean of -log softmax(scores) (N, K) of the labels (N,)."""
    return float(-log_softmax(scores, axis=1)[np.arange(len(labels)), labels].mean())


def divide(labels: np.ndarray, folds: int, seed: int) -> list[Fold]:
    """Stratified folds; none where no two classes have two samples.

    Each fold's classes are learned from: a class of one sample is in every training part.
    """
    counts = np.bincount(labels)
    several = np.flatnonzero(np.isin(labels, np.flatnonzero(counts > 1)))
    if np.count_nonzero(counts > 1) < 2:
        return []
    alone = np.setdiff1d(np.arange(len(labels)), several)
    cutter = StratifiedKFold(
        min(folds, int(counts[counts > 1].min())), shuffle=True, random_state=seed
    )
    parts = cutter.split(several, labels[several])
    return [(np.concatenate([several[a], alone]), several[b]) for a, b in parts]


def subset(labels: np.ndarray, most: int, seed: int) -> np.ndarray:
    """So many rows at most, seeded, all classes in proportion."""
    if len(labels) <= most:
        return np.arange(len(labels))
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    order = shuffled[np.argsort(labels[shuffled], kind="stable")]  # a class after the other
    counts = np.bincount(labels)
    ranks = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    places = (ranks + 0.5) / counts[labels[order]]  # of each row in its class, in (0, 1)
    return np.sort(order[np.argsort(places, kind="stable")[:most]])


def indexed(X: Any) -> Any:
    """Samples that can be indexed."""
    return list(X) if isinstance(X, tuple) else X


def take(X: Any, rows: np.ndarray) -> Any:
    """Some of the samples."""
    if isinstance(X, list | tuple):
        return [X[i] for i in rows]
    return X[rows] if isinstance(X, np.ndarray) else X[rows.tolist()]
