"""Pictures with one label each, in memory as bytes.

    data/pets/cat/1.jpg  data/pets/dog/7.png         one folder a class
    data/pets/{train,val,test}/cat/1.jpg             with splits of its own
    data/pets/labels.csv                             file,label[,split]
    hub layout (parquet), IDX .gz files              see sources.py

A batch is images (B, C, H, W), float, normalised, and labels (B,), int64 in [0, num_classes).
"""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from pydantic import Field
from pytorch_lightning import LightningDataModule
from torch import Tensor

from datamodules import sources
from datamodules.augment import Augment, Options
from datamodules.batches import Batch, Batches
from datamodules.inputs import ImageInput, decode, open_picture
from datamodules.sources import Rows, Source

Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(gt=0, lt=1)]
FORMAT = 1  # of the cached arrays; a change makes them anew


class Images(LightningDataModule):
    """One image classification data set.

    Args:
        name: what it is called: its folder in $ZOO_DATA and in the cache.
        source: a folder or csv of the user's; None looks by name.
        hub: id on the hub, or None.
        image_size: side in pixels; None takes the pictures' own, at most 64.
        channels: 1 or 3; None takes 1 if all pictures are grey.
        validation, test: shares that become splits where the data set has none of its own.
        batch_size: the global batch, over all devices.
        train_samples: train on so many only: stratified, seeded, nested.
        limit: take at most so many of each split, before decoding.
        broken: what to do about a picture that cannot be read: stop, or skip and count it.
        augment: options of `datamodules.augment.Options`, on training batches.
        seed: of order and augmentation; the splits have a seed of their own.
    """

    def __init__(
        self,
        *,
        name: str,
        source: str | None,
        hub: str | None,
        image_size: Annotated[int, Field(ge=4, le=1024)] | None,
        channels: Literal[1, 3] | None,
        validation: Share,
        test: Share,
        batch_size: Positive,
        train_samples: Positive | None,
        limit: Positive | None,
        broken: Literal["error", "skip"],
        augment: Options,
        seed: Annotated[int, Field(ge=0)],
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        self.augment = Augment(augment)
        self.folder: Path | None = None

    def prepare_data(self) -> None:
        """Find and decode the pictures, once; later calls and processes find the arrays."""
        own = self.hparams
        embedded = own.source is None and own.name in sources.EMBEDDED
        location = own.name if embedded else sources.locate(own.name, own.source, own.hub)
        keys = ("image_size", "channels", "validation", "test", "limit", "broken")
        made = {key: own[key] for key in keys}
        key = sources.fingerprint(location, format=FORMAT, **made)
        self.folder = sources.cached(own.name, key, lambda part: self._decode(location, embedded, part))

    def _decode(self, location: Path | str, embedded: bool, part: Path) -> None:
        """Write pixels, labels and facts of each split to a folder."""
        scratch = part / "scratch"
        found = sources.EMBEDDED[str(location)]() if embedded else sources.open_source(location, scratch)
        found = sources.divide(found, self.hparams.validation, self.hparams.test, seed=0)
        chosen = {k: r.take(sources.first(r.labels, self.hparams.limit, seed=0)) for k, r in found.splits.items()}
        size, channels = self._shape(chosen["train"])
        skipped: list[str] = []
        for split, rows in chosen.items():
            pixels, labels = self._pixels(rows, size, channels, f"decoding {split}", skipped)
            np.save(part / f"{split}_pixels.npy", pixels)
            np.save(part / f"{split}_labels.npy", labels)
        facts = {"classes": found.classes, "embedded": embedded, "skipped": skipped}
        (part / "facts.json").write_text(json.dumps(facts))
        shutil.rmtree(scratch, ignore_errors=True)

    def _shape(self, rows: Rows) -> tuple[int, int]:
        """Size and channels: as asked for, else as the pictures have them (from their headers)."""
        size, channels = self.hparams.image_size, self.hparams.channels
        if size and channels:
            return size, channels
        seen: Counter[str] = Counter()
        sides = []
        for raw in rows.raws:
            try:
                picture = open_picture(raw)
            except ValueError:
                continue  # decoding stops at it, or skips and counts it
            seen["grey" if picture.mode in ("1", "L", "LA") or picture.mode[0] == "I" else "colour"] += 1
            sides.append(min(picture.size))
        found = min(int(np.median(sides)), 64) if sides else 64
        return size or max(found, 4), channels or (3 if seen["colour"] else 1)

    def _pixels(
        self, rows: Rows, size: int, channels: int, description: str, skipped: list[str]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Decode rows to (N, H, W, C), uint8, and their labels; broken ones stop it or are skipped."""
        pixels = np.empty((len(rows.labels), size, size, channels), np.uint8)
        keep = np.ones(len(rows.labels), bool)
        for i, raw in enumerate(sources.batches_of(rows.raws, description)):
            try:
                pixels[i] = decode(raw, size, channels)
            except ValueError as error:
                if self.hparams.broken == "error":
                    raise ValueError(f"{error}; data.broken=skip leaves such pictures out") from error
                keep[i] = False
                skipped.append(str(error))
        return pixels[keep], rows.labels[keep]

    def setup(self, stage: str) -> None:
        """Open the arrays and say what a model must agree on."""
        if self.folder is None:
            self.prepare_data()
        assert self.folder is not None
        known = json.loads((self.folder / "facts.json").read_text())
        self.splits = {split: self._open(self.folder, split) for split in ("train", "val", "test")}
        pixels, labels = self.splits["train"]
        self.chosen = sources.first(labels, self.hparams.train_samples, seed=0)
        self.input = ImageInput.fit(pixels[self.chosen] if len(self.chosen) < len(labels) else pixels)
        samples = {split: len(labels) for split, (_, labels) in self.splits.items()}
        self.facts: dict[str, Any] = {
            "num_classes": len(known["classes"]),
            "classes": known["classes"],
            "channels": self.input.channels,
            "image_size": self.input.image_size,
            "samples": {**samples, "train": len(self.chosen)},
            "embedded": known["embedded"],
            "skipped": known["skipped"],
            "digest": self.folder.name,
            "input": self.input.config(),
        }

    def _open(self, folder: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
        pixels = np.load(folder / f"{split}_pixels.npy", mmap_mode="c")
        return pixels, np.load(folder / f"{split}_labels.npy")

    def arrays(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Pixels (N, H, W, C), uint8, and labels (N,) of a split, for what is no neural network."""
        pixels, labels = self.splits[split]
        return (pixels[self.chosen], labels[self.chosen]) if split == "train" else (pixels, labels)

    def _batches(self, split: str, shuffle: bool = False) -> Batches:
        pixels, labels = self.splits[split]
        trainer = self.trainer
        return Batches(
            (torch.from_numpy(pixels), torch.from_numpy(labels)),
            self.hparams.batch_size,
            indices=torch.from_numpy(self.chosen) if split == "train" else None,
            shuffle=shuffle,
            seed=self.hparams.seed,
            rank=trainer.global_rank if trainer else 0,
            world_size=trainer.world_size if trainer else 1,
        )

    def train_dataloader(self) -> Batches:
        return self._batches("train", shuffle=True)

    def val_dataloader(self) -> Batches:
        return self._batches("val")

    def test_dataloader(self) -> Batches:
        return self._batches("test")

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Scale, augment (while training) and normalise the whole batch, on its device."""
        if not isinstance(batch, Batch):
            return batch
        pixels, labels = batch.tensors
        images = self.input.scale(pixels)
        if self.trainer is not None and self.trainer.training:
            images = self.augment(images, batch.key)
        return self.input.normalise(images), labels

    def whole(self, split: str, count: int) -> tuple[Tensor, Tensor]:
        """The first `count` samples of a split as one normalised batch."""
        pixels, labels = self.splits[split]
        images = self.input.scale(torch.from_numpy(pixels[:count]))
        return self.input.normalise(images), torch.from_numpy(labels[:count])
