"""Linear classifiers of scikit-learn's as weights of a layer: convex problems, solved at once.

Their logits are divided by a temperature, so that the softmax of them are probabilities (Guo et
al. 2017, https://arxiv.org/abs/1706.04599, section 4.2); it is fitted by folds, as C is.

Shapes: N texts, F features, K classes.
"""

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC

from zoo.distributed.console import console
from zoo.metrics.choice import BestPipeline

FOLDS = 3
Weights = tuple[np.ndarray, np.ndarray]  # (K, F) and biases (K,)


def fit_svm(rows: Any, labels: np.ndarray, class_weights: np.ndarray) -> Weights:
    """A linear support vector machine, one class against the rest, without biases.

    Args:
        rows: features (N, F), sparse.
        labels: (N,); a class that none of them has gets the least weights, and never wins where
            features are not negative.
        class_weights: how much a text of each class counts (K,).
    """
    machines = [
        LinearSVC(C=C, fit_intercept=False, class_weight=present(labels, class_weights),
                  random_state=0)
        for C in (0.1, 0.3, 1.0)
    ]  # fmt: skip
    return fit("n-grams", FunctionTransformer(), machines, rows, labels, len(class_weights))


def fit_logistic(rows: np.ndarray, labels: np.ndarray, class_weights: np.ndarray) -> Weights:
    """Logistic regression on features (N, F), whatever their scale; see `fit_svm`."""
    weight = present(labels, class_weights)
    classifiers = [
        LogisticRegression(C=C, max_iter=300, class_weight=weight) for C in (0.001, 0.01, 0.1)
    ]
    return fit("last layer", StandardScaler(), classifiers, rows, labels, len(class_weights))


def present(labels: np.ndarray, class_weights: np.ndarray) -> dict[int, float]:
    """The weights of the classes that there are, which are counted anew."""
    return {i: float(class_weights[label]) for i, label in enumerate(np.unique(labels))}


def fit(
    what: str, scale: Any, classifiers: list[Any], rows: Any, labels: np.ndarray, count: int
) -> Weights:
    """The best of classifiers by folds, and a line that says how good it is."""
    classes = np.unique(labels)
    if len(classes) < 2:
        return np.zeros((count, rows.shape[1])), np.zeros(count)
    best = BestPipeline([(what, scale, classifiers)], folds=FOLDS).fit(rows, labels)
    console.print(f"{what:<9} right for {best.accuracy_:.1%} of training texts, by folds")
    scaler, linear = best.best_[0], best.best_[-1]
    weights = linear.coef_ / best.temperature_ / getattr(scaler, "scale_", 1.0)
    biases = np.broadcast_to(linear.intercept_, len(weights)) / best.temperature_
    biases = biases - weights @ scaler.mean_ if hasattr(scaler, "mean_") else biases
    if len(classes) == 2:
        weights, biases = (np.concatenate([-one, one]) / 2 for one in (weights, biases))
    all_weights, all_biases = np.tile(weights.min(0), (count, 1)), np.full(count, biases.min())
    all_weights[classes], all_biases[classes] = weights, biases
    return all_weights, all_biases
