"""What several models share: the base of them all, and the steps of a classifier.

Shapes: B samples, K classes.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from pytorch_lightning import LightningModule
from torch import Tensor

from zoo import pictures
from zoo.export import Entry, Exported
from zoo.pictures import Picture

MODEL_STREAM = 2  # of the random draws of a batch; 0 is augmentation's


class ZooModule(LightningModule):
    """A LightningModule that is the network itself and, with its input attached, takes raw data.

    `input` turns raw data into a batch and `classes` names what comes out; both are attached from
    the data's facts in a run, or from the card with the weights.
    """

    def __init__(self) -> None:
        super().__init__()
        self.input: Any = None
        self.classes: list[str] | None = None
        self._draws: tuple[Any, torch.Generator] | None = None

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

    def exported(self) -> Exported:
        """What `zoo export` writes: here `forward`, whose example fixes all sizes but the batch."""
        example: Any = self.example_input_array
        below = None if example.is_floating_point() else int(example.max()) + 1
        return Exported(self, {"inputs": Entry(("batch", *example.shape[1:]), below)}, ("outputs",))

    def scores(self, batch: Any, stage: str) -> dict[str, Tensor]:
        """Score each sample (N,) of a batch by metric; the mean of `loss` is what training lowers.

        Args:
            stage: train, val or test.
        """
        raise NotImplementedError

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        return self._logged(batch, "train")["loss"].mean()

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self._logged(batch, "val")

    def test_step(self, batch: Any, batch_idx: int) -> dict[str, Tensor]:
        """Return the score of each sample (N,) by metric: their spread gives the interval."""
        found = self._logged(batch, "test")
        return {f"test/{name}": values.detach() for name, values in found.items()}

    def _logged(self, batch: Any, stage: str) -> dict[str, Tensor]:
        """The scores, their means logged under <stage>/<metric> and averaged over the epoch."""
        found = self.scores(batch, stage)
        for name, values in found.items():
            self.log(
                f"{stage}/{name}", values.detach().mean(), on_step=False, on_epoch=True,
                batch_size=len(values), sync_dist=stage != "train",
            )  # fmt: skip
        return found

    def draw(self, sampler: Callable[..., Tensor], *shape: int) -> Tensor:
        """Random numbers (B, ...) for the rows of this batch: `self.draw(torch.randn, B, 64)`.

        On the zoo's own data they are drawn for the whole global batch, as a function of seed,
        epoch and batch, so that neither the number of devices nor an interruption changes them.
        """
        key = getattr(getattr(self._trainer, "datamodule", None), "key", None)
        if key is None:
            return sampler(*shape, device=self.device)
        if self._draws is None or self._draws[0] != key:
            self._draws = key, key.generator(MODEL_STREAM)
        whole = sampler(key.size, *shape[1:], generator=self._draws[1])
        mine: Tensor = key.mine(whole)
        return mine.to(self.device)


class Classifier(ZooModule):
    """A model whose `forward` gives logits (B, K) for labels (B,)."""

    def __init__(self, label_smoothing: float) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing

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

    def scores(self, batch: tuple[Tensor, Tensor], stage: str) -> dict[str, Tensor]:
        """Loss and accuracy; the loss is smoothed only where it teaches."""
        inputs, labels = batch
        logits = self(inputs).float()
        smoothing = self.label_smoothing if stage == "train" else 0.0
        losses = F.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)
        return {"loss": losses, "accuracy": (logits.argmax(1) == labels).float()}

    @torch.inference_mode()
    def figures(self, batch: tuple[Tensor, Tensor]) -> dict[str, Picture]:
        """Confusion matrix, per-class table and worst mistakes."""
        inputs, labels = batch
        logits = torch.cat([self(part.to(self.device)).float().cpu() for part in inputs.split(256)])
        classes = self.classes or [str(i) for i in range(logits.shape[1])]
        probabilities, shown = logits.softmax(1).numpy(), None
        if hasattr(self.input, "restore"):
            shown = self.input.restore(inputs)
        rate = getattr(self.input, "sample_rate", 0)
        return pictures.classification(probabilities, labels.numpy(), classes, shown, rate)


def two_logits(score: Tensor) -> Tensor:
    """Map one logit (B, 1) to two (B, 2) whose softmax is its sigmoid: a binary output layer."""
    return torch.cat([torch.zeros_like(score), score], 1)


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
