"""Draw what the lecture shows of pictures: filters, planes, augmentation, feature maps.

    zoo draw filter                                    slide 15's kernel on a photograph
    zoo draw filter my.jpg --kernel sobel              on a picture of yours
    zoo draw filter --kernel "-1 0 1" --border valid   a kernel of yours
    zoo draw planes                                    red, green and blue, and their sum
    zoo draw augment                                   a picture and 15 random variants
    zoo draw augment rotation_range=90 --count 8       with these options alone
    zoo draw augment --data cifar10                    a picture of it, varied as in training
    zoo draw maps                                      a network's filters and feature maps
    zoo draw maps image_cnn.cifar10 my.jpg             of another, of a picture of yours

Without a picture it is a photograph that scikit-learn ships, and for maps an example of the data
that the network learned from. `zoo draw filter --help` says more.
"""

import math
from argparse import REMAINDER, ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from datamodules.transforms.augment import Options
    from zoo.demos.convolution import Border
    from zoo.nn.module import ZooModule

SIDE = 512  # pixels, of the longer side; larger pictures are scaled down
SHEET = 1024  # pixels, about, across a sheet of variants
MOST = 99  # variants
SEEN, FILTER = 128, 28  # pixels, about, of what a network sees and of a filter, once enlarged
FILTERS = 16  # in a row
LIVELY: "Options" = {
    "rotation_range": 20,
    "width_shift_range": 0.1,
    "height_shift_range": 0.1,
    "shear_degrees": 10,
    "zoom_range": 0.2,
    "horizontal_flip": True,
}
CHANNELS = {1: ("grey",), 3: ("red", "green", "blue")}


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("what", choices=WHAT)
    parser.add_argument("rest", nargs=REMAINDER, metavar="...", help="see zoo draw filter --help")


def run(given: Namespace) -> None:
    from zoo.commands.main import Parser

    add_arguments, draw = WHAT[given.what]
    parser = Parser(prog=f"zoo draw {given.what}", description=draw.__doc__)
    add_arguments(parser)
    default = Path(f"{given.what}.png")
    parser.add_argument(
        "-o", "--output", metavar="FILE.png", type=Path, default=default, help="(%(default)s)"
    )
    asked = parser.parse_intermixed_args(given.rest)  # options may stand between the words
    check_output(asked.output, asked.picture)
    asked.output.write_bytes(draw(asked))
    print(f"picture   {asked.output}")


def picture_argument(parser: ArgumentParser, none: str = "a photograph") -> None:
    parser.add_argument(
        "picture", nargs="?", metavar="PICTURE", help=f"any picture file; none: {none}"
    )


def check_output(output: Path, picture: str | None) -> None:
    """Refuse to write another kind of file, into no folder, or over the picture itself.

    Raises:
        ValueError, FileNotFoundError: naming the file.
    """
    if output.suffix.lower() != ".png":
        raise ValueError(f"--output is {output}: give a name that ends in .png")
    if not output.parent.is_dir():
        raise FileNotFoundError(f"--output is {output}: there is no folder {output.parent}")
    if picture and output.resolve() == Path(picture).resolve():
        raise ValueError(f"{output} is the picture itself: give another --output")


def filter_arguments(parser: ArgumentParser) -> None:
    picture_argument(parser)
    parser.add_argument(
        "--kernel",
        default="emboss",
        help="emboss (the default), blur, sharpen, sobel, or rows of numbers divided by ';'",
    )
    parser.add_argument(
        "--border",
        choices=("same", "valid"),
        default="same",
        help="pad with zeros (the default), or skip where the kernel does not fit",
    )
    parser.add_argument("--flip", action="store_true", help="turn the kernel by 180 degrees first")
    parser.add_argument(
        "--at",
        metavar="ROW,COLUMN",
        type=place,
        help="the pixel whose sum is written out, counted from 0 (the default: the middle)",
    )


def place(text: str) -> tuple[int, int]:
    """The row and the column of "10,20"."""
    try:
        row, column = map(int, text.split(","))
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not ROW,COLUMN, such as 10,20") from error
    return row, column


