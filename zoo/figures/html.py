"""Pictures and pages as HTML that opens from disk, with no script and nothing to load.

kinds.html.j2 has a macro for each kind of picture; colours and sizes are in page.css. Curves and
waveforms are SVG drawn here, so that they follow the reader's light or dark page.
"""

import base64
import math
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from zoo.figures.kinds import Audio, Bars, Grid, Intervals, Picture, Strip, Table, Text, Tinted
from zoo.figures.raster import TILE, png, wav
from zoo.figures.svg import POINTS, curve_svg, panels_svg, scatter_svg
from zoo.figures.table import MATRIX, PAIRS, column_kinds, confused

SAFE = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'"
FRAMES = 12  # of a clip, side by side
FAINT = 0.05  # of the greatest weight of a passage; below it a word has no tint
LOUD = 30  # half the height of a waveform, in SVG units


def render(template: str, **values: Any) -> Markup:
    """Fill in a template, such as "training/report.html.j2"; all but Markup is escaped."""
    return Markup(_environment().get_template(template).render(values))


def draw(title: str, picture: Picture) -> Markup:
    """One <figure> that shows the picture under its title."""
    kind = type(picture).__name__
    if not isinstance(picture, Picture):
        raise TypeError(f"{title!r} is no picture of zoo.figures.kinds: {kind}")
    body = getattr(_macros(), kind.lower())(title, picture)
    figure = Markup('<figure class="{}"><figcaption>{}</figcaption>{}</figure>')
    return figure.format(kind.lower(), title, body)


def table(picture: Table) -> Markup:
    """A table by itself, in a box that scrolls."""
    return _macros().table("", picture)


def _macros() -> Any:
    return _environment().get_template("figures/kinds.html.j2").module


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("zoo", ""), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    environment.globals |= {
        "safe": Markup(SAFE), "style": Markup(style), "draw": draw, "table": table, "Grid": Grid,
        "base64": lambda data: base64.b64encode(data).decode(), "pairs": partial(zip, strict=True),
        "FAINT": FAINT, "LOUD": LOUD, "MATRIX": MATRIX, "PAIRS": PAIRS, "POINTS": POINTS,
        "TILE": TILE, "captions": _captions, "column_kinds": column_kinds, "confused": confused,
        "curve_svg": curve_svg, "frames": _frames, "is_finite": math.isfinite, "png": png,
        "outline": _outline, "bar_rows": _bar_rows, "scatter_svg": scatter_svg, "wav": wav,
        "panels_svg": panels_svg, "interval_rows": _interval_rows,
    }  # fmt: skip
    return environment


def _frames(clip: np.ndarray) -> Grid:
    """A clip (T, H, W, C) in one row: of many frames the evenly chosen, first and last included."""
    indices = np.linspace(0, len(clip) - 1, min(FRAMES, len(clip))).round().astype(int)
    return Grid(clip[indices], columns=FRAMES)


def _length(clip: np.ndarray, rate: float) -> str:
    frames = f"{FRAMES} of {len(clip)} frames" if len(clip) > FRAMES else f"{len(clip)} frames"
    return f"{frames}, {len(clip) / rate:.3g} s" if rate else frames


def _captions(picture: Strip | Text | Tinted | Audio) -> list[str]:
    """Of each item its caption, if there are any, and how long it is."""
    match picture:
        case Strip():
            notes = [_length(clip, picture.rate) for clip in picture.clips]
        case Audio():
            notes = [f"{len(wave) / picture.rate:.3g} s" for wave in picture.waves]
        case _:
            notes = [""] * len(picture.passages)
    pairs = zip(picture.captions, notes, strict=True) if len(picture.captions) else zip(notes)
    return [", ".join(filter(None, pair)) for pair in pairs]


def _outline(wave: np.ndarray) -> str:
    """The path of a wave (T,): the highest values from left to right, the lowest back."""
    values = np.asarray(wave, dtype=float).clip(-1, 1)
    parts = np.array_split(values, min(POINTS, len(wave)))
    highest, lowest = [part.max() for part in parts], [part.min() for part in parts]
    x = np.linspace(0, POINTS, len(parts))
    y = LOUD - LOUD * np.array([*highest, *lowest[::-1]])
    return "L".join(f"{x:.1f} {y:.1f}" for x, y in zip([*x, *x[::-1]], y, strict=True))


def _bar_rows(bars: Bars) -> tuple[float, list[tuple[str, str, float, float]]]:
    """Where zero is; name, number, left and width of each bar: all share a scale, in per cent."""
    values = [float(value) for value in bars.values]
    finite = [value for value in values if math.isfinite(value)]
    low, high = min([0.0, *finite]), max([0.0, *finite])
    scale = 100 / (high - low) if high > low else 0.0
    rows = [
        (name, _plain(value), (min(value, 0) - low) * scale, abs(value) * scale)
        for name, value in zip(bars.names, values, strict=True)
    ]
    return (0 - low) * scale, rows


def _interval_rows(intervals: Intervals) -> list[tuple[str, str, float, float, float]]:
    """Name, numbers, left, width and place of the value of each: all share a scale, in per cent."""
    ends = np.array([*intervals.ranges], dtype=float).reshape(-1, 2)
    low, high = (float(ends.min()), float(ends.max())) if len(ends) else (0.0, 0.0)
    scale = 100 / (high - low) if high > low else 0.0
    return [
        (
            name, f"{value:.1f} ({first:.1f} to {last:.1f})",
            (first - low) * scale, (last - first) * scale, (value - low) * scale,
        )
        for name, value, (first, last) in zip(intervals.names, intervals.values, ends, strict=True)
    ]  # fmt: skip


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value.is_integer() else f"{value:.4g}"
