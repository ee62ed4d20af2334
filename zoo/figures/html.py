"""Pictures as HTML: a <figure> for each kind, with no script and nothing to load.

Colours and sizes are in page.css; curves and waveforms are SVG drawn here, so that they
follow the reader's light or dark page.
"""

import base64
import math
import re
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from zoo.figures import label_placement
from zoo.figures.kinds import (
    TILE,
    Audio,
    Bars,
    Confusion,
    Curve,
    Grid,
    Picture,
    Scatter,
    Strip,
    Table,
    Text,
    Tinted,
    png,
    wav,
)

WIDTH, HEIGHT = 480, 270  # of a curve, in SVG units: about CSS pixels
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 8, 44  # room for the labels around it
COLOURS = 6  # in page.css
PLANE = 880  # the width of a plane with names; its height is that of what is there, within bounds
FLAT, HIGH = 0.45, 0.75  # of the width
MARGIN = 24
POINTS = 400  # of a line or a waveform; more would not be seen
LONG = 60  # characters; a longer cell has a line of its own on a phone
FRAMES = 12  # of a clip, side by side
FAINT = 0.05  # of the greatest weight of a passage; below it a word has no tint
LOUD = 30  # half the height of a waveform, in SVG units
MATRIX = 200  # classes; above it a confusion matrix is a list of its largest cells
PAIRS = 20  # most confused pairs, listed beside a matrix that is too large to survey
NUMBER = re.compile(r"[-+]?[\d.,]+(e[-+]?\d+)?( ?%)?|nan|-")


def draw(title: str, picture: Picture) -> str:
    """One <figure> that shows the picture under its title."""
    kind, body = type(picture).__name__.lower(), _body(title, picture)
    return f'<figure class="{kind}"><figcaption>{escape(title)}</figcaption>{body}</figure>'


def _body(title: str, picture: Picture) -> str:
    match picture:
        case Grid():
            return _grid(title, picture)
        case Strip():
            return _strip(title, picture)
        case Text():
            return _text(picture)
        case Tinted():
            return _tinted(picture)
        case Audio():
            return _audio(title, picture)
        case Bars():
            return _bars(picture)
        case Curve():
            return _curve(title, picture)
        case Scatter():
            return _scatter(title, picture)
        case Table():
            return table(picture)
        case Confusion():
            return _confusion(picture)
    raise TypeError(f"{title!r} is no picture of zoo.figures.kinds: {type(picture).__name__}")


def table(picture: Table) -> str:
    """A table in a box that scrolls by itself; numbers are set to the right, texts may wrap."""
    kinds = [f' class="{kind}"' if kind else "" for kind in _column_kinds(picture)]
    head = "".join(
        f'<th scope="col"{kind}>{escape(cell)}</th>'
        for cell, kind in zip(picture.header, kinds, strict=True)
    )
    rows = [
        "".join(f"<td{kind}>{escape(cell)}</td>" for cell, kind in zip(row, kinds, strict=True))
        for row in picture.rows
    ]
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return _box(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def _column_kinds(picture: Table) -> list[str]:
    columns = [[row[i] for row in picture.rows] for i in range(len(picture.header))]
    pairs = zip(columns, numeric_columns(picture), strict=True)
    return [
        "number" if numeric else "long" if any(len(cell) > LONG for cell in cells) else ""
        for cells, numeric in pairs
    ]


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


# --- one below the other: clips, passages, sounds ------------------------------------------------


def _strip(title: str, strip: Strip) -> str:
    said = _joined(strip.captions, [_length(clip, strip.rate) for clip in strip.clips])
    pairs = zip(strip.clips, said, strict=True)
    return _rows(said, [_box(_image(_frames(clip), f"{title}: {words}")) for clip, words in pairs])


def _frames(clip: np.ndarray) -> Grid:
    """A clip (T, H, W, C) in one row: of many frames the evenly chosen, first and last included."""
    chosen = np.linspace(0, len(clip) - 1, min(FRAMES, len(clip))).round().astype(int)
    return Grid(clip[chosen], columns=FRAMES)


def _length(clip: np.ndarray, rate: float) -> str:
    frames = f"{FRAMES} of {len(clip)} frames" if len(clip) > FRAMES else f"{len(clip)} frames"
    return f"{frames}, {len(clip) / rate:.3g} s" if rate else frames


def _text(text: Text) -> str:
    """Each begins with a line end of ours, because HTML drops the first one in a <pre>."""
    passages = [f"<pre>\n{escape(passage)}</pre>" for passage in text.passages]
    return _rows(_joined(text.captions, [""] * len(passages)), passages)


def _tinted(tinted: Tinted) -> str:
    """Each passage has its own full tint: that of the word with the greatest weight."""
    passages = [f"<div>{_words(passage)}</div>" for passage in tinted.passages]
    legend = f"<p>{escape(tinted.legend)}</p>" if tinted.legend else ""
    return legend + _rows(_joined(tinted.captions, [""] * len(passages)), passages)


def _words(passage: Sequence[tuple[str, float]]) -> str:
    most = max((abs(weight) for _, weight in passage), default=0.0) or 1.0
    return " ".join(
        f'<span class="{"hit" if weight > 0 else "miss"}" style="--tint:{abs(weight) / most:.2f}" '
        f'title="{weight:+.2f}">{escape(word)}</span>'
        if abs(weight) >= FAINT * most
        else escape(word)
        for word, weight in passage
    )


def _audio(title: str, audio: Audio) -> str:
    said = _joined(audio.captions, [f"{len(wave) / audio.rate:.3g} s" for wave in audio.waves])
    pairs = zip(audio.waves, said, strict=True)
    return _rows(said, [_player(wave, audio.rate, f"{title}: {words}") for wave, words in pairs])


def _player(wave: np.ndarray, rate: int, alt: str) -> str:
    data = base64.b64encode(wav(wave, rate)).decode()
    sound = f'<audio controls aria-label="{escape(alt)}" src="data:audio/wav;base64,{data}">'
    return f"{sound}</audio>{_waveform(np.asarray(wave, dtype=float), alt)}"


def _waveform(wave: np.ndarray, alt: str) -> str:
    """The outline of a wave (T,): the highest values from left to right, the lowest back."""
    parts = np.array_split(wave.clip(-1, 1), min(POINTS, len(wave)))
    highest, lowest = [part.max() for part in parts], [part.min() for part in parts]
    x = np.linspace(0, POINTS, len(parts))
    y = LOUD - LOUD * np.array([*highest, *lowest[::-1]])
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in zip([*x, *x[::-1]], y, strict=True))
    return (
        f'<svg viewBox="0 0 {POINTS} {2 * LOUD}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(alt)}, waveform"><path d="M{path}Z"/></svg>'
    )


