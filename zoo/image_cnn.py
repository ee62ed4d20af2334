"""Image classification by convolution: the lecture's network and a small modern one.

`ImageCNN2017` is the network of the lecture's slide, which is Keras 1.2's example for CIFAR-10:
pairs of 3 x 3 convolutions, the first of a pair padded (`same`), the second not (`valid`).

`ImageCNN` is ours: a residual network (He et al. 2015, https://arxiv.org/abs/1512.03385, figure 2)
of three stages with batch normalisation (Ioffe & Szegedy 2015, https://arxiv.org/abs/1502.03167),
which halves the map again and again and averages what is left, so that it takes any size.

Departs from the papers: halving and widening are a convolution of their own before the residual
pair, so that no short cut needs a projection; a pair is activated before it is added, not after.

Shapes: B images, C channels, H x W pixels, K classes.
"""

from itertools import pairwise
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn

from zoo import optim, pictures
from zoo.export import Entry, Exported
from zoo.nn import Classifier, check_images, reach
from zoo.optim import Recipe
from zoo.pictures import Picture

Positive = Annotated[int, Field(ge=1)]
Dropout = Annotated[float, Field(ge=0, lt=1)]
Smoothing = Annotated[float, Field(ge=0, lt=1)]


class ImageCNN2017(Classifier):
    """The lecture's network, slide 19: 1,250,858 parameters for CIFAR-10.

    Args:
        channels, image_size, num_classes: facts of the data.
        dropout: after each pair of convolutions.
        dense_dropout: after the hidden dense layer.
    """

    def __init__(
        self,
        *,
        channels: Positive,
        image_size: Annotated[int, Field(ge=12)],
        num_classes: Annotated[int, Field(ge=2)],
        dropout: Dropout,
        dense_dropout: Dropout,
        label_smoothing: Smoothing,
        optimizer: Recipe,
    ) -> None:
        super().__init__(label_smoothing)
        self.save_hyperparameters(logger=False)
        side = (
            (image_size - 2) // 2 - 2
        ) // 2  # what two valid convolutions and two poolings leave
        self.convolutions = nn.Sequential(*pair(channels, 32, dropout), *pair(32, 64, dropout))
        self.hidden = nn.Sequential(
            nn.Linear(64 * side * side, 512),
            nn.ReLU(),
            nn.Dropout(dense_dropout),
        )
        self.head = nn.Linear(512, num_classes)
        self.example_input_array = torch.zeros(1, channels, image_size, image_size)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) of the one size to logits (B, K).

        Raises:
            ValueError: another layout or size.
        """
        check_images(images, self.hparams["channels"])
        size = self.hparams["image_size"]
        if tuple(images.shape[2:]) != (size, size):
            raise ValueError(f"images are {tuple(images.shape[2:])}: axes 2 and 3 should be {size}")
        return self.head(self.hidden(self.convolutions(images).flatten(1)))

    def exported(self) -> Exported:
        """Images of the one size to logits."""
        side = self.hparams["image_size"]
        images = Entry(("batch", self.hparams["channels"], side, side))
        return Exported(self, {"images": images}, ("logits",))

    def figures(self, batch: tuple[Tensor, Tensor]) -> dict[str, Picture]:
        return {**super().figures(batch), **first_filters(self.convolutions[0])}

    def configure_optimizers(self) -> Any:
        return optim.configure(self, self.hparams["optimizer"])


def pair(inputs: int, width: int, dropout: float) -> list[nn.Module]:
    """A `same` and a `valid` convolution, pooling and dropout (slide 19)."""
    return [
        nn.Conv2d(inputs, width, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(width, width, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout(dropout),
    ]


class Stage(nn.Module):
    """Halve the map and widen it, then a residual pair (figure 2 of the paper)."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.halve = nn.Sequential(*convolution(inputs, width, stride=2))
        self.pair = nn.Sequential(*convolution(width, width), *convolution(width, width))

    def forward(self, maps: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, width, H / 2, W / 2)."""
        maps = self.halve(maps)
        return maps + self.pair(maps)


def convolution(inputs: int, width: int, stride: int = 1) -> list[nn.Module]:
    """A 3 x 3 convolution without bias (the normalisation has one), normalised, then ReLU."""
    layer = nn.Conv2d(inputs, width, 3, stride=stride, padding=1, bias=False)
    return [layer, nn.BatchNorm2d(width), nn.ReLU()]


class ImageCNN(Classifier):
    """A small residual network for images of any size.

    Args:
        channels, num_classes: facts of the data.
        widths: channels of the stem, which pools, and of each stage, which halves the map again.
        dropout: before the last layer.
    """

    def __init__(
        self,
        *,
        channels: Positive,
        num_classes: Annotated[int, Field(ge=2)],
        widths: Annotated[list[Positive], Field(min_length=1)],
        dropout: Dropout,
        label_smoothing: Smoothing,
        optimizer: Recipe,
    ) -> None:
        super().__init__(label_smoothing)
        self.save_hyperparameters(logger=False)
        self.stem = nn.Sequential(*convolution(channels, widths[0]), nn.MaxPool2d(2))
        self.stages = nn.Sequential(*(Stage(a, b) for a, b in pairwise(widths)))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(widths[-1], num_classes)
        self.example_input_array = torch.zeros(1, channels, 28, 28)  # any size will do

    @property
    def sees(self) -> str:
        side = reach([*self.stem.modules(), *self.stages.modules()])
        return f"{side} x {side} pixels, averaged over the picture"

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) of any size to logits (B, K).

        Raises:
            ValueError: another layout.
        """
        return self.head(self.dropout(self.embed(images)))

    def embed(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) of any size to what the last layer sees, (B, widths[-1])."""
        check_images(images, self.hparams["channels"])
        maps = self.stages(self.stem(images))  # (B, widths[-1], H / 8, W / 8) for three widths
        return maps.mean((2, 3))

    def exported(self) -> Exported:
        """Images of any size to logits."""
        images = Entry(("batch", self.hparams["channels"], "height", "width"))
        side = max(28, 2 ** (1 + len(self.hparams["widths"])))  # its last map has several pixels
        sizes = {"height": (2, side), "width": (2, side + 4)}  # the stem pools pairs
        return Exported(self, {"images": images}, ("logits",), sizes)

    def figures(self, batch: tuple[Tensor, Tensor]) -> dict[str, Picture]:
        return {**super().figures(batch), **first_filters(self.stem[0])}

    def configure_optimizers(self) -> Any:
        return optim.configure(self, self.hparams["optimizer"])


def first_filters(layer: Any) -> dict[str, Picture]:
    """The kernels of the layer that sees the pixels."""
    return {"First-layer filters": pictures.filters(layer.weight.detach().float().cpu().numpy())}
