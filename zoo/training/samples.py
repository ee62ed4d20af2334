"""Samples that a program holds, and their labels, as rows of a data set.

Shapes: N samples, K classes.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils.multiclass import check_classification_targets

from datamodules.sources.files import CLIPS, PICTURES, SOUNDS, TEXTS, Kind
from datamodules.sources.rows import Rows, Source

KINDS: dict[Kind, tuple[str, tuple[int, ...], str]] = {  # the data of one's own, axes of an array
    PICTURES: ("image_folder", (3, 4), "(N, H, W), (N, H, W, C) or (N, C, H, W), or a list"),
    TEXTS: ("labelled_text", (), "(N,): a list of texts, or of the paths (pathlib) of text files"),
    CLIPS: ("video_folder", (4, 5), "(N, T, H, W) or (N, T, H, W, C), or a list"),
    SOUNDS: ("audio_folder", (2, 3), "(N, T) or (N, T, channels), or a list"),
}
BINS = 10  # of values, by which validation gets its share of small and of large ones


def as_samples(X: Any, kind: Kind) -> list[Any]:
    """X as a list of N samples.

    Raises:
        ValueError: it is none, or an array of another shape.
    """
    expected = f"{kind.plural} {KINDS[kind][2]}, are wanted"
    if isinstance(X, list | tuple) and len(X) and isinstance(X[0], list | tuple):
        X = np.asarray(X)
    X = np.asarray(X) if hasattr(X, "__array__") else X
    if isinstance(X, np.ndarray):
        numbers = X.ndim == 1 and X.dtype.kind in "biufc"
        if numbers or X.ndim not in (1, *KINDS[kind][1]):
            raise ValueError(f"X has the shape {X.shape}: {expected}")
    elif isinstance(X, str | bytes) or not isinstance(X, Sequence):
        sparse = "sparse " if hasattr(X, "toarray") else ""
        raise ValueError(f"X is a {sparse}{type(X).__name__}: {expected}")
    if not len(X):
        raise ValueError(f"X has 0 samples: {expected}")
    return list(X)


def label(samples: list[Any], y: np.ndarray) -> tuple[Source, np.ndarray]:
    """Rows of samples with their labels' numbers, and the classes (K,), sorted.

    Raises:
        ValueError: they are values, or of several types; fewer than two classes, or than two
            samples of one.
    """
    try:
        check_classification_targets(y)
    except TypeError as error:
        raise ValueError(f"y holds labels of several types, one is wanted: {error}") from error
    classes, numbers, counts = np.unique(y, return_inverse=True, return_counts=True)
    if len(classes) < 2:
        raise ValueError(f"y has 1 class, {classes[0]!s}: two or more are needed")
    if counts.min() < 2:
        rare = classes[counts.argmin()]
        raise ValueError(f"y has 1 sample of the class {rare!s}: two or more of each are needed")
    return as_source(samples, numbers, [str(name) for name in classes]), classes


def measure(samples: list[Any], y: np.ndarray) -> Source:
    """Rows of samples with their values (N,)."""
    values = y.astype(np.float64)
    bins = values.argsort().argsort() * BINS // len(values)
    return as_source(list(zip(samples, values, strict=True)), bins, [])


def as_source(raws: list[Any], labels: np.ndarray, classes: list[str]) -> Source:
    """Rows to learn from; validation is carved from them, and the test that a run wants is one."""
    rows = Rows(raws, labels.astype(np.int64), np.arange(len(raws)), "row {} of X")
    return Source({"train": rows, "test": rows.take(np.array([0]))}, classes)
