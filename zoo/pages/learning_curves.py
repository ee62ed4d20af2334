"""The page of `zoo curves`: how accuracy grows with the number of training samples.

    points  ->  runs/curves/<name>/{curves.html, curves.png, curves.csv}

An interval goes from the lowest to the highest of the seeds; where there is one, or where they
make no difference, it is the 95 % bootstrap interval over the test samples.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from zoo.figures.html import render
from zoo.figures.kinds import Curve, Table
from zoo.training.learning_curves import Point
from zoo.utilities.files import replace

X_LABEL, Y_LABEL = "training samples", "accuracy on the test split, %"
COLOURS = ("#2563c9", "#d5601c", "#1d8a64", "#8a4fc4", "#a07a00", "#c43d7c")  # page.css's
INCHES, DPI = (7.2, 4.2), 150  # of the PNG


def summary(points: Iterable[Point]) -> tuple[float, float, float]:
    """Mean, lowest and highest accuracy of one algorithm's seeds at one size, in per cent."""
    points = list(points)
    values = [point.accuracy for point in points]
    spread = points if len(set(values)) == 1 else []  # the seeds tell nothing
    low, high = min([*values, *(p.low for p in spread)]), max([*values, *(p.high for p in spread)])
    return 100 * sum(values) / len(values), 100 * low, 100 * high


def summaries(points: Sequence[Point]) -> dict[str, dict[int, tuple[float, float, float]]]:
    """By algorithm and size, in the order of the points."""
    groups: dict[str, dict[int, list[Point]]] = {}
    for point in points:
        groups.setdefault(point.algorithm, {}).setdefault(point.samples, []).append(point)
    return {
        name: {samples: summary(group) for samples, group in sorted(sizes.items())}
        for name, sizes in groups.items()
    }


def table(points: Sequence[Point]) -> Table:
    """A row for each algorithm, a column for each size: mean and interval in per cent."""
    by_algorithm = summaries(points)
    sizes = sorted({point.samples for point in points})
    rows = [
        (name, *(_cell(by_size[samples]) if samples in by_size else "" for samples in sizes))
        for name, by_size in by_algorithm.items()
    ]
    return Table(("", *(f"{samples:,}" for samples in sizes)), rows)


def _cell(interval: tuple[float, float, float]) -> str:
    mean, low, high = interval
    return f"{mean:.1f} ({low:.1f} to {high:.1f})"


def curve(points: Sequence[Point]) -> Curve:
    """A line for each algorithm, with its interval, over the logarithm of the size."""
    lines, bands = {}, {}
    for name, by_size in summaries(points).items():
        means, lows, highs = zip(*by_size.values(), strict=True)
        lines[name], bands[name] = (list(by_size), means), (lows, highs)
    return Curve(lines, X_LABEL, Y_LABEL, bands, log_x=True)


def write(settings: Mapping[str, Any], points: Sequence[Point]) -> Path:
    """Write the page, its picture and the points; a reader never sees half of a page."""
    folder = Path("runs").resolve() / "curves" / settings["name"]
    folder.mkdir(parents=True, exist_ok=True)
    replace(folder / "curves.csv", as_csv(points))
    (folder / "curves.png").write_bytes(png(curve(points), settings["data"]))
    replace(folder / "curves.html", html(settings, points))
    return folder / "curves.html"


def as_csv(points: Sequence[Point]) -> str:
    """A row for each point."""
    names = [field.name for field in fields(Point)]
    writer = csv.DictWriter(file := io.StringIO(), names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(point) for point in points)
    return file.getvalue()


def png(picture: Curve, title: str) -> bytes:
    """The curves on white, for slides and papers."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import ScalarFormatter

    figure = Figure(figsize=INCHES, layout="constrained")
    axes = figure.add_subplot(xlabel=picture.x_label, ylabel=picture.y_label, title=title)
    for i, (name, (x, y)) in enumerate(picture.lines.items()):
        colour = COLOURS[i % len(COLOURS)]
        axes.plot(x, y, marker="o", markersize=4, color=colour, label=name)
        axes.fill_between(x, *picture.bands[name], color=colour, alpha=0.15)
    axes.set_xscale("log")
    axes.set_xticks(ticks := sorted({x for xs, _ in picture.lines.values() for x in xs}))
    axes.set_xticklabels([f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(ScalarFormatter(useOffset=False))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(file := io.BytesIO(), format="png", dpi=DPI)
    return file.getvalue()


# --- the page ------------------------------------------------------------------------------------


def html(settings: Mapping[str, Any], points: Sequence[Point]) -> str:
    """The whole page."""
    configs = [OmegaConf.create(algorithm) for algorithm in settings["algorithms"]]
    algorithms = {config.pop("name"): OmegaConf.to_yaml(config) for config in configs}
    return render(
        "pages/learning_curves.html.j2",
        page_title=f"Learning curves on {settings['data']}",
        **{**settings, "algorithms": algorithms},
        curve=curve(points),
        numbers=table(points),
        count=len(points),
    )
