"""Learning outside the network, batch by batch (slide 12): `partial_fit` on a stream of pictures.

Any estimator of scikit-learn that has `partial_fit` learns from `datamodule.flow`, with
augmentation or without, so that it never holds more than a batch. A batch is first predicted and
then learned from: the score of these predictions is the progressive one (Gama et al. 2013, On
evaluating stream learning algorithms, section 3.2), which costs no held-out samples.

Shapes: B pictures of H x W pixels and C channels, D = H * W * C features.
"""

import math
from collections.abc import Generator, Mapping
from contextlib import closing
from itertools import islice
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator
from sklearn.base import BaseEstimator, clone, is_classifier

from zoo.config import schema
from zoo.config.types import Positive
from zoo.distributed.console import track

Stream = Generator[tuple[np.ndarray, np.ndarray], None, None]
LONG = 500  # batches from which on there is a progress bar


def check_estimator(estimator: Any) -> Any:
    """An estimator, or the `_target_` and arguments of one, if it learns batch by batch."""
    built = build_estimator(estimator)
    if not hasattr(built, "partial_fit"):
        raise ValueError(
            f"{type(built).__name__} has no partial_fit: take one that learns batch by batch, such "
            "as sklearn.linear_model.SGDClassifier or sklearn.neural_network.MLPClassifier"
        )
    return estimator


def build_estimator(estimator: Any) -> Any:
    """An estimator that has learned nothing yet."""
    if isinstance(estimator, dict):
        return schema.build(estimator, "baseline.estimator")
    return clone(estimator)


class Incremental(BaseEstimator):
    """An estimator with `partial_fit`, fed by the stream of a datamodule's pictures.

    After `fit`, `estimator_` is what has learned, and `history_` holds a row for each pass: its
    number (`pass`), the `samples` given so far, and the score, `progressive` and `held_out` (on the
    validation split). The score is accuracy; of what is measured it is the mean absolute error in
    its own unit, and targets are standardised for learning.

    Args:
        estimator: one of scikit-learn's, or its `_target_` and arguments.
        augment: by the data set's own options, so that each pass sees other pictures.
        passes: over the training samples, at most.
        batch_size: samples of a call of `partial_fit`; None takes the data set's.
        happy_at: the held-out score that is enough: at least this accuracy, or at most this error;
            None makes all passes.

    Raises:
        ValueError: the estimator has no `partial_fit`.
    """

    TAKES = ("augment", "scaling", "seed", "batch_size")  # of the data's config, besides the data

    def __init__(
        self,
        *,
        estimator: Annotated[dict[str, Any] | BaseEstimator, AfterValidator(check_estimator)],
        augment: bool,
        passes: Positive,
        batch_size: Positive | None,
        happy_at: float | None,
    ) -> None:
        self.estimator, self.augment = check_estimator(estimator), augment
        self.passes, self.batch_size, self.happy_at = passes, batch_size, happy_at

    @property
    def title(self) -> str:
        """What it is called in a table."""
        name = type(build_estimator(self.estimator)).__name__
        return f"{name}, batch by batch{', augmented' if self.augment else ''}"

    def fit(self, datamodule: Any) -> "Incremental":
        """Learn from the training split, until the held-out score is good enough.

        Raises:
            ValueError: the estimator tells classes apart and the data are measured, or the reverse;
                the datamodule has no stream of batches.
        """
        self.estimator_, self.started_ = build_estimator(self.estimator), False
        self._remember_targets(datamodule.info)
        if not hasattr(datamodule, "flow"):
            raise ValueError(f"{type(datamodule).__name__} has no flow of batches: take image data")
        self.history_: list[dict[str, float]] = []
        samples = datamodule.info["samples"]["train"]
        size = int(self.batch_size or datamodule.hparams["batch_size"])
        batches = -(-samples // size)
        flow = datamodule.flow(augment=self.augment, epochs=self.passes, batch_size=size)
        with closing(with_bar(flow, self.passes * batches, self.title)) as stream:
            for number in range(1, self.passes + 1):
                marks = [self._learn(*batch) for batch in islice(stream, batches)]
                scores = {"progressive": mean(marks), "held_out": self._held_out(datamodule, "val")}
                self.history_.append({"pass": number, "samples": number * samples, **scores})
                if self._is_happy(scores["held_out"]):
                    break
        return self

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Map images (B, H, W, C), as `flow` gives them, to labels, or to values in their unit."""
        outputs: np.ndarray = self.estimator_.predict(flat(images))
        return outputs if self.classes_ is not None else outputs * self.std_ + self.mean_

    def score(self, datamodule: Any) -> dict[str, float]:
        """Accuracy on the test split, or mean absolute errors: its own, and the training mean's."""
        score = self._held_out(datamodule, "test")
        if self.classes_ is not None:
            return {"test/accuracy": score}
        targets = datamodule.arrays("test")[1]
        return {"test/mae": score, "test/mae_of_mean": float(np.abs(targets - self.mean_).mean())}

    def _remember_targets(self, info: Mapping[str, Any]) -> None:
        """Remember all classes, which the first `partial_fit` needs, or the moments."""
        sorts, name = is_classifier(self.estimator_), type(self.estimator_).__name__
        if sorts != ("num_classes" in info):
            has, takes = ("values", "classes") if sorts else ("classes", "values")
            raise ValueError(f"{name} predicts {takes}, and these data have {has}: take another")
        self.classes_ = np.arange(info["num_classes"]) if sorts else None
        self.mean_, self.std_ = info.get("target_mean", 0.0), info.get("target_std", 1.0)

    def _learn(self, images: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Predict a batch, then learn from it; the marks, (0,) of the very first."""
        marks = self._marks(images, targets) if self.started_ else np.empty(0)
        self.started_ = True
        if self.classes_ is not None:
            self.estimator_.partial_fit(flat(images), targets, classes=self.classes_)
        else:
            self.estimator_.partial_fit(flat(images), (targets - self.mean_) / self.std_)
        return marks

    def _marks(self, images: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """For each picture whether its class is right, or the absolute error; (B,)."""
        outputs = self.predict(images)
        return outputs == targets if self.classes_ is not None else np.abs(outputs - targets)

    def _held_out(self, datamodule: Any, split: str) -> float:
        """The score on a split that it does not learn from."""
        return mean([self._marks(*batch) for batch in datamodule.flow(split, epochs=1)])

    def _is_happy(self, score: float) -> bool:
        if self.happy_at is None:
            return False
        return score >= self.happy_at if self.classes_ is not None else score <= self.happy_at


def flat(images: np.ndarray) -> np.ndarray:
    """(B, H, W, C) to (B, D)."""
    return images.reshape(len(images), -1)


def mean(marks: list[np.ndarray]) -> float:
    """Of all marks, each (B,); NaN where there are none."""
    joined = np.concatenate(marks)
    return float(joined.mean()) if len(joined) else math.nan


def with_bar(stream: Stream, count: int, title: str) -> Stream:
    """The batches, with a progress bar where there are many and somebody may be watching."""
    yield from stream if count < LONG else track(stream, title, count)
