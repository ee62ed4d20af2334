"""The table of `zoo compare` and its page: runs best first, what differs, and their curves.

run folders  ->  FOLDER/compare.html
"""

import csv
import io
import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

from zoo.figures.html import render
from zoo.figures.kinds import Curve, Panels, Table
from zoo.training.comparison import interval_of
from zoo.training.ranking import Ranking, show_value, title_of
from zoo.training.record import Record, number
from zoo.training.report import x_axis
from zoo.utilities.files import replace
from zoo.utilities.scores import format_score

NAME = "compare.html"
DIVERGED = 10  # times as far from the best value as the others' worst: a line so far is cut off
CUT = 3  # lines that are named where they are cut off
LONG = 60  # characters; a run whose differences are longer is called by its name
CSV_COLUMNS = ("metric", "score", "low", "high", "monitor", "best", "epochs", "steps", "minutes")


# --- the table -----------------------------------------------------------------------------------


def table(ranking: Ranking) -> Table:
    """A row for each run; a column that is empty in all of them is left out."""
    records, pairs = ranking.records, list(zip(ranking.records, ranking.metrics, strict=True))
    metric = _only(ranking.metrics) or "score"
    monitor = _only(record.monitor for record in records if record.best is not None) or "monitor"
    columns = {
        "run": ranking.names,
        **{title_of(key): [show_value(record, key) for record in records] for key in ranking.keys},
        metric: [_score(record, name, is_named=name != metric) for record, name in pairs],
        "95 % interval": [interval_of(name, record.results) for record, name in pairs],
        f"best {monitor}": [_best(record, record.monitor != monitor) for record in records],
        "epochs": [_count(record.epochs) for record in records],
        "steps": [_count(record.steps) for record in records],
        "minutes": [_minutes(record.minutes) for record in records],
        "status": [record.status for record in records],
    }
    columns = {name: cells for name, cells in columns.items() if name == "run" or any(cells)}
    return Table(tuple(columns), list(zip(*columns.values(), strict=True)))


def _only(names: Iterable[str]) -> str:
    """The one name there is; empty where there are several or none."""
    different = set(filter(None, names))
    return different.pop() if len(different) == 1 else ""


def _score(record: Record, metric: str, is_named: bool) -> str:
    """With the metric's name, where runs have different ones."""
    value = record.score(metric)
    if value is None:
        return ""
    return f"{metric} {format_score(metric, value)}" if is_named else format_score(metric, value)


def _best(record: Record, is_named: bool) -> str:
    if record.best is None:
        return ""
    value = format_score(record.monitor, record.best)
    return f"{record.monitor} {value}" if is_named else value


