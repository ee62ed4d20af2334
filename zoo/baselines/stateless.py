"""Transformers that learn nothing: in a process each sample's row of features is computed once.

Folds, choices of C, the final fit and a score see the same samples again and again. Counts of
n-grams are no such rows, for their vocabulary is learned. Of the 0.22 s that they take of 1,000
short texts, cutting these up, which could be kept, takes 0.06.

Shapes: N samples, F features.
"""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from threading import Lock
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from datamodules.utilities.windows import Windows
from zoo.metrics.choice import take

TOGETHER = 4  # samples that are computed at once
MOST = 2**28  # bytes of rows that are kept: those of 10,000 pictures


class RowStore:
    """Rows of features by their digest; what was used longest ago makes room for new ones.

    Args:
        most: bytes of all rows.
    """

    def __init__(self, most: int = MOST) -> None:
        self.most, self.bytes = most, 0
        self.rows: dict[bytes, np.ndarray] = {}
        self.lock = Lock()  # folds of a pipeline are done in threads

    def get(self, keys: Sequence[bytes]) -> dict[bytes, np.ndarray]:
        """Those rows that are here."""
        with self.lock:
            rows = {key: self.rows.pop(key) for key in {*keys} & self.rows.keys()}
            self.rows |= rows  # now the last ones
        return rows

    def put(self, rows: dict[bytes, np.ndarray]) -> None:
        """Keep rows, all of them or, if they are too many, none."""
        if sum(row.nbytes for row in rows.values()) > self.most:
            return
        with self.lock:
            for key, row in rows.items():
                self._drop(key)
                self.rows[key] = row.copy()  # a view would hold the array that it is of
                self.bytes += row.nbytes
            while self.bytes > self.most:
                self._drop(next(iter(self.rows)))

    def _drop(self, key: bytes) -> None:
        if key in self.rows:
            self.bytes -= self.rows.pop(key).nbytes


STORE = RowStore()


class Stateless(TransformerMixin, BaseEstimator):
    """A transformer of samples whose rows depend on its parameters and on the sample alone.

    A row is the same for each call, bit for bit: so many samples are always computed together, the
    last of them again where they are fewer, as a matrix product of one row has other last bits than
    that of several.
    """

    def fit(self, X: Any, y: Any = None) -> "Stateless":
        """Nothing is learned."""
        return self

    def compute(self, X: Any) -> np.ndarray:
        """Map N samples to (N, F)."""
        raise NotImplementedError

    def transform(self, X: Any) -> np.ndarray:
        """Map N samples to (N, F), of which those are computed that have not been before.

        Of others than texts and arrays, such as files, nothing is kept.
        """
        if not isinstance(X, Windows) and not all(isinstance(one, str | np.ndarray) for one in X):
            return self.compute(X)
        keys = [*self._digests(X)]
        rows = STORE.get(keys)
        if places := {key: i for i, key in enumerate(keys) if key not in rows}:
            new = dict(zip(places, self._compute(X, np.array([*places.values()])), strict=True))
            STORE.put(new)
            rows |= new
        return np.stack([rows[key] for key in keys])

    def _compute(self, X: Any, places: np.ndarray) -> Iterator[np.ndarray]:
        """The rows of some samples."""
        for part in np.split(places, range(TOGETHER, len(places), TOGETHER)):
            yield from self.compute(take(X, np.resize(part, TOGETHER)))[: len(part)]

    def _digests(self, X: Any) -> Iterator[bytes]:
        """What a row depends on, of each sample."""
        feed(head := blake2b(digest_size=16), self)
        for sample in X.inputs.split(X.counts.tolist()) if isinstance(X, Windows) else X:
            feed(digest := head.copy(), sample)
            yield digest.digest()


def feed(digest: blake2b, value: Any) -> None:
    """Add a text, an array, a number or a transformer with its parameters to a digest."""
    if isinstance(value, BaseEstimator):
        feed(digest, f"{type(value).__module__}.{type(value).__qualname__}")
        for name, parameter in value.get_params(deep=False).items():
            feed(digest, name)
            feed(digest, parameter)
    elif isinstance(value, str):
        text = value.encode("utf-8", "surrogatepass")
        digest.update(f"text {len(text)} ".encode() + text)
    else:
        array = np.ascontiguousarray(value)
        assert array.dtype != object, "an object's bytes say where it lies, not what it is"
        digest.update(f"{array.dtype.str} {array.shape} ".encode())
        digest.update(array.data)
