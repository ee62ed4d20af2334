"""What all data sets share: arrays prepared once in the cache, opened by setup, served as gathers.

A data set says how its arrays are made (`build`), which of them a batch takes (`ARRAYS`), what a
model must agree on (`fit`), and how a gathered batch becomes what a model takes (`batch`).
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor
from typing_extensions import TypedDict

from datamodules.loading.batches import Batch, Batches
from datamodules.sources.layouts import NAMES
from datamodules.sources.locate import fingerprint, locate
from datamodules.utilities import cache
from datamodules.utilities.draws import Key

Arrays = dict[str, np.ndarray]


class About(TypedDict, total=False):
    """What a card says of a data set: a part of its config."""

    licence: str
    part_of: str  # the data set from whose training split it is taken
    copy: str  # what was done to it since it was published
    one_way_up: str  # what a flip makes of a sample, where that is something else
    limits: str  # what a model that saw nothing else does not know


class InMemory(LightningDataModule):
    """A data set whose splits are arrays.

    A subclass has the arguments name, source, hub, about, batch_size, train_samples, limit and seed
    among its own, and saves them as hyperparameters.
    """

    BUNDLED: ClassVar[Mapping[str, Callable[[], Any]]] = {}  # by name: what needs no download
    ARRAYS: ClassVar[tuple[str, ...]] = ()  # what a batch gathers from, in this order
    DECIDES: ClassVar[tuple[str, ...]] = ()  # the arguments that the arrays depend on
    INPUT: ClassVar[type]  # what makes its batches of raw data
    FORMAT: ClassVar[int] = 1  # of the arrays; a change makes them anew

    folder: Path | None = None
    key: Key | None = None  # of the batch that the model is working on
    given: Any = None  # an input that came with a model, and is taken instead of fitting one
    given_classes: list[str] | None = None
    splits: dict[str, Arrays]
    info: dict[str, Any]
    input: Any

    @property
    def bundled(self) -> bool:
        """Whether the data come with the package or are generated."""
        return self.hparams["source"] is None and self.hparams["name"] in self.BUNDLED

    @property
    def notes(self) -> list[str]:
        """Lines that a run prints of the data, after how many there are."""
        return []

    def origin(self) -> str:
        """What bundled data depend on besides their name."""
        return str(self.hparams["name"])

    def use_input(
        self, given: Any, info: Mapping[str, Any], classes: list[str] | None = None
    ) -> None:
        """Take a model's input, and its classes, instead of fitting one; before `prepare_data`.

        Args:
            given: the input that came with the model.
            info: of the data that the model saw.
            classes: names in the model's order; None leaves these data their own.

        Raises:
            ValueError: the model takes another kind of data.
        """
        if not isinstance(given, self.INPUT):
            raise ValueError(
                f"the model takes what {type(given).__name__} reads, and {self.hparams['name']} "
                f"gives what {self.INPUT.__name__} reads: choose other data"
            )
        told = {**info, **vars(given)}
        sizes = told.keys() & self.hparams.keys() - {"about"}
        self.hparams.update({name: told[name] for name in sizes})
        self.given, self.given_classes, self.folder = given, classes, None

    def decides(self) -> dict[str, Any]:
        """What the arrays depend on, besides what is found."""
        return {key: self.hparams[key] for key in self.DECIDES}

    def prepare_data(self) -> None:
        """Find and decode the data, once; later calls and processes find the arrays."""
        own, bundled = self.hparams, self.bundled
        found: Path | str = self.origin()
        if not bundled:
            found = locate(own["name"], own["source"], own["hub"])
        key = fingerprint(found, **self.decides(), of=self.FORMAT)

        def build(part: Path) -> None:
            info = self.build(found, part)
            (part / "facts.json").write_text(json.dumps({**info, "bundled": bundled}))

        self.folder = cache.cached(own["name"], key, build)

    def build(self, location: Path | str, part: Path) -> dict[str, Any]:
        """Write `<split>_<array>.npy` files to a folder; return the info that setup needs again.

        Args:
            location: what was found; of bundled data their origin.
        """
        raise NotImplementedError

    def setup(self, stage: str) -> None:
        """Open the arrays and say what a model must agree on."""
        if self.folder is None:
            self.prepare_data()
        assert self.folder is not None
        known = json.loads((self.folder / "facts.json").read_text())
        self.splits = {name: opened(self.folder, name) for name in NAMES}
        about = self.hparams["about"]
        told = {"bundled": known["bundled"], "digest": self.folder.name, "about": about}
        self.info = {**told, **self.fit(known)}
        self.info["input"] = self.input.config()

    def fit(self, known: dict[str, Any]) -> dict[str, Any]:
        """Make `self.input` from the training split, and the info, `samples` in it."""
        raise NotImplementedError

    def tensors(self, split: str) -> tuple[Tensor, ...]:
        """What a batch gathers from, each (N, ...)."""
        return tuple(torch.from_numpy(self.splits[split][name]) for name in self.ARRAYS)

    def chosen(self, split: str) -> Tensor | None:
        """The rows of a split that are used; None for all."""
        return None

    def lengths(self, split: str) -> Tensor | None:
        """Of the rows, by which they share batches; None: at random."""
        return None

    def batch(self, tensors: tuple[Tensor, ...], key: Key | None) -> Any:
        """Turn gathered tensors into a model's batch, on their device.

        Args:
            key: while training; random draws are a function of it.
        """
        raise NotImplementedError

    def whole(self, split: str, count: int) -> Any:
        """`count` samples of a split as one batch."""
        return self.batch(tuple(t[:count] for t in self.tensors(split)), None)

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Scale, augment (while training) and normalise the whole batch, on its device."""
        if not isinstance(batch, Batch):
            return batch
        self.key, trainer = batch.key, self.trainer
        if trainer is None:
            return self.batch(batch.tensors, None)
        made = self.batch(batch.tensors, batch.key if trainer.training else None)
        return trainer.precision_plugin.convert_input(made)

    def train_dataloader(self) -> Batches:
        return self.batches("train", shuffle=True)

    def val_dataloader(self) -> Batches:
        return self.batches("val")

    def test_dataloader(self) -> Batches:
        return self.batches("test")

    def batches(self, split: str, shuffle: bool = False) -> Batches:
        """The loader of a split: this rank's share of it."""
        trainer = self.trainer
        return Batches(
            self.tensors(split),
            self.hparams["batch_size"],
            indices=self.chosen(split),
            shuffle=shuffle,
            lengths=self.lengths(split),
            seed=self.hparams["seed"],
            rank=trainer.global_rank if trainer else 0,
            world_size=trainer.world_size if trainer else 1,
        )


def opened(folder: Path, split: str) -> Arrays:
    """The arrays of a split, mapped from disk; writing to them does not reach it."""
    files = sorted(folder.glob(f"{split}_*.npy"))
    return {f.stem.removeprefix(f"{split}_"): np.load(f, mmap_mode="c") for f in files}
