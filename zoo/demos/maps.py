"""Filters and feature maps of a trained network."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from zoo.demos.picture import picture_argument

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.nn.module import ZooModule

TILE, FILTER_TILE = 128, 28  # pixels, about, of the input and of a filter, once enlarged
COLUMNS = 16  # filters in a row


def maps_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "name", nargs="?", metavar="NAME|RUN|WEIGHTS", default="image_cnn.digits",
        help="a name of `zoo list weights`, a run or a file (%(default)s)",
    )  # fmt: skip
    picture_argument(parser, "a test picture of the data that it learned from")


def draw_maps(arguments: Namespace) -> bytes:
    """Draw the filters of a network's first layer, and what each convolution makes of a picture.

    Of each convolution the most active maps are shown, the most active first, after the activation
    that follows it; black is zero, and each map has its own white. In a filter zero is grey
    (slides 17-19).
    """
    import numpy as np

    from zoo import load
    from zoo.figures import kinds, raster
    from zoo.figures.raster import draw_captioned, tile_images
    from zoo.nn.feature_maps import check, convolutions, feature_maps, first_filters
    from zoo.training.run import find_weights

    model = load(find_weights(arguments.name))
    check(model)
    batch, name = load_batch(model, arguments.picture)
    grid = raster.feature_maps(feature_maps(model, batch))
    first_layer = next(iter(convolutions(model)))
    filters = np.asarray(first_filters(model).images)
    print(f"input     {name}")
    size = " x ".join(map(str, filters.shape[1:3]))
    print(f"filters   {first_layer}: {len(filters)} of {size} pixels")
    for caption in grid.captions:
        print(f"maps      {caption}")
    picture = model.input.restore(batch[:1])[0]  # (H, W, C), or the frames of a clip
    frames = picture if picture.ndim == 4 else [picture]
    top = [tile_images(frames, tile=TILE), tile_images(filters, COLUMNS, tile=FILTER_TILE)]
    titles = ["what it sees", f"{first_layer}: its {len(filters)} filters"]
    return draw_captioned(kinds.Grid([*top, *grid.images], [*titles, *grid.captions]))


def load_batch(model: "ZooModule", picture: str | None) -> "tuple[Tensor, str]":
    """A batch with a picture as the network takes it, and a line about it.

    Without a picture it is a test sample of the data that the model was trained on.

    Raises:
        ValueError, FileNotFoundError: there is no such picture.
    """
    from datamodules.utilities.windows import one_window

    if picture:
        return one_window(model.preprocess(picture)), picture
    from zoo.pages import examples
    from zoo.training.evaluate import open_test_data

    config, own = examples.choose_data(model)
    batch = open_test_data(config, model, classes=own).samples("test", 1)
    images = one_window(batch[0]) if isinstance(batch, tuple) else batch
    return images, f"a test picture of {config['choices']['data']}"
