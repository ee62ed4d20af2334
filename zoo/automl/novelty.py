"""What tells members inputs that are unlike the training data, by samples they did not learn from.

Shapes: N samples.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from zoo.automl.members import transformed
from zoo.metrics.choice import take
from zoo.metrics.novelty import NoveltyDetector
from zoo.pretrained import store
from zoo.pretrained.load import rebuild

WIDEST = 4096  # features of a pipeline up to which it is learned what is usual
FEW, SAMPLES = 10, 5000  # at least, and at most
HELD_OUT, ENOUGH = 5, 100  # one in so many is held out, but so many, or half of all
THRESHOLD = "threshold"


def fit_novelty(
    pipeline: Any, samples: Any, labels: np.ndarray, seed: int = 0
) -> NoveltyDetector | None:
    """What tells samples that are unlike the training data, by the features of a pipeline.

    None where these are sparse, as counts of words are, too many or none, or samples are few.

    Args:
        pipeline: fitted on the samples, some of which are held out here.
        samples: as `datamodule.arrays` gives them; at most so many are used.
        labels: their classes (N,).
    """
    if not hasattr(pipeline, "steps") or len(samples) < FEW:
        return None
    one, _ = transformed(pipeline, samples[:1])
    if not isinstance(one, np.ndarray) or one.shape[1] > WIDEST:
        return None
    rows = np.random.default_rng(seed).permutation(len(samples))[:SAMPLES]
    x = torch.from_numpy(transformed(pipeline, take(samples, rows))[0])
    y, out = torch.from_numpy(labels[rows]), max(len(rows) // HELD_OUT, ENOUGH)
    out = min(out, len(rows) // 2)
    return NoveltyDetector.fit(x[out:], y[out:], x[:out])


def adopt_threshold(folder: Path, folds: Sequence[Path]) -> None:
    """Let a network that learned from all samples take for usual what those of the folds do.

    Samples that it has learned from are nearer to what it expects than others are: by these alone
    one usual input in ten would be unlike them. The threshold, in deviations, becomes the mean of
    those of the networks that learned from all folds but one, by that one.

    Args:
        folder: of the network's weights, which are written anew.
        folds: folders of the others'; one without weights or a detector does not count.
    """
    weights = store.open_weights(folder)
    others = [store.open_weights(one).novelty for one in folds if (one / "card.json").is_file()]
    thresholds = [float(one[THRESHOLD]) for one in others if one]
    if weights.novelty and thresholds:
        weights.novelty[THRESHOLD] = torch.tensor([np.mean(thresholds)])
        store.save(rebuild(weights), weights.card, folder)