def draw_filter(given: Namespace) -> bytes:
    """Slide a kernel over a picture, and write the weighted sum out for one pixel (slides 15-17).

    As on slide 15 and in the layers of a network, the kernel is laid on the pixels as it is written
    (cross-correlation); --flip turns it by 180 degrees first, which is what mathematics calls
    convolution. Each channel is filtered by itself.
    """
    from zoo.demos import convolution
    from zoo.figures.kinds import Grid
    from zoo.figures.raster import png

    kernels = convolution.kernels(given.kernel)
    kernels = kernels[:, ::-1, ::-1] if given.flip else kernels
    pixels, name = read(given.picture, SIDE)
    sums = convolution.combined(convolution.responses(pixels, kernels, given.border))
    height, width, channels = pixels.shape
    at = given.at or (height // 2, width // 2)
    under = convolution.window(pixels, kernels, given.border, at)
    print(f"input     {name}")
    print_kernels(kernels, given.flip)
    print_size((height, width), kernels, given.border)
    print_levels(sums, kernels)
    print(f"sum       at row {at[0]}, column {at[1]}, weight x pixel:")
    for channel, colour in enumerate(CHANNELS[channels]):
        print_sum(colour, kernels, under[:, :, channel])
    result = convolution.shown(sums, kernels)
    return png(Grid([pixels, result], columns=2), SIDE)


def print_kernels(kernels: "np.ndarray", flip: bool) -> None:
    """The weights, and how they are laid on the pixels."""
    laid = "turned by 180 degrees (convolution)" if flip else "as written (cross-correlation)"
    print(f"kernel    {kernels[0].size} weights, the same at every pixel, laid on it {laid}")
    for kernel in kernels:
        for row in kernel:
            print("         " + "".join(f" {weight:>5g}" for weight in row))
        print()


def print_size(size: tuple[int, int], kernels: "np.ndarray", border: "Border") -> None:
    """The size of the result, and how it comes about."""
    from zoo.demos import convolution

    pads, sides = convolution.padding(kernels, border), kernels.shape[1:]
    height, width = convolution.result_size(size, kernels, border)
    sums = [f"({n} + 2 x {p} - {k} + 1)" for n, p, k in zip(size, pads, sides, strict=True)]
    how = "padded with zeros" if border == "same" else "skipped where the kernel does not fit"
    print(f"border    {border}, {how}: size + 2 x padding - kernel + 1 =")
    print(f"          {sums[0]} x {sums[1]} = {height} x {width} pixels, height x width")


def print_levels(sums: "np.ndarray", kernels: "np.ndarray") -> None:
    """How sums become grey levels."""
    from zoo.demos import convolution

    zero = convolution.level_of_zero(kernels)
    outside = ((sums + zero < 0) | (sums + zero > 255)).mean()
    what = f"sum + {zero}, as the weights sum to zero" if zero else "sum"
    what = "magnitude of both sums" if len(kernels) > 1 else what
    print(f"shown     {what}; clipped to 0..255 ({outside:.1%} lie outside)")


def print_sum(colour: str, kernels: "np.ndarray", under: "np.ndarray") -> None:
    """The weighted sum of the pixels (kh, kw) under each kernel, and the level that is shown."""
    import numpy as np

    from zoo.demos import convolution

    print(f"  {colour}")
    values = []
    for kernel in kernels:
        rows, value = convolution.written_out(kernel, under)
        values.append(value)
        print("      " + "\n    + ".join(rows))
        print(f"    = {value:g}")
    total = convolution.combined(np.array(values))
    if len(values) > 1:
        squares = " + ".join(f"({value:g})^2" for value in values)
        print(f"    magnitude sqrt({squares}) = {total:.1f}")
    print(f"    shown as {convolution.shown(total, kernels)}")


def draw_planes(given: Namespace) -> bytes:
    """Take a picture apart into its red, green and blue planes, and add them up again (slide 5)."""
    from zoo.figures.kinds import Grid
    from zoo.figures.raster import png

    pixels, name = read(given.picture, SIDE)
    parts = planes(pixels)
    whole = parts[0] + parts[1] + parts[2]
    print(f"input     {name}")
    for colour, part in zip(CHANNELS[3], parts, strict=True):
        plane = part.max(axis=2)
        print(f"{colour:<9} {plane.min()} to {plane.max()}, mean {plane.mean():.1f}")
    print(f"sum       {(whole == pixels).mean():.0%} of its values are those of the picture")
    return png(Grid([*parts, whole], columns=2), SIDE)


def planes(pixels: "np.ndarray") -> "list[np.ndarray]":
    """Pixels (H, W, 1 or 3) as three pictures (H, W, 3) whose sum they are, one for each colour."""
    import numpy as np

    return [pixels * mask for mask in np.eye(3, dtype=np.uint8)]


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


def draw_augment(given: Namespace) -> bytes:
    """Draw a picture and random variants of it on one sheet (slides 10-12).

    The options are those of training (`zoo show cifar10`); without any, those of --data are taken,
    or lively ones.
    """
    from zoo.figures.kinds import Grid
    from zoo.figures.raster import png

    if not 1 <= given.count <= MOST:
        raise ValueError(f"--count is {given.count}: 1 to {MOST} variants fit on a sheet")
    if given.seed < 0:
        raise ValueError(f"--seed is {given.seed}: 0 or more is wanted")
    columns = math.ceil(math.sqrt(given.count + 1))
    tile = min(SIDE, SHEET // columns)
    picture, words = given.picture, given.options
    if picture and "=" in picture and not Path(picture).exists():
        picture, words = None, [picture, *words]
    if picture and given.data:
        raise ValueError(f"a picture ({picture}) and --data {given.data}: give one of them")
    asked = parse(words)
    pixels, name, own = example(given.data) if given.data else (*read(picture, tile), LIVELY)
    options = asked or own
    print(f"input     {name}")
    print("options   " + " ".join(f"{k}={str(v).lower()}" for k, v in options.items()))
    print(f"seed      {given.seed}")
    return png(
        Grid([pixels, *variants(pixels, options, given.count, given.seed)], (), columns), tile
    )


def example(data: str) -> "tuple[np.ndarray, str, Options]":
    """A training picture (H, W, C) of a data set, a line about it, and its own options.

    Raises:
        ValueError: no such data, or no pictures.
        FileNotFoundError: they are neither embedded nor on this machine, and cannot be fetched.
    """
    from datamodules.images import Images
    from zoo.catalog.create import create_data

    found = create_data(data)
    if not isinstance(found, Images):
        raise ValueError(f"--data is {data!r}: it holds no pictures (zoo list data)")
    found.prepare_data()
    found.setup("fit")
    pixels, labels = found.arrays("train")
    kind = found.facts["classes"][labels[0]] if "classes" in found.facts else labels[0]
    size = " x ".join(map(str, pixels[0].shape))
    line = f"{data}, its first training picture ({kind}): {size}, height x width x channels"
    return pixels[0], line, found.augment.options


def parse(words: Sequence[str]) -> "Options":
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
        found = OverridesParser.create().parse_overrides(list(words))
    except HydraException as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"cannot read the options: {reason}; write key=value") from error
    options = {
        one.key_or_group: one.get_value_string() if one.is_sweep_override() else one.value()
        for one in found
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
    made = Augment(options)(image.repeat(count, 1, 1, 1), key)  # (B, C, H, W)
    return made.mul(255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()


def read(picture: str | None, side: int) -> "tuple[np.ndarray, str]":
    """Pixels (H, W, C) of a picture with its longer side at most `side`, and a line about it.

    C is 1 where it is grey. None is the photograph that scikit-learn ships.
    """
    import numpy as np
    from PIL import ImageOps
    from sklearn.datasets import load_sample_image

    from datamodules.inputs.image import eight_bit, open_picture

    with open_picture(picture or load_sample_image("china.jpg")) as opened:
        small = eight_bit(ImageOps.exif_transpose(opened)).convert("RGB")
        small.thumbnail((side, side))
    pixels = np.array(small)
    if (pixels == pixels[:, :, :1]).all():
        pixels = pixels[:, :, :1]
    name = picture or "china.jpg, a photograph by danielbuechele (CC BY 2.0), from scikit-learn"
    height, width, channels = pixels.shape
    return pixels, f"{name}: {height} x {width} x {channels}, height x width x channels"


def maps_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "name", nargs="?", metavar="NAME|RUN|WEIGHTS", default="image_cnn.digits",
        help="a name of `zoo list weights`, a run or a file (%(default)s)",
    )  # fmt: skip
    picture_argument(parser, "a test picture of the data that it learned from")


def draw_maps(given: Namespace) -> bytes:
    """Draw the filters of a network's first layer, and what each convolution makes of a picture.

    Of each convolution the most active maps are shown, the most active first, after the activation
    that follows it; black is zero, and each map has its own white. In a filter zero is grey
    (slides 17-19).
    """
    import numpy as np

    from zoo import load
    from zoo.figures import kinds, raster
    from zoo.nn.feature_maps import check, convolutions, feature_maps, first_filters
    from zoo.training.run import weights_of

    model = load(weights_of(given.name))
    check(model)
    batch, name = seen(model, given.picture)
    shown = raster.feature_maps(feature_maps(model, batch))
    first = next(iter(convolutions(model)))
    filters = np.asarray(first_filters(model).images)
    print(f"input     {name}")
    print(f"filters   {first}: {len(filters)} of {' x '.join(map(str, filters.shape[1:3]))} pixels")
    for caption in shown.captions:
        print(f"maps      {caption}")
    picture = model.input.restore(batch[:1])[0]  # (H, W, C), or the frames of a clip
    frames = picture if picture.ndim == 4 else [picture]
    above = [raster.tiled(frames, tile=SEEN), raster.tiled(filters, FILTERS, tile=FILTER)]
    titles = ["what it sees", f"{first}: its {len(filters)} filters"]
    return raster.labelled(kinds.Grid([*above, *shown.images], [*titles, *shown.captions]))


def seen(model: "ZooModule", picture: str | None) -> "tuple[Tensor, str]":
    """A batch with a picture as the network takes it, and a line about it.

    Without a picture it is a test sample of the data that the model was trained on.

    Raises:
        ValueError, FileNotFoundError: there is no such picture.
    """
    if picture:
        return model.ready(picture), picture
    from zoo.pages import examples
    from zoo.training.evaluate import opened

    config, own = examples.choose(model)
    batch = opened(config, model, classes=own).whole("test", 1)
    images = batch[0] if isinstance(batch, tuple) else batch
    return images, f"a test picture of {config['choices']['data']}"


WHAT = {
    "filter": (filter_arguments, draw_filter),
    "planes": (picture_argument, draw_planes),
    "augment": (augment_arguments, draw_augment),
    "maps": (maps_arguments, draw_maps),
}