def _joined(captions: Sequence[str], notes: Sequence[str]) -> list[str]:
    """Each caption, if there are any, with what is to be noted."""
    if not len(captions):
        return list(notes)
    return [", ".join(filter(None, pair)) for pair in zip(captions, notes, strict=True)]


def _rows(said: Sequence[str], drawn: Sequence[str]) -> str:
    heads = (f"<p>{escape(words)}</p>" if words else "" for words in said)
    rows = "".join(f"<li>{head}{row}</li>" for head, row in zip(heads, drawn, strict=True))
    return f"<ul>{rows}</ul>" if rows else "<p>none</p>"


# --- bars ----------------------------------------------------------------------------------------


def _bars(bars: Bars) -> str:
    """A table, so that it is read aloud as one; all bars share a scale and begin at zero."""
    values = [float(value) for value in bars.values]
    finite = [value for value in values if math.isfinite(value)]
    low, high = min([0.0, *finite]), max([0.0, *finite])
    scale = 100 / (high - low) if high > low else 0.0  # per cent of the width
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td class="bar">{_bar(value, low, scale)}</td>'
        f'<td class="number">{_plain(value)}</td></tr>'
        for name, value in zip(bars.names, values, strict=True)
    )
    unit = f"<p>{escape(bars.y_label)}</p>" if bars.y_label else ""
    zero = f'style="--zero:{(0 - low) * scale:.1f}%"'
    return f"{unit}<table {zero}><tbody>{rows}</tbody></table>" if rows else "<p>none</p>"


def _bar(value: float, low: float, scale: float) -> str:
    if not math.isfinite(value):
        return ""
    left, width = (min(value, 0) - low) * scale, abs(value) * scale
    return f'<i style="left:{left:.1f}%;width:{width:.1f}%"></i>'


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value.is_integer() else f"{value:.4g}"


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


# --- planes with names ---------------------------------------------------------------------------


def _scatter(title: str, scatter: Scatter) -> str:
    """In a box that scrolls on a phone: the letters keep their size."""
    if not len(scatter.names):
        return "<p>none</p>"
    dots, height = _fitted(np.asarray(scatter.points, dtype=float))
    places = label_placement.placed(dots, scatter.names, scatter.lines, PLANE, height)
    groups = list(dict.fromkeys(scatter.groups))
    keys = [groups.index(group) for group in scatter.groups] or [0] * len(dots)
    joins = "".join(_join(*dots[[a, b]]) for a, b in scatter.lines)
    each = zip(dots, scatter.names, places, keys, strict=True)
    alt = escape(f"{title}: {', '.join(scatter.names)}")
    return _box(
        f'<svg viewBox="0 0 {PLANE} {height:.0f}" role="img" aria-label="{alt}">'
        f"{joins}{''.join(_named(*one) for one in each)}</svg>"
    ) + (_legend(groups) if groups else "")


