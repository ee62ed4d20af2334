"""Where names fit beside dots: none covers another, nor a dot, nor leaves the frame.

Shapes: P dots; places (P, 2) are x and y, y downwards; boxes (N, 4) are left, top, right, bottom.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

LETTER = 8.0  # wide, in most fonts, at a font size of 12.5
HIGH = 15.0  # a line of text
FREE = 6.0  # between the middle of a dot and its name
DOT = 3.5  # half of what a dot takes up
STEP = 8.0  # between the places of a line that are kept free
SIDES = [(1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (-1, -1), (1, 1), (-1, 1)]  # the best first
ANCHORS = {1: "start", -1: "end", 0: "middle"}


class Place(NamedTuple):
    """Where a name is written: x of its start, end or middle, and the y of its middle."""

    x: float
    y: float
    anchor: str


def place_names(
    dots: np.ndarray,
    names: Sequence[str],
    lines: Sequence[tuple[int, int]],
    width: float,
    height: float,
) -> list[Place | None]:
    """The place of each name, or None where there is no room left; earlier names choose first.

    Args:
        dots: their places (P, 2), within the frame.
        lines: pairs of dots that a straight line joins, which no name shall cover.
        width, height: of the frame.
    """
    obstacles = np.concatenate([dots, *(along(dots[a], dots[b]) for a, b in lines)])
    occupied = np.concatenate([obstacles - DOT, obstacles + DOT], 1)
    placements: list[Place | None] = []
    for dot, name in zip(dots, names, strict=True):
        places, boxes = around(dot, name)
        free = inside(boxes, width, height) & ~overlapping(boxes, occupied).any(1)
        best = int(free.argmax())
        if free[best]:
            occupied = np.concatenate([occupied, boxes[best : best + 1]])
        placements.append(places[best] if free[best] else None)
    return placements


def around(dot: np.ndarray, name: str) -> tuple[list[Place], np.ndarray]:
    """The places beside a dot (2,), and the boxes (N, 4) that a name takes up there."""
    width, boxes, places = LETTER * len(name), [], []
    for across, down in SIDES:
        gap = FREE / 2 if across and down else FREE
        x, y = dot[0] + across * gap, dot[1] + down * (gap + HIGH / 2)
        left = x + width * (across - 1) / 2
        boxes.append((left, y - HIGH / 2, left + width, y + HIGH / 2))
        places.append(Place(float(x), float(y), ANCHORS[across]))
    return places, np.array(boxes)


def along(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Places (N, 2) on the line between two dots (2,)."""
    count = max(2, int(np.linalg.norm(other - one) / STEP) + 1)
    return np.linspace(one, other, count)


def inside(boxes: np.ndarray, width: float, height: float) -> np.ndarray:
    """Which boxes (N, 4) lie within the frame, (N,)."""
    return np.logical_and.reduce([*(boxes[:, :2] >= 0).T, *(boxes[:, 2:] <= [width, height]).T])


def overlapping(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Which of boxes (N, 4) overlap which of others (M, 4), (N, M)."""
    one, two = boxes[:, None], others[None]
    apart = (one[..., 2:] <= two[..., :2]) | (two[..., 2:] <= one[..., :2])
    return np.logical_not(apart.any(2))
