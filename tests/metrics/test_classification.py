"""Macro F1, AUROC and calibration error against scikit-learn and cases made by hand."""

import math
import warnings

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score, roc_auc_score
from torchmetrics import MetricCollection

from zoo.metrics.classification import build_metrics


def measured(probabilities, labels):
    metrics = MetricCollection({**build_metrics(probabilities.shape[1])})
    metrics.update(probabilities, labels)
    return {name: float(value) for name, value in metrics.compute().items()}


def samples(count, classes, seed=0):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (count,), generator=generator)
    logits = torch.randn(count, classes, generator=generator)
    logits[torch.arange(count), labels] += 1
    return logits.softmax(1), labels


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_f1_and_auroc_are_scikit_learns(classes):
    probabilities, labels = samples(300, classes)
    found = measured(probabilities, labels)
    truth, answers = labels.numpy(), probabilities.argmax(1).numpy()
    assert found["f1"] == pytest.approx(f1_score(truth, answers, average="macro"), rel=1e-6)
    shares = probabilities[:, 1] if classes == 2 else probabilities.double()
    shares = shares if classes == 2 else shares / shares.sum(1, keepdim=True)
    wanted = roc_auc_score(truth, shares.numpy(), multi_class="ovr", average="macro")
    assert found["auroc"] == pytest.approx(wanted, rel=1e-6)


def test_ties_count_half_as_in_scikit_learn():
    probabilities, labels = samples(200, 2)
    probabilities = (probabilities * 4).round() / 4
    wanted = roc_auc_score(labels.numpy(), probabilities[:, 1].numpy())
    assert measured(probabilities, labels)["auroc"] == pytest.approx(wanted, rel=1e-6)


def test_calibration_error_is_the_gap_of_confidence_and_accuracy_by_bin():
    """Nine of ten are right at 0.95, half at 0.55: gaps of 0.05 and 0.05; and at 0.65, of 0.35."""
    confidence = np.repeat([0.95, 0.55, 0.65], 10)
    right = np.array([1] * 9 + [0] + [1] * 5 + [0] * 5 + [1] * 3 + [0] * 7)
    probabilities = torch.tensor(np.stack([confidence, 1 - confidence], 1), dtype=torch.float32)
    found = measured(probabilities, torch.tensor(1 - right))
    assert found["calibration_error"] == pytest.approx((0.05 + 0.05 + 0.35) / 3, abs=1e-6)


def test_a_class_without_samples_does_not_count():
    probabilities, labels = samples(100, 3)
    probabilities, labels = probabilities[labels < 2], labels[labels < 2]
    wanted = [roc_auc_score(labels.numpy() == k, probabilities[:, k].numpy()) for k in (0, 1)]
    assert measured(probabilities, labels)["auroc"] == pytest.approx(np.mean(wanted), rel=1e-6)


def test_samples_of_one_class_alone_are_measured_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = measured(torch.tensor([[0.9, 0.1], [0.2, 0.8]]), torch.tensor([0, 0]))
    assert math.isnan(found["auroc"])
    assert found["f1"] == pytest.approx(1 / 3)
