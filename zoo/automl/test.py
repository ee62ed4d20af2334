"""Scores of a predictor on a test split: that of the data which its card names, or other data."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from datamodules.loading.loaders import is_same
from zoo.automl.load import load, predictor_folder
from zoo.automl.members import Member
from zoo.automl.predictor import Predictor
from zoo.config import schema
from zoo.metrics import confidence
from zoo.metrics.classification import build_metrics
from zoo.pretrained import store
from zoo.training import evaluate as networks

DATA = "data"  # what overrides may be of
LEAST = 1e-12  # of a probability in the loss

Config = dict[str, Any]


def evaluate(
    source: str | Path, overrides: Sequence[str] = ()
) -> tuple[Config, Config, store.Card]:
    """Score a predictor, or weights.

    Args:
        source: as for `zoo.load`.
        overrides: Hydra's; without `data=` the data are the card's.

    Returns:
        The scores with their intervals, the config that they were made with, and the card.

    Raises:
        ValueError: a wrong override; data of another kind, or with other classes.
    """
    if predictor_folder(source) is None:
        return networks.evaluate(source, overrides)
    predictor = load(source)
    for override in overrides:
        if not override.lstrip("+~").startswith(DATA):
            raise ValueError(f"{override!r} is not for the test of a predictor: it takes {DATA}")
    card = store.require_complete(predictor.card)
    config = networks.compose_test(card, overrides)
    if warning := networks.overlap(card["seen"], config):
        print(f"warning   {warning}", file=sys.stderr)
    return measure(*judge_split(predictor, config["data"])), config, card


def judge_split(
    predictor: Predictor, section: Mapping[str, Any], split: str = "test"
) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (N, K) of a split, each sample once, in its order, and its labels (N,).

    Args:
        section: of the config, which makes the data.
    """
    scores, data = [], None
    for member in predictor.members:
        if data is None or not is_same(data.input, member.input):
            data = open_data(section, member)
        own, labels = member.scores(data, split)
        scores.append(own)
    return predictor.average(scores), labels


def open_data(section: Mapping[str, Any], member: Member) -> Any:
    """The data as a member reads them, with labels in the order of its classes."""
    data = schema.build(section, "data")
    data.use_input(member.input, member.card["info"], member.classes)
    data.prepare_data()
    data.setup("test")
    return data


def measure(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Log loss and accuracy with their intervals, macro F1, AUROC and calibration error."""
    count = probabilities.shape[1]
    scores = {
        "test/loss": -np.log(probabilities[np.arange(len(labels)), labels].clip(LEAST)),
        "test/accuracy": (probabilities.argmax(1) == labels).astype(float),
    }
    measured = {}
    for name, metric in build_metrics(count).items():
        metric.update(torch.from_numpy(probabilities).float(), torch.from_numpy(labels).long())
        measured[f"test/{name}"] = float(metric.compute())
    means = {name: float(values.mean()) for name, values in scores.items()}
    return {**means, **measured, **confidence.with_intervals(scores)}