def _fitted(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Places (P, 2) in SVG units, one scale for both axes, in the middle; and the height."""
    low, high = points.min(0), points.max(0)
    span = np.maximum(high - low, 1e-9)
    height = PLANE * float(np.clip(span[1] / span[0], FLAT, HIGH))
    frame = np.array([PLANE, height])
    scale = ((frame - 2 * MARGIN) / span).min()
    return frame / 2 + (points - (low + high) / 2) * scale * [1, -1], height


def _join(one: np.ndarray, other: np.ndarray) -> str:
    return f'<path class="rule" d="M{one[0]:.1f} {one[1]:.1f}L{other[0]:.1f} {other[1]:.1f}"/>'


def _named(dot: np.ndarray, name: str, place: label_placement.Place | None, key: int) -> str:
    """A dot with its name beside it, or below the pointer alone where there is no room."""
    drawn = f'<circle class="dot {_key(key)}" cx="{dot[0]:.1f}" cy="{dot[1]:.1f}" r="3"/>'
    if place is None:
        return f"<g><title>{escape(name)}</title>{drawn}</g>"
    x, y, anchor = place
    return f'{drawn}<text x="{x:.1f}" y="{y + 4:.1f}" class="{anchor}">{escape(name)}</text>'


# --- curves --------------------------------------------------------------------------------------


def _curve(title: str, curve: Curve) -> str:
    lines = {name: points for name in curve.lines if len(points := _points(curve, name))}
    if not lines:
        return "<p>no finite value</p>"
    if len(lines) > COLOURS:  # the legend then names them from the top down
        lines = dict(sorted(lines.items(), key=lambda line: -line[1][-1, 1]))
    axes = Axes(_spread(lines.values()), curve.log_x)
    bands = [_band(i, axes, p) for i, p in enumerate(lines.values()) if p.shape[1] == 4]
    drawn = [_line(i, axes.place(points[:, :2])) for i, points in enumerate(lines.values())]
    ends = [f"{name} {line[0, 1]:.4g} to {line[-1, 1]:.4g}" for name, line in lines.items()]
    alt = escape(f"{title}: {', '.join(ends)}")
    unit = f"<p>{escape(curve.y_label)}</p>" if curve.y_label else ""
    label = f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" class="end">{escape(curve.x_label)}</text>'
    return (
        f'{unit}<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{alt}">'
        f"{axes.draw()}{label}{''.join(bands + drawn)}</svg>{_legend(lines)}"
    )


def _points(curve: Curve, name: str) -> np.ndarray:
    """A line as finite points (P, 2) of x and y, or (P, 4) with the lowest and highest, too."""
    columns = [*curve.lines[name], *curve.bands.get(name, ())]
    points = np.column_stack([np.asarray(column, dtype=float) for column in columns])
    points = points[np.isfinite(points).all(axis=1)]
    return _thin(points[points[:, 0] > 0] if curve.log_x else points)


def _thin(points: np.ndarray) -> np.ndarray:
    """Of many points (P, ...) the means of neighbours."""
    if len(points) <= POINTS:
        return points
    return np.array([part.mean(axis=0) for part in np.array_split(points, POINTS)])


def _spread(lines: Iterable[np.ndarray]) -> np.ndarray:
    """All places (P, 2) that lines and their bands take up."""
    return np.concatenate([line[:, [0, y]] for line in lines for y in range(1, line.shape[1])])


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
        across = [_rule(self.place(np.array([x0, y]))[1], y) for y in self.y_ticks]
        along = [_x_tick(self.place(np.array([x, self.y_ticks[0]]))[0], x) for x in self.x_ticks]
        return "".join(across + along)


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
        return f'<circle class="dot {_key(i)}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path class="line {_key(i)}" d="M{path}"/>'


def _band(i: int, axes: Axes, points: np.ndarray) -> str:
    """From the lowest to the highest of points (P, 4); of a single one an upright line."""
    there, back = axes.place(points[:, [0, 2]]), axes.place(points[::-1, [0, 3]])
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in (*there, *back))
    return f'<path class="band {_key(i)}" d="M{path}Z"/>'


def _legend(names: Iterable[str]) -> str:
    keys = (f'<li class="{_key(i)}">{escape(name)}</li>' for i, name in enumerate(names))
    return f'<ul class="legend">{"".join(keys)}</ul>'


def _key(i: int) -> str:
    """The classes of a line: a colour, and a stroke where the colours come again."""
    return f"line{i % COLOURS}{['', ' dashed', ' dotted'][i // COLOURS % 3]}"
