"""The paired interval and the number of samples that would decide: formulas, exact enumeration."""

import numpy as np
import pytest
from scipy.stats import binom, binomtest, norm

from zoo.metrics.paired import NORMAL, POWER, paired_interval, samples_to_decide


def pair(b, c, n):
    """Two classifiers of n samples: b that the first alone gets right, c the other alone."""
    one = np.arange(n) < b
    return one, (np.arange(n) >= b) & (np.arange(n) < b + c)


@pytest.mark.parametrize(("b", "c", "n"), [(1, 7, 21), (0, 0, 10), (0, 1, 1), (0, 0, 0)])
def test_the_interval_is_that_of_bonett_and_price(b, c, n):
    p, q = (b + 1) / (n + 2), (c + 1) / (n + 2)
    margin = norm.ppf(0.975) * np.sqrt((p + q - (p - q) ** 2) / (n + 2))
    ends = max(-1, p - q - margin), min(1, p - q + margin)
    assert paired_interval(*pair(b, c, n)) == pytest.approx(ends, abs=1e-6)


@pytest.mark.parametrize("n", [20, 100, 1000])
@pytest.mark.parametrize(("b", "c"), [(3, 0), (4, 0), (6, 0), (8, 2), (10, 2), (13, 3), (7, 7)])
def test_zero_is_left_out_where_mcnemars_mid_p_test_says_so(b, c, n):
    """Of few samples that differ; the percentile bootstrap would call 4 against 0 a difference."""
    low, high = paired_interval(*pair(b, c, n))
    mid_p = binomtest(b, b + c).pvalue - binom.pmf(b, b + c, 0.5)
    assert (low > 0) == (mid_p < 0.05)
    assert paired_interval(*pair(c, b, n)) == pytest.approx((-high, -low))


def share_decided(p, q, n):
    """Exactly: the probability that the interval of n samples leaves out zero on the right side."""
    differing = np.arange(n + 1)
    total = 0.0
    for d, weight in zip(differing, binom.pmf(differing, n, p + q), strict=True):
        if weight > 1e-9:
            b = np.arange(d + 1)
            x, y = (b + 1) / (n + 2), (d - b + 1) / (n + 2)
            low = x - y - NORMAL * np.sqrt((x + y - (x - y) ** 2) / (n + 2))
            total += weight * binom.pmf(b, d, p / (p + q))[low > 0].sum()
    return total


@pytest.mark.parametrize(("b", "c", "n"), [(12, 8, 400), (30, 20, 100), (9, 3, 60), (3, 2, 50)])
def test_of_as_many_samples_four_sets_in_five_decide(b, c, n):
    needed = samples_to_decide(*pair(b, c, n))
    assert needed > n
    assert share_decided(b / n, c / n, needed) == pytest.approx(0.8, abs=0.02)
    assert samples_to_decide(*pair(c, b, n)) == needed
    assert pytest.approx(norm.ppf(0.8), abs=1e-6) == POWER


@pytest.mark.parametrize(("b", "c", "n"), [(30, 5, 100), (5, 30, 100), (7, 7, 100), (0, 0, 5)])
def test_what_is_decided_or_equal_needs_no_more(b, c, n):
    assert samples_to_decide(*pair(b, c, n)) is None
