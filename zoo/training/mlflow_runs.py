"""Runs of mlflow: in the user's store, or ./mlruns; one over all starts of a run."""

import os
import re
from argparse import Namespace
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import MLFlowLogger

from zoo.distributed.console import console
from zoo.distributed.environment import rank

Config = dict[str, Any]
Row = tuple[str, int]
DATABASES = ("sqlite", "mysql", "postgresql", "mssql")
LONGEST = 250  # characters of a parameter's value that Lightning keeps


def defaults(section: Config, experiment: str, title: str, id_: str | None) -> Config:
    """What a run gives to an MLFlowLogger; its jobs of a sweep have the tag `sweep`.

    Raises:
        ValueError: a database, without the package for it.
    """
    sweep, is_job, _ = title.partition("/")
    own = None if section.get("save_dir") else Path("mlruns").resolve().as_uri()
    store = section.get("tracking_uri") or os.environ.get("MLFLOW_TRACKING_URI") or own
    if str(store).startswith(DATABASES) and find_spec("sqlalchemy") is None:
        raise ValueError(f"mlflow's store is {store!r}: a database needs `pip install mlflow`")
    return {
        "experiment_name": os.environ.get("MLFLOW_EXPERIMENT_NAME", experiment),
        "run_name": title,
        "tracking_uri": store,
        "run_id": id_ if rank() == 0 and id_ and _is_there(id_, store) else None,
        "tags": {"sweep": sweep} if is_job else None,
    }


def _is_there(id_: str, store: str | None) -> bool:
    """Whether a store has the run still; it may have been deleted, or the store be another."""
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    try:
        return bool(MlflowClient(store).get_run(id_).info.lifecycle_stage == "active")
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return False


def open_run(logger: MLFlowLogger, id_: str | None) -> set[Row]:
    """Begin a run, or go on with it, and say where.

    Returns:
        The metrics that it has, with their steps.
    """
    client, run_id = logger.experiment, str(logger.run_id)
    if id_ and id_ != run_id:
        console.print(f"mlflow    the run {id_} is not there any longer: another is begun")
    client.update_run(run_id, status="RUNNING")
    _keep_parameters(logger)
    store = client.tracking_uri
    console.print(f"mlflow    run {run_id} in {store}", soft_wrap=True)
    metrics = client.get_run(run_id).data.metrics
    return {(name, m.step) for name in metrics for m in client.get_metric_history(run_id, name)}


def _keep_parameters(logger: MLFlowLogger) -> None:
    """Let a logger pass over parameters that stand there: mlflow lets none change."""
    usual = logger.log_hyperparams

    def log_hyperparams(params: dict[str, Any] | Namespace) -> None:
        values = params if isinstance(params, Mapping) else vars(params)
        values = {re.sub(r"[^/\w.\- :]", "_", key): value for key, value in values.items()}
        old = logger.experiment.get_run(str(logger.run_id)).data.params
        keys = [key for key in values if old.get(key, value := str(values[key])[:LONGEST]) != value]
        if keys:
            console.print(f"mlflow    keeps the first {', '.join(keys)}: parameters never change")
        usual({key: value for key, value in values.items() if key not in old})

    vars(logger)["log_hyperparams"] = log_hyperparams
