"""How good log-probabilities are: of a candidate, and of several mixed.

Shapes: N samples of the pool, M of them judged, K classes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from scipy.special import logsumexp
from torchmetrics.functional.classification import multiclass_calibration_error

from zoo.metrics.classification import BINS
from zoo.metrics.confidence import interval

MISTAKES = 24  # kept, the surest first


def judged_rows(scores: Sequence[np.ndarray]) -> np.ndarray:
    """The samples, by index, of which all scores (N, K) are numbers (M,)."""
    scored = [~np.isnan(one).any(axis=1) for one in scores]
    return np.flatnonzero(np.logical_and.reduce(scored))


def mix(logs_of: Mapping[str, np.ndarray], weights: Mapping[str, float]) -> np.ndarray:
    """The logarithm of the mean, with weights that add up to 1, of probabilities (M, K).

    Args:
        tried: their logarithms.
    """
    shares = np.array([*weights.values()])[:, None, None]
    mixed: np.ndarray = logsumexp([logs_of[name] for name in weights], axis=0, b=shares)
    return mixed


def rank_key(measures: Mapping[str, Any]) -> tuple[float, float]:
    """Of what was measured: the most accurate first, of these the one with the least log loss."""
    return -(measures["accuracy"] or 0.0), measures["loss"] or 0.0


def measure(logs: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """How good log-probabilities (M, K) are, by labels (M,): all None where M is 0.

    Accuracy with its 95 % bootstrap interval, log loss in nats, expected calibration error (Guo et
    al. 2017, https://arxiv.org/abs/1706.04599, equation 3).
    """
    count = len(labels)
    if not count:
        return {"samples": 0} | dict.fromkeys(("accuracy", "low", "high", "loss", "ece"))
    right = logs.argmax(axis=1) == labels
    low, high = interval(right)
    loss = float(np.abs(logs[np.arange(count), labels].mean()))  # of a sure one 0, not -0
    ece = calibration_error(np.exp(logs), labels)
    accuracy = float(right.mean())
    return {"samples": count, "accuracy": accuracy, "low": low, "high": high, "loss": loss,
            "ece": ece}  # fmt: skip


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The expected calibration error of probabilities (M, K), by torchmetrics, as a model's."""
    shares = torch.from_numpy(probabilities.clip(0, 1))  # beyond it, it would take a softmax
    error = multiclass_calibration_error(
        shares, torch.from_numpy(labels), shares.shape[1], n_bins=BINS, validate_args=False
    )
    return float(error)


def worst(logs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The mistakes by index, the surest first."""
    wrong = np.flatnonzero(logs.argmax(axis=1) != labels)
    return wrong[np.argsort(-logs[wrong].max(axis=1), kind="stable")][:MISTAKES]
