"""Pictures as HTML: a <figure> for each kind, with no script and nothing to load.

Colours and sizes are in page.css; curves and waveforms are SVG drawn here, so that they
follow the reader's light or dark page.
"""

import base64
import math
from collections.abc import Sequence
from html import escape

import numpy as np
from markupsafe import Markup

from zoo.figures.confusion import confusion_html
from zoo.figures.kinds import (
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
)
from zoo.figures.raster import TILE, png, wav
from zoo.figures.svg import POINTS, box, curve_svg, scatter_svg
from zoo.figures.table import table

FRAMES = 12  # of a clip, side by side
FAINT = 0.05  # of the greatest weight of a passage; below it a word has no tint
LOUD = 30  # half the height of a waveform, in SVG units


def draw(title: str, picture: Picture) -> Markup:
    """One <figure> that shows the picture under its title."""
    kind, body = type(picture).__name__.lower(), _body(title, picture)
    caption = f"<figcaption>{escape(title)}</figcaption>"
    return Markup(f'<figure class="{kind}">{caption}{body}</figure>')


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
            return curve_svg(title, picture)
        case Scatter():
            return scatter_svg(title, picture)
        case Table():
            return table(picture)
        case Confusion():
            return confusion_html(picture)
    raise TypeError(f"{title!r} is no picture of zoo.figures.kinds: {type(picture).__name__}")


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
    return _rows(said, [box(_image(_frames(clip), f"{title}: {words}")) for clip, words in pairs])


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
