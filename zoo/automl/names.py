"""What the samples are called, for a list of mistakes: a file, or the beginning of a text."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from datamodules.sources.files import TEXTS, printable
from datamodules.sources.splits import divide, first

LETTERS = 80  # of a text


def sample_names(data: Any) -> list[str]:
    """A name for each sample of the pool, in its order."""
    pool = np.concatenate([data.pool["train"], data.pool["val"]])
    names = [name for split in ("train", "val") for name in _split(data, split)]
    return [name for _, name in sorted(zip(pool, names, strict=True))]


def _split(data: Any, split: str) -> list[str]:
    """Names of the samples of a split that are used."""
    labels = data.arrays(split)[1]
    if data.KIND is TEXTS:
        return [text[:LETTERS] for text in data.arrays(split)[0]]
    rows = data.rows if split == "train" else np.arange(len(labels))
    files = _files(data, split)
    if len(files) != len(data.splits[split]["labels"]):
        return [f"{split} {i}" for i in rows]
    return [files[i] for i in rows.tolist()]


def _files(data: Any, split: str) -> Sequence[str]:
    """The files of the user's that a split was read from, in its order; none where it was not."""
    hparams = data.hparams
    if hparams["source"] is None or data.source is not None or data.info["skipped"]:
        return []
    with TemporaryDirectory() as scratch:
        source = data.read_source(data.locate(), Path(scratch))
        source = divide(source, hparams["validation"], hparams["test"], seed=0)
    rows = source.splits[split]
    raws = rows.take(first(rows.labels, hparams["limit"], seed=0)).raws
    return [printable(str(raw)) for raw in raws] if all(isinstance(r, Path) for r in raws) else []
