"""What is measured of a classifier over all samples of a split at once, by torchmetrics.

Shapes: N samples, K classes.
"""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.classification import (
    MulticlassAUROC,
    MulticlassCalibrationError,
    MulticlassF1Score,
)
from torchmetrics.functional.classification import binary_auroc
from torchmetrics.utilities import dim_zero_cat

BINS = 15  # of the confidence, all of one width: Guo et al. 2017, https://arxiv.org/abs/1706.04599


class MacroAUROC(MulticlassAUROC):
    """The mean area under the ROC curve of each class against the rest, from all scores.

    A class without samples has no curve and does not count, where torchmetrics has 0 for it; with
    samples of one class alone the result is nan, as scikit-learn's.
    """

    preds: Any
    target: Any

    def compute(self) -> Tensor:  # type: ignore[override]
        """Map the probabilities (N, K) and labels (N,) so far to the mean area."""
        probabilities, labels = dim_zero_cat(self.preds), dim_zero_cat(self.target)
        classes = labels.unique()
        if len(classes) < 2:
            return torch.full((), torch.nan, device=labels.device)
        areas = [binary_auroc(probabilities[:, k], (labels == k).long()) for k in classes.tolist()]
        return torch.stack(areas).mean()


def build_metrics(num_classes: int) -> dict[str, Metric]:
    """Metrics of probabilities (N, K) and labels (N,): macro F1, AUROC and calibration error."""
    return {
        "f1": MulticlassF1Score(num_classes, average="macro", validate_args=False),
        "auroc": MacroAUROC(num_classes, validate_args=False),
        "calibration_error": MulticlassCalibrationError(
            num_classes, n_bins=BINS, norm="l1", validate_args=False
        ),
    }
