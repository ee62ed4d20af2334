"""Pictures with one label each, in memory as bytes.

    data/pets/cat/1.jpg  data/pets/dog/7.png         one folder a class
    data/pets/{train,val,test}/cat/1.jpg             with splits of its own
    data/pets/labels.csv                             file,label[,split]
    hub layout (parquet), IDX .gz files              see sources.py

A batch is images (B, C, H, W), float, normalised, and labels (B,), int64 in [0, num_classes).
"""

import json
import shutil
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
from datamodules.sources import Rows

Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(gt=0, lt=1)]
DECIDES = ("image_size", "channels", "validation", "test", "limit", "broken")  # on the arrays
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
        name, source, hub = (self.hparams[key] for key in ("name", "source", "hub"))
        embedded = source is None and name in sources.EMBEDDED
        found = name if embedded else sources.locate(name, source, hub)
        key = sources.fingerprint(found, **{key: self.hparams[key] for key in DECIDES}, of=FORMAT)
        self.folder = sources.cached(name, key, lambda part: self._decode(found, embedded, part))

    def _decode(self, location: Path | str, embedded: bool, part: Path) -> None:
        """Write pixels, labels and facts of each split to a folder."""
        own, scratch = self.hparams, part / "scratch"
        if embedded:
            found = sources.EMBEDDED[own["name"]]()
        else:
            found = sources.open_source(location, scratch)
        found = sources.divide(found, own["validation"], own["test"], seed=0)
        chosen = {
            split: rows.take(sources.first(rows.labels, own["limit"], seed=0))
            for split, rows in found.splits.items()
        }
        shape = self._shape(chosen["train"])
        skipped: list[str] = []
        for split, rows in chosen.items():
            pixels, labels = self._pixels(rows, shape, split, skipped)
            np.save(part / f"{split}_pixels.npy", pixels)
            np.save(part / f"{split}_labels.npy", labels)
        facts = {"classes": found.classes, "embedded": embedded, "skipped": skipped}
        (part / "facts.json").write_text(json.dumps(facts))
        shutil.rmtree(scratch, ignore_errors=True)

    def _shape(self, rows: Rows) -> tuple[int, int, int]:
        """Height, width and channels: as asked for, else as the pictures have them."""
        size, channels = self.hparams["image_size"], self.hparams["channels"]
        if size is None or channels is None:
            sides, grey = _headers(rows)
            size = size or max(int(np.median(sides)), 4) if sides else 64
            channels = channels or (1 if grey else 3)
        return size, size, channels

    def _pixels(
        self, rows: Rows, shape: tuple[int, int, int], split: str, skipped: list[str]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Decode rows to (N, H, W, C), uint8, and labels; broken ones are skipped or stop it."""
        pixels = np.empty((len(rows.labels), *shape), np.uint8)
        keep = np.ones(len(rows.labels), bool)
        for i, raw in enumerate(sources.with_bar(rows.raws, f"decoding {split}")):
            try:
                pixels[i] = decode(raw, shape[0], shape[2])
            except ValueError as error:
                reason = str(error) if isinstance(raw, Path) else f"row {i} of {split}: {error}"
                if self.hparams["broken"] == "error":
                    raise ValueError(f"{reason}; data.broken=skip leaves such out") from error
                keep[i] = False
                skipped.append(reason)
        if not keep.any():
            raise ValueError(f"no picture of the {split} split can be read: {skipped[-1]}")
        return pixels[keep], rows.labels[keep]

    def setup(self, stage: str) -> None:
        """Open the arrays and say what a model must agree on."""
        if self.folder is None:
            self.prepare_data()
        assert self.folder is not None
        known = json.loads((self.folder / "facts.json").read_text())
        self.splits = {split: self._open(self.folder, split) for split in ("train", "val", "test")}
        self.chosen = sources.first(self.splits["train"][1], self.hparams["train_samples"], seed=0)
        self.input = ImageInput.fit(self.arrays("train")[0])
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
        if split != "train" or len(self.chosen) == len(labels):
            return pixels, labels
        return pixels[self.chosen], labels[self.chosen]

    def _batches(self, split: str, shuffle: bool = False) -> Batches:
        pixels, labels = self.splits[split]
        trainer = self.trainer
        return Batches(
            (torch.from_numpy(pixels), torch.from_numpy(labels)),
            self.hparams["batch_size"],
            indices=torch.from_numpy(self.chosen) if split == "train" else None,
            shuffle=shuffle,
            seed=self.hparams["seed"],
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
        """`count` samples of a split, its classes in proportion, as one normalised batch."""
        pixels, labels = self.arrays(split)
        rows = sources.first(labels, count, seed=0)
        images = self.input.scale(torch.from_numpy(pixels[rows]))
        return self.input.normalise(images), torch.from_numpy(labels[rows])


def _headers(rows: Rows) -> tuple[list[int], bool]:
    """The shorter side of each picture, at most 64, and whether all are grey."""
    sides, grey = [], True
    for raw in rows.raws:
        try:
            with open_picture(raw) as picture:
                sides.append(min(*picture.size, 64))
                grey &= picture.mode in ("1", "L", "LA") or picture.mode.startswith("I")
        except ValueError:
            continue  # decoding stops at it, or skips and counts it
    return sides, grey
