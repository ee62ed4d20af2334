"""Callbacks that a config names: what they do, and that a killed run goes on with them exactly."""

import re

import pytest
import torch
from pytorch_lightning import Callback
from pytorch_lightning.callbacks import Checkpoint

from tests.data import refused
from tests.training.test_resume import ends_alike, stopped, trained
from zoo.catalog.compose import compose
from zoo.catalog.overrides import as_overrides
from zoo.config import callbacks
from zoo.training import csv_logger, resume
from zoo.training.run import Run, step_of

CONSTANT = ("model.optimizer.schedule=constant",)
LIGHTNINGS = "pytorch_lightning.callbacks."


class Saver(Checkpoint):
    """Somebody's own, which saves as Lightning's does."""


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
    for step in {max(steps), sorted(steps)[len(steps) // 2]}:
        ends_alike(tmp_path / "whole", step, wanted, "image_cnn", *changes)


def test_a_run_that_measures_its_throughput_ends_with_the_same_weights(tmp_path):
    """Its rows hold times, which are not repeated."""
    wanted = trained(tmp_path, "image_cnn", "callbacks=throughput")
    found = trained(stopped(tmp_path, 3), "image_cnn", "callbacks=throughput")
    assert all(torch.equal(found[key], tensor) for key, tensor in wanted.items())
    assert "train/samples" in (tmp_path / "metrics.csv").read_text()


@pytest.mark.parametrize(("overrides", "said"), [
    *((f"callbacks.x._target_={LIGHTNINGS}{name}", f"callbacks.x is of class {name}: {said}")
      for name, said in {
          "ModelCheckpoint": "a run keeps its", "OnExceptionCheckpoint": "a run keeps its",
          "LearningRateFinder": "a run learns at the", "BatchSizeFinder": "a run has the batch",
          "BasePredictionWriter": "a run predicts nothing",
      }.items()),
    ("callbacks.x._target_=tests.training.test_user_callbacks.Saver", "class Saver: a run keeps"),
    ("callbacks=ema ema=0.9", "callbacks.ema is of class EMAWeightAveraging: ema= makes one"),
    ("callbacks=early_stopping early_stopping=2", "early_stopping= makes one already"),
    ("callbacks.x._target_=pytorch_lightning.loggers.CSVLogger", "not a callback of"),
    ("callbacks.x._target_=tests.data.bare_trainer", "not a callback of"),
    ("callbacks.x.decay=1", "callbacks.x has no _target_"), ("callbacks.x=3", "callbacks.x is 3"),
    ("callbacks=lr_monitr", "did you mean 'lr_monitor'"),
    ("callbacks=lr_monitor callbacks.lr_monitor.logging_intervall=step", "logging_interval'?"),
    ("callbacks=lr_monitor callbacks.lr_monitor.logging_interval=never", "'step' or 'epoch'"),
    ("callbacks=accumulation callbacks.accumulation.scheduling={a:2}", "valid integer"),
])  # fmt: skip
def test_a_wrong_callback_is_refused_before_any_work(overrides, said):
    refused(re.escape(said), compose, overrides.split())


@pytest.mark.parametrize(("overrides", "said"), [
    (("callbacks=timer", "callbacks.timer.duration=tomorrow"), "`Timer(duration='tomorrow')`"),
    (("callbacks=accumulation", "callbacks.accumulation.scheduling={0:0}"), "Accumulation factor"),
    (("callbacks=ema", f"callbacks.b._target_={LIGHTNINGS}EMAWeightAveraging"), "more than one"),
    (("callbacks=lr_monitor", "logger=[]"), "callback with `Trainer` that has no logger"),
])  # fmt: skip
def test_what_a_callback_itself_refuses_is_said_in_its_words(overrides, said, command):
    assert said in command.failed("train", *overrides, "trainer=smoke", "data.limit=32")


@pytest.mark.parametrize("given", [
    ["callbacks=accumulation", "callbacks.accumulation.scheduling={0:2}"],
    ["callbacks=accumulation", "callbacks.accumulation.scheduling.0=2"],
    [f"callbacks.x={{_target_: {LIGHTNINGS}GradientAccumulationScheduler, scheduling: {{0: 2}}}}"],
    {"callbacks": {"accumulation": {"_target_": LIGHTNINGS + "GradientAccumulationScheduler",
                                    "scheduling": {0: 2}}}},
    {"callbacks": "accumulation", "callbacks.accumulation.scheduling": {"0": 2}},
])  # fmt: skip
def test_a_schedule_over_epochs_may_be_given_in_every_way(given, tmp_path):
    """Two batches a step: half of the steps."""
    overrides = as_overrides(given) if isinstance(given, dict) else given
    trained(tmp_path, "image_cnn", *overrides)
    assert [step_of(path) for path in Run(tmp_path).lasts] == [2, 1]


def test_callbacks_are_chosen_by_name_and_from_a_file_of_ones_own(command, tmp_path):
    (tmp_path / "counts.py").write_text(
        "from pytorch_lightning import Callback\n\nclass Counting(Callback):\n"
        "    def on_train_batch_end(self, *_):\n"
        "        with open('batches.txt', 'a') as file:\n            file.write('x')\n"
    )
    own = ("callbacks.mine._target_=counts.Counting", f"callbacks.x._target_={LIGHTNINGS}Callback")
    small = ("trainer=smoke", "data.limit=64", "data.batch_size=16", "name=a")
    _, _, err = command("train", "callbacks=[lr_monitor,timer]", *own, *small)
    run = Run(tmp_path / "runs/image_cnn/a")
    assert run.finished, err
    assert list(run.config["callbacks"]) == ["lr_monitor", "timer", "mine", "x"]
    assert (tmp_path / "batches.txt").read_text() == "xx"
    assert "lr-SGD/pg1" in csv_logger.read(run.folder / "metrics.csv")[0]
    assert "callback  Callback: killed and gone on, this run may end otherwise" in err
    assert "Counting:" not in err


@pytest.mark.parametrize("accelerator", ["cpu", "auto"])
def test_what_watches_a_cpu_says_what_to_install(accelerator, monkeypatch):
    monkeypatch.setattr(callbacks, "find_spec", lambda name: None)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    asked = ["callbacks=device_stats", f"trainer.accelerator={accelerator}"]
    with pytest.raises(ImportError, match="pip install psutil"):
        compose(asked)
    assert compose([*asked, "callbacks.device_stats.cpu_stats=false"])
