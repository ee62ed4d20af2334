"""A learning curve for what to try next: would more samples help?"""

from collections.abc import Sequence

import numpy as np

from zoo.automl.attempt import Outcome
from zoo.automl.request import Request
from zoo.baselines.strong import StrongBaseline
from zoo.metrics.choice import subset, take

SHARES = (0.25, 0.5)  # of the training samples, besides all of them


def learning_curve(
    request: Request, baseline: StrongBaseline, outcome: Outcome, folds: Sequence[str | None],
    seconds: float,
) -> list[tuple[int, float]]:  # fmt: skip
    """Training samples and accuracy of a pipeline on what is held out, the fewest first.

    Nothing where there are not the seconds for it: it takes as long again as the pipeline's folds.
    """
    if seconds < outcome.seconds:
        return []
    points = [_point(request, baseline, outcome.candidate.name, folds, share) for share in SHARES]
    count = sum(len(one.rows) for one in outcome.folds)
    learned = count * (len(folds) - 1) // len(folds) if len(folds) > 1 else _count(request)
    return [*points, (learned, outcome.accuracy)]


def _point(
    request: Request, baseline: StrongBaseline, name: str, folds: Sequence[str | None], share: float
) -> tuple[int, float]:
    """The samples that are learned from, in the mean, and the share of right answers."""
    counts, right = [], []
    for fold in folds:
        data = request.open(fold)
        (samples, labels), (others, truths) = data.arrays("train"), data.arrays("val")
        rows = subset(labels, max(int(share * len(labels)), 2), seed=0)
        part = take(samples, rows)
        pipeline = baseline.chooser(part, data, name).fit(part, labels[rows])
        right.append(pipeline.predict(others) == truths)
        counts.append(len(rows))
    return round(float(np.mean(counts))), float(np.concatenate(right).mean())


def _count(request: Request) -> int:
    return int(request.open().info["samples"]["train"])
