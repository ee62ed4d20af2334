"""Learning from pairs: what all classifiers share, and all regressors.

Of a recording with windows the answer is the mean of their probabilities.

Shapes: B samples, S windows of all of them, K classes.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics import Metric

from datamodules.utilities.windows import Windows, one_window
from zoo.figures import evaluation
from zoo.figures.kinds import Picture
from zoo.metrics.classification import build_metrics
from zoo.nn.module import ZooModule
from zoo.nn.shapes import at_least_float32, check_pair
from zoo.utilities.modes import in_eval_mode

Batch = tuple[Any, Tensor]  # inputs or their windows, and labels or values
AT_ONCE = 64  # windows that a network sees


class Classifier(ZooModule):
    """A model whose `forward` gives logits (B, K) for labels (B,)."""

    def __init__(self, label_smoothing: float) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing

    def metrics(self) -> dict[str, Metric]:
        return build_metrics(self.hparams["num_classes"])

    def class_names(self, count: int) -> list[str]:
        """The names of the classes, or their numbers."""
        return self.classes or [str(i) for i in range(count)]

    def logits(self, inputs: Tensor | Windows) -> Tensor:
        """Map inputs to logits (B, K); windows to the logarithm of their mean probability."""
        if not isinstance(inputs, Windows):
            return at_least_float32(self(inputs))
        parts = inputs.split(AT_ONCE)
        return torch.cat([part.log_mean(at_least_float32(self(part.inputs))) for part in parts])

    def postprocess(self, output: Tensor) -> list[dict[str, Any]]:
        """Map logits (B, K) to the likeliest label, its probability and all probabilities."""
        classes = self.class_names(output.shape[1])
        return as_answers(output.float().softmax(1).tolist(), classes)

    def scores(self, batch: Batch, stage: str) -> dict[str, Tensor]:
        """Loss and accuracy; the loss is smoothed, and weighted by class, only where it teaches.

        Labels (B, K) are shares of mixed samples: the largest is the answer.
        """
        inputs, labels = check_pair(batch, self)
        if labels.ndim == 1 and labels.is_floating_point():
            raise ValueError(
                "the data have values, and this model gives classes: take model=image_regressor"
            )
        logits = self.logits(inputs)
        options: dict[str, Any] = {}
        if stage == "train":
            options = {"weight": self.loss_weights, "label_smoothing": self.label_smoothing}
        losses = F.cross_entropy(logits, labels, reduction="none", **options)
        right = labels.argmax(1) if labels.ndim == 2 else labels
        self.measure(logits.softmax(1), right)
        return {"loss": losses, "accuracy": (logits.argmax(1) == right).float()}

    def predict_batch(self, batch: Tensor | Windows) -> list[Any]:
        """Answer for a batch; an input unlike the training data gets a `warning`.

        It does where the weights came with a detector (`novelty`), by the mean over windows.
        """
        logits, novelty = self.judge(batch)
        return warn(self.postprocess(logits), novelty)

    def judge(self, batch: Tensor | Windows) -> tuple[Tensor, Tensor | None]:
        """Logits (B, K) of a batch, and how unlike the training data its inputs are (B,).

        The second is None where the weights came without a detector.
        """
        windows = batch if isinstance(batch, Windows) else None
        features = self.forward_features(batch if windows is None else windows.inputs)
        logits = self.get_submodule("head")(features)
        if windows is not None:
            features = windows.mean(features)
            logits = windows.log_mean(at_least_float32(logits))
        return logits, None if self.novelty is None else self.novelty.score(features)

    @torch.inference_mode()
    def predict_windows(self, raw: Any) -> list[dict[str, Any]]:
        """Answer for each window of a sound or a clip, from its start to its end.

        Returns:
            Answers with `begin` and `end`, in seconds; the windows leave nothing out. A `warning`
            is of recordings, where the model learned from their windows.

        Raises:
            ValueError: no input that has windows is attached, or `raw` cannot be read.
        """
        if not (seconds := getattr(self.input, "seconds", None)):
            raise ValueError(
                f"{type(self).__name__} reads no windows: take a model of sounds, or of clips at a "
                "rate"
            )
        model, windows = in_eval_mode(self), self.as_input(self.input.cut(raw, None))
        parts = windows.inputs.split(AT_ONCE)
        answers = [answer for part in parts for answer in model.predict_batch(part)]
        if self.input.has_windows:  # then the detector knows means over windows, not windows
            for answer in answers:
                answer.pop("warning", None)
        return with_times(answers, windows.starts.tolist(), self.input.sample_rate, seconds)

    @torch.inference_mode()
    def figures(self, batch: Batch) -> dict[str, Picture]:
        """Figures of a test batch and of the answers for it."""
        parts = batch[0].split(256)
        logits = torch.cat([self.logits(part.to(self.device)).float().cpu() for part in parts])
        return self.make_figures(batch, logits.softmax(1).numpy())

    def make_figures(self, batch: Batch, probabilities: np.ndarray) -> dict[str, Picture]:
        """Confusion matrix, per-class table and worst mistakes, of probabilities (B, K)."""
        inputs, labels = batch
        classes, window = self.class_names(probabilities.shape[1]), one_window(inputs)
        pictures = self.input.restore(window) if hasattr(self.input, "restore") else None
        rate = getattr(self.input, "sample_rate", 0)
        return evaluation.classification(probabilities, labels.numpy(), classes, pictures, rate)


def as_answers(rows: Sequence[Sequence[float]], classes: Sequence[str]) -> list[dict[str, Any]]:
    """The likeliest label of probabilities (B, K), its probability and all probabilities."""
    return [
        {
            "label": classes[int(np.argmax(row))],
            "probability": max(row),
            "probabilities": dict(zip(classes, row, strict=True)),
        }
        for row in rows
    ]


def warn(answers: list[dict[str, Any]], novelty: Iterable[Any] | None) -> list[dict[str, Any]]:
    """Answers, with a `warning` in those whose input is unlike the training data.

    Args:
        novelty: of each input (B,), above 1 where it is; None where nobody knows.
    """
    if novelty is not None:
        for answer, score in zip(answers, novelty, strict=True):
            if score > 1:
                answer["warning"] = "unlike the training data: check the answer"
    return answers


def with_times(
    answers: Sequence[dict[str, Any]], starts: Sequence[int], rate: float, seconds: float
) -> list[dict[str, Any]]:
    """Answers for windows with their `begin` and `end`, in seconds.

    Args:
        starts: where they begin, in samples or frames, of which a second has `rate`.
        seconds: of a window.
    """
    begins = [start / rate for start in starts]
    return [
        {"begin": begin, "end": begin + seconds, **answer}
        for begin, answer in zip(begins, answers, strict=True)
    ]


class Regressor(ZooModule):
    """A model whose `forward` gives values (B,) for targets (B,), both in the targets' own unit.

    Args:
        unit: of the targets, such as degrees.
        target_mean, target_std: of the training targets, which are standardised for learning.
    """

    def __init__(self, unit: str, target_mean: float, target_std: float) -> None:
        super().__init__()
        self.unit, self.target_mean, self.target_std = unit, target_mean, target_std

    def in_unit(self, standardised: Tensor) -> Tensor:
        """Map what the last layer gives, (B, 1), to values (B,)."""
        return standardised.squeeze(1) * self.target_std + self.target_mean

    def postprocess(self, output: Tensor) -> list[dict[str, Any]]:
        """Map values (B,) to numbers with their unit."""
        return [{"value": value, "unit": self.unit} for value in output.float().tolist()]

    def scores(self, batch: Batch, stage: str) -> dict[str, Tensor]:
        """The squared error of standardised targets, and the absolute error in their unit.

        Raises:
            ValueError: the targets are classes.
        """
        inputs, targets = check_pair(batch, self)
        if not targets.is_floating_point():
            raise ValueError(
                "the data have classes, and this model gives values: take a classifier, or data "
                "with a unit, such as data=turned_digits"
            )
        errors = at_least_float32(self(inputs)) - at_least_float32(targets)
        return {"loss": (errors / self.target_std).square(), "mae": errors.abs()}

    @torch.inference_mode()
    def figures(self, batch: Batch) -> dict[str, Picture]:
        """Answers beside truths, errors beside those of always the mean, and worst mistakes."""
        inputs, targets = batch
        values = torch.cat([self(part.to(self.device)).float().cpu() for part in inputs.split(256)])
        pictures = self.input.restore(inputs) if hasattr(self.input, "restore") else None
        mean = self.target_mean
        return evaluation.regression(values.numpy(), targets.numpy(), self.unit, mean, pictures)
