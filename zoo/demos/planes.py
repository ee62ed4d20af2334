"""A picture split into its colour planes, and put together again."""

from argparse import Namespace
from typing import TYPE_CHECKING

from zoo.demos.picture import CHANNELS, SIDE, read

if TYPE_CHECKING:
    import numpy as np


def draw_planes(arguments: Namespace) -> bytes:
    """Take a picture apart into its red, green and blue planes, and add them up again (slide 5)."""
    from zoo.figures.kinds import Grid
    from zoo.figures.raster import png

    pixels, name = read(arguments.picture, SIDE)
    parts = planes(pixels)
    total = parts[0] + parts[1] + parts[2]
    print(f"input     {name}")
    for colour, part in zip(CHANNELS[3], parts, strict=True):
        plane = part.max(axis=2)
        print(f"{colour:<9} {plane.min()} to {plane.max()}, mean {plane.mean():.1f}")
    print(f"sum       {(total == pixels).mean():.0%} of its values are those of the picture")
    return png(Grid([*parts, total], columns=2), SIDE)


def planes(pixels: "np.ndarray") -> "list[np.ndarray]":
    """Pixels (H, W, 1 or 3) as three pictures (H, W, 3) whose sum they are, one for each colour."""
    import numpy as np

    return [pixels * mask for mask in np.eye(3, dtype=np.uint8)]
