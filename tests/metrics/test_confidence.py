"""Bootstrap intervals against the formula for a share."""

import numpy as np
import pytest
from scipy.stats import bootstrap

from zoo.metrics import confidence


def test_it_is_scipys_percentile_bootstrap():
    values = np.random.default_rng(1).exponential(size=700)
    random = np.random.default_rng(0)
    found = bootstrap((values,), np.mean, n_resamples=1000, method="percentile", rng=random)
    np.testing.assert_allclose(confidence.interval(values), found.confidence_interval, rtol=1e-12)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.98])
def test_the_interval_of_a_share_is_near_the_normal_one(share):
    values = (np.arange(5000) < share * 5000).astype(float)
    reach = 1.96 * np.sqrt(share * (1 - share) / 5000)
    wanted = pytest.approx((share - reach, share + reach), abs=0.15 * reach)
    assert confidence.interval(values) == wanted


def test_it_covers_the_truth_about_19_times_of_20():
    random = np.random.default_rng(1)
    samples = [(random.random(300) < 0.8).astype(float) for _ in range(100)]
    covered = sum(low <= 0.8 <= high for low, high in map(confidence.interval, samples))
    assert 88 <= covered <= 100


def test_the_same_scores_give_the_same_interval_under_the_metrics_own_name():
    values = np.random.default_rng(0).random(100)
    assert confidence.interval(values) == confidence.interval(values)
    flat = confidence.with_intervals({"test/accuracy": np.ones(10)})
    assert flat == {"test/accuracy": 1.0, "test/accuracy/low": 1.0, "test/accuracy/high": 1.0}


def test_of_many_samples_the_interval_is_the_normal_one_which_the_bootstrap_confirms():
    values = np.random.default_rng(0).exponential(size=confidence.MANY)
    by_formula = confidence.interval(np.append(values, values.mean()))
    np.testing.assert_allclose(by_formula, confidence.interval(values), atol=1e-3)
