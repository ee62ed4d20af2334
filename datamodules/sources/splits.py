"""Splits: those that come with the data, and what is carved from the rest, stratified, seeded."""

from dataclasses import replace

import numpy as np

from datamodules.sources.rows import NAMES, Source


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
            rows = splits["train"]
            order = stratified_order(rows.labels, seed)
            count = max(round(share * len(order)), 1)
            splits["train"] = rows.take(np.sort(order[count:]))
            splits[name] = rows.take(np.sort(order[:count]))
    for name in NAMES:
        if not len(splits[name].labels):
            raise ValueError(f"the {name} split is empty: more samples are needed")
    return replace(source, splits={name: splits[name] for name in NAMES})


def stratified_order(labels: np.ndarray, seed: int) -> np.ndarray:
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
    return np.sort(stratified_order(labels, seed)[:count])
