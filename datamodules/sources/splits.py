"""Splits: those that come with the data, and what is carved from the rest, stratified, seeded."""

from dataclasses import replace

import numpy as np

from datamodules.sources.rows import NAMES, Rows, Source


def divide(source: Source, validation: float, test: float, seed: int) -> Source:
    """Three splits: a data set's own test split stays whole, what is missing is carved, seeded.

    Args:
        validation: share of the training rows that becomes `val` where there is none.
        test: share of all rows that becomes `test` where there is none.
    """
    splits = dict(source.splits)
    if "train" not in splits:
        if "all" not in splits:
            raise ValueError(
                f"no training split: found {', '.join(splits) or 'none'}; call one of them train"
            )
        splits["train"] = splits.pop("all")
    shares = {"test": test, "val": validation}
    for name in [name for name in shares if name not in splits]:
        later = sum(other not in splits for other in shares) - 1
        splits["train"], splits[name] = carve(splits["train"], shares[name], later, seed)
    for name in NAMES:
        if not len(splits[name].labels):
            raise ValueError(f"the {name} split is empty: give it samples, or leave it out")
    return replace(source, splits={name: splits[name] for name in NAMES})


def carve(rows: Rows, share: float, later: int, seed: int) -> tuple[Rows, Rows]:
    """Rows without a share of them, and the share, which takes the last row of no class.

    Args:
        later: rows that are left for splits that are carved afterwards.

    Raises:
        ValueError: there are not enough.
    """
    order = stratified_order(rows.labels, seed)
    _, last = np.unique(rows.labels[order][::-1], return_index=True)
    is_last = np.zeros(len(order), bool)
    is_last[len(order) - 1 - last] = True
    order = np.concatenate([order[~is_last], order[is_last]])
    if (spare := len(order) - len(last)) <= later:
        raise ValueError(
            f"{len(order)} samples of {len(last)} class(es) are too few: the training split needs "
            f"one of each class, and each split that is carved from it one more, "
            f"{len(last) + later + 1} together; more samples are needed, or splits of your own"
        )
    count = min(max(round(share * len(order)), 1), spare - later)
    return rows.take(np.sort(order[count:])), rows.take(np.sort(order[:count]))


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
