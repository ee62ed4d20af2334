"""What several models share: the base of them all, and the steps of a classifier.

Shapes: B samples, K classes.
"""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torchmetrics.classification import MulticlassAccuracy

from zoo import pictures
from zoo.pictures import Picture

STAGES = ("train", "val", "test")


class ZooModule(LightningModule):
    """A LightningModule that is the network itself and, with its input attached, takes raw data.

    `input` turns raw data into a batch and `classes` names what comes out; both are attached from
    the data's facts in a run, or from the card with the weights.
    """

    def __init__(self) -> None:
        super().__init__()
        self.input: Any = None
        self.classes: list[str] | None = None

    def answer(self, output: Tensor) -> list[Any]:
        """Map what `forward` gives to plain Python, one item a sample."""
        raise NotImplementedError

    def figures(self, batch: Any) -> dict[str, Picture]:
        """Pictures for the report, by title, of a normalised test batch."""
        return {}

    @torch.inference_mode()
    def predict(self, raws: Any) -> list[Any]:
        """Answer for raw data as a person has it: one item or a list.

        Raises:
            ValueError: no input is attached, or the data cannot be read.
        """
        if self.input is None:
            raise ValueError("this model has no input: load it with its weights (zoo.load)")
        self.eval()
        return self.answer(self(self.input(raws).to(self.device)))


class Classifier(ZooModule):
    """A model whose `forward` gives logits (B, K) for labels (B,)."""

    def __init__(self, num_classes: int, label_smoothing: float) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing
        self.accuracy = nn.ModuleList(
            MulticlassAccuracy(num_classes, average="micro") for _ in STAGES
        )

    def answer(self, output: Tensor) -> list[dict[str, Any]]:
        """Map logits (B, K) to the likeliest label, its probability and all probabilities."""
        classes = self.classes or [str(i) for i in range(output.shape[1])]
        rows = output.float().softmax(1).tolist()
        return [
            {
                "label": classes[int(np.argmax(row))],
                "probability": max(row),
                "probabilities": dict(zip(classes, row, strict=True)),
            }
            for row in rows
        ]

    def _step(self, batch: tuple[Tensor, Tensor], stage: str) -> dict[str, Tensor]:
        """Log loss and accuracy; the loss is smoothed only where it teaches."""
        inputs, labels = batch
        logits = self(inputs).float()
        smoothing = self.label_smoothing if stage == "train" else 0.0
        losses = F.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)
        accuracy: Any = self.accuracy[STAGES.index(stage)]
        accuracy(logits, labels)
        shown: Any = {
            "on_step": False,
            "on_epoch": True,
            "prog_bar": True,
            "batch_size": len(labels),
        }
        self.log(f"{stage}/loss", losses.mean(), **shown)
        self.log(f"{stage}/accuracy", accuracy, **shown)
        right = (logits.argmax(1) == labels).float()
        return {"loss": losses.mean(), "test/loss": losses.detach(), "test/accuracy": right}

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        return self._step(batch, "train")["loss"]

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        self._step(batch, "val")

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> dict[str, Tensor]:
        """Return the score of each sample (B,) by metric: their spread gives the interval."""
        scores = self._step(batch, "test")
        return {name: value for name, value in scores.items() if value.ndim}

    @torch.inference_mode()
    def figures(self, batch: tuple[Tensor, Tensor]) -> dict[str, Picture]:
        """Confusion matrix, per-class table and worst mistakes."""
        inputs, labels = batch
        logits = torch.cat([self(part.to(self.device)).float().cpu() for part in inputs.split(256)])
        classes = self.classes or [str(i) for i in range(logits.shape[1])]
        shown = None
        if hasattr(self.input, "restore"):
            shown = [np.squeeze(picture) for picture in self.input.restore(inputs)]
        return pictures.classification(logits.softmax(1).numpy(), labels.numpy(), classes, shown)


def check_images(images: Tensor, channels: int) -> None:
    """Refuse a batch that is not (B, C, H, W), naming the axis.

    Raises:
        ValueError: another number of axes, or of channels.
    """
    shape = tuple(images.shape)
    if len(shape) != 4:
        raise ValueError(f"images have the shape {shape}: 4 axes are wanted, (B, {channels}, H, W)")
    if shape[1] != channels:
        hint = (
            "; channels stand last: use images.permute(0, 3, 1, 2)" if shape[3] == channels else ""
        )
        raise ValueError(
            f"images have the shape {shape}: axis 1, the channels, should be {channels}{hint}"
        )
