"""Bootstrap intervals against the formula for a share."""

import numpy as np
from scipy.stats import bootstrap

from zoo.metrics import confidence


def test_it_is_scipys_percentile_bootstrap():
    values = np.random.default_rng(1).exponential(size=700)
    random = np.random.default_rng(0)
    found = bootstrap((values,), np.mean, n_resamples=1000, method="percentile", rng=random)
    np.testing.assert_allclose(confidence.interval(values), found.confidence_interval, rtol=1e-12)


def test_the_same_scores_give_the_same_interval_under_the_metrics_own_name():
    values = np.random.default_rng(0).random(100)
    assert confidence.interval(values) == confidence.interval(values)
    flat = confidence.with_intervals({"test/accuracy": np.ones(10)})
    assert flat == {"test/accuracy": 1.0, "test/accuracy/low": 1.0, "test/accuracy/high": 1.0}


def test_of_many_samples_the_interval_is_the_normal_one_which_the_bootstrap_confirms():
    values = np.random.default_rng(0).exponential(size=confidence.MANY)
    by_formula = confidence.interval(np.append(values, values.mean()))
    np.testing.assert_allclose(by_formula, confidence.interval(values), atol=1e-3)
