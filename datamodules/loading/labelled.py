"""Samples with labels, in memory."""

from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import rmtree
from typing import Any, ClassVar

import numpy as np
import torch
from typing_extensions import NotRequired

from datamodules.inputs.picture_file import LARGE, max_pixels
from datamodules.loading.arrays import DataArguments, Positive
from datamodules.loading.folds import Fold, Folded
from datamodules.loading.storage import Arrays
from datamodules.sources.columns import FILE, LABEL, TEXT, Columns
from datamodules.sources.files import Kind, check_names, describe_error, printable
from datamodules.sources.layouts import open_source
from datamodules.sources.rows import Rows, Source
from datamodules.sources.splits import divide, first
from datamodules.utilities.console import with_bar

LISTED = 20  # classes whose names a run prints


class LabelledArguments(DataArguments):
    """What each data set with labels takes, besides broken, whose choices differ."""

    hub: str | None  # an id there
    batch_size: Positive  # the global batch, over all devices
    file_column: NotRequired[str | None]  # of a table of files; None finds it
    label_column: NotRequired[str | None]  # of a table
    fold: NotRequired[Fold | None]  # i/n of training and validation samples is held out; or all


class Labelled(Folded):
    """Samples with one label each, in one of the layouts of layouts.py.

    A subclass takes `LabelledArguments` and broken ("error", "skip").
    """

    KIND: ClassVar[Kind]
    HINT: ClassVar[str] = "data.broken=skip leaves such out"

    source: Source | None = None  # rows of a program, in place of those that lie somewhere

    def use_rows(self, source: Source, folder: Path) -> None:
        """Take rows that a program holds; before `prepare_data`.

        Args:
            folder: takes their arrays, which the cache is not to have; there is none yet.
        """
        self.source, self.folder = source, folder

    def locate(self) -> Path | str:
        return self.hparams["name"] if self.source else super().locate()

    def build(self, location: Path | str, part: Path) -> dict[str, Any]:
        """Write each split's arrays and labels."""
        hparams, scratch = self.hparams, part / "scratch"
        source = self.source or self.read_source(location, scratch)
        check_names(source.classes)
        source = divide(source, hparams["validation"], hparams["test"], seed=0)
        splits = {
            split: rows.take(first(rows.labels, hparams["limit"], seed=0))
            for split, rows in source.splits.items()
        }
        context, skipped = self.make_context(splits["train"]), [*source.skipped]
        for split, rows in splits.items():
            arrays = self.decode(rows, split, context, skipped)
            if split == "train":
                self.check_classes(source.classes, rows, arrays["labels"], skipped)
            for name, array in arrays.items():
                np.save(part / f"{split}_{name}.npy", array)
        rmtree(scratch, ignore_errors=True)
        listed = {"skipped": skipped, "passed_over": source.passed_over, "notes": source.notes}
        return {"classes": source.classes, **listed, **self.context_metadata(context)}

    def check_classes(
        self, classes: list[str], rows: Rows, labels: np.ndarray, skipped: list[str]
    ) -> None:
        """Refuse a class of which nothing can be read.

        Args:
            rows: of the training split.
            labels: (N,), of those that can be read.
            skipped: why the others cannot.

        Raises:
            ValueError: naming it, and one of its samples.
        """
        for label in sorted({*rows.labels.tolist()} - {*labels.tolist()}):
            indices = np.flatnonzero(rows.labels == label)
            first = str(rows.raws[indices[0]])
            reason = next((one for one in skipped if first in one), skipped[-1])
            raise ValueError(
                f"none of the {len(indices)} {self.KIND.plural} of the class {classes[label]!r} in "
                f"the training split can be read: {reason}"
            )

    def read_source(self, location: Path | str, scratch: Path) -> Source:
        """The rows, not decoded yet."""
        if self.bundled:
            source: Source = self.BUNDLED[self.hparams["name"]]()
            return source
        return open_source(location, scratch, self.KIND, self.columns, self.hparams["broken"])

    @property
    def columns(self) -> Columns:
        """The columns of a table that a person named."""
        return Columns(*(self.hparams.get(f"{name}_column") for name in (TEXT, LABEL, FILE)))

    def array_arguments(self) -> dict[str, Any]:
        """The arguments that the arrays depend on; columns and a bound of pixels where named."""
        names = (f"{name}_column" for name in (LABEL, FILE))
        extra: dict[str, Any] = {n: self.hparams[n] for n in names if self.hparams.get(n)}
        if (most := max_pixels()) != LARGE:
            extra["max_pixels"] = most
        return {**{key: self.hparams.get(key) for key in self.ARRAY_ARGUMENTS}, **extra}

    def make_context(self, rows: Rows) -> Any:
        """What decoding needs to know of the training rows: a shape, a vocabulary."""
        return None

    def context_metadata(self, context: Any) -> dict[str, Any]:
        """What setup needs of it again, as JSON."""
        return {}

    def decode(self, rows: Rows, split: str, context: Any, skipped: list[str]) -> Arrays:
        """The arrays of a split, its `labels` among them; see `decode_rows`."""
        raise NotImplementedError

    def decode_rows(
        self, rows: Rows, split: str, read: Callable[[Any], Any], skipped: list[str]
    ) -> Iterator[tuple[int, Any]]:
        """Each row's number and what `read` makes of it; broken rows are skipped or stop it.

        Raises:
            FileNotFoundError: naming a file that is not there, or may not be read.
            ValueError: naming the row or file that cannot be read, or when none can.
        """
        count = 0
        for i, raw in enumerate(with_bar(rows.raws, f"decoding {split}")):
            try:
                sample = read(raw)
            except (ValueError, OSError) as error:
                reason = printable(f"{rows.place(i, split)}{describe_error(error)}")
                if self.hparams["broken"] == "error":
                    kind = FileNotFoundError if isinstance(error, OSError) else ValueError
                    raise kind(f"{reason}; {self.HINT}") from error
                skipped.append(reason)
            else:
                count += 1
                yield i, sample
        if not count:
            last = skipped[-1]
            raise ValueError(f"none of the {self.KIND.plural} of {split} can be read: {last}")

    def decode_array(
        self, rows: Rows, split: str, read: Callable[[Any], Any], shape: tuple[int, ...],
        skipped: list[str],
    ) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
        """Those rows that `read` makes an array of a shape of: (N, ...), uint8, and labels (N,)."""
        samples = np.empty((len(rows.labels), *shape), np.uint8)
        readable: list[int] = []
        for i, sample in self.decode_rows(rows, split, read, skipped):
            samples[len(readable)] = sample
            readable.append(i)
        return samples[: len(readable)], rows.labels[readable]

    def fit(self, metadata: dict[str, Any]) -> dict[str, Any]:
        self.decisions: list[str] = metadata["notes"]
        classes = self.renumber_labels(metadata["classes"])
        self.choose_rows()
        samples = {split: len(arrays["labels"]) for split, arrays in self.splits.items()}
        return {
            "num_classes": len(classes),
            "classes": classes,
            "samples": {**samples, "train": len(self.rows)},
            "skipped": metadata["skipped"],
            "passed_over": metadata["passed_over"],
        }

    @property
    def notes(self) -> list[str]:
        """The classes, with how many training samples each has; what was decided of a table."""
        if "classes" not in self.info:
            return self.decisions
        names, labels = self.info["classes"], self.splits["train"]["labels"][self.rows]
        counts = np.bincount(labels, minlength=len(names)).tolist()
        pairs = [f"{name} {count:,}" for name, count in zip(names, counts, strict=True)]
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        sizes = f"; {min(counts):,} to {max(counts):,} training samples each" if more else ""
        classes = f"classes   {len(names)}: {', '.join(pairs[:LISTED])}{more}{sizes}"
        return [classes, *self.decisions]

    def shrink_batch(self, world_size: int) -> str | None:
        """Make the global batch no larger than the training split, and say so in a line."""
        size, count = self.hparams["batch_size"], self.info["samples"]["train"]
        if count >= size or (smaller := count - count % world_size) == 0:
            return None
        self.hparams["batch_size"] = smaller
        return f"{smaller}: data.batch_size is {size}, the training samples are {count}"

    def renumber_labels(self, classes: list[str]) -> list[str]:
        """The names of the classes; where a model has its own, labels follow their order.

        Raises:
            ValueError: the data have a class that the model does not know.
        """
        model_classes = self.model_classes
        if model_classes is None or model_classes == classes:
            return classes
        if unknown := [name for name in classes if name not in model_classes]:
            raise ValueError(
                f"{self.hparams['name']} has the class {unknown[0]!r}, which the model does not "
                f"know: it knows {', '.join(model_classes)}"
            )
        places = np.array([model_classes.index(name) for name in classes], np.int64)
        for arrays in self.splits.values():
            arrays["labels"] = places[arrays["labels"]]
        return model_classes

    def arrays(self, split: str) -> tuple[Any, np.ndarray]:
        """The samples of a split that are used, and labels (N,), for what is no neural network.

        Samples are as in the cache: pixels (N, H, W, C) or (N, T, H, W, C), or mu-law ids (N, T),
        uint8; texts (N,) have all their words.
        """
        samples, labels = (self.splits[split][name] for name in self.ARRAYS)
        if split != "train" or len(self.rows) == len(labels):
            return samples, labels
        return samples[self.rows], labels[self.rows]

    def samples(self, split: str, count: int) -> Any:
        """`count` samples of a split, its classes in proportion, as one batch."""
        indices, labels = self.row_indices(split), self.splits[split]["labels"]
        candidates = np.arange(len(labels)) if indices is None else indices.numpy()
        rows = torch.from_numpy(candidates[first(labels[candidates], count, seed=0)])
        return self.batch(tuple(t.index_select(0, rows) for t in self.tensors(split)), None)
