"""What a datamodule hands to Lightning's loops, and to loops of one's own.

In a Trainer a loader gives gathered rows as they are in memory, and `on_after_batch_transfer` makes
a model's batch of them on its device; outside of one it gives that batch.
"""

from typing import Any

import torch
from pytorch_lightning import LightningDataModule
from pytorch_lightning.trainer.states import TrainerStatus
from torch import Tensor

from datamodules.loading.batches import Batch, Batches, ModelBatches
from datamodules.utilities.draws import Key

SIZES = {"num_classes", "vocabulary_size"}  # of a model that data may not exceed


class Loaders(LightningDataModule):
    """The loaders of the three splits, in and outside of a Trainer."""

    key: Key | None = None  # of the batch that the model is working on
    model_input: Any = None  # that came with a model: nothing is fitted then
    input: Any
    info: dict[str, Any]

    @property
    def zoo_model(self) -> Any:
        """The model of the Trainer that works on these data, where it is one of the zoo's."""
        model = getattr(self.trainer, "lightning_module", None)
        return model if hasattr(type(model), "head_prefixes") else None

    def tensors(self, split: str) -> tuple[Tensor, ...]:
        """What a batch gathers from, each (N, ...)."""
        raise NotImplementedError

    def row_indices(self, split: str) -> Tensor | None:
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

    def use_input(self, model_input: Any, info: Any, classes: list[str] | None = None) -> None:
        """Take a model's input instead of fitting one."""
        raise NotImplementedError

    def follow_model(self) -> None:
        """In a Trainer read the data as its model does, where that knows others than these.

        Raises:
            ValueError: the model takes another kind of data.
        """
        model, own = self.zoo_model, getattr(self, "input", self.model_input)
        if model is None or model.input is None:
            return
        classes = model.classes if "num_classes" in model.hparams else None
        own_classes = getattr(self, "info", {}).get("classes")
        if not is_same(model.input, own) or classes not in (None, own_classes):
            self.use_input(model.input, (model.card or {}).get("info", {}), classes)

    def equip_model(self) -> None:
        """In a Trainer give a model that has no input yet that of these data, and the classes.

        Raises:
            ValueError: the data have more classes or words than it was made for.
        """
        if (model := self.zoo_model) is None:
            return
        for name in SIZES & model.hparams.keys() & self.info.keys():
            if self.info[name] > model.hparams[name]:
                raise ValueError(
                    f"the data have {name}={self.info[name]}, the model {model.hparams[name]}: "
                    f"make it with zoo.create_model(NAME, {name}={self.info[name]})"
                )
        if model.input is None:
            model.input, model.classes = self.input, self.info.get("classes")
        if "loss_weights" in self.info:
            model.loss_weights = torch.tensor(self.info["loss_weights"], device=model.device)

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Scale, augment (while training) and normalise the whole batch, on its device."""
        if not isinstance(batch, Batch):  # of a loader of the user's
            self.key = None
            return batch
        self.key, trainer = batch.key, self.trainer
        if trainer is None:
            return self.batch(batch.tensors, None)
        key = batch.key if trainer.training else None
        return trainer.precision_plugin.convert_input(self.batch(batch.tensors, key))

    def train_dataloader(self) -> Batches | ModelBatches:
        return self.loader("train", shuffle=True)

    def val_dataloader(self) -> Batches | ModelBatches:
        return self.loader("val")

    def test_dataloader(self) -> Batches | ModelBatches:
        return self.loader("test")

    def predict_dataloader(self) -> Batches | ModelBatches:
        """The test split."""
        return self.loader("test")

    def loader(self, split: str, shuffle: bool = False) -> Batches | ModelBatches:
        """Batches of a split, as a model takes them; in a Trainer they become so on its device.

        Raises:
            ValueError: the data are not set up.
        """
        if not hasattr(self, "splits"):
            raise ValueError(f"{self.hparams['name']} is not set up: call setup() first")
        trainer: Any = self.trainer
        batches = self.batches(split, shuffle)
        if trainer is not None and trainer.state.status == TrainerStatus.RUNNING:
            batches.repeats = trainer.overfit_batches > 0
            return batches
        augments = split == "train"
        return ModelBatches(batches, lambda b: self.batch(b.tensors, b.key if augments else None))

    def batches(self, split: str, shuffle: bool = False) -> Batches:
        """What a split's batches are gathered from: this rank's share of it."""
        trainer = self.trainer
        return Batches(
            self.tensors(split),
            self.hparams["batch_size"],
            indices=self.row_indices(split),
            shuffle=shuffle,
            lengths=self.lengths(split),
            seed=self.hparams["seed"],
            rank=trainer.global_rank if trainer else 0,
            world_size=trainer.world_size if trainer else 1,
        )


def is_same(one: Any, other: Any) -> bool:
    """Whether two inputs, or None, read alike."""
    if one is other or type(one) is not type(other):
        return one is other
    tensors = [item.tensors() if hasattr(item, "tensors") else {} for item in (one, other)]
    alike = tensors[0].keys() == tensors[1].keys()
    alike &= one.config() == other.config()
    return alike and all(tensors[0][name].equal(tensors[1][name]) for name in tensors[0])
