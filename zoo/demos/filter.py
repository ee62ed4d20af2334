"""A kernel slid over a picture."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import TYPE_CHECKING

from zoo.demos.picture import CHANNELS, SIDE, picture_argument, read

if TYPE_CHECKING:
    import numpy as np

    from zoo.demos.convolution import Border


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
        type=row_and_column,
        help="the pixel whose sum is written out, counted from 0 (the default: the middle)",
    )


def row_and_column(text: str) -> tuple[int, int]:
    """The row and the column of "10,20"."""
    try:
        row, column = map(int, text.split(","))
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not ROW,COLUMN, such as 10,20") from error
    return row, column


def draw_filter(arguments: Namespace) -> bytes:
    """Slide a kernel over a picture, and write the weighted sum out for one pixel (slides 15-17).

    As on slide 15 and in the layers of a network, the kernel is laid on the pixels as it is written
    (cross-correlation); --flip turns it by 180 degrees first, which is what mathematics calls
    convolution. Each channel is filtered by itself.
    """
    from zoo.demos import convolution
    from zoo.figures.kinds import Grid
    from zoo.figures.raster import png

    kernels = convolution.kernels(arguments.kernel)
    kernels = kernels[:, ::-1, ::-1] if arguments.flip else kernels
    pixels, name = read(arguments.picture, SIDE)
    sums = convolution.combine(convolution.responses(pixels, kernels, arguments.border))
    height, width, channels = pixels.shape
    at = arguments.at or (height // 2, width // 2)
    under = convolution.window(pixels, kernels, arguments.border, at)
    print(f"input     {name}")
    print_kernels(kernels, arguments.flip)
    print_size((height, width), kernels, arguments.border)
    print_levels(sums, kernels)
    print(f"sum       at row {at[0]}, column {at[1]}, weight x pixel:")
    for channel, colour in enumerate(CHANNELS[channels]):
        print_sum(colour, kernels, under[:, :, channel])
    result = convolution.to_grey_levels(sums, kernels)
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
        rows, value = convolution.format_sum(kernel, under)
        values.append(value)
        print("      " + "\n    + ".join(rows))
        print(f"    = {value:g}")
    total = convolution.combine(np.array(values))
    if len(values) > 1:
        squares = " + ".join(f"({value:g})^2" for value in values)
        print(f"    magnitude sqrt({squares}) = {total:.1f}")
    print(f"    shown as {convolution.to_grey_levels(total, kernels)}")
