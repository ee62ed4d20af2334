"""A kernel slid over a picture."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace

from zoo.demos.picture import CHANNELS, SIDE, picture_argument, read


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
    convolution.print_kernels(kernels, arguments.flip)
    convolution.print_size((height, width), kernels, arguments.border)
    convolution.print_levels(sums, kernels)
    print(f"sum       at row {at[0]}, column {at[1]}, weight x pixel:")
    for channel, colour in enumerate(CHANNELS[channels]):
        convolution.print_sum(colour, kernels, under[:, :, channel])
    result = convolution.to_grey_levels(sums, kernels)
    return png(Grid([pixels, result], columns=2), SIDE)
