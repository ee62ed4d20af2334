"""Which columns of a table are samples and labels, and which classes the labels name."""

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from datamodules.sources.tables import FILE, LABEL, SPLIT, TEXT, cell_text, header

TEXTS = {
    "text", "texts", "sentence", "review", "reviewtext", "content", "comment", "commenttext",
    "body", "tweet", "document", "message", "utterance", "phrase",
}  # fmt: skip
LABELS = {
    "label", "labels", "class", "classes", "sentiment", "category", "target", "stars", "rating",
    "polarity", "intent",
}  # fmt: skip
ASIDE = {"", "id", "index", "idx", "unnamed0", SPLIT}  # neither texts nor labels


class Columns(NamedTuple):
    """The columns of the texts (or of what else has a label) and of their labels; None: find it."""

    text: str | None
    label: str | None


FIND = Columns(None, None)


def choose(
    path: Path | str, names: Sequence[str], columns: Columns, strings: Collection[str] | None = None
) -> tuple[str, str]:
    """The columns of the texts and the labels: as named, by their usual names, or the only ones.

    Args:
        names: of all columns.
        strings: those that may hold texts; None: any.

    Raises:
        ValueError: there is no such column, or which one is meant is not clear.
    """
    for name in columns:
        if name is not None and name not in names:
            raise ValueError(f"{path} has no column {name!r}: found {', '.join(names)}")
    free = [name for name in names if _plain(name) not in ASIDE]
    label = columns.label or usual(free, LABEL, LABELS)
    candidates = [name for name in free if name != label and (strings is None or name in strings)]
    text = columns.text or usual(candidates, TEXT, TEXTS) or only(candidates)
    label = label or (only([name for name in free if name != text]) if text else None)
    if text is None or label is None or text == label:
        raise ValueError(
            f"{path} has the columns {', '.join(names) or 'none'}: which of them are the texts and "
            "their labels is not clear; name them: data.text_column=NAME data.label_column=NAME"
        )
    return text, label


def choose_text(
    path: Path | str, names: Sequence[str], column: str | None, strings: Collection[str]
) -> str:
    """The column of texts that have no label: as named, by its usual names, or the only one.

    Args:
        names: of all columns.
        strings: those that look like texts.

    Raises:
        ValueError: there is no such column, or which one is meant is not clear.
    """
    if column is not None and column not in names:
        raise ValueError(f"{path} has no column {column!r}: found {', '.join(names)}")
    free = [name for name in names if _plain(name) not in ASIDE]
    text = column or usual(free, TEXT, TEXTS) or only([name for name in free if name in strings])
    if text is None:
        raise ValueError(
            f"{path} has the columns {', '.join(names) or 'none'}: which of them is the text is "
            "not clear; name it: data.text_column=NAME"
        )
    return text


def columns_of(path: Path, texts: bool, columns: Columns) -> tuple[str, str]:
    """The columns of what the rows of a file hold, texts or files, and of their labels."""
    names = header(path)
    files = {FILE, LABEL} <= {*names}
    if texts and (any(columns) or TEXT in names or not files):
        return choose(path, names, columns)
    if not files:
        raise ValueError(f"{path} has the columns {names}: file and label are needed")
    return FILE, LABEL


def choose_features(path: Path | str, features: Any, columns: Columns) -> tuple[str, str]:
    """The same of the features of `datasets`, which say what is text and what a class."""
    classes = [name for name, feature in features.items() if type(feature).__name__ == "ClassLabel"]
    kinds = ("string", "large_string")
    strings = [name for name, feature in features.items() if getattr(feature, "dtype", "") in kinds]
    columns = columns._replace(label=columns.label or only(classes))
    return choose(path, list(features), columns, strings)


def usual(names: Sequence[str], first: str, others: Collection[str]) -> str | None:
    """The column of the first name, else the only one of another usual name."""
    return first if first in names else only([name for name in names if _plain(name) in others])


def only(names: Sequence[str]) -> str | None:
    """The one and only."""
    return names[0] if len(names) == 1 else None


def _plain(name: str) -> str:
    """A name in small letters, without what separates words: "Review Text" is reviewtext."""
    return re.sub(r"[\W_]", "", name.lower())


def in_order(classes: Collection[str]) -> list[str]:
    """Names of classes: whole numbers by their value, others as words."""
    integers = all(re.fullmatch(r"-?\d+", name) for name in classes)
    return sorted(classes, key=int) if integers else sorted(classes)


def class_numbers(names: Sequence[str], classes: list[str]) -> np.ndarray:
    """The number of each name among the classes, (N,); -1 of one that is none of them."""
    number = {name: i for i, name in enumerate(classes)}
    return np.array([number.get(name, -1) for name in names], np.int64)


def labels(
    columns: Mapping[str, Any], feature: Any, class_splits: Collection[str]
) -> tuple[list[str], dict[str, np.ndarray]]:
    """The classes of Arrow columns, and the numbers (N,) of their cells.

    Args:
        columns: of each split, the labels.
        feature: of `datasets`: what they are.
        known: the splits whose labels are classes.

    Raises:
        ValueError: a cell is empty.
    """
    if type(feature).__name__ == "ClassLabel":
        numbers = {split: cells.to_numpy().astype(np.int64) for split, cells in columns.items()}
        return list(feature.names), numbers
    names = {split: [cell_text(cell) for cell in c.to_pylist()] for split, c in columns.items()}
    for split in class_splits:
        if "" in names[split]:
            raise ValueError(f"row {names[split].index('')} of {split} has no label")
    classes = in_order({name for split in class_splits for name in names[split]})
    return classes, {split: class_numbers(names[split], classes) for split in names}
