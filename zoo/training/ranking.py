"""Runs beside each other, best first, and what differs between them.

run folders  ->  Ranking: a Record for each run, and the keys of the config that differ
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.training.comparison import headline, lower_is_better
from zoo.training.record import Record, read_record
from zoo.utilities.scores import is_share

CHOICE = "choices."
HIDDEN = {  # sections that say nothing of how a run was trained, or have a column of their own
    "name", "force", "command", "smoke", "logger", "baseline", "target", "monitor", "mode",
}  # fmt: skip


@dataclass(frozen=True)
class Ranking:
    """Records, best first; the metric that each is ranked by ("": none); the keys that differ."""

    records: list[Record]
    metrics: list[str]
    keys: list[str]

    @property
    def names(self) -> list[str]:
        """The folders of the runs as seen from the deepest one that holds them all."""
        folders = [record.folder for record in self.records]
        shared = common_folder(folders)
        return [folder.relative_to(shared).as_posix() for folder in folders]


def common_folder(folders: Sequence[Path]) -> Path:
    """The deepest folder that holds them all; of one run that above it."""
    first, *others = folders
    return next(p for p in first.parents if all(p in folder.parents for folder in others))


def rank(folders: Iterable[Path], ended: Mapping[Path, dict[str, Any]] | None = None) -> Ranking:
    """The runs, best first: finished ones by their score, then smoke runs, then unfinished ones.

    Unfinished ones are in the order of their monitored metric.

    Args:
        ended: the configs of runs that no process works on any more: where one did not finish, it
            has failed.
    """
    records = [read_record(folder, (ended or {}).get(folder)) for folder in folders]
    metrics = ranking_metrics(records)
    order = [metric for metric, _ in Counter(filter(None, metrics)).most_common()]
    lowest = {metric: is_lower_better(metric, records) for metric in order}

    def place(pair: tuple[Record, str]) -> tuple[Any, ...]:
        record, metric = pair
        if not metric:
            best = _ascending(record.best, record.monitors_lowest)
            return True, record.smoke, record.best is None, record.monitor, best
        best = _ascending(record.score(metric), lowest[metric])
        return False, record.smoke, order.index(metric), best

    ranked = sorted(zip(records, metrics, strict=True), key=place)
    keys = differing_keys(records)
    return Ranking([record for record, _ in ranked], [metric for _, metric in ranked], keys)


def _ascending(value: float | None, is_lower_better: bool) -> tuple[bool, float]:
    """Sorts the best first, and what is no number last."""
    if value is None or math.isnan(value):
        return True, 0.0
    return False, value if is_lower_better else -value


# --- which metric --------------------------------------------------------------------------------


def ranking_metrics(records: Sequence[Record]) -> list[str]:
    """For each run the metric to rank it by; "" where it has no score.

    It is the headline of a run (its target's, else its baseline's, else its first metric) that all
    others have, too, the most frequent first. Where there is none, each run has its own: losses of
    runs that are judged by something else are not compared.
    """
    own = [headline(record.results) for record in records]
    scored = [record for record, metric in zip(records, own, strict=True) if metric]
    for metric, _ in Counter(filter(None, own)).most_common():
        is_shared = all(record.score(metric) is not None for record in scored)
        if is_shared and not metric.endswith("/loss"):
            return [metric if name else "" for name in own]
    return own


def is_lower_better(metric: str, records: Sequence[Record]) -> bool:
    """The direction of a metric: that of the same monitored one, else by its name or a target."""
    measure = metric.partition("/")[2]
    for record in records:
        if record.monitor.partition("/")[2] == measure and "mode" in record.config:
            return record.monitors_lowest
    targets = [record.results.get("target") or {} for record in records]
    is_bounded = any(t.get("metric") == metric and "at_most" in t for t in targets)
    return lower_is_better(metric) or (is_bounded and not is_share(metric))


# --- what differs --------------------------------------------------------------------------------


def differing_keys(records: Sequence[Record]) -> list[str]:
    """The keys of the config that differ between runs, names of the groups first.

    What a name stands for is not spelt out: between runs that differ in their model, data or
    recipe only those keys count that a command set. Of the names, too, if a command set one.
    """
    records = [record for record in records if record.config]
    every = dict.fromkeys(key for record in records for key in record.config)
    keys = [key for key in every if key.partition(".")[0] not in HIDDEN]
    keys = [key for key in keys if not _follows_seed(key, records)]
    differing = [key for key in keys if _differs(key, records)]
    overrides = {name for record in records for name in record.overrides}
    choices = [key for key in differing if key.startswith(CHOICE)]
    named = [key for key in choices if title_of(key) in overrides] or choices
    overrides -= {title_of(key) for key in keys if key.startswith(CHOICE)}
    alike: dict[str, list[Record]] = {}
    for record in records:
        alike.setdefault(repr([record.config.get(key) for key in choices]), []).append(record)
    return named + [
        key
        for key in differing
        if key not in choices
        and (_is_set(key, overrides) or any(_differs(key, group) for group in alike.values()))
    ]


def _differs(key: str, records: Sequence[Record]) -> bool:
    return len({repr(record.config.get(key, ...)) for record in records}) > 1


def _follows_seed(key: str, records: Sequence[Record]) -> bool:
    """Whether it is the seed of a section, and in each run that of the run."""
    having = [record.config for record in records if key in record.config]
    return key.endswith(".seed") and all(config[key] == config.get("seed") for config in having)


def _is_set(key: str, overrides: set[str]) -> bool:
    """Whether a command set the key, or a section that holds it."""
    return any(f"{key}.".startswith(f"{override}.") for override in overrides)


def title_of(key: str) -> str:
    """How a key is called: what `zoo train` takes."""
    return key.removeprefix(CHOICE)


def show_value(record: Record, key: str) -> str:
    """A value of the config as a command takes it; empty where there is no such key."""
    value = record.config.get(key, "")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
