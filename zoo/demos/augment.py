"""A picture and variants of it, as augmentation makes them."""

import math
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from zoo.demos.picture import SIDE, picture_argument, read

if TYPE_CHECKING:
    import numpy as np

    from datamodules.transforms.augment import Options

SHEET_WIDTH = 1024  # pixels, about, across a sheet of variants
MAX_COUNT = 99  # variants
DEFAULTS: "Options" = {
    "rotation_range": 20,
    "width_shift_range": 0.1,
    "height_shift_range": 0.1,
    "shear_degrees": 10,
    "zoom_range": 0.2,
    "horizontal_flip": True,
}


def augment_arguments(parser: ArgumentParser) -> None:
    picture_argument(parser)
    parser.add_argument(
        "options", nargs="*", metavar="key=value", help="as data.augment.key=value in training"
    )
    parser.add_argument(
        "--data", metavar="NAME", help="a training picture of it, varied as in training"
    )
    parser.add_argument("--count", metavar="N", type=int, default=15, help="variants (%(default)s)")
    parser.add_argument(
        "--seed", metavar="N", type=int, default=0, help="other draws (%(default)s)"
    )


def draw_augment(args: Namespace) -> bytes:
    """Draw a picture and random variants of it on one sheet (slides 10-12).

    The options are those of training (`zoo show cifar10`); without any, those of --data are taken,
    or lively ones.
    """
    from zoo.figures.kinds import Grid
    from zoo.figures.raster import png

    if not 1 <= args.count <= MAX_COUNT:
        raise ValueError(f"--count is {args.count}: 1 to {MAX_COUNT} variants fit on a sheet")
    if args.seed < 0:
        raise ValueError(f"--seed is {args.seed}: 0 or more is wanted")
    columns = math.ceil(math.sqrt(args.count + 1))
    tile = min(SIDE, SHEET_WIDTH // columns)
    picture, words = args.picture, args.options
    if picture and "=" in picture and not Path(picture).exists():
        picture, words = None, [picture, *words]
    if picture and args.data:
        raise ValueError(f"a picture ({picture}) and --data {args.data}: give one of them")
    options = parse_options(words)
    if args.data:
        pixels, name, defaults = load_example(args.data)
    else:
        (pixels, name), defaults = read(picture, tile), DEFAULTS
    options = options or defaults
    print(f"input     {name}")
    print("options   " + " ".join(f"{k}={str(v).lower()}" for k, v in options.items()))
    print(f"seed      {args.seed}")
    images = [pixels, *variants(pixels, options, args.count, args.seed)]
    return png(Grid(images, columns=columns), tile)


def load_example(data: str) -> "tuple[np.ndarray, str, Options]":
    """A training picture (H, W, C) of a data set, a line about it, and its own options.

    Raises:
        ValueError: no such data, or no pictures.
        FileNotFoundError: they are neither bundled nor on this machine, and cannot be fetched.
    """
    from datamodules.images import Images
    from zoo.catalog.create import create_data

    datamodule = create_data(data)
    if not isinstance(datamodule, Images):
        raise ValueError(f"--data is {data!r}: it holds no pictures (zoo list data)")
    datamodule.prepare_data()
    datamodule.setup("fit")
    pixels, labels = datamodule.arrays("train")
    kind = datamodule.info["classes"][labels[0]] if "classes" in datamodule.info else labels[0]
    size = " x ".join(map(str, pixels[0].shape))
    line = f"{data}, its first training picture ({kind}): {size}, height x width x channels"
    return pixels[0], line, datamodule.augment.options


def parse_options(words: Sequence[str]) -> "Options":
    """The options of augmentation written as key=value, checked.

    Raises:
        ValueError: a word that is no key=value, an unknown key, or a value out of its range.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException
    from pydantic import with_config

    from datamodules.transforms.augment import Options
    from zoo.config.schema import STRICT, validate

    try:
        overrides = OverridesParser.create().parse_overrides(list(words))
    except HydraException as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"cannot read the options: {reason}; write key=value") from error
    options = {
        one.key_or_group: one.get_value_string() if one.is_sweep_override() else one.value()
        for one in overrides
    }
    validate(with_config(STRICT)(Options), options, "")
    return cast("Options", options)


def variants(pixels: "np.ndarray", options: "Options", count: int, seed: int) -> "np.ndarray":
    """Random variants (count, H, W, C) of pixels (H, W, C), made as a training batch is."""
    import torch

    from datamodules.transforms.augment import Augment
    from datamodules.utilities.draws import Key

    image = torch.from_numpy(pixels).permute(2, 0, 1).float() / 255
    key = Key(seed=seed, epoch=0, batch=0, size=count, start=0, stop=count)
    batch = Augment(options)(image.repeat(count, 1, 1, 1), key)  # (B, C, H, W)
    return batch.mul(255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
