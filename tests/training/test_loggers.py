"""Loggers: what each has of a run, and that a run which is killed and goes on has each row once."""

import json
import os
import shutil
import time
from collections import Counter
from pathlib import Path

import pytest
from mlflow import MlflowClient
from pytorch_lightning.loggers import Logger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.training.test_resume import BOUNDARY, MIDDLE, stopped, trained
from zoo.training import csv_logger, loggers, resume, wandb_runs
from zoo.utilities.compat import wandb_rows

ROOT = Path(__file__).resolve().parents[2]
ALL = "logger=[csv,tensorboard,wandb,mlflow]"
LIGHTNING = "pytorch_lightning.loggers."
SECOND = "logger.w._target_=" + LIGHTNING


@pytest.fixture(autouse=True)
def places(monkeypatch):
    """No account, no server: as where nobody said anything."""
    for name in [*os.environ]:
        if name.startswith(("WANDB_", "MLFLOW_")):
            monkeypatch.delenv(name)


class Own(Logger):
    """What it is told, in a file."""

    def __init__(self, *, file: str, greeting: str = "hello") -> None:
        super().__init__()
        self.file = Path(file)
        self.file.write_text(greeting)

    name, version = "own", "0"

    def log_hyperparams(self, params, *_):
        self._write(f"seed {params['seed']}")

    def log_metrics(self, metrics, step=None):
        self._write(*(f"{name} {step}" for name in metrics))

    def _write(self, *lines):
        with self.file.open("a") as file:
            file.writelines(f"\n{line}" for line in lines)


def csv_rows(folder):
    """(metric, step) of metrics.csv, but for the epoch, as often as it stands there."""
    rows = csv_logger.read(folder / "metrics.csv")
    return Counter((k, int(row["step"])) for row in rows for k in row if row[k] and k not in
                   ("epoch", "step"))  # fmt: skip


def mlflow_run():
    """The only run in ./mlruns."""
    client = MlflowClient(Path("mlruns").resolve().as_uri())
    (run,) = client.search_runs([one.experiment_id for one in client.search_experiments()])
    return client, run


def mlflow_rows(_):
    client, run = mlflow_run()
    names = run.data.metrics.keys() - {"epoch"}
    return Counter(
        (name, metric.step)
        for name in names
        for metric in client.get_metric_history(run.info.run_id, name)
    )


def wandb_rows_of(folder):
    rows = [row for file in sorted(folder.glob("wandb/off*/*.wandb")) for row in wandb_rows(file)]
    numbers = [int(row["_step"]) for row in rows]
    assert len({*numbers}) == len(numbers), numbers
    return Counter(
        (name, int(row[wandb_runs.STEP]))
        for row in rows
        for name in row
        if name[0] != "_" and name not in ("epoch", wandb_runs.STEP)
    )


def tensorboard_rows(folder):
    events = EventAccumulator(str(folder / "tensorboard")).Reload()
    names = {*events.Tags()["scalars"]} - {"epoch"}
    return Counter((name, event.step) for name in names for event in events.Scalars(name))


BACKENDS = {"mlflow": mlflow_rows, "wandb": wandb_rows_of, "tensorboard": tensorboard_rows}


@loggers.closed()
def logged(folder, *changes):
    trained(folder, "image_cnn", ALL, *changes)


@pytest.mark.parametrize("step", [MIDDLE, BOUNDARY])
def test_each_row_stands_once_in_each_logger_after_a_kill(step, tmp_path, monkeypatch):
    """The rows behind the checkpoint are done again; of wandb's a kill has lost the last."""
    monkeypatch.setattr(resume, "CHECKPOINTS_TO_KEEP", 99)
    whole = tmp_path / "whole"
    whole.mkdir()
    logged(whole)
    wanted, ids = csv_rows(whole), json.loads((whole / "loggers.json").read_text())
    for name, rows in BACKENDS.items():
        assert rows(whole) == wanted, name
    folder = stopped(whole, step)
    shutil.copytree(whole / "tensorboard", folder / "tensorboard")
    shutil.copytree(whole / "wandb", folder / "wandb", symlinks=True)
    shutil.copy(whole / "loggers.json", folder)
    (file,) = folder.glob("wandb/off*/*.wandb")
    os.truncate(file, file.stat().st_size // 2)
    shutil.rmtree(whole / "wandb")
    time.sleep(1)  # wandb's folders bear the second
    logged(folder, "trainer.max_epochs=3")
    wanted = csv_rows(folder)
    assert len(wanted) > 20
    for name, rows in BACKENDS.items():
        assert rows(folder) == wanted, name
    assert json.loads((folder / "loggers.json").read_text()) == ids
    _, run = mlflow_run()
    assert (run.info.run_id, run.info.status) == (ids["mlflow"], "FINISHED")
