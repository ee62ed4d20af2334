"""A sweep: Hydra's sweeper makes its jobs, its launcher starts them, each in processes of its own.

What becomes of a job is written into a folder below runs/, so that the parent knows it whichever
launcher there is; the folder goes when the sweep ends. `runs/<experiment>/<name>/<job>` is a job's
own folder, and the parent fixes the name.
"""

import csv
import json
import math
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from zoo.catalog.parsing import parse, sweep_jobs
from zoo.distributed import environment
from zoo.distributed.console import console
from zoo.training.application import plain_config
from zoo.training.comparison import describe_score
from zoo.training.launch import run_here
from zoo.training.run import Run, locate_run
from zoo.utilities.errors import Failure, Stopped, line
from zoo.utilities.files import replace

HERE = ("joblib", "submitit_local")  # launchers that start jobs side by side on this machine
POLL = 0.5  # seconds
Config = dict[str, Any]


class Ended(BaseException):
    """A signal that ends a sweep; no Exception, which launchers catch and go on after."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@dataclass
class Job:
    """What a launcher calls with the config of a job.

    Args:
        name: of the sweep.
        folder: where jobs write what became of them.
        total: how many jobs there are, where that is known.
        cores: of a job, where several are done side by side on this machine.
    """

    name: str
    folder: Path
    total: int | None
    cores: int | None

    def __call__(self, composed: DictConfig) -> float:
        """Train, and return the monitored value that a sweeper minimises or maximises.

        A job that fails returns NaN; the others are done.
        """
        number, config = int(HydraConfig.get().job.num), plain_config(composed)
        config["name"] = f"{config['name'] or self.name}/{number}"
        run = locate_run(config)
        report: dict[str, Any] = {"folder": str(run.folder), "config": config}
        total = "" if self.total is None else f" of {self.total}"
        if environment.rank() == 0:
            console.rule(f"job {number + 1}{total}: {config['command']}", align="left")
        try:
            if self.cores is not None:
                self.share_cores(config["trainer"]["devices"])
            run_here(config, run, alone=False)
        except Stopped as stop:
            raise Ended(stop.number) from None
        except Exception as error:
            if os.environ.get("ZOO_DEBUG") == "1":
                raise
            report["error"] = line(error)
            console.print(f"failed    {report['error']}")
        else:
            console.print(f"score     {describe_score(run.results)}")
        if environment.rank() == 0:
            replace(self.folder / f"{number}.json", json.dumps(report))
        return math.nan if "error" in report else objective(run, config)

    def share_cores(self, devices: int) -> None:
        """Be one of several jobs of this machine: some cores, no progress bar, the parent's end."""
        os.environ["OMP_NUM_THREADS"] = str(max((self.cores or 1) // devices, 1))
        os.environ["TTY_COMPATIBLE"] = "0"
        threading.Thread(target=self.end_with_sweep, daemon=True).start()

    def end_with_sweep(self) -> None:
        """End this process when the sweep's folder is gone."""
        while self.folder.exists():
            time.sleep(POLL)
        os.kill(os.getpid(), signal.SIGTERM)


def objective(run: Run, config: dict[str, Any]) -> float:
    """The best value of what a run monitors; NaN where its metrics are not in a CSV file."""
    path = run.folder / "metrics.csv"
    if not path.exists():
        return math.nan
    with path.open(newline="") as file:
        values = [float(row[config["monitor"]] or "nan") for row in csv.DictReader(file)
                  if config["monitor"] in row]  # fmt: skip
    best = max if config["mode"] == "max" else min
    return best((value for value in values if not math.isnan(value)), default=math.nan)


def sweep(
    app: Any, arguments: Sequence[str],
    summarise: Callable[[dict[Path, Config]], None] = lambda jobs: None,
) -> list[Run]:  # fmt: skip
    """Every job that the sweeper makes, started by the launcher, in <name>/<job>.

    Args:
        summarise: says at the end what came of the jobs, by their folders and configs.

    Raises:
        ValueError: before the first job starts, if any job's config is wrong.
        Failure: at the end, naming the jobs that failed.
        Stopped: by a signal; no other job is started.
    """
    if launcher := environment.launcher_name():
        raise ValueError(f"-m starts processes of its own: leave it out under {launcher}")
    config = app.config_loader.load_configuration("train", list(arguments), RunMode.MULTIRUN)
    total = count_jobs(config)
    name = locate_run({"name": None, "choices": {"experiment": ""}}).folder.name
    launcher = str(config.hydra.runtime.choices["hydra/launcher"])
    with _folder(keep=launcher not in ("basic", *HERE)) as folder, _ended_by_signals():
        app.config_loader.sweep_dir = str(folder)
        job = Job(name, folder, total, share_of_cores(launcher, config.hydra.launcher, total))
        if launcher != "basic":
            count = "jobs" if total is None else f"{total} jobs"
            console.print(f"launch    {count} by {launcher}")
        app.multirun("train", job, list(arguments), False)
        reports = read_reports(folder)
        summarise({Path(one["folder"]): one["config"] for one in reports.values()})
        return collect(reports, total, is_reported=launcher in ("basic", "joblib"))


def count_jobs(config: DictConfig) -> int | None:
    """How many jobs Hydra's basic sweeper makes; another's are not known.

    Raises:
        ValueError: it cannot make any of an interval.
    """
    if config.hydra.runtime.choices["hydra/sweeper"] != "basic":
        return None
    params = [f"{key}={value}" for key, value in (config.hydra.sweeper.params or {}).items()]
    arguments = [*params, *config.hydra.overrides.task]
    for one in parse(arguments):
        if one.is_interval_sweep():
            raise ValueError(
                f"{one.input_line} has no end of values: list them (a,b,c or range(1,9,2)), or "
                "choose a sweeper that draws them, a plugin of Hydra's: hydra/sweeper=NAME"
            )
    return len(sweep_jobs(arguments))


def share_of_cores(launcher: str, settings: DictConfig, total: int | None) -> int | None:
    """The cores of a job, where several are done side by side; what the environment says stays."""
    cores = os.cpu_count() or 1
    if launcher not in HERE:
        return None
    if "OMP_NUM_THREADS" in os.environ:
        return int(os.environ["OMP_NUM_THREADS"])
    at_once = settings.n_jobs if launcher == "joblib" else total or cores
    at_once = at_once if at_once > 0 else cores + 1 + at_once
    return max(cores // max(min(at_once, total or at_once), 1), 1)


def read_reports(folder: Path) -> dict[int, Config]:
    """What became of each job, in their order."""
    files = sorted(folder.glob("*.json"), key=lambda file: int(file.stem))
    return {int(file.stem): json.loads(file.read_text()) for file in files}


def collect(reports: dict[int, Config], total: int | None, is_reported: bool) -> list[Run]:
    """The runs of the jobs.

    Args:
        is_reported: whether the jobs said on this terminal why they failed.

    Raises:
        Failure: some failed.
    """
    jobs = range(total) if total is not None else sorted(reports)
    errors = {
        number: reports[number].get("error") if number in reports else "it ended without a word"
        for number in jobs
    }
    failed = {number: error for number, error in errors.items() if error}
    for number, error in failed.items():
        if not is_reported or number not in reports:
            console.print(f"failed    job {number}: {error}")
    if failed:
        raise Failure(f"{len(failed)} of {len(jobs)} jobs failed: {', '.join(map(str, failed))}")
    return [Run(Path(report["folder"])) for report in reports.values()]


@contextmanager
def _folder(keep: bool) -> Iterator[Path]:
    """A folder below runs/ for what the jobs, their launcher and sweeper write meanwhile.

    Args:
        keep: it when the sweep is stopped: its jobs, on other machines, go on.
    """
    root = Path("runs").resolve()
    root.mkdir(exist_ok=True)
    folder, is_stopped = Path(mkdtemp(prefix=".sweep-", dir=root)), False
    try:
        yield folder
    except (KeyboardInterrupt, Stopped):
        is_stopped = True
        raise
    finally:
        if not (keep and is_stopped):
            shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):
            root.rmdir()


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM end the sweep and its jobs, as Ctrl-C does."""

    def end(number: int, frame: Any) -> None:
        raise Ended(number)

    is_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, end) if is_main else None
    try:
        yield
    except Ended as ended:
        raise Stopped(ended.number) from None
    finally:
        if is_main:
            signal.signal(signal.SIGTERM, before)
