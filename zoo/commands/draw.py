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

from argparse import REMAINDER, ArgumentParser, Namespace
from pathlib import Path

from zoo.demos.augment import augment_arguments, draw_augment
from zoo.demos.filter import draw_filter, filter_arguments
from zoo.demos.maps import draw_maps, maps_arguments
from zoo.demos.picture import picture_argument
from zoo.demos.planes import draw_planes


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("what", choices=WHAT)
    parser.add_argument("rest", nargs=REMAINDER, metavar="...", help="see zoo draw filter --help")


def run(args: Namespace) -> None:
    from zoo.commands.main import Parser, output_file

    add_options, draw = WHAT[args.what]
    parser = Parser(prog=f"zoo draw {args.what}", description=draw.__doc__)
    add_options(parser)
    default = Path(f"{args.what}.png")
    parser.add_argument(
        "-o", "--output", metavar="FILE.png", type=Path, default=default, help="(%(default)s)"
    )
    options = parser.parse_intermixed_args(args.rest)  # options may stand between the words
    output_file(options.output, "", ".png")
    if options.picture and options.output.resolve() == Path(options.picture).resolve():
        raise ValueError(f"{options.output} is the picture itself: give another --output")
    options.output.write_bytes(draw(options))
    print(f"picture   {options.output}")


WHAT = {
    "filter": (filter_arguments, draw_filter),
    "planes": (picture_argument, draw_planes),
    "augment": (augment_arguments, draw_augment),
    "maps": (maps_arguments, draw_maps),
}
