"""Whether one classifier is better than another on the same samples, and how many would tell.

Only the samples that one of them gets right and the other wrong count (McNemar 1947). Of N samples
let b be those that the first alone gets right, and c those that the other alone does.

The interval is that of Bonett & Price 2012, "Adjusted Wald confidence interval for a difference of
binomial proportions based on paired data", Journal of Educational and Behavioral Statistics 37,
479-488: the normal one with a sample added to b and to c. Fagerland, Lydersen & Laake 2014,
Statistics in Medicine 33, 2850-2875, recommend it. The percentile bootstrap of the differences
calls 4 samples against none a difference, which comes by chance once in 8 times.
"""

import math

import numpy as np

from zoo.metrics.confidence import NORMAL

POWER = 0.841621  # standard errors: 80 % of all sets of so many samples would decide it


def discordant(one: np.ndarray, other: np.ndarray) -> tuple[int, int]:
    """Of how many samples (N,) the one alone is right, and of how many the other alone."""
    return int(np.count_nonzero(one & ~other)), int(np.count_nonzero(other & ~one))


def paired_interval(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of the difference of two accuracies, in [-1, 1].

    Args:
        one, other: whether each of them is right about the same samples, bool (N,).
    """
    count = len(one) + 2
    b, c = ((alone + 1) / count for alone in discordant(one, other))
    margin = NORMAL * math.sqrt((b + c - (b - c) ** 2) / count)
    return max(-1.0, b - c - margin), min(1.0, b - c + margin)


def samples_to_decide(one: np.ndarray, other: np.ndarray) -> int | None:
    """Of how many samples the interval would most likely leave out zero: 80 % power.

    They would have to differ on as many, and in the same direction, as these N do: Connor 1987,
    "Sample size for testing differences in proportions for the paired-sample design", Biometrics
    43, 207-211, page 209.

    Returns:
        None where the interval leaves it out already, or the accuracies are the same.
    """
    low, high = paired_interval(one, other)
    b, c = discordant(one, other)
    if low > 0 or high < 0 or b == c:
        return None
    differing, difference = (b + c) / len(one), (b - c) / len(one)
    rest = math.sqrt(differing - difference**2)
    needed = ((NORMAL * math.sqrt(differing) + POWER * rest) / difference) ** 2
    return max(math.ceil(needed), len(one) + 1)
