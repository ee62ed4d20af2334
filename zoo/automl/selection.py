"""A weighted average of candidates, by greedy selection on samples that none has learned from.

Shapes: M samples, K classes.
"""

from collections.abc import Mapping

import numpy as np

ERRORS = 2  # standard errors
ROUNDS = 25  # members, of which several may be one candidate


def select(
    probabilities: Mapping[str, np.ndarray], labels: np.ndarray, rounds: int = ROUNDS
) -> dict[str, float]:
    """The weights of the candidates in the average, those without one left out.

    From the best on, the candidate is added, again and again, with which the average has the least
    log loss (Caruana et al. 2004, "Ensemble selection from libraries of models", with replacement;
    sorted initialisation with one). The best of all averages on the way is taken, which no single
    candidate has less log loss than; the candidate that is right most often, if that is more often
    than the average by more than two standard errors of the difference.

    Measured on three draws of 300 samples of mnist, cifar10 and rotten_tomatoes each, with 8 or 9
    pipelines, by 1,200 other samples: bagging, the share of right answers in place of log loss, 5
    or 100 rounds and three first members give no fewer errors; without the two standard errors
    there are up to 1.5 points more, as what is right most often is so by chance.

    Args:
        probabilities: of each candidate (M, K), calibrated, best first where two are alike.
        labels: (M,).
    """
    names = list(probabilities)
    shares = np.stack([probabilities[name] for name in names])
    order = _greedy(shares, labels, rounds)
    sums = np.cumsum(shares[order], axis=0) / np.arange(1, len(order) + 1)[:, None, None]
    losses = [loss(one, labels) for one in sums]
    first = order[: int(np.argmin(losses)) + 1]
    best = min(range(len(names)), key=lambda i: rank(shares[i], labels))
    if is_clearly_better(shares[best], shares[first].mean(0), labels):
        return {names[best]: 1.0}
    return {name: first.count(i) / len(first) for i, name in enumerate(names) if i in first}


def _greedy(shares: np.ndarray, labels: np.ndarray, rounds: int) -> list[int]:
    """The candidates in the order in which they are added."""
    order: list[int] = []
    total = np.zeros(shares.shape[1:])
    for count in range(1, rounds + 1):
        losses = [loss((total + one) / count, labels) for one in shares]
        order.append(int(np.argmin(losses)))
        total = total + shares[order[-1]]
    return order


def is_clearly_better(one: np.ndarray, other: np.ndarray, labels: np.ndarray) -> bool:
    """Whether it is right more often, by two standard errors of the paired difference."""
    gain = (one.argmax(1) == labels).astype(int) - (other.argmax(1) == labels)
    return bool(gain.sum() > ERRORS * np.sqrt(np.abs(gain).sum()))


def loss(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Log loss of probabilities (M, K)."""
    own = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(own.clip(1e-12)).mean())


def rank(probabilities: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """What is less for better probabilities (M, K): the share of wrong answers, then log loss."""
    wrong = float((probabilities.argmax(1) != labels).mean())
    return wrong, loss(probabilities, labels)
