"""report.html: one page that says what a run did, how well, and how to repeat it.

    results, figures, run folder/{config.yaml, metrics.csv}  ->  run folder/report.html

The page opens from disk without a network: no script, no font, every picture inside.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from zoo.figures.html import render
from zoo.figures.kinds import Curve, Picture
from zoo.training import csv_logger
from zoo.training.comparison import comparison, headline, interval_of, tested_metrics
from zoo.utilities.files import replace
from zoo.utilities.scores import format_score

NOTES = {
    "smoke": "Smoke run: it shows that all of it works; its numbers mean nothing.",
    "bundled": "Bundled data: a small set that comes with the package or is generated.",
}


def write(folder: Path, results: dict[str, Any], figures: dict[str, Picture]) -> Path:
    """Write the report of the run in `folder`; a reader never sees half of it."""
    pair = " on ".join(str(results[key]) for key in ("model", "data") if key in results)
    html = render(
        "training/report.html.j2",
        page_title=str(results.get("experiment") or results.get("model") or "run"),
        subtitle=", ".join(filter(None, (pair, f"run {folder.name}"))),
        notes=[text for key, text in NOTES.items() if results.get(key)],
        comparison=comparison(results),
        info=_info(results),
        figures={"Curves": curves(folder / "metrics.csv"), "Pictures": figures},
        command=results.get("command"),
        config=(folder / "config.yaml").read_text("utf-8"),
    )
    replace(folder / "report.html", html)
    return folder / "report.html"


# --- curves --------------------------------------------------------------------------------------


def curves(file: Path) -> dict[str, Picture]:
    """One curve per metric, validation and training together; the loss first.

    The parts of a metric, as analogy/family is of analogy, are drawn in its picture.
    """
    rows = csv_logger.read(file)
    columns = [key for key in (rows[0] if rows else ()) if key.startswith(("train/", "val/"))]
    axis = x_axis(rows, columns)
    names = list(dict.fromkeys(column.split("/", 1)[1] for column in columns))
    parts: dict[str, list[str]] = {}
    for name in sorted(names, key=lambda name: name != "loss"):
        parts.setdefault(name.split("/")[0], []).append(name)
    return {
        name: Curve(_lines(rows, sorted(of), axis), x_label=axis, y_label="")
        for name, of in parts.items()
    }


def x_axis(rows: list[dict[str, str]], columns: list[str]) -> str:
    """Epochs, unless a metric was logged more than once in one, or there was but one."""
    epochs = [[row["epoch"] for row in rows if row[column]] for column in columns]
    once = all(len(set(logged)) == len(logged) for logged in epochs)
    return "epoch" if once and any(len(logged) > 1 for logged in epochs) else "step"


def _lines(
    rows: list[dict[str, str]], names: list[str], axis: str
) -> dict[str, tuple[list[float], list[float]]]:
    """Validation first: its colour is the same where there is no training metric."""
    lines = {}
    for name in names:
        for stage in ("val", "train"):
            points = [row for row in rows if row.get(f"{stage}/{name}")]
            if points:
                x = [1 + float(row[axis]) for row in points]  # both are counted from 0 in the file
                part = name.partition("/")[2].replace("_", " ")
                label = part if part and stage == "val" else f"{stage} {part}".strip()
                lines[label] = x, [float(row[f"{stage}/{name}"]) for row in points]
    return lines


# --- the facts ------------------------------------------------------------------------------------


def _info(results: dict[str, Any]) -> dict[str, str]:
    info = {metric: _format_metric(metric, results) for metric in tested_metrics(results)}
    info.pop(headline(results), None)
    for name, (key, form) in FACTS.items():
        if results.get(key) is not None:
            info[name] = form(results[key])
    return info


def _format_metric(metric: str, results: dict[str, Any]) -> str:
    if results[metric] is None:
        return "not measured"
    interval = interval_of(metric, results)
    return format_score(metric, results[metric]) + (f" ({interval})" if interval else "")


def _format_duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{seconds:.1f} s"


def _format_value(value: Any) -> str:
    """A value, or the values of a table with their names."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_format_value(part)}" for name, part in value.items())
    return f"{value:,}" if isinstance(value, int) else str(value)


FACTS: dict[str, tuple[str, Callable[[Any], str]]] = {  # what it is called: where, how it is read
    "data": ("data", str),
    "samples": ("samples", _format_value),
    "data digest": ("data_digest", str),
    "seed": ("seed", str),
    "parameters": ("parameters", _format_value),
    "epochs": ("epochs", _format_value),
    "training time": ("train_seconds", _format_duration),
    "speed": ("samples_per_second", "{:,.0f} samples/s".format),
    "device": ("device", str),
    "devices": ("devices", _format_value),
    "lock-free threads": ("lock_free_threads", _format_value),
    "precision": ("precision", str),
    "versions": ("versions", _format_value),
    "commit": ("commit", str),
}
