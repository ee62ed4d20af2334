"""Tf-idf and a linear model (S68): what it sees, and what no bag of words can."""

import numpy as np
import pytest

from tests.data import arrays_of, opened
from zoo.baselines.text import TfidfLogistic


def accuracy(data, ngrams):
    estimator = TfidfLogistic(ngrams=ngrams, C=10.0, max_iter=1000)
    return estimator.fit(data).score(data)["test/accuracy"]


ORDER = ["bad not good", "good not bad"] * 20, np.array([0, 1] * 20)


def test_a_bag_of_words_cannot_see_order_and_bigrams_can():
    data = arrays_of(ORDER, ORDER)
    assert (accuracy(data, 1), accuracy(data, 2)) == (0.5, 1.0)


def test_its_words_are_the_tokenisers():
    """A single letter and "don't" are words, too, which scikit-learn's own tokeniser cuts."""
    data = arrays_of((["i don't", "i do"] * 10, np.array([0, 1] * 10)))
    estimator = TfidfLogistic(ngrams=1, C=1.0, max_iter=100).fit(data)
    assert set(estimator.classifier_[0].vocabulary_) == {"i", "don't", "do"}


@pytest.mark.parametrize(("ngrams", "low", "high"), [(1, 0.4, 0.65), (2, 0.7, 0.9)])
def test_on_negated_reviews_words_say_nothing_and_pairs_something(ngrams, low, high):
    assert low <= accuracy(opened("negated_reviews"), ngrams) <= high
