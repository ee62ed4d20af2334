"""Callbacks that a config names: what they do, and that a killed run goes on with them exactly."""

import pytest
from pytorch_lightning import Callback

from tests.training.test_resume import ends_alike, trained
from zoo.training import resume
from zoo.training.run import Run

CONSTANT = ("model.optimizer.schedule=constant",)
LIGHTNINGS = "pytorch_lightning.callbacks."


class Halving(Callback):
    """Somebody's own, with a state: each second step's rate is halved."""

    def __init__(self, *, every: int = 2) -> None:
        self.every, self.steps = every, 0

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        self.steps += 1
        if self.steps % self.every == 0:
            for group in trainer.optimizers[0].param_groups:
                group["lr"] /= 2

    def state_dict(self):
        return {"steps": self.steps}

    def load_state_dict(self, state_dict):
        self.steps = state_dict["steps"]


@pytest.fixture(autouse=True)
def own(monkeypatch):
    """Classes of the tests may be named as those of any package of the user's."""
    monkeypatch.setenv("ZOO_TRUST", "tests")


EXACT = {
    "lr_monitor": ("callbacks=lr_monitor",),
    "early_stopping": ("callbacks=early_stopping", "callbacks.early_stopping.patience=1",
                       "model.optimizer.lr=1e-9", "trainer.max_epochs=9"),
    "ema": ("callbacks=[ema]", "callbacks.ema.decay=0.5", *CONSTANT),
    "swa": ("callbacks=swa", "callbacks.swa.swa_epoch_start=2", "trainer.max_epochs=4",
            "callbacks.swa.annealing_epochs=2"),
    "swa_linear": ("callbacks=swa", "callbacks.swa.swa_epoch_start=1", "trainer.max_epochs=3",
                   "callbacks.swa.annealing_strategy=linear", *CONSTANT),
    "timer": ("callbacks=timer",),
    "accumulation": ("callbacks=accumulation", "callbacks.accumulation.scheduling={0:2,1:1,4:2}",
                     "data.limit=96", "trainer.limit_train_batches=4", "trainer.max_epochs=2"),
    "rich_progress_bar": ("callbacks=rich_progress_bar",),
    "device_stats": ("callbacks=device_stats", "callbacks.device_stats.cpu_stats=false"),
    "own": ("callbacks.halving._target_=tests.training.test_user_callbacks.Halving", *CONSTANT),
}  # fmt: skip


@pytest.mark.parametrize("changes", EXACT.values(), ids=EXACT)
@pytest.mark.filterwarnings("ignore:.*CPU stats.*", "ignore:.*cpu_stats.*")
def test_a_run_with_it_goes_on_after_a_kill_as_if_nothing_were(changes, tmp_path, monkeypatch):
    monkeypatch.setattr(resume, "CHECKPOINTS_TO_KEEP", 99)
    (tmp_path / "whole").mkdir()
    wanted = trained(tmp_path / "whole", "image_cnn", *changes)
    steps = [int(path.stem.removeprefix("last-")) for path in Run(tmp_path / "whole").lasts]
    assert len(steps) > 1
    for step in steps:
        ends_alike(tmp_path / "whole", step, wanted, "image_cnn", *changes)
