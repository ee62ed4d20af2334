"""A picture split into its colour planes, and put together again."""

from argparse import Namespace

from zoo.demos.picture import CHANNELS, SIDE, read


def draw_planes(arguments: Namespace) -> bytes:
    """Take a picture apart into its red, green and blue planes, and add them up again (slide 5)."""
    import numpy as np

    from zoo.figures.kinds import Grid
    from zoo.figures.raster import png

    pixels, name = read(arguments.picture, SIDE)
    parts = [pixels * mask for mask in np.eye(3, dtype=np.uint8)]  # each (H, W, 3)
    total = parts[0] + parts[1] + parts[2]
    print(f"input     {name}")
    for colour, part in zip(CHANNELS[3], parts, strict=True):
        plane = part.max(axis=2)
        print(f"{colour:<9} {plane.min()} to {plane.max()}, mean {plane.mean():.1f}")
    print(f"sum       {(total == pixels).mean():.0%} of its values are those of the picture")
    return png(Grid([*parts, total], columns=2), SIDE)
