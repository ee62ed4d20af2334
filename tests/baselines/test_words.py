"""Counting which words stand together (S63)."""

import math

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from zoo.baselines.words import PPMISVD, ppmi, together
from zoo.words.keyed_vectors import Neighbours


def test_words_count_the_less_the_farther_they_are_apart():
    """A walk by hand; no word counts across documents."""
    ids, window = np.array([0, 0, 2, 3, 2, 0, 0, 4, 0, 0]), 2
    counts = together(ids, window).toarray()
    expected = np.zeros((5, 5))
    expected[2, 3] = expected[3, 2] = 2.0
    expected[2, 2] = 2 * 0.5
    np.testing.assert_allclose(counts, expected)


def test_the_table_is_positive_pointwise_mutual_information():
    counts = np.array([[0.0, 4.0, 1.0], [4.0, 0.0, 1.0], [1.0, 1.0, 8.0]])
    shares = counts / counts.sum()
    by_row = shares.sum(1)
    with np.errstate(divide="ignore"):
        expected = np.log(shares / np.outer(by_row, by_row)).clip(0)
    np.testing.assert_allclose(ppmi(csr_matrix(counts)).toarray(), expected)
    assert expected[0, 1] == pytest.approx(math.log(20 * 4 / 25))


def test_it_finds_words_that_stand_in_the_same_places(animals):
    fitted = PPMISVD(dimensions=4).fit(animals)
    near = Neighbours(animals.input.vocabulary, fitted.vectors_)
    assert {word for word, _ in near.most_similar("cat", count=3)} == {"dog", "horse", "bird"}
    assert set(fitted.score(animals)) <= {"test/neighbours"}
