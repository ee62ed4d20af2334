"""The page of `zoo curves`: how accuracy grows with the number of training samples.

    points  ->  runs/curves/<name>/{curves.html, curves.png, curves.csv}

An interval goes from the lowest to the highest of the seeds; where there is one, or where they
make no difference, it is the 95 % bootstrap interval over the test samples.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from html import escape
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from zoo.figures.html import draw
from zoo.figures.kinds import Curve, Table
from zoo.figures.page import page
from zoo.figures.table import table as drawn_table
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
    writer = csv.DictWriter(file := io.StringIO(), [field.name for field in fields(Point)])
    writer.writeheader()
    writer.writerows(asdict(point) for point in points)
    return file.getvalue().replace("\r\n", "\n")


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
    figure = draw("Accuracy and training samples", curve(points))
    body = (
        f"{_head(settings)}"
        f'<section><h2>The curves</h2><div class="figures single">{figure}</div></section>\n'
        f"<section><h2>In numbers</h2>{drawn_table(table(points))}<p>{_intervals(settings)} "
        f'<a href="curves.csv">curves.csv</a> holds each of the {len(points)} points, '
        '<a href="curves.png">curves.png</a> the picture.</p></section>\n'
        f"<section><h2>What was compared</h2>{_compared(settings)}</section>\n"
        f"<section><h2>How to repeat it</h2><pre>{escape(settings['command'])}</pre></section>\n"
    )
    return page(f"Learning curves on {settings['data']}", body)


def _head(settings: Mapping[str, Any]) -> str:
    labels = {
        "Smoke run: it shows that all of it works; its numbers mean nothing.": settings["smoke"],
        "Bundled data: a small set that comes with the package or is generated.": settings["info"][
            "bundled"
        ],
    }
    notes = [f'<p class="note">{text}</p>' for text, applies in labels.items() if applies]
    question = "More data, or a better algorithm? (slide 8: data trumps algorithms)"
    title = f"Learning curves: {escape(settings['data'])}"
    return f"<header><h1>{title}</h1><p>{question}</p>{''.join(notes)}</header>\n"


def _intervals(settings: Mapping[str, Any]) -> str:
    seeds = ", ".join(map(str, settings["seeds"]))
    return (
        f"Per cent of the {settings['info']['samples']['test']:,} test samples. In brackets, and "
        f"as bands: from the lowest to the highest of the seeds {seeds}; where there is one "
        "or they make no difference, the 95 % bootstrap interval over the test samples."
    )


def _compared(settings: Mapping[str, Any]) -> str:
    """How the samples are chosen, how long is trained, and what each algorithm is."""
    validation = settings["info"]["samples"]["val"]
    return (
        "<p>Each size is a part of the next, its classes in proportion, and the same for all "
        f"algorithms and seeds. Whatever the size, networks make about {settings['steps']:,} "
        f"updates of their weights, and at least {settings['passes']} passes over the samples: "
        "with a fixed number of passes they would hardly be trained on the smallest sizes. Their "
        f"best epoch is chosen on {validation:,} validation samples of their own, which logistic "
        "regression does without.</p>" + "".join(map(_algorithm, settings["algorithms"]))
    )


def _algorithm(algorithm: Mapping[str, Any]) -> str:
    config = {key: value for key, value in algorithm.items() if key != "name"}
    text = OmegaConf.to_yaml(OmegaConf.create(config))
    return f"<h3>{escape(algorithm['name'])}</h3><pre>{escape(text)}</pre>"
