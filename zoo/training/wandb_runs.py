"""Runs of wandb: offline unless the user says otherwise, one id over all starts of a run."""

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import WandbLogger

from zoo.distributed.console import console
from zoo.utilities.compat import WANDB_SETTINGS, wandb_rows

Config = dict[str, Any]
Row = tuple[str, int]
STEP = "trainer/global_step"  # Lightning's name of it


def defaults(section: Config, experiment: str, title: str, id_: str | None) -> Config:
    """What a run gives to a WandbLogger; its jobs of a sweep are a group."""
    sweep, is_job, _ = title.partition("/")
    is_chosen = "WANDB_MODE" in os.environ or "offline" in section
    return {
        "project": os.environ.get("WANDB_PROJECT", experiment),
        "name": title,
        "id": id_,
        **({"group": sweep} if is_job else {}),
        **({} if is_chosen else {"mode": "offline"}),
        "settings": WANDB_SETTINGS,
    }


def open_run(logger: WandbLogger, id_: str | None) -> set[Row]:
    """Begin a run, or go on with it, and say where it can be seen.

    Returns:
        The metrics that it has, with their steps.
    """
    import wandb

    wandb.setup()  # before it says anything
    folder = Path(logger.save_dir or ".") / "wandb"
    files = sorted(folder.glob(f"*run-*-{id_}/run-{id_}.wandb")) if id_ else []
    rows: list[Mapping[str, Any]] = [row for file in files for row in wandb_rows(file)]
    run = logger.experiment
    if run.disabled:
        return set()
    if run.offline:
        if rows:  # wandb counts rows anew, and a server takes one of each number
            run.log({}, step=1 + max(int(row["_step"]) for row in rows), commit=False)
        place = os.path.relpath(folder / f"offline-run-*-{run.id}")
        console.print(f"wandb     offline: `wandb sync {place}` sends it", soft_wrap=True)
    else:
        rows += list(_rows_online(run)) if id_ else []
        console.print(f"wandb     {run.url}", soft_wrap=True)
    return {
        (name, int(float(row[STEP])))
        for row in rows
        for name, value in row.items()
        if row.get(STEP) is not None and value is not None
    }


def _rows_online(run: Any) -> Iterable[Mapping[str, Any]]:
    """The rows of a run that wandb's server has."""
    import wandb

    rows: Iterable[Mapping[str, Any]] = wandb.Api().run(run.path).scan_history()
    return rows


def current() -> Any:
    """The run of wandb in this process, if there is one."""
    return getattr(sys.modules.get("wandb"), "run", None)
