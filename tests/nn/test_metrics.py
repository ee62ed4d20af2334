"""Metrics over all samples of validation and test: logged by Lightning, and no part of a model."""

from copy import deepcopy

import pytest
import torch
from pytorch_lightning import LightningDataModule
from sklearn.metrics import f1_score, roc_auc_score
from torch.utils.data import DataLoader, TensorDataset
from torchmetrics import Metric

import zoo
from tests.data import bare_trainer


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


def scores(model, data, path, stage="test"):
    trainer = bare_trainer(default_root_dir=path)
    run = trainer.test if stage == "test" else trainer.validate
    return run(model, datamodule=data, verbose=False)[0]


@pytest.mark.parametrize(("stage", "size"), [("test", 8), ("val", 30), ("test", 1)])
def test_a_classifier_logs_what_scikit_learn_says_in_any_batches(model, tmp_path, stage, size):
    found = scores(model, Data(INPUTS, LABELS, size), tmp_path, stage)
    shares = model.eval()(INPUTS).double().softmax(1).detach().numpy()
    truth = LABELS.numpy()
    wanted = roc_auc_score(truth, shares, multi_class="ovr", average="macro")
    assert found[f"{stage}/auroc"] == pytest.approx(wanted, rel=1e-6)
    assert found[f"{stage}/f1"] == pytest.approx(f1_score(truth, shares.argmax(1), average="macro"))
    assert 0 <= found[f"{stage}/calibration_error"] <= 1


def test_metrics_are_no_part_of_the_model(model, tmp_path):
    """No layer, weight or parameter; a copy and another dtype have them still."""
    names = [name for name, _ in model.named_modules()], [*model.state_dict()]
    found = scores(model, Data(INPUTS, LABELS), tmp_path)
    assert names == ([name for name, _ in model.named_modules()], [*model.state_dict()])
    assert not [layer for layer in model.modules() if isinstance(layer, Metric)]
    twin = deepcopy(model).double()
    data = Data(INPUTS.double(), LABELS)
    assert scores(twin, data, tmp_path) == pytest.approx(found, rel=1e-5)


def test_each_epoch_starts_anew_and_scores_outside_a_run_leave_metrics_alone(model, tmp_path):
    found = scores(model, Data(INPUTS, LABELS), tmp_path)
    model.scores((INPUTS[:4], LABELS[:4]), "test")
    assert scores(model, Data(INPUTS, LABELS), tmp_path) == found


def test_labels_of_mixed_samples_count_as_their_largest_share(model, tmp_path):
    found = scores(model, Data(INPUTS, torch.eye(3)[LABELS] * 0.8 + 0.2 / 3), tmp_path)
    wanted = scores(model, Data(INPUTS, LABELS), tmp_path)
    for name in ("accuracy", "f1", "auroc", "calibration_error"):
        assert found[f"test/{name}"] == wanted[f"test/{name}"]
