"""Rows that are not decoded yet, and the splits that they make."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

NAMES = {"train": "train training", "val": "val valid validation dev", "test": "test testing t10k"}
SPLITS = {name: split for split, names in NAMES.items() for name in names.split()}


@dataclass(frozen=True)
class Rows:
    """One split: `raws[i]` is bytes, a path, a text or an array, `labels[i]` counts the classes."""

    raws: Sequence[Any] | np.ndarray
    labels: np.ndarray
    numbers: np.ndarray | None = None  # of their lines in a table
    where: str = ""  # names a line in messages

    def take(self, indices: np.ndarray) -> "Rows":
        """These rows only; nothing is read."""
        numbers = None if self.numbers is None else self.numbers[indices]
        return Rows([self.raws[i] for i in indices], self.labels[indices], numbers, self.where)

    def place(self, i: int, split: str) -> str:
        """Where a row stands, for messages."""
        if isinstance(self.raws[i], Path):
            return ""  # which its own message names
        row = f"row {i} of {split}"
        return f"{row if self.numbers is None else self.where.format(self.numbers[i])}: "


@dataclass(frozen=True)
class Source:
    """A data set that is not decoded yet: its splits and the names of its classes."""

    splits: dict[str, Rows]
    classes: list[str]
    skipped: list[str] = field(default_factory=list)  # rows that are left out, and why
    notes: list[str] = field(default_factory=list)  # what was decided, for a run to print
    passed_over: list[str] = field(default_factory=list)  # what is no sample, counted


def refuse(problems: list[str], broken: str, kind: type[Exception] = ValueError) -> None:
    """Stop at rows that cannot be read, unless they are to be left out.

    Args:
        problems: why each of them cannot.
        broken: "skip" leaves them out.
        kind: of error, which names the first one and how many there are.
    """
    if problems and broken != "skip":
        more = f" (and {len(problems) - 1:,} more rows)" if len(problems) > 1 else ""
        raise kind(f"{problems[0]}{more}; data.broken=skip leaves such rows out")
