"""Curves and scatter plots as SVG."""

import math
from collections.abc import Mapping
from html import escape
from itertools import islice

import numpy as np

from zoo.figures import label_placement
from zoo.figures.kinds import Curve, Panels, Scatter

WIDTH, HEIGHT = 480, 270  # of a curve, in SVG units: about CSS pixels
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 8, 44  # room for the labels around it
COLOURS = 6  # in page.css
STYLES = 3 * COLOURS  # that can be told apart
PLANE = 880  # the width of a plane with names; its height is that of what is there, within bounds
MIN_ASPECT, MAX_ASPECT = 0.45, 0.75  # of the width
MARGIN = 24
POINTS = 400  # of a line or a waveform; more would not be seen


def scatter_svg(title: str, scatter: Scatter) -> str:
    if not len(scatter.names):
        return "<p>none</p>"
    dots, height = _fit_points(np.asarray(scatter.points, dtype=float))
    places = label_placement.place_names(dots, scatter.names, scatter.lines, PLANE, height)
    groups = list(dict.fromkeys(scatter.groups))
    keys = [groups.index(group) for group in scatter.groups] or [0] * len(dots)
    ends = [(*dots[a], *dots[b]) for a, b in scatter.lines]
    joins = ['<path class="rule" d="M{:.1f} {:.1f}L{:.1f} {:.1f}"/>'.format(*end) for end in ends]
    labels = zip(dots, scatter.names, places, keys, strict=True)
    alt = escape(f"{title}: {', '.join(scatter.names)}")
    return (
        '<div class="box" tabindex="0">'  # it scrolls on a phone: the letters keep their size
        f'<svg viewBox="0 0 {PLANE} {height:.0f}" role="img" aria-label="{alt}">'
        f"{''.join(joins)}{''.join(_draw_dot(*label) for label in labels)}</svg></div>"
        f"{_legend({group: _key(i) for i, group in enumerate(groups)}) if groups else ''}"
    )


