"""Samples with labels, in memory."""

from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import rmtree
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from typing_extensions import NotRequired

from datamodules.inputs.picture_file import LARGE, max_pixels
from datamodules.loading.arrays import Arrays, DataArguments, InMemory, Positive
from datamodules.sources.columns import FILE, LABEL, TEXT, Columns
from datamodules.sources.layouts import Kind, open_source
from datamodules.sources.rows import Rows, Source
from datamodules.sources.splits import divide, first
from datamodules.utilities.console import with_bar


class LabelledArguments(DataArguments):
    """What each data set with labels takes, besides broken, whose choices differ."""

    hub: str | None  # an id there
    batch_size: Positive  # the global batch, over all devices
    file_column: NotRequired[str | None]  # of a table of files; None finds it
    label_column: NotRequired[str | None]  # of a table


class Labelled(InMemory):
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
        source = divide(source, hparams["validation"], hparams["test"], seed=0)
        splits = {
            split: rows.take(first(rows.labels, hparams["limit"], seed=0))
            for split, rows in source.splits.items()
        }
        context, skipped = self.make_context(splits["train"]), [*source.skipped]
        for split, rows in splits.items():
            for name, array in self.decode(rows, split, context, skipped).items():
                np.save(part / f"{split}_{name}.npy", array)
        rmtree(scratch, ignore_errors=True)
        lists = {"classes": source.classes, "skipped": skipped, "notes": source.notes}
        return {**lists, **self.context_metadata(context)}

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

    @property
    def notes(self) -> list[str]:
        """What was decided when a table was read."""
        return self.decisions

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
            ValueError: naming the row or file that cannot be read, or when none can.
        """
        count = 0
        for i, raw in enumerate(with_bar(rows.raws, f"decoding {split}")):
            try:
                sample = read(raw)
            except ValueError as error:
                reason = f"{rows.place(i, split)}{error}"
                if self.hparams["broken"] == "error":
                    raise ValueError(f"{reason}; {self.HINT}") from error
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
        self.decisions: list[str] = metadata.get("notes", [])
        classes = self.renumber_labels(metadata["classes"])
        train = self.splits["train"]["labels"]
        self.rows = first(train, self.hparams["train_samples"], seed=0)
        samples = {split: len(arrays["labels"]) for split, arrays in self.splits.items()}
        return {
            "num_classes": len(classes),
            "classes": classes,
            "samples": {**samples, "train": len(self.rows)},
            "skipped": metadata["skipped"],
        }

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

    def row_indices(self, split: str) -> Tensor | None:
        return torch.from_numpy(self.rows) if split == "train" else None

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
