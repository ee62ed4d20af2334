"""What a candidate said of samples that it had not learned from, as a file.

Shapes: N samples of the pool, M of them held out, K classes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo.utilities.files import replacing

FILE = "scores.npz"


class HeldOut(NamedTuple):
    """One fold.

    Args:
        rows: of the pool (M,).
        scores: unnormalised log-probabilities (M, K).
        labels: (M,).
        seconds: that it took.
        bytes: of what was learned.
        epochs: of the best weights; 0 of a pipeline.
        title: what learned.
        scoring: seconds that it took to score one of these samples.
    """

    rows: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    seconds: float
    bytes: int
    epochs: int
    title: str
    scoring: float = 0.0


def write(path: Path, **arrays: object) -> None:
    """Write arrays, all of them or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part, part.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def read_fold(folder: Path) -> HeldOut | None:
    """A fold that is done."""
    if not (folder / FILE).exists():
        return None
    with np.load(folder / FILE) as file:
        numbers = {key: file[key].item() for key in HeldOut._fields[3:]}
        return HeldOut(file["rows"], file["scores"], file["labels"], **numbers)


def join(folds: Sequence[HeldOut], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores (N, K), float32, and labels (N,) of a pool of so many; NaN and -1 of others."""
    scores = np.full((count, folds[0].scores.shape[1]), np.nan, np.float32)
    labels = np.full(count, -1, np.int64)
    for one in folds:
        scores[one.rows], labels[one.rows] = one.scores, one.labels
    return scores, labels


def size_of(folder: Path) -> int:
    """Bytes of a folder's own files, checkpoints and logs left out."""
    weights = (path for path in folder.glob("*") if path.suffix in (".safetensors", ".skops"))
    return sum(path.stat().st_size for path in weights)
