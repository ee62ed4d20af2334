"""Pictures as HTML: a <figure> for each kind, with no script and nothing to load.

Colours and sizes are in page.css; curves are SVG drawn here, so that they follow
the reader's light or dark page.
"""

import base64
import math
import re
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from zoo.pictures import TILE, Confusion, Curve, Grid, Picture, Table, png

WIDTH, HEIGHT = 480, 270  # of a curve, in SVG units: about CSS pixels
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 8, 44  # room for the labels around it
POINTS = 400  # of a line; more would not be seen
MATRIX = 200  # classes; above it a confusion matrix is a list of its largest cells
PAIRS = 20  # most confused pairs, listed beside a matrix that is too large to survey
NUMBER = re.compile(r"[-+]?[\d.,]+(e[-+]?\d+)?( ?%)?|nan|-")


def draw(title: str, picture: Picture) -> str:
    """One <figure> that shows the picture under its title."""
    match picture:
        case Grid():
            kind, body = "grid", _grid(title, picture)
        case Curve():
            kind, body = "curve", _curve(title, picture)
        case Table():
            kind, body = "table", table(picture)
        case Confusion():
            kind, body = "confusion", _confusion(picture)
        case _:
            raise TypeError(f"{title!r} is no picture of zoo.pictures: {type(picture).__name__}")
    return f'<figure class="{kind}"><figcaption>{escape(title)}</figcaption>{body}</figure>'


