"""Filters and feature maps of a trained network."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from zoo.demos.picture import picture_argument

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.nn.module import ZooModule

SEEN, FILTER = 128, 28  # pixels, about, of what a network sees and of a filter, once enlarged
FILTERS = 16  # in a row


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
    from zoo.training.run import find_weights

    model = load(find_weights(given.name))
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
        return model.preprocess(picture), picture
    from zoo.pages import examples
    from zoo.training.evaluate import open_test_data

    config, own = examples.choose_data(model)
    batch = open_test_data(config, model, classes=own).samples("test", 1)
    images = batch[0] if isinstance(batch, tuple) else batch
    return images, f"a test picture of {config['choices']['data']}"
