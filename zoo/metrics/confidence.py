"""How sure a score is: percentile bootstrap over the test samples.

Efron & Tibshirani 1993, An Introduction to the Bootstrap, section 13.3. Of very many samples (the
characters of a text) the bootstrap's interval is the normal one, which costs nothing.

`scipy.stats.bootstrap` draws the same; it takes a second to import and refuses a single sample.
"""

import math

import numpy as np

RESAMPLES = 1000
LEVEL = 0.95
MANY = 20_000  # samples
NORMAL = 1.959964  # standard errors on either side, at LEVEL


def interval(values: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """The 95 % interval of the mean of per-sample scores (N,)."""
    if len(values) > MANY:
        mean, margin = float(values.mean()), NORMAL * float(values.std()) / math.sqrt(len(values))
        return mean - margin, mean + margin
    random = np.random.default_rng(seed)
    means = [values[random.integers(0, len(values), len(values))].mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def with_intervals(scores: dict[str, np.ndarray]) -> dict[str, float]:
    """Each metric's mean under its name, its interval under <name>/low and <name>/high."""
    flat: dict[str, float] = {}
    for name, values in scores.items():
        low, high = interval(values)
        flat |= {name: float(values.mean()), f"{name}/low": low, f"{name}/high": high}
    return flat
