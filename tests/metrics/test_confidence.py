"""Bootstrap intervals against the formula for a share."""

import numpy as np
import pytest

from zoo.metrics import confidence


@pytest.mark.parametrize("share", [0.5, 0.9, 0.98])
def test_the_interval_of_a_share_is_near_the_normal_one(share):
    count = 5000
    values = (np.arange(count) < share * count).astype(float)
    low, high = confidence.interval(values)
    reach = 1.96 * np.sqrt(share * (1 - share) / count)
    assert low == pytest.approx(share - reach, abs=0.15 * reach)
    assert high == pytest.approx(share + reach, abs=0.15 * reach)


def test_it_covers_the_truth_about_19_times_of_20():
    random = np.random.default_rng(1)
    samples = [(random.random(300) < 0.8).astype(float) for _ in range(100)]
    covered = sum(low <= 0.8 <= high for low, high in map(confidence.interval, samples))
    assert 88 <= covered <= 100


def test_the_same_scores_give_the_same_interval():
    values = np.random.default_rng(0).random(100)
    assert confidence.interval(values) == confidence.interval(values)


def test_each_metric_stands_under_its_own_name():
    flat = confidence.with_intervals({"test/accuracy": np.ones(10)})
    assert flat == {"test/accuracy": 1.0, "test/accuracy/low": 1.0, "test/accuracy/high": 1.0}


def test_of_many_samples_the_interval_is_the_normal_one_which_the_bootstrap_confirms():
    values = np.random.default_rng(0).exponential(size=confidence.MANY)
    by_bootstrap = confidence.interval(values)
    by_formula = confidence.interval(np.append(values, values.mean()))
    np.testing.assert_allclose(by_formula, by_bootstrap, atol=1e-3)
