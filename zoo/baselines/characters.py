"""The next character from the few before it, by counting: an interpolated n-gram.

Witten & Bell 1991, The zero-frequency problem (method C), in the form of Chen & Goodman 1998, An
empirical study of smoothing techniques for language modeling, equation 17. There is no constant
to choose.

Shapes: N characters; ids count from 0.
"""

from typing import Annotated, Any

import numpy as np
from pydantic import Field
from sklearn.base import BaseEstimator


class WittenBell(BaseEstimator):
    """Probabilities from the counts after 0, 1, ... `order` characters, interpolated.

    Args:
        order: characters before, at most.
    """

    def __init__(self, *, order: Annotated[int, Field(ge=0, le=8)]) -> None:
        self.order = order

    @property
    def title(self) -> str:
        """What it is called in a table."""
        return f"interpolated n-gram of order {self.order}"

    def fit(self, datamodule: Any) -> "WittenBell":
        """Count in the training text.

        Raises:
            ValueError: the alphabet is too large to number the n-grams of this order.
        """
        self.size_ = datamodule.info["vocabulary_size"]
        if self.size_ ** (self.order + 1) >= 2**63:
            raise ValueError(
                f"baseline.order is {self.order}: too much for {self.size_} kinds of character; "
                "take a smaller one"
            )
        ids = datamodule.arrays("train")
        self.grams_ = [
            np.unique(number_ngrams(ids, n, self.size_), return_counts=True)
            for n in range(1, self.order + 2)
        ]
        return self

    def probabilities(self, ids: np.ndarray) -> np.ndarray:
        """Of each of ids (N,) but the first, given those before it; (N - 1,).

        The first few have fewer before them.
        """
        shares = np.full(len(ids), 1 / self.size_)
        for n, (grams, counts) in enumerate(self.grams_, start=1):
            queries = number_ngrams(ids, n, self.size_)
            shares[n - 1 :] = fall_back(shares[n - 1 :], grams, counts, queries, self.size_)
        return shares[1:]

    def score(self, datamodule: Any) -> dict[str, float]:
        """Nats and bits per character of the test text."""
        nats = -np.log(self.probabilities(datamodule.arrays("test"))).mean()
        return {"test/loss": float(nats), "test/bits_per_character": float(nats / np.log(2))}


def number_ngrams(ids: np.ndarray, n: int, size: int) -> np.ndarray:
    """A number for each n-gram of ids (N,), (N - n + 1,); divided by `size`, its context's."""
    numbers = np.zeros(len(ids) - n + 1, np.int64)
    for i in range(n):
        numbers = numbers * size + ids[i : len(ids) - n + 1 + i]
    return numbers


def fall_back(
    shares: np.ndarray, grams: np.ndarray, counts: np.ndarray, queries: np.ndarray, size: int
) -> np.ndarray:
    """Witten & Bell's probabilities (N,) from those of a shorter context, `shares` (N,).

    Args:
        grams, counts: of the training text: each context * size + symbol, sorted, and how often.
        queries: the same number of each symbol that is asked for, (N,).
        size: how many kinds of symbol there are.
    """
    contexts, firsts = np.unique(grams // size, return_index=True)
    totals = np.add.reduceat(counts, firsts)  # how often each context was seen
    kinds = np.diff([*firsts, len(grams)])  # and with how many kinds of symbol after it
    count = look_up(grams, counts, queries)
    frequency = look_up(contexts, totals, queries // size)
    new = look_up(contexts, kinds, queries // size)
    return np.where(frequency > 0, (count + new * shares) / np.maximum(frequency + new, 1), shares)


def look_up(keys: np.ndarray, values: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """The value of each query, 0 where it is no key; keys are sorted."""
    places = np.searchsorted(keys, queries).clip(max=len(keys) - 1)
    return np.where(keys[places] == queries, values[places], 0)
