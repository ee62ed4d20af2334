"""What a predictor averages: networks and pipelines, which answer alike.

Shapes: N samples, K classes.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from scipy.special import softmax
from torch import Tensor

from datamodules.utilities.windows import Windows
from zoo.config import schema
from zoo.metrics.choice import ABSENT, scores_of
from zoo.metrics.novelty import NoveltyDetector
from zoo.nn.supervised import AT_ONCE, Classifier
from zoo.nn.text_classifier import TextClassifier
from zoo.utilities.modes import in_eval_mode


class Judgement(NamedTuple):
    """Unnormalised log-probabilities (N, K), and how unlike the training data each is (N,)."""

    scores: np.ndarray
    novelty: np.ndarray | None


class Member(Protocol):
    """A classifier that takes raw data; its scores are unnormalised log-probabilities."""

    name: str
    kind: str  # network or pipeline
    title: str  # what it is
    card: dict[str, Any]
    classes: list[str]
    input: Any
    novelty: NoveltyDetector | None

    def judge(self, raws: list[Any]) -> Judgement:
        """Scores of raw samples."""

    def probabilities(self, raws: Any) -> np.ndarray:
        """Probabilities (N, K), float64, of raw samples."""

    def judge_windows(self, raw: Any) -> tuple[list[int], np.ndarray]:
        """Where the windows of a recording begin (S,), and the scores of each (S, K)."""

    def scores(self, data: Any, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Scores (N, K), float64, of a split of an opened datamodule, in its order, and labels."""


class NetworkMember:
    """A network with its weights.

    Raises:
        ValueError: it is no classifier, or has no input or no classes.
    """

    kind = "network"

    def __init__(self, name: str, model: Any) -> None:
        if not isinstance(model, Classifier) or model.input is None or model.classes is None:
            what = type(model).__name__
            raise ValueError(f"{name} is a {what}: a member is a classifier with its classes")
        self.name, self.model, self.title = name, model, type(model).__name__
        self.card, self.classes, self.input = dict(model.card or {}), model.classes, model.input
        self.novelty = model.novelty

    @property
    def reads_texts(self) -> bool:
        """Whether it reads a text window by window, and says which words pushed its answer."""
        return isinstance(self.model, TextClassifier)

    @torch.inference_mode()
    def judge(self, raws: list[Any]) -> Judgement:
        model = in_eval_mode(self.model)
        parts = [model.judge(batch) for batch in model.batches(raws, AT_ONCE)]
        scores = np.concatenate([as_array(logits) for logits, _ in parts])
        novelty = [as_array(one) for _, one in parts if one is not None]
        return Judgement(scores, np.concatenate(novelty) if novelty else None)

    def probabilities(self, raws: Any) -> np.ndarray:
        return as_probabilities(self.judge(self.input.as_list(raws)).scores)

    @torch.inference_mode()
    def judge_windows(self, raw: Any) -> tuple[list[int], np.ndarray]:
        model = in_eval_mode(self.model)
        windows = model.as_input(self.input.cut(raw, None))
        parts = [as_array(model.logits(part)) for part in windows.inputs.split(AT_ONCE)]
        return windows.starts.tolist(), np.concatenate(parts)

    @torch.inference_mode()
    def scores(self, data: Any, split: str) -> tuple[np.ndarray, np.ndarray]:
        model, scores, labels = in_eval_mode(self.model), [], []
        for inputs, its_labels in batches(data, split):
            scores.append(as_array(model.logits(model.as_input(inputs))))
            labels.append(its_labels.numpy())
        return np.concatenate(scores), np.concatenate(labels)


class PipelineMember:
    """A pipeline of scikit-learn; its scores are divided by its own temperature.

    Args:
        pipeline: which learned labels 0 to L - 1.
        card: with those labels as numbers of the classes, the temperature, and the data's info.
    """

    kind = "pipeline"

    def __init__(
        self, name: str, pipeline: Any, card: dict[str, Any], novelty: NoveltyDetector | None
    ) -> None:
        self.name, self.pipeline, self.card, self.novelty = name, pipeline, card, novelty
        self.title: str = card["title"]
        self.classes: list[str] = card["info"]["classes"]
        self.input = schema.build_input(card["info"]["input"])

    def judge(self, raws: list[Any]) -> Judgement:
        return self.judge_arrays(self.input.arrays(raws))

    def probabilities(self, raws: Any) -> np.ndarray:
        return as_probabilities(self.judge(self.input.as_list(raws)).scores)

    def judge_windows(self, raw: Any) -> tuple[list[int], np.ndarray]:
        windows = self.input.cut_arrays(raw, None)
        return windows.starts.tolist(), self.judge_arrays(windows.inputs.numpy()).scores

    def scores(self, data: Any, split: str) -> tuple[np.ndarray, np.ndarray]:
        samples, labels = data.arrays(split)
        return self.judge_arrays(samples, False).scores, labels

    def judge_arrays(self, samples: Any, novelty: bool = True) -> Judgement:
        """Scores of samples as `datamodule.arrays` gives them."""
        features, last = transformed(self.pipeline, samples)
        own = scores_of(last, features, len(self.card["labels"])) / self.card["temperature"]
        scores = np.full((len(own), len(self.classes)), ABSENT)
        scores[:, self.card["labels"]] = own
        if self.novelty is None or not novelty:
            return Judgement(scores, None)
        return Judgement(scores, as_array(self.novelty.score(torch.from_numpy(features))))


def transformed(pipeline: Any, samples: Any) -> tuple[Any, Any]:
    """What the last step of a pipeline sees of samples, and that step."""
    if not hasattr(pipeline, "steps"):  # the one class
        return samples, pipeline
    for _, step in pipeline.steps[:-1]:  # a part of a pipeline may end in what learns nothing
        samples = step.transform(samples)
    return samples, pipeline[-1]


def batches(data: Any, split: str) -> Iterator[tuple[Tensor | Windows, Tensor]]:
    """A split as a model takes it, each sample once, in its order, as it is."""
    tensors, rows = data.tensors(split), data.row_indices(split)
    rows = torch.arange(len(tensors[-1])) if rows is None else rows
    for part in rows.split(AT_ONCE):
        yield data.batch(tuple(one.index_select(0, part) for one in tensors), None)


def as_array(values: Tensor) -> np.ndarray:
    array: np.ndarray = values.double().cpu().numpy()
    return array


def as_probabilities(scores: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Probabilities (N, K) of unnormalised log-probabilities."""
    probabilities: np.ndarray = softmax(scores / temperature, axis=1)
    return probabilities
