"""Clips of digits that move."""

from typing import Any, Literal

import numpy as np

from datamodules.bundled.digits import digits
from datamodules.sources.rows import Rows, Source

Label = Literal["direction", "digit", "next_frame"]
SIDE, LENGTH = 30, 10  # pixels and frames of a moving digit
DIRECTIONS = {"right": (9, -3), "up": (-3, -9), "left": (-9, 3), "down": (3, 9)}  # x, y; pixels


def moving_digits(label: Label | None = "direction") -> Source:
    """One clip (10, 30, 30) for each of 5,000 digits, which leaves one edge to enter at the other.

    The steps are such that whichever way it moves, a digit comes to the same ten places: they are
    the multiples of (9, -3) modulo 30, of which all four directions are generators. So the clips of
    the four directions are the same pictures in other orders, and only the order tells which it is.

    Args:
        label: `direction` of motion; the `digit`; or `next_frame`: whether the last frame follows
            from the others, or shows the digit moved another way.
    """
    if label is None:
        raise ValueError("data.label is None: moving digits need direction, digit or next_frame")
    random = np.random.default_rng(0)
    source = digits()
    rows, count = source.splits["all"], len(source.splits["all"].labels)
    steps = np.array(list(DIRECTIONS.values()))
    direction = random.permutation(np.arange(count) % len(steps))
    places = random.integers(0, SIDE, (count, 1, 2)) + (
        np.arange(LENGTH)[:, None] * steps[direction][:, None]
    )  # (N, T, 2)
    labels, classes = direction, list(DIRECTIONS)
    if label == "digit":
        labels, classes = rows.labels, source.classes
    elif label == "next_frame":
        labels, classes = random.permutation(np.arange(count) % 2), ["follows", "does not"]
        last_direction = (direction + labels * random.integers(1, len(steps), count)) % len(steps)
        places[:, -1] = places[:, -2] + steps[last_direction]
    return Source({"all": Rows(shift_images(rows.raws, places), labels)}, classes)


def shift_images(pictures: Any, places: np.ndarray) -> np.ndarray:
    """Pictures (N, 28, 28) shifted to places (N, T, 2) of x and y on a torus: (N, T, 30, 30)."""
    rim = (SIDE - 28) // 2
    canvas = np.pad(pictures, ((0, 0), (rim, rim), (rim, rim)))
    x, y = ((np.arange(SIDE) - places[..., axis, None]) % SIDE for axis in (0, 1))  # (N, T, 30)
    number = np.arange(len(canvas))[:, None, None, None]
    return canvas[number, y[..., :, None], x[..., None, :]]
