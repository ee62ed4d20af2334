"""Counting instead of learning: which words stand together more often than by chance.

Levy & Goldberg 2014, "Neural word embedding as implicit matrix factorization": the positive
pointwise mutual information of words and the words around them, section 5.1, and the singular
vectors times the square roots of the singular values, section 5.2 (there alpha = 0.5).

Shapes: N places of a text, V words, D dimensions.
"""

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator
from sklearn.decomposition import TruncatedSVD

from zoo.config.types import Positive
from zoo.words.evaluation import scores
from zoo.words.keyed_vectors import Neighbours


class PPMISVD(BaseEstimator):
    """Positive pointwise mutual information, then a truncated singular value decomposition.

    Args:
        dimensions: singular vectors that are kept.
    """

    title = "PPMI + SVD"

    def __init__(self, *, dimensions: Positive) -> None:
        self.dimensions = dimensions

    def fit(self, datamodule: Any) -> "PPMISVD":
        """Count the training windows; the nearer the word, the more it counts."""
        data_input = datamodule.input
        counts = together(datamodule.arrays("train"), data_input.window)
        table = ppmi(counts[data_input.ids, data_input.ids])
        svd = TruncatedSVD(min(self.dimensions, len(data_input.vocabulary) - 1), random_state=0)
        self.vectors_ = svd.fit_transform(table) / np.sqrt(svd.singular_values_)
        return self

    def score(self, datamodule: Any) -> dict[str, float]:
        """The same scores of vectors as the model's."""
        data_input = datamodule.input
        near = Neighbours(data_input.vocabulary, self.vectors_)
        values = scores(near, data_input.counts, "test")
        return {name: float(hits.mean()) for name, hits in values.items()}


def together(ids: np.ndarray, window: int) -> csr_matrix:
    """How often words stand near each other (V, V), both ways, in a text of ids (N,).

    At a distance d they count (window - d + 1) / window, as they do on average where the window is
    drawn from 1 to `window`.
    """
    size = int(ids.max()) + 1
    total = csr_matrix((size, size))
    for distance in range(1, window + 1):
        left, right = ids[:-distance], ids[distance:]
        both = (left > 0) & (right > 0)  # 0 is padding
        weights = np.full(int(both.sum()), (window - distance + 1) / window)
        total += csr_matrix((weights, (left[both], right[both])), shape=(size, size))
    return total + total.T


def ppmi(counts: csr_matrix) -> csr_matrix:
    """log of how many times more often two words stand together than by chance, 0 where less."""
    table = counts.tocoo()
    sums = np.asarray(counts.sum(1))[:, 0]
    ratio = table.data * sums.sum() / (sums[table.row] * sums[table.col])
    return csr_matrix((np.log(ratio).clip(0), (table.row, table.col)), shape=counts.shape)
