"""What a run's folder tells, be the run finished or not, its files whole or damaged."""

import math
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from zoo.training import csv_logger
from zoo.training.run import Run, flatten

Config = dict[str, Any]
Value = TypeVar("Value", dict[str, Any], list[csv_logger.Row])


@dataclass(frozen=True)
class Record:
    """A run, read.

    Args:
        folder: of the run.
        config: as it was composed, by dotted keys.
        results: empty where it did not finish.
        rows: of metrics.csv.
        status: what there is to say of it: "unfinished", "smoke", ...; empty of a finished run.
    """

    folder: Path
    config: Config
    results: Config
    rows: list[csv_logger.Row]
    status: str

    @property
    def smoke(self) -> bool:
        """Whether its scores mean nothing."""
        return bool(self.results.get("smoke") or self.config.get("smoke"))

    @property
    def monitor(self) -> str:
        """The metric that its best checkpoint was chosen by."""
        return str(self.config.get("monitor") or "")

    @property
    def monitors_lowest(self) -> bool:
        """Whether a lower value of it is better."""
        return bool(self.config.get("mode") != "max")

    @cached_property
    def best(self) -> float | None:
        """The best value of the monitored metric."""
        return (min if self.monitors_lowest else max)(self._finite(self.monitor), default=None)

    def score(self, metric: str) -> float | None:
        """A metric of its results."""
        value = self.results.get(metric)
        return float(value) if isinstance(value, int | float) else None

    @property
    def epochs(self) -> int | None:
        """Those that it trained; of an unfinished run those that it began."""
        epochs: int | None = self.results.get("epochs")
        return self._count("epoch") if epochs is None else epochs

    @property
    def steps(self) -> int | None:
        """The last one that was logged."""
        return self._count("step")

    @property
    def minutes(self) -> float | None:
        """Those of its training."""
        seconds = self.score("train_seconds")
        return None if seconds is None else seconds / 60

    def _count(self, column: str) -> int | None:
        """Both are counted from 0 in the file."""
        last = max(self._finite(column), default=None)
        return None if last is None else int(last) + 1

    def _finite(self, column: str) -> list[float]:
        values = [number(row.get(column)) for row in self.rows]
        return [value for value in values if math.isfinite(value)]

    @property
    def command(self) -> str:
        """What repeats it; empty where that is not known."""
        return str(self.results.get("command") or self.config.get("command") or "")

    @cached_property
    def overrides(self) -> set[str]:
        """The keys that its command set."""
        try:
            words = shlex.split(self.command)[2:]  # zoo train
        except ValueError:  # a quote that does not end
            return set()
        return {word.partition("=")[0].lstrip("+~").partition("@")[0] for word in words}


def number(text: str | None) -> float:
    """A cell of a metrics file as a number; nan where it is empty or damaged."""
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan


def read_record(folder: Path, ended: Config | None = None) -> Record:
    """What a run's folder tells; a file that cannot be read is named in the status.

    Args:
        ended: the config of a job that has ended: where it left no results it has failed, and a
            job that failed before it began has left no folder.
    """
    run, damaged = Run(folder), list[str]()
    config = _read(lambda: run.composed, "config.yaml", damaged, {}) or ended
    results = _read(lambda: run.results, "results.json", damaged, {})
    rows = _read(lambda: csv_logger.read(folder / "metrics.csv"), "metrics.csv", damaged, [])
    config = dict(flatten(config)) if config else {}
    notes = [] if run.finished else ["unfinished" if ended is None else "failed"]
    notes += ["smoke"] if results.get("smoke") or config.get("smoke") else []
    notes += [f"{file} cannot be read" for file in damaged]
    return Record(folder, config, results, rows, ", ".join(notes))


def _read(read: Callable[[], Value], file: str, damaged: list[str], empty: Value) -> Value:
    """What a file holds; `empty` where there is none, or where it is damaged, which is noted."""
    try:
        value = read()
        if isinstance(value, type(empty)):
            return value
    except FileNotFoundError:
        return empty
    except Exception:  # whatever the reader of a format raises
        pass
    damaged.append(file)
    return empty