def table(picture: Table) -> str:
    """A table in a box that scrolls by itself; columns of numbers are set to the right."""
    right = [' class="number"' if numeric else "" for numeric in numeric_columns(picture)]
    head = "".join(
        f'<th scope="col"{align}>{escape(cell)}</th>'
        for cell, align in zip(picture.header, right, strict=True)
    )
    rows = [
        "".join(f"<td{align}>{escape(cell)}</td>" for cell, align in zip(row, right, strict=True))
        for row in picture.rows
    ]
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return _box(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def numeric_columns(picture: Table) -> list[bool]:
    """Which columns hold numbers in most of their filled cells; the first one names the rows."""
    columns = [[row[i] for row in picture.rows if row[i]] for i in range(len(picture.header))]
    return [
        i > 0 and 2 * sum(bool(NUMBER.fullmatch(cell)) for cell in cells) > len(cells)
        for i, cells in enumerate(columns)
    ]


def _box(inside: str) -> str:
    return f'<div class="box" tabindex="0">{inside}</div>'  # focusable: keys scroll it


# --- grids ---------------------------------------------------------------------------------------


def _grid(title: str, grid: Grid) -> str:
    """Without captions one sheet, with captions a picture each, so that they wrap on a phone."""
    if not len(grid.images):
        return "<p>none</p>"
    if not len(grid.captions):
        return _image(grid, f"{title}: {len(grid.images)} pictures, {grid.columns} in a row")
    cells = "".join(
        f"<li>{_image(Grid([image]), f'{title}: {caption}')}{escape(caption)}</li>"
        for image, caption in zip(grid.images, grid.captions, strict=True)
    )
    return f'<ul style="--columns:{grid.columns}">{cells}</ul>'


def _image(grid: Grid, alt: str) -> str:
    data = base64.b64encode(png(grid)).decode()
    small = max(grid.images[0].shape[:2]) < TILE  # its pixels are meant to be seen
    style = ' class="pixels"' if small else ""
    return f'<img{style} src="data:image/png;base64,{data}" alt="{escape(alt)}">'


# --- confusion -----------------------------------------------------------------------------------


def _confusion(confusion: Confusion) -> str:
    many = len(confusion.classes)
    parts = [_matrix(confusion)] if many <= MATRIX else []
    if many > PAIRS and (pairs := confused(confusion)).rows:
        parts += ["<p>Most often confused</p>", table(pairs)]
    return "".join(parts)


def confused(confusion: Confusion, most: int = PAIRS) -> Table:
    """The largest counts off the diagonal."""
    counts = np.array(confusion.matrix)
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:most]
    cells = [(int(cell) // len(counts), int(cell) % len(counts)) for cell in order]
    name = confusion.classes
    rows = [(name[i], name[j], str(counts[i, j])) for i, j in cells if counts[i, j]]
    return Table(("truth", "answer", "samples"), rows)


def _matrix(confusion: Confusion) -> str:
    """Names stay in sight while the box scrolls; a cell is tinted by its share of the truth."""
    names = [escape(name) for name in confusion.classes]
    style = ' class="upright"' if max(map(len, confusion.classes)) > 3 else ""
    head = "".join(f'<th scope="col"><span>{name}</span></th>' for name in names)
    rows = "".join(
        f'<tr><th scope="row">{name}</th>{_cells(i, names, counts)}</tr>'
        for i, (name, counts) in enumerate(zip(names, confusion.matrix.tolist(), strict=True))
    )
    corner = "<thead><tr><td></td>"
    return (
        _box(f"<table{style}>{corner}{head}</tr></thead><tbody>{rows}</tbody></table>")
        + "<p>Rows are the truth, columns the answer; the tint is the share of the row.</p>"
    )


def _cells(truth: int, names: Sequence[str], counts: Sequence[int]) -> str:
    total = sum(counts)
    return "".join(
        f'<td class="{"hit" if answer == truth else "miss"}" '
        f'style="--tint:{math.sqrt(n / total):.2f}" '  # the root: one mistake in 100 is seen
        f'title="{names[truth]} taken for {names[answer]}: {n}">{n}</td>'
        if n
        else "<td></td>"
        for answer, n in enumerate(counts)
    )


# --- curves --------------------------------------------------------------------------------------


def _curve(title: str, curve: Curve) -> str:
    lines = {name: _thin(*line) for name, line in curve.lines.items()}
    lines = {name: line for name, line in lines.items() if len(line)}
    if not lines:
        return "<p>no finite value</p>"
    axes = Axes(np.concatenate(list(lines.values())))
    drawn = "".join(_line(i, axes.place(line)) for i, line in enumerate(lines.values()))
    ends = [f"{name} {line[0, 1]:.4g} to {line[-1, 1]:.4g}" for name, line in lines.items()]
    alt = escape(f"{title}: {', '.join(ends)}")
    unit = f"<p>{escape(curve.y_label)}</p>" if curve.y_label else ""
    label = f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" class="end">{escape(curve.x_label)}</text>'
    return (
        f'{unit}<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{alt}">'
        f"{axes.draw()}{label}{drawn}</svg>{_legend(lines)}"
    )


def _thin(x: Sequence[float], y: Sequence[float]) -> np.ndarray:
    """The finite points (P, 2); of long lines the means of neighbours."""
    points = np.column_stack([np.asarray(x, dtype=float), np.asarray(y, dtype=float)])
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) <= POINTS:
        return points
    return np.array([part.mean(axis=0) for part in np.array_split(points, POINTS)])


class Axes:
    """The frame of points (P, 2): as wide as the data, as high as the round numbers around it."""

    def __init__(self, points: np.ndarray) -> None:
        (left, right, x_ticks), (_, _, self.y_ticks) = (_span(values) for values in points.T)
        self.x_ticks = [x for x in x_ticks if left <= x <= right]
        self.origin = np.array([left, self.y_ticks[0]])
        size = np.array([right, self.y_ticks[-1]]) - self.origin
        self.scale = np.array([WIDTH - LEFT - RIGHT, TOP + BOTTOM - HEIGHT]) / size

    def place(self, points: np.ndarray) -> np.ndarray:
        """Values to SVG units, whose y grows downwards."""
        return np.array([LEFT, HEIGHT - BOTTOM]) + (points - self.origin) * self.scale

    def draw(self) -> str:
        x0, y0 = self.origin
        across = [_rule(self.place(np.array([x0, y]))[1], y) for y in self.y_ticks]
        along = [_x_tick(self.place(np.array([x, y0]))[0], x) for x in self.x_ticks]
        return "".join(across + along)


def _span(values: np.ndarray, most: int = 5) -> tuple[float, float, list[float]]:
    """Lowest, highest, and the round numbers around both; whole ones if all values are."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        low, high = low - (abs(low) / 10 or 1), high + (abs(high) / 10 or 1)
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(n * power for n in (1, 2, 5, 10) if n * power * most >= high - low)
    if (values == values.round()).all():
        step = max(1.0, step)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return low, high, [n * step for n in range(first, last + 1)]


def _rule(y: float, value: float) -> str:
    return (
        f'<path class="rule" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
        f'<text x="{LEFT - 8}" y="{y + 4:.1f}" class="end">{value:.6g}</text>'
    )


def _x_tick(x: float, value: float) -> str:
    return f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" class="middle">{value:.6g}</text>'


def _line(i: int, points: np.ndarray) -> str:
    if len(points) == 1:
        x, y = points[0]
        return f'<circle class="dot line{i % 6}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path class="line line{i % 6}" d="M{path}"/>'


def _legend(names: Iterable[str]) -> str:
    keys = (f'<li class="line{i % 6}">{escape(name)}</li>' for i, name in enumerate(names))
    return f'<ul class="legend">{"".join(keys)}</ul>'
