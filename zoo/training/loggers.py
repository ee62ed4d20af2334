"""A run's loggers: a run that goes on does so where it logged before, and no row stands twice.

The ids of a run in wandb and mlflow are kept in loggers.json in its folder. When it goes on, rows
that stand there already are not logged again, and those that a kill lost are logged from
metrics.csv.
"""

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pytorch_lightning import Trainer
from pytorch_lightning.loggers import MLFlowLogger, TensorBoardLogger, WandbLogger

from zoo.config import schema
from zoo.config.loggers import with_folder
from zoo.config.schema import is_open, locate, parameters
from zoo.distributed.console import console
from zoo.distributed.environment import rank
from zoo.training import csv_logger, mlflow_runs, wandb_runs
from zoo.training.run import Run, flatten
from zoo.utilities.files import replace

Config = dict[str, Any]
Row = tuple[str, int]  # a metric, as it is called there, and its step

IDS = "loggers.json"
UNLOGGED = ("logger", "force")  # of a config: a logger's arguments may hold a key
ENVIRONMENT = {  # nothing goes to the network unasked; mlflow takes a folder
    "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ALLOW_FILE_STORE": "true",
    "WANDB_ERROR_REPORTING": "false",
}  # fmt: skip
WHILE_OPENING = {  # None: what libraries set, which would hold for the next run
    "WANDB_SILENT": "true", "WANDB_CONSOLE": "off", "WANDB_MODE": None, "MLFLOW_TRACKING_URI": None,
}  # fmt: skip


def make(config: Config, run: Run, checkpoint: Path | None) -> list[Any]:
    """The loggers of a config; in the first process open, with the config in them.

    Args:
        checkpoint: from which the run goes on.

    Raises:
        ValueError: one cannot be opened.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with _environment_kept():
        return [_make(name, config, run, checkpoint) for name in config["logger"]]


@contextmanager
def _environment_kept() -> Iterator[None]:
    """Let wandb say nothing but what we do; leave the environment as it was."""
    before = {name: os.environ.get(name) for name in WHILE_OPENING}
    for name, value in WHILE_OPENING.items():
        os.environ.update({name: value} if value and before[name] is None else {})
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            os.environ.update({} if value is None else {name: value})


def _make(name: str, config: Config, run: Run, checkpoint: Path | None) -> Any:
    """One logger, by its name in the config."""
    section = with_defaults(name, config, run)
    try:
        logger = schema.build(section, f"logger.{name}")
        if rank() == 0:
            _open(name, logger, section, run, checkpoint)
            logger.log_hyperparams(hyperparameters(config))
    except Exception as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"logger.{name} cannot be opened: {reason}") from error
    return logger


def with_defaults(name: str, config: Config, run: Run) -> Config:
    """A logger's section with what the run gives to its class: the folder, names and an id."""
    section = config["logger"][name]
    cls, id_ = locate(section["_target_"]), read_ids(run).get(name)
    title = config["name"] or run.folder.name
    defaults: Config = {}
    if issubclass(cls, WandbLogger):
        defaults = wandb_runs.defaults(section, config["choices"]["experiment"], title, id_)
    elif issubclass(cls, MLFlowLogger):
        defaults = mlflow_runs.defaults(section, config["choices"]["experiment"], title, id_)
    elif issubclass(cls, TensorBoardLogger):
        defaults = {"name": None, "version": name, "default_hp_metric": False}
    names = defaults.keys() if is_open(cls) else defaults.keys() & parameters(cls).keys()
    section = with_folder({**{key: defaults[key] for key in names}, **section})
    if section.get("save_dir"):  # a relative one is under the run's
        section["save_dir"] = str(run.folder / section["save_dir"])
    return section


def _open(name: str, logger: Any, section: Config, run: Run, checkpoint: Path | None) -> None:
    """Open a logger where it was, at the checkpoint's step."""
    rows = None
    for kind, runs in ((WandbLogger, wandb_runs), (MLFlowLogger, mlflow_runs)):
        if isinstance(logger, kind):
            rows = runs.open_run(logger, read_ids(run).get(name))
            replace(run.folder / IDS, json.dumps({**read_ids(run), name: logger.version}))
    if isinstance(logger, TensorBoardLogger):
        rows = _event_rows(logger)
    if rows is not None:
        _skip(logger, rows, section.get("prefix"))
        _log_lost_rows(logger, run)
    elif checkpoint is not None and not isinstance(logger, csv_logger.CSVLogger):
        console.print(f"logger    {name}: rows after the last checkpoint may stand there twice")


def _event_rows(logger: TensorBoardLogger) -> set[Row]:
    """The metrics in a folder of event files, with their steps."""
    if not any(Path(logger.log_dir).glob("events.*")):
        return set()
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(logger.log_dir, size_guidance={"scalars": 0}).Reload()
    names = events.Tags()["scalars"]
    return {(name, event.step) for name in names for event in events.Scalars(name)}


def read_ids(run: Run) -> dict[str, str]:
    """The ids of a run where its loggers log to, by their names in the config."""
    file = run.folder / IDS
    ids: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    return ids


def _skip(logger: Any, rows: set[Row], prefix: str | None) -> None:
    """Let a logger leave out rows that stand there already; an epoch alone is none."""
    usual = logger.log_metrics

    def is_new(name: str, step: int | None) -> bool:
        return name == "epoch" or (f"{prefix}-{name}" if prefix else name, step) not in rows

    def log_metrics(metrics: dict[str, float], step: int | None = None) -> None:
        new = {name: value for name, value in metrics.items() if is_new(name, step)}
        if new.keys() - {"epoch"}:
            usual(new, step)

    logger.log_metrics = log_metrics


def _log_lost_rows(logger: Any, run: Run) -> None:
    """Log what metrics.csv has, which ends at the checkpoint by now."""
    for row in csv_logger.read(run.folder / "metrics.csv"):
        step = int(row.pop("step"))
        logger.log_metrics({name: float(value) for name, value in row.items() if value}, step)


def hyperparameters(config: Config) -> Config:
    """The config of a run by dotted keys, as loggers take it."""
    return dict(flatten({key: value for key, value in config.items() if key not in UNLOGGED}))


def log_scores(trainer: Trainer, scores: Config) -> None:
    """Log the test scores to all loggers but our own: results.json is beside metrics.csv.

    The ends of an interval are test/f1_low and test/f1_high there: a store of mlflow's that is a
    folder has a file test/f1 and so no test/f1/low.
    """
    scores = {re.sub("/(low|high)$", r"_\1", name): score for name, score in scores.items()}
    for logger in trainer.loggers:
        if not isinstance(logger, csv_logger.CSVLogger):
            logger.log_metrics(scores, trainer.global_step)
            if isinstance(logger, TensorBoardLogger):
                _show_hyperparameters(logger, scores)
            logger.finalize("success")


def _show_hyperparameters(logger: TensorBoardLogger, scores: Config) -> None:
    """Fill tensorboard's page HPARAMS, which names the scores that it shows beside the config."""
    from torch.utils.tensorboard.summary import hparams

    plain = (bool, int, float, str)
    config = {k: v if isinstance(v, plain) else str(v) for k, v in logger.hparams.items()}
    for summary in hparams(config, scores):
        logger.experiment.file_writer.add_summary(summary)


@contextmanager
def closed() -> Iterator[None]:
    """End the run of wandb that the work within began, and with it wandb's own process."""
    before, failed = wandb_runs.current(), True
    try:
        yield
        failed = False
    finally:
        if wandb_runs.current() is not before:
            sys.modules["wandb"].finish(exit_code=int(failed))
