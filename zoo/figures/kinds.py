"""What a model can show: pictures as plain data.

A model's `figures` returns {title: picture}; the report and the commands draw
these few kinds, so that a model file holds no drawing code.

Shapes: N samples, C classes; pictures (H, W) grey or (H, W, 3) RGB, uint8;
clips (T, H, W, 1 or 3), uint8; waves (T,), float in [-1, 1]; filters (out, in, kh, kw).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

Images = Sequence[np.ndarray] | np.ndarray
Samples = Sequence[np.ndarray] | Sequence[str] | np.ndarray  # raw, all of one kind


@dataclass(frozen=True)
class Grid:
    """Pictures side by side; captions are one for each picture, or none at all."""

    images: Images
    captions: Sequence[str] = ()
    columns: int = 8


@dataclass(frozen=True)
class Strip:
    """Clips (T, H, W, 1 or 3), each a row of its frames; `rate` in frames per second, 0: unknown.

    Captions are one for each clip, or none at all; so they are in Text and Audio.
    """

    clips: Images
    captions: Sequence[str] = ()
    rate: float = 0


@dataclass(frozen=True)
class Text:
    """Passages as they stand, with their spaces and line ends."""

    passages: Sequence[str]
    captions: Sequence[str] = ()


@dataclass(frozen=True)
class Tinted:
    """Passages word by word, each word with a weight: for something above zero, against it below.

    Captions are one for each passage, or none at all.
    """

    passages: Sequence[Sequence[tuple[str, float]]]
    captions: Sequence[str] = ()
    legend: str = ""


@dataclass(frozen=True)
class Audio:
    """Sounds to be heard: waves (T,) in [-1, 1], all at `rate` samples per second."""

    waves: Images
    rate: int
    captions: Sequence[str] = ()


@dataclass(frozen=True)
class Bars:
    """A bar for each name, from zero to its value, which may be negative."""

    names: Sequence[str]
    values: Sequence[float]
    y_label: str = ""


@dataclass(frozen=True)
class Intervals:
    """A value for each name with its (lowest, highest); a line through all stands at the first.

    What the numbers are is in `unit`.
    """

    names: Sequence[str]
    values: Sequence[float]
    ranges: Sequence[tuple[float, float]]
    unit: str = ""


@dataclass(frozen=True)
class Curve:
    """Named lines in one pair of axes, each of them (x values, y values).

    Bands are (lowest, highest) for each x value of the line of that name; not each needs one. With
    `log_x` equal ratios of x are equally far apart, and what is not above zero is left out. A line
    that leaves the limits of y runs along them.
    """

    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]]
    x_label: str
    y_label: str
    bands: Mapping[str, tuple[Sequence[float], Sequence[float]]] = field(default_factory=dict)
    log_x: bool = False
    limits: tuple[float, float] = (-math.inf, math.inf)


@dataclass(frozen=True)
class Panels:
    """Curves by their titles, side by side; a line of the same name looks the same in each.

    The first lines are the most important: where there are too many, the last ones are grey.
    """

    curves: Mapping[str, Curve]


@dataclass(frozen=True)
class Scatter:
    """Names at places (P, 2) of a plane, of which only the distances mean something.

    Lines join pairs of names, by their row. Groups, one for each name or none at all, have a
    colour each. The first names are the most important: where there is no room for all, the last
    ones are dots alone.
    """

    points: np.ndarray
    names: Sequence[str]
    lines: Sequence[tuple[int, int]] = ()
    groups: Sequence[str] = ()


@dataclass(frozen=True)
class Table:
    """Cells as they shall be read; columns of numbers are aligned where they are drawn."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Confusion:
    """Counts (C, C): row = the truth, column = the answer."""

    matrix: np.ndarray
    classes: Sequence[str]


Picture = (
    Grid | Strip | Text | Tinted | Audio | Bars | Intervals | Curve | Panels | Scatter | Table
    | Confusion
)  # fmt: skip
