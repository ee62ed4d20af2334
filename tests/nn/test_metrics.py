"""Metrics over all samples of validation and test: logged by Lightning, and no part of a model."""

from copy import deepcopy

import pytest
import torch
from pytorch_lightning import LightningDataModule
from torch.utils.data import DataLoader, TensorDataset
from torchmetrics import Metric, MetricCollection

import zoo
from tests.data import bare_trainer
from zoo.metrics.classification import build_metrics


class Data(LightningDataModule):
    def __init__(self, inputs, targets, size=8):
        super().__init__()
        self.samples, self.size = TensorDataset(inputs, targets), size

    def val_dataloader(self):
        return DataLoader(self.samples, batch_size=self.size)

    test_dataloader = val_dataloader


INPUTS = torch.randn(30, 3, 2, 2, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(30) % 3
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore:.*isinstance.*")


@pytest.fixture
def model():
    torch.manual_seed(0)
    return zoo.create_model("image_mlp", channels=3, image_size=2, num_classes=3, widths=[8])


def scores(model, data, stage="test"):
    run = bare_trainer().test if stage == "test" else bare_trainer().validate
    return run(model, datamodule=data, verbose=False)[0]


@pytest.mark.parametrize(("stage", "size"), [("test", 8), ("val", 30), ("test", 1)])
def test_a_classifier_logs_what_its_metrics_say_of_all_samples_in_any_batches(model, stage, size):
    """tests/metrics has them beside scikit-learn's."""
    found = scores(model, Data(INPUTS, LABELS, size), stage)
    wanted = MetricCollection({**build_metrics(3)})(model.eval()(INPUTS).softmax(1), LABELS)
    assert {"auroc", "f1", "calibration_error"} <= wanted.keys()
    for name, value in wanted.items():
        assert found[f"{stage}/{name}"] == pytest.approx(float(value), rel=1e-6)


def test_metrics_are_no_part_of_the_model(model):
    """No layer, weight or parameter; a copy and another dtype have them still."""
    names = [name for name, _ in model.named_modules()], [*model.state_dict()]
    found = scores(model, Data(INPUTS, LABELS))
    assert names == ([name for name, _ in model.named_modules()], [*model.state_dict()])
    assert not [layer for layer in model.modules() if isinstance(layer, Metric)]
    twin = deepcopy(model).double()
    data = Data(INPUTS.double(), LABELS)
    assert scores(twin, data) == pytest.approx(found, rel=1e-5)


def test_each_epoch_starts_anew_and_scores_outside_a_run_leave_metrics_alone(model):
    found = scores(model, Data(INPUTS, LABELS))
    model.scores((INPUTS[:4], LABELS[:4]), "test")
    assert scores(model, Data(INPUTS, LABELS)) == found


def test_labels_of_mixed_samples_count_as_their_largest_share(model):
    found = scores(model, Data(INPUTS, torch.eye(3)[LABELS] * 0.8 + 0.2 / 3))
    wanted = scores(model, Data(INPUTS, LABELS))
    for name in ("accuracy", "f1", "auroc", "calibration_error"):
        assert found[f"test/{name}"] == wanted[f"test/{name}"]
