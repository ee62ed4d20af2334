"""The cells of a label column as classes: what is missing, spellings of one class, no classes."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

MISSING = {  # what pandas reads as a missing value
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
}  # fmt: skip
WHOLE = re.compile(r"\+?(-?\d+)(\.0*)?")
NUMBER = re.compile(r"[-+]?(\d+[.,]?\d*|[.,]\d+)([eE][-+]?\d+)?")
FEW = 10  # classes: so few may have a row each
MOST_NUMBERS = 20  # classes that are real numbers, such as stars in steps of a half


def label_of(cell: Any) -> str:
    """A cell as the name of a class.

    Raises:
        ValueError: there is none, or it is no word and no number; what stands behind "row 3 ...".
    """
    if isinstance(cell, (list, tuple, dict, set)):
        raise ValueError(
            f"has the label {cell!r}: one word or number is wanted, several are not read"
        )
    name = "" if cell is None else str(cell).strip()
    if name in MISSING:
        hint = f" ({name}); a class that is called so needs another name" if name else ""
        raise ValueError(f"has no label{hint}")
    if not name.isprintable() and any("\udc80" <= char <= "\udcff" for char in name):
        raise ValueError(f"has the label {name!r}, which is not UTF-8: save the table as UTF-8")
    return name


def unify(names: Sequence[str]) -> list[str]:
    """Names of classes in one spelling: 1.0 is 1 where all are whole numbers, TRUE is True."""
    distinct = {*names}
    integers = {name: match[1] for name in distinct if (match := WHOLE.fullmatch(name))}
    logical = {name: name.capitalize() for name in distinct if name.lower() in ("true", "false")}
    spelling = next((one for one in (integers, logical) if len(one) == len(distinct)), {})
    return [spelling.get(name, name) for name in names]


def check_classes(distinct: Sequence[str], rows: int, where: str) -> None:
    """Refuse labels that are no classes.

    Args:
        distinct: names of classes.
        rows: that have them.
        where: the column, in messages.

    Raises:
        ValueError: nearly each row has a class of its own, or they are measured numbers.
    """
    numbers = [name for name in distinct if NUMBER.fullmatch(name)]
    real = len(numbers) == len(distinct) and not all(map(WHOLE.fullmatch, distinct))
    alone = len(distinct) > max(FEW, rows / 2)
    if not alone and not (real and len(distinct) > MOST_NUMBERS):
        return
    what = "real numbers" if real else "nearly all different"
    way = "a few classes are wanted, of many rows each: name their column, data.label_column=NAME"
    if len(numbers) == len(distinct):
        way = "numbers are not predicted from a table: put them into classes, such as low and high"
    raise ValueError(
        f"{where}: the labels are {what}, {len(distinct):,} in {rows:,} rows, such as "
        f"{distinct[0][:60]!r}: {way}"
    )


def balanced_weights(labels: np.ndarray, classes: int) -> list[float]:
    """The weights n / (K n_k) of K classes, whose mean over all samples is 1.

    Args:
        labels: (N,); a class that is not among them has the weight 1.
        classes: how many there are.
    """
    counts = np.bincount(labels, minlength=classes)
    present = counts > 0
    weights = np.ones(classes)
    weights[present] = len(labels) / (present.sum() * counts[present])
    return [float(weight) for weight in weights]
