"""A weighted average of candidates, by greedy selection on samples that none has learned from.

Shapes: M samples, K classes.
"""

from collections.abc import Mapping, Sequence

import numpy as np

ROUNDS = 25  # members, of which several may be one candidate


def select(
    probabilities: Mapping[str, np.ndarray], labels: np.ndarray, rounds: int = ROUNDS
) -> dict[str, float]:
    """The weights of the candidates in the average, those without one left out.

    From the best on, the candidate is added, again and again, with which the average has the least
    log loss (Caruana et al. 2004, "Ensemble selection from libraries of models", with replacement;
    sorted initialisation with one). The best of all averages on the way is taken; the best single
    candidate, if it is right more often than that.

    Args:
        probabilities: of each candidate (M, K), calibrated, best first where two are alike.
        labels: (M,).
    """
    names = list(probabilities)
    shares = np.stack([probabilities[name] for name in names])
    order = _greedy(shares, labels, rounds)
    sums = np.cumsum(shares[order], axis=0) / np.arange(1, len(order) + 1)[:, None, None]
    losses = [loss(one, labels) for one in sums]
    taken = order[: int(np.argmin(losses)) + 1]
    best = min(range(len(names)), key=lambda i: rank(shares[i], labels))
    if rank(shares[taken].mean(0), labels)[0] > rank(shares[best], labels)[0]:
        return {names[best]: 1.0}
    return {name: taken.count(i) / len(taken) for i, name in enumerate(names) if i in taken}


def _greedy(shares: np.ndarray, labels: np.ndarray, rounds: int) -> list[int]:
    """The candidates in the order in which they are added."""
    order: list[int] = []
    total = np.zeros(shares.shape[1:])
    for count in range(1, rounds + 1):
        losses = [loss((total + one) / count, labels) for one in shares]
        order.append(int(np.argmin(losses)))
        total = total + shares[order[-1]]
    return order


def loss(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Log loss of probabilities (M, K)."""
    own = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(own.clip(1e-12)).mean())


def rank(probabilities: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """What is less for better probabilities (M, K): the share of wrong answers, then log loss."""
    wrong = float((probabilities.argmax(1) != labels).mean())
    return wrong, loss(probabilities, labels)


def judged(scores: Sequence[np.ndarray]) -> np.ndarray:
    """The rows that all scores (N, K) hold."""
    return np.flatnonzero(~np.any([np.isnan(one[:, 0]) for one in scores], axis=0))
