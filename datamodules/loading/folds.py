"""Folds: training and validation samples as one pool, of which one part in n is held out.

Shapes: N samples of a split, S values of all of them where each has a length of its own.
"""

import re
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError
from torch import Tensor

from datamodules.inputs.text import spans
from datamodules.loading.arrays import InMemory
from datamodules.loading.storage import Arrays
from datamodules.sources.splits import first

ALL = "all"


def check_fold(text: str) -> str:
    """Refuse what is no fold."""
    match = re.fullmatch(r"(\d+)/(\d+)", text, re.ASCII)
    if text != ALL and not (match and int(match[1]) < int(match[2]) > 1):
        raise PydanticCustomError(
            "fold", f"it should be i/n with i from 0 to n - 1 and n at least 2, or {ALL}"
        )
    return text


Fold = Annotated[str, AfterValidator(check_fold)]


def held_out(labels: np.ndarray, fold: str, seed: int) -> np.ndarray:
    """The samples (M,) of a pool that are in a fold.

    The samples of each class, shuffled, are dealt out one after the other: the folds are of one
    size but for a sample, and so are their parts of each class. A class of one sample is in none.

    Args:
        labels: of the pool (N,).
        fold: i/n.

    Raises:
        ValueError: there are fewer such samples than folds.
    """
    number, count = map(int, fold.split("/"))
    several = np.flatnonzero((np.bincount(labels) > 1)[labels])
    if len(several) < count:
        raise ValueError(
            f"data.fold is {fold}: of the training and validation samples only {len(several)} are "
            "of a class that has two; take fewer folds"
        )
    shuffled = np.random.default_rng(seed).permutation(several)
    return np.sort(shuffled[np.argsort(labels[shuffled], kind="stable")][number::count])


def take(arrays: Arrays, rows: np.ndarray, ragged: str | None) -> Arrays:
    """Some samples of a split.

    Args:
        arrays: each (N, ...).
        ragged: the name of the array that is (S, ...); `ends` or `lengths` (N,) beside it.
    """
    part = {name: array[rows] for name, array in arrays.items() if name != ragged}
    if ragged is None:
        return part
    sizes = arrays["lengths"] if "lengths" in arrays else np.diff(arrays["ends"], prepend=0)
    starts = np.cumsum(sizes) - sizes
    if "ends" in part:
        part["ends"] = np.cumsum(sizes[rows])
    return {**part, ragged: arrays[ragged][spans(starts[rows], sizes[rows])]}


def join(one: Arrays, other: Arrays) -> Arrays:
    """The samples of one split, then those of another."""
    joined = {name: np.concatenate([array, other[name]]) for name, array in one.items()}
    if "ends" in joined:
        joined["ends"][len(one["ends"]) :] += one["ends"][-1] if len(one["ends"]) else 0
    return joined


class Folded(InMemory):
    """A data set of which `data.train_samples` and `data.fold` say what is learned from.

    Attributes:
        rows: the training samples that are used, in the arrays of `splits` (M,).
        pool: the places of the training and of the validation samples in use among both, which are
            numbered as they are without a fold, training samples first.
    """

    rows: np.ndarray
    pool: dict[str, np.ndarray]

    @property
    def ragged(self) -> str | None:
        """The array whose samples have lengths of their own, if there is one."""
        return None

    @property
    def is_subset(self) -> bool:
        """Whether `data.train_samples` says which samples there are; no others are in the pool."""
        return self.hparams["train_samples"] is not None

    def choose_rows(self) -> None:
        """Take a subset of the training samples, and then the fold."""
        train, val = (self.splits[name] for name in ("train", "val"))
        self.rows = first(train["labels"], self.hparams["train_samples"], seed=0)
        places, count = np.arange(len(self.rows) + len(val["labels"])), len(self.rows)
        self.pool = {"train": places[:count], "val": places[count:]}
        if not (fold := self.hparams.get("fold")):
            return
        both = take(train, self.rows, self.ragged)
        if not self.is_subset:
            both = join(both, val)
        if fold == ALL:  # the validation samples stay known as such
            self.pool["train"] = np.arange(len(both["labels"]))
        else:
            out = held_out(both["labels"], fold, seed=0)
            self.pool = {"train": np.setdiff1d(np.arange(len(both["labels"])), out), "val": out}
            self.splits["val"] = take(both, out, self.ragged)
        self.splits["train"] = take(both, self.pool["train"], self.ragged)
        self.rows = np.arange(len(self.pool["train"]))

    def row_indices(self, split: str) -> Tensor | None:
        return torch.from_numpy(self.rows) if split == "train" else None

    def val_dataloader(self) -> Any:
        """As ever.

        Raises:
            ValueError: a run would validate on what it learns from.
        """
        if self.hparams.get("fold") == ALL and self.trainer is not None and not self.is_subset:
            raise ValueError(
                "data.fold=all learns from the validation samples, too: add "
                "trainer.limit_val_batches=0 early_stopping=null"
            )
        return super().val_dataloader()