def _fit_points(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Places (P, 2) in SVG units, one scale for both axes, in the middle; and the height."""
    low, high = points.min(0), points.max(0)
    span = np.maximum(high - low, 1e-9)
    height = PLANE * float(np.clip(span[1] / span[0], MIN_ASPECT, MAX_ASPECT))
    frame = np.array([PLANE, height])
    scale = ((frame - 2 * MARGIN) / span).min()
    return frame / 2 + (points - (low + high) / 2) * scale * [1, -1], height


def _draw_dot(dot: np.ndarray, name: str, place: label_placement.Place | None, key: int) -> str:
    """A dot with its name beside it, or below the pointer alone where there is no room."""
    circle = f'<circle class="dot {_key(key)}" cx="{dot[0]:.1f}" cy="{dot[1]:.1f}" r="3"/>'
    if place is None:
        return f"<g><title>{escape(name)}</title>{circle}</g>"
    x, y, anchor = place
    return f'{circle}<text x="{x:.1f}" y="{y + 4:.1f}" class="{anchor}">{escape(name)}</text>'


def curve_svg(title: str, curve: Curve) -> str:
    lines = _finite_lines(curve)
    if len(lines) > COLOURS:  # the legend then names them from the top down
        lines = dict(sorted(lines.items(), key=lambda line: -line[1][-1, 1]))
    keys = {name: _key(i) for i, name in enumerate(lines)}
    return _plot(title, curve, lines, keys) + (_legend(keys) if lines else "")


def panels_svg(title: str, panels: Panels) -> str:
    """All plots, then one legend."""
    names = dict.fromkeys(name for curve in panels.curves.values() for name in curve.lines)
    if not names:
        return "<p>none</p>"
    keys = {name: _key(i) if i < STYLES else "others" for i, name in enumerate(names)}
    plots = []
    for metric, curve in panels.curves.items():
        lines = dict(reversed(_finite_lines(curve).items()))  # the most important on top
        plot = _plot(f"{title}: {metric}", curve, lines, keys)
        plots.append(f"<div><p>{escape(metric)}</p>{plot}</div>")
    more = {f"{len(keys) - STYLES} more": "others"} if len(keys) > STYLES else {}
    legend = {**dict(islice(keys.items(), STYLES)), **more}
    return f"<div>{''.join(plots)}</div>{_legend(legend)}"


def _finite_lines(curve: Curve) -> dict[str, np.ndarray]:
    return {name: points for name in curve.lines if len(points := _points(curve, name))}


def _plot(title: str, curve: Curve, lines: dict[str, np.ndarray], keys: dict[str, str]) -> str:
    """Axes with the lines, each in the classes of its key."""
    if not lines:
        return "<p>no finite value</p>"
    ends = [f"{name} {line[0, 1]:.4g} to {line[-1, 1]:.4g}" for name, line in lines.items()]
    for line in (lines := {name: line.copy() for name, line in lines.items()}).values():
        line[:, 1:] = line[:, 1:].clip(*curve.limits)
    places = [line[:, [0, y]] for line in lines.values() for y in range(1, line.shape[1])]
    axes = Axes(np.concatenate(places), curve.log_x)
    bands = [_band(keys[name], axes, p) for name, p in lines.items() if p.shape[1] == 4]
    paths = [_line(keys[name], axes.place(p[:, :2]), name) for name, p in lines.items()]
    alt = escape(f"{title}: {', '.join(ends)}")
    unit = f"<p>{escape(curve.y_label)}</p>" if curve.y_label else ""
    label = f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" class="end">{escape(curve.x_label)}</text>'
    return (
        f'{unit}<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{alt}">'
        f"{axes.draw()}{label}{''.join(bands + paths)}</svg>"
    )


def _points(curve: Curve, name: str) -> np.ndarray:
    """A line as finite points (P, 2) of x and y, or (P, 4) with the lowest and highest, too."""
    columns = [*curve.lines[name], *curve.bands.get(name, ())]
    points = np.column_stack([np.asarray(column, dtype=float) for column in columns])
    points = points[np.isfinite(points).all(axis=1)]
    points = points[points[:, 0] > 0] if curve.log_x else points
    if len(points) <= POINTS:
        return points
    return np.array([part.mean(axis=0) for part in np.array_split(points, POINTS)])  # neighbours


class Axes:
    """The frame of points (P, 2): as wide as the data, as high as the round numbers around it."""

    def __init__(self, points: np.ndarray, log_x: bool = False) -> None:
        self.log_x = log_x
        (left, right), x_ticks = _decades(points[:, 0]) if log_x else _span(points[:, 0])
        _, self.y_ticks = _span(points[:, 1])
        self.x_ticks = [x for x in x_ticks if left <= x <= right]
        self.origin = self._along(np.array([left, self.y_ticks[0]]))
        size = self._along(np.array([right, self.y_ticks[-1]])) - self.origin
        self.scale = np.array([WIDTH - LEFT - RIGHT, TOP + BOTTOM - HEIGHT]) / size

    def _along(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 2) with the logarithm of x, where that is what is drawn."""
        x, y = points[..., 0], points[..., 1]
        return np.stack([np.log10(x) if self.log_x else x, y], axis=-1)

    def place(self, points: np.ndarray) -> np.ndarray:
        """Values (..., 2) to SVG units, whose y grows downwards."""
        return np.array([LEFT, HEIGHT - BOTTOM]) + (self._along(points) - self.origin) * self.scale

    def draw(self) -> str:
        x0 = self.x_ticks[0] if self.x_ticks else 1.0
        parts = []
        for value in self.y_ticks:
            y = self.place(np.array([x0, value]))[1]
            parts.append(f'<path class="rule" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
            parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" class="end">{value:.6g}</text>')
        for value in self.x_ticks:
            x = self.place(np.array([value, self.y_ticks[0]]))[0]
            label = f'y="{HEIGHT - BOTTOM + 18}" class="middle">{value:.6g}</text>'
            parts.append(f'<text x="{x:.1f}" {label}')
        return "".join(parts)


def _span(values: np.ndarray, most: int = 5) -> tuple[tuple[float, float], list[float]]:
    """(Lowest, highest), and the round numbers around both; whole ones if all values are."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        low, high = low - (abs(low) / 10 or 1), high + (abs(high) / 10 or 1)
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(n * power for n in (1, 2, 5, 10) if n * power * most >= high - low)
    if (values == values.round()).all():
        step = max(1.0, step)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return (low, high), [n * step for n in range(first, last + 1)]


def _decades(values: np.ndarray, most: int = 7) -> tuple[tuple[float, float], list[float]]:
    """(Lowest, highest) of positive values, and the values if they are few, else round numbers."""
    low, high = float(values.min()), float(values.max())
    if 1 < len(distinct := np.unique(values)) <= most:
        return (low, high), distinct.tolist()
    if low == high:
        low, high = low / 2, high * 2
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for firsts in ((1, 2, 5), (1, 3), (1,)):
        ticks = [n * 10.0**power for power in powers for n in firsts]
        ticks = [x for x in ticks if low <= x <= high]
        if len(ticks) <= most:
            break
    return (low, high), ticks or [low, high]


def _line(key: str, points: np.ndarray, name: str) -> str:
    """A line that says its name below the pointer."""
    if len(points) == 1:
        x, y = points[0]
        shape = f'<circle class="dot {key}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
    else:
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        shape = f'<path class="line {key}" d="M{path}"/>'
    return f"<g><title>{escape(name)}</title>{shape}</g>"


def _band(key: str, axes: Axes, points: np.ndarray) -> str:
    """From the lowest to the highest of points (P, 4); of a single one an upright line."""
    there, back = axes.place(points[:, [0, 2]]), axes.place(points[::-1, [0, 3]])
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in (*there, *back))
    return f'<path class="band {key}" d="M{path}Z"/>'


def _legend(keys: Mapping[str, str]) -> str:
    items = (f'<li class="{key}">{escape(name)}</li>' for name, key in keys.items())
    return f'<ul class="legend">{"".join(items)}</ul>'


def _key(i: int) -> str:
    """The classes of a line: a colour, and a stroke where the colours come again."""
    return f"line{i % COLOURS}{['', ' dashed', ' dotted'][i // COLOURS % 3]}"
