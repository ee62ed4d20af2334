"""How near generated pictures are to real ones, by the features of an evaluator.

An evaluator is a classifier of the zoo: `forward_features` maps pictures to features, `forward` to
logits, and its input takes raw pixels. A model and its baseline are scored by the same function.

Shapes: N pictures (N, H, W, C), uint8; F features, K classes.
"""

from typing import Any

import numpy as np
import torch
from torch import nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import poly_mmd

SCORED = 10_000  # pictures of a split at most
BATCH = 250  # pictures of a batch
BLOCK = 1000  # pictures that are compared each with each
FAIR = 0.25  # of its fair part a class needs, to count as drawn: more than an evaluator mistakes


def scores(
    evaluator: Any, real: np.ndarray, generated: np.ndarray, truth: np.ndarray | None = None
) -> dict[str, float]:
    """Compare generated with real pictures.

    frechet: distance of the features, each standardised by the real ones. It falls to zero
        with more pictures only, so compare it at equal numbers.
    kernel_distance: of the same features; it is near zero for pictures of one distribution at any
        number of them.
    coverage: share of the classes that make up at least a quarter of their fair part, N / K, of the
        generated pictures, by its labels.
    class_accuracy: where labels (N,) were asked for, how often the evaluator agrees.
    """
    real_features, _ = classify(evaluator, real)
    features, labels = classify(evaluator, generated)
    mean, spread = real_features.mean(0), real_features.std(0)
    spread[spread < 1e-6] = 1.0  # a constant feature
    pair = (real_features - mean) / spread, (features - mean) / spread
    results = {
        "frechet": distance(*pair),
        "kernel_distance": kernel_distance(*pair),
        "coverage": coverage(labels, evaluator.hparams["num_classes"]),
    }
    return (
        results if truth is None else {**results, "class_accuracy": float((labels == truth).mean())}
    )


def real(data: Any, split: str, count: int = SCORED) -> tuple[np.ndarray, np.ndarray]:
    """Pixels and labels of at most `count` pictures, evenly from a split."""
    pixels, labels = data.arrays(split)
    rows = np.linspace(0, len(pixels) - 1, min(count, len(pixels))).round().astype(int)
    return pixels[rows], labels[rows]


@torch.inference_mode()
def classify(evaluator: Any, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Features (N, F), float64, and predicted labels (N,) of pictures."""
    features, labels = [], []
    for start in range(0, len(pixels), BATCH):
        images = evaluator.input(pixels[start : start + BATCH]).to(evaluator.device)
        features.append(evaluator.forward_features(images).double().cpu())
        labels.append(evaluator(images).argmax(1).cpu())
    return torch.cat(features).numpy(), torch.cat(labels).numpy()


class Identity(nn.Identity):
    """Features as they are: torchmetrics takes a network that makes them of pictures."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """Frechet distance of the Gaussians that fit samples (N, F) and (M, F).

    |m - n|^2 + tr(A + B - 2 (A B)^(1/2)): Heusel et al. 2017, https://arxiv.org/abs/1706.08500,
    section 2.
    """
    metric = FrechetInceptionDistance(Identity(a.shape[1]))
    metric.update(torch.from_numpy(a), real=True)
    metric.update(torch.from_numpy(b), real=False)
    return float(metric.compute())


def kernel_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Squared maximum mean discrepancy of samples (N, F) and (M, F), the mean over blocks of them.

    Binkowski et al. 2018, https://arxiv.org/abs/1801.01401, section 4. The blocks are taken in
    order, not drawn, so that no random numbers are used up.
    """
    count = -(-max(len(a), len(b)) // BLOCK)
    blocks = zip(*(torch.from_numpy(x).tensor_split(count) for x in (a, b)), strict=True)
    return float(torch.stack([poly_mmd(*block) for block in blocks]).mean())


def coverage(labels: np.ndarray, classes: int) -> float:
    """The share of the classes that have at least a quarter of their fair part of labels (N,)."""
    counts = np.bincount(labels, minlength=classes)
    return float((counts >= FAIR * len(labels) / classes).mean())
