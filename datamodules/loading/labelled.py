"""Samples with labels, in memory."""

from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import rmtree
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from datamodules.loading.arrays import Arrays, InMemory
from datamodules.sources.layouts import Kind, open_source
from datamodules.sources.rows import Rows, Source
from datamodules.sources.splits import divide, first
from datamodules.utilities.console import with_bar


class Labelled(InMemory):
    """Samples with one label each, in one of the layouts of layouts.py.

    A subclass has also the arguments validation, test (shares) and broken ("error", "skip").
    """

    KIND: ClassVar[Kind]
    MEND: ClassVar[str] = "data.broken=skip leaves such out"

    def build(self, location: Path | str, part: Path) -> dict[str, Any]:
        """Write each split's arrays and labels."""
        own, scratch = self.hparams, part / "scratch"
        found = self.found(location, scratch)
        found = divide(found, own["validation"], own["test"], seed=0)
        chosen = {
            split: rows.take(first(rows.labels, own["limit"], seed=0))
            for split, rows in found.splits.items()
        }
        shared, skipped = self.shared(chosen["train"]), []  # type: tuple[Any, list[str]]
        for split, rows in chosen.items():
            for name, array in self.decode(rows, split, shared, skipped).items():
                np.save(part / f"{split}_{name}.npy", array)
        rmtree(scratch, ignore_errors=True)
        return {"classes": found.classes, "skipped": skipped, **self.remembered(shared)}

    def found(self, location: Path | str, scratch: Path) -> Source:
        """The rows, not decoded yet."""
        if self.bundled:
            source: Source = self.BUNDLED[self.hparams["name"]]()
            return source
        return open_source(location, scratch, self.KIND)

    def shared(self, rows: Rows) -> Any:
        """What decoding needs to know of the training rows: a shape, a vocabulary."""
        return None

    def remembered(self, shared: Any) -> dict[str, Any]:
        """What of it setup needs again, as JSON."""
        return {}

    def decode(self, rows: Rows, split: str, shared: Any, skipped: list[str]) -> Arrays:
        """The arrays of a split, its `labels` among them; see `readable`."""
        raise NotImplementedError

    def readable(
        self, rows: Rows, split: str, read: Callable[[Any], Any], skipped: list[str]
    ) -> Iterator[tuple[int, Any]]:
        """Each row's number and what `read` makes of it; broken rows are skipped or stop it.

        Raises:
            ValueError: naming the row or file that cannot be read, or when none can.
        """
        kept = 0
        for i, raw in enumerate(with_bar(rows.raws, f"decoding {split}")):
            try:
                done = read(raw)
            except ValueError as error:
                reason = f"{rows.place(i, split)}{error}"
                if self.hparams["broken"] == "error":
                    raise ValueError(f"{reason}; {self.MEND}") from error
                skipped.append(reason)
            else:
                kept += 1
                yield i, done
        if not kept:
            last = skipped[-1]
            raise ValueError(f"none of the {self.KIND.plural} of {split} can be read: {last}")

    def fit(self, known: dict[str, Any]) -> dict[str, Any]:
        classes = self.renumbered(known["classes"])
        train = self.splits["train"]["labels"]
        self.rows = first(train, self.hparams["train_samples"], seed=0)
        samples = {split: len(arrays["labels"]) for split, arrays in self.splits.items()}
        return {
            "num_classes": len(classes),
            "classes": classes,
            "samples": {**samples, "train": len(self.rows)},
            "skipped": known["skipped"],
        }

    def renumbered(self, classes: list[str]) -> list[str]:
        """The names of the classes; where a model has given its own, labels follow their order.

        Raises:
            ValueError: the data have a class that the model does not know.
        """
        wanted = self.given_classes
        if wanted is None or wanted == classes:
            return classes
        if strange := [name for name in classes if name not in wanted]:
            raise ValueError(
                f"{self.hparams['name']} has the class {strange[0]!r}, which the model does not "
                f"know: it knows {', '.join(wanted)}"
            )
        places = np.array([wanted.index(name) for name in classes], np.int64)
        for arrays in self.splits.values():
            arrays["labels"] = places[arrays["labels"]]
        return wanted

    def chosen(self, split: str) -> Tensor | None:
        return torch.from_numpy(self.rows) if split == "train" else None

    def whole(self, split: str, count: int) -> Any:
        """`count` samples of a split, its classes in proportion, as one batch."""
        chosen, labels = self.chosen(split), self.splits[split]["labels"]
        used = np.arange(len(labels)) if chosen is None else chosen.numpy()
        rows = torch.from_numpy(used[first(labels[used], count, seed=0)])
        return self.batch(tuple(t.index_select(0, rows) for t in self.tensors(split)), None)