def _count(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _minutes(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def as_csv(ranking: Ranking) -> str:
    """The same rows, with the numbers as they were measured."""
    keys = ranking.keys
    writer = csv.writer(file := io.StringIO(), lineterminator="\n")
    writer.writerow(["run", *map(title_of, keys), *CSV_COLUMNS, "status"])
    rows = zip(ranking.names, ranking.records, ranking.metrics, strict=True)
    for name, record, metric in rows:
        ends = [record.score(f"{metric}{end}") for end in ("", "/low", "/high")]
        course = [record.monitor, record.best, record.epochs, record.steps, record.minutes]
        values = [show_value(record, key) for key in keys]
        writer.writerow([name, *values, metric, *ends, *course, record.status])
    return file.getvalue()


def notes(ranking: Ranking) -> list[str]:
    """What has to be said of the order."""
    metrics = list(dict.fromkeys(filter(None, ranking.metrics)))
    if len(metrics) < 2:
        return []
    return [f"Runs with different metrics, each in the order of its own: {', '.join(metrics)}."]


# --- the curves ----------------------------------------------------------------------------------


def labels(ranking: Ranking) -> list[str]:
    """What each run differs in; with its name, or by it alone, where that is not enough."""
    ends = Counter(key.rpartition(".")[2] for key in ranking.keys)
    texts = [
        ", ".join(_label(record, key, ends) for key in ranking.keys if key in record.config)
        for record in ranking.records
    ]
    count = Counter(texts)
    return [
        name if not 0 < len(text) <= LONG else text if count[text] == 1 else f"{text} ({name})"
        for text, name in zip(texts, ranking.names, strict=True)
    ]


def _label(record: Record, key: str, ends: Counter[str]) -> str:
    """A value, with the end of its key where that tells it from others; a name by itself."""
    value, end = show_value(record, key), key.rpartition(".")[2]
    if key != title_of(key):
        return value
    return f"{end if ends[end] == 1 else key}={value}"


def panels(ranking: Ranking) -> Panels:
    """Of the monitored metrics and the loss, validation and training: a line for each run."""
    monitors = sorted({record.monitor for record in ranking.records} - {"", "val/loss"})
    names = [*monitors, "val/loss"]
    columns = [column for name in names for column in (name, name.replace("val", "train", 1))]
    curves = {column: curve(ranking, column) for column in dict.fromkeys(columns)}
    return Panels({column: one for column, one in curves.items() if one.lines})


def curve(ranking: Ranking, column: str) -> Curve:
    """A metric of all runs over epochs, or over steps where one of them logged it more often."""
    having = {
        label: rows
        for label, record in zip(labels(ranking), ranking.records, strict=True)
        if (rows := [row for row in record.rows if row.get(column)])
    }
    axes = {x_axis(rows, [column]) for rows in having.values()}
    axis = "epoch" if axes == {"epoch"} else "step"
    lines = {
        label: (
            [1 + number(row.get(axis)) for row in rows],  # counted from 0 in the file
            [number(row[column]) for row in rows],
        )
        for label, rows in having.items()
    }
    limits = usual_range([y for _, y in lines.values()])
    return Curve(lines, x_label=axis, y_label=_beyond(lines, limits), limits=limits)


def usual_range(lines: Iterable[Sequence[float]]) -> tuple[float, float]:
    """What is drawn of several lines, so that one which diverges does not flatten the others."""
    finite = [own for line in lines if (own := [y for y in line if math.isfinite(y)])]
    if not finite:
        return -math.inf, math.inf
    lowest, highest = min(map(min, finite)), max(map(max, finite))
    top = _before_gap([max(line) - lowest for line in finite])
    bottom = _before_gap([highest - min(line) for line in finite])
    return highest - bottom, lowest + top


def _before_gap(distances: list[float]) -> float:
    """The greatest of those that lie together; infinite where all do. One may be zero."""
    order = sorted(distances)
    for one, other in pairwise(order):
        if 0 < one * DIVERGED < other:
            return one
    return math.inf


def _beyond(lines: Mapping[str, tuple[Any, Sequence[float]]], limits: tuple[float, float]) -> str:
    """What the lines that leave the limits reach."""
    ends = {name: [y for y in line if math.isfinite(y)] for name, (_, line) in lines.items()}
    below = {name: min(line) for name, line in ends.items() if line and min(line) < limits[0]}
    above = {name: max(line) for name, line in ends.items() if line and max(line) > limits[1]}
    reaches = [f"{name} reaches {y:.3g}" for one in (below, above) for name, y in one.items()]
    more = [f"{len(reaches) - CUT} more"] if len(reaches) > CUT else []
    return f"cut off: {', '.join([*reaches[:CUT], *more])}" if reaches else ""


# --- the page ------------------------------------------------------------------------------------


def write(ranking: Ranking, folder: Path) -> Path:
    """Write the page; a reader never sees half of it."""
    replace(page := folder / NAME, html(ranking, folder))
    return page


def html(ranking: Ranking, folder: Path) -> str:
    """The whole page, with links to the reports as seen from its folder."""
    return render(
        "pages/compare.html.j2",
        page_title=f"{len(ranking.records)} runs compared",
        subtitle=_subtitle(folder),
        notes=notes(ranking),
        numbers=table(ranking),
        panels=panels(ranking),
        reports=_reports(ranking, folder),
        commands={
            name: command
            for name, record in zip(ranking.names, ranking.records, strict=True)
            if (command := record.results.get("command") or record.config.get("command"))
        },
    )


def _subtitle(folder: Path) -> str:
    here = Path.cwd()
    return str(folder.relative_to(here) if folder.is_relative_to(here) else folder)


def _reports(ranking: Ranking, folder: Path) -> dict[str, str]:
    """Of each run that has a report its name and address."""
    files: dict[str, Any] = {
        name: record.folder / "report.html"
        for name, record in zip(ranking.names, ranking.records, strict=True)
    }
    return {
        name: quote(Path(os.path.relpath(file, folder)).as_posix())
        for name, file in files.items()
        if file.exists()
    }
