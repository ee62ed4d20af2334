"""The picture that a demo draws on."""

from argparse import ArgumentParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


SIDE = 512  # pixels, of the longer side; larger pictures are scaled down
CHANNELS = {1: ("grey",), 3: ("red", "green", "blue")}


def picture_argument(parser: ArgumentParser, none: str = "a photograph") -> None:
    parser.add_argument(
        "picture", nargs="?", metavar="PICTURE", help=f"any picture file; none: {none}"
    )


def read(picture: str | None, side: int) -> "tuple[np.ndarray, str]":
    """Pixels (H, W, C) of a picture with its longer side at most `side`, and a line about it.

    C is 1 where it is grey. None is the photograph that scikit-learn ships.
    """
    import numpy as np
    from sklearn.datasets import load_sample_image

    from datamodules.inputs.picture_file import open_picture
    from datamodules.inputs.picture_levels import upright

    with open_picture(picture or load_sample_image("china.jpg")) as image:
        small = upright(image).convert("RGB")
        small.thumbnail((side, side))
    pixels = np.array(small)
    if (pixels == pixels[:, :, :1]).all():
        pixels = pixels[:, :, :1]
    name = picture or "china.jpg, a photograph by danielbuechele (CC BY 2.0), from scikit-learn"
    height, width, channels = pixels.shape
    return pixels, f"{name}: {height} x {width} x {channels}, height x width x channels"
