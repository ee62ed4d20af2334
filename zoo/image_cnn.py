"""Image classification by convolution: the lecture's network and a fast modern one.

`ImageCNN2017` is the network of the lecture's slide, which is Keras 1.2's example for CIFAR-10:
pairs of 3 x 3 convolutions, the first of a pair padded (`same`), the second not (`valid`).

`ImageCNN` follows the fastest known network for CIFAR-10 (Jordan 2024,
https://arxiv.org/abs/2404.00498): a first layer that whitens patches and is not learned, then
blocks of two convolutions with batch normalisation (Ioffe & Szegedy 2015,
https://arxiv.org/abs/1502.03167) that halve the map. The strongest number of each channel is what
the last layer sees, so that it takes pictures of any size.

Departs from the paper: the normalisation learns a factor, too; the bias of the first layer and
those of the normalisation learn as fast as the rest, and to the end; of the answers that are
averaged outside training one is for the picture and one for its mirror image, none for shifted
ones.

Classifiers learn by cross-entropy on labels, `ImageRegressor` by squared error: `scores` in
zoo/nn/supervised.py, in the step of `ZooModule.training_step` (zoo/nn/module.py).

Shapes: B images, C channels, H x W pixels, K classes.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from zoo.config.types import NumClasses, Positive, PositiveFloat, Probability, Widths
from zoo.figures.kinds import Picture
from zoo.nn import feature_maps
from zoo.nn.dropout import Dropout
from zoo.nn.module import ZooModule
from zoo.nn.optim import Recipe
from zoo.nn.shapes import check_images, receptive_field
from zoo.nn.supervised import Classifier, Regressor
from zoo.pretrained.export_spec import ExportSpec, InputSpec

WHITENING_SAMPLES = 5000  # pictures that the first layer is fitted to
SCALE = 1 / 9  # of what the last layer sees: sharp answers take longer to come (section 3.3)


class ImageCNN2017(Classifier):
    """The lecture's network, slide 19: 1,250,858 parameters for CIFAR-10.

    Args:
        channels, image_size, num_classes: set by the data.
        dropout: after each pair of convolutions.
        dense_dropout: after the hidden dense layer.
    """

    export_names = ("images", "logits")

    def __init__(
        self,
        *,
        channels: Positive,
        image_size: Annotated[int, Field(ge=12)],
        num_classes: NumClasses,
        dropout: Probability,
        dense_dropout: Probability,
        label_smoothing: Probability,
        optimizer: Recipe,
    ) -> None:
        super().__init__(label_smoothing)
        self.save_hyperparameters(logger=False)
        side = ((image_size - 2) // 2 - 2) // 2  # after two valid convolutions and two poolings
        self.convolutions = nn.Sequential(*pair(channels, 32, dropout), *pair(32, 64, dropout))
        self.hidden = nn.Sequential(
            nn.Linear(64 * side * side, 512), ReLU(), Dropout(dense_dropout)
        )
        self.head = nn.Linear(512, num_classes)
        self.example_input_array = torch.zeros(1, channels, image_size, image_size)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) of the one size to logits (B, K).

        Raises:
            ValueError: another layout or size.
        """
        return self.head(self.forward_features(images))

    def forward_features(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) of the one size to what the last layer sees, (B, 512).

        Raises:
            ValueError: another layout or size.
        """
        check_images(images, self.hparams["channels"], self.hparams["image_size"])
        return self.hidden(self.convolutions(images).flatten(1))

    def figures(self, batch: tuple[Tensor, Tensor]) -> dict[str, Picture]:
        return {**super().figures(batch), **feature_maps.figures(self, batch[0])}


def pair(inputs: int, width: int, dropout: float) -> list[nn.Module]:
    """A `same` and a `valid` convolution, pooling and dropout (slide 19).

    The second ReLU follows the pooling: the same numbers from a quarter of the work.
    """
    return [
        nn.Conv2d(inputs, width, 3, padding=1),
        ReLU(),
        nn.Conv2d(width, width, 3),
        nn.MaxPool2d(2),
        ReLU(),
        Dropout(dropout),
    ]


class ReLU(nn.ReLU):
    """In place while training, which is faster; else what the layer before it gave stays to see."""

    def forward(self, x: Tensor) -> Tensor:
        """Map a tensor to one of the same shape."""
        return F.relu(x, inplace=self.training)


class Whitening(nn.Module):
    """2 x 2 patches of the picture as uncorrelated numbers of equal spread (section 3.2).

    The filters are the principal components of the training patches, each divided by its
    deviation, and the negative of each, so that an activation loses no side; they are taken from
    the data before training and stay. Until then they are random.

    Args:
        channels: of the pictures; twice as many filters as a patch has numbers: 8 a channel.
    """

    SIZE, EPSILON = 2, 5e-4  # side of a patch; added to variances, so that noise is not amplified

    def __init__(self, channels: int) -> None:
        super().__init__()
        patch = channels * self.SIZE**2
        weight = nn.init.orthogonal_(torch.empty(patch, patch))
        self.weight = nn.Parameter(self._filters(weight, channels), requires_grad=False)
        self.fitted: Tensor
        self.register_buffer("fitted", torch.tensor(False))
        self.bias = nn.Parameter(torch.zeros(2 * patch))
        self.kernel_size, self.stride = self.SIZE, 1

    def _filters(self, rows: Tensor, channels: int) -> Tensor:
        """Rows (P, P) and their negatives as kernels (2 P, C, 2, 2)."""
        return torch.cat([rows, -rows]).view(-1, channels, self.SIZE, self.SIZE)

    @torch.no_grad()
    def fit(self, images: Tensor) -> None:
        """Take the filters from the patches of images (B, C, H, W)."""
        patches = F.unfold(images.double(), self.SIZE).transpose(1, 2).flatten(0, 1)
        values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
        rows = (vectors / (values + self.EPSILON).sqrt()).T
        self.weight.copy_(self._filters(rows, images.shape[1]))
        self.fitted.fill_(True)

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, 8 C, H - 1, W - 1)."""
        return F.conv2d(images, self.weight, self.bias)


class Block(nn.Module):
    """Widen the map and halve it, then convolve it once more (figure 5)."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.halve = nn.Sequential(convolution(inputs, width), nn.MaxPool2d(2), *activation(width))
        self.more = nn.Sequential(convolution(width, width), *activation(width))

    def forward(self, maps: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, width, H / 2, W / 2)."""
        return self.more(self.halve(maps))


def convolution(inputs: int, width: int) -> nn.Conv2d:
    """A 3 x 3 convolution that begins by passing its first inputs on (Dirac, section 3.3)."""
    layer = nn.Conv2d(inputs, width, 3, padding=1, bias=False)  # the normalisation has a bias
    nn.init.dirac_(layer.weight.detach()[:inputs])
    return layer


def activation(width: int) -> list[nn.Module]:
    """Batch normalisation, then GELU."""
    return [nn.BatchNorm2d(width), nn.GELU()]


class Convolutions(ZooModule):
    """The layers that the classifier and the regressor share."""

    flip_tta = False  # whether to answer for a picture and its mirror image together

    def _build(self, channels: int, widths: Sequence[int], dropout: float, outputs: int) -> None:
        self.whitening = Whitening(channels)
        sizes = [2 * channels * Whitening.SIZE**2, *widths]
        self.blocks = nn.Sequential(*(Block(a, b) for a, b in pairwise(sizes)))
        self.dropout = Dropout(dropout)
        self.head = nn.Linear(widths[-1], outputs)
        self.example_input_array = torch.zeros(1, channels, 28, 28)  # any size will do

    @property
    def receptive_field(self) -> str:
        side = receptive_field([self.whitening, *self.blocks.modules()])
        return f"{side} x {side} pixels, the strongest over the picture"

    @property
    def least(self) -> int:
        """The smallest side of a picture that can be halved so often, in pixels."""
        return 2 ** len(self.blocks) + 1

    def forward_features(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) of any size to what the last layer sees, (B, widths[-1]).

        Raises:
            ValueError: another layout, or images too small to be halved so often.
        """
        check_images(images, self.hparams["channels"])
        height, width = images.shape[2:]
        if height < self.least or width < self.least:
            raise ValueError(f"images are {height} x {width}: {self.least} x {self.least} at least")
        if self.training or not self.flip_tta:
            return self._global_max_pool(images)
        return (self._global_max_pool(images) + self._global_max_pool(images.flip(3))) / 2

    def _global_max_pool(self, images: Tensor) -> Tensor:
        """The highest number of each channel of the last map, (B, widths[-1])."""
        return self.blocks(self.whitening(images)).amax((2, 3)) * SCALE

    def setup(self, stage: str) -> None:
        """Take the first layer from the training pictures, before any training."""
        data: Any = getattr(self.trainer, "datamodule", None)
        if stage == "fit" and hasattr(data, "samples") and not self.whitening.fitted:
            self.whitening.fit(data.samples("train", WHITENING_SAMPLES)[0])

    def export_spec(self) -> ExportSpec:
        """Images of any size to what `forward` gives."""
        images = InputSpec(("batch", self.hparams["channels"], "height", "width"))
        side = max(28, self.least)
        sizes = {"height": (self.least, side), "width": (self.least, side + 4)}
        return ExportSpec(self, {"images": images}, self.export_names[1:], sizes)

    def figures(self, batch: tuple[Tensor, Tensor]) -> dict[str, Picture]:
        return {**super().figures(batch), **feature_maps.figures(self, batch[0])}


class ImageCNN(Convolutions, Classifier):
    """A small fast network for images of any size.

    Args:
        channels, num_classes: set by the data.
        widths: channels of each block, which halves the map.
        flip_tta: outside training, answer for a picture and its mirror image together.
        dropout: before the last layer.
    """

    export_names = ("images", "logits")

    def __init__(
        self,
        *,
        channels: Positive,
        num_classes: NumClasses,
        widths: Widths,
        flip_tta: bool,
        dropout: Probability,
        label_smoothing: Probability,
        optimizer: Recipe,
    ) -> None:
        super().__init__(label_smoothing)
        self.save_hyperparameters(logger=False)
        self._build(channels, widths, dropout, num_classes)
        self.flip_tta = flip_tta

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) of any size to logits (B, K).

        Raises:
            ValueError: another layout, or images too small to be halved so often.
        """
        return self.head(self.dropout(self.forward_features(images)))


class ImageRegressor(Convolutions, Regressor):
    """The same network with one number at its end: what can be measured of a picture.

    Args:
        channels, unit, target_mean, target_std: set by the data.
        widths: channels of each block, which halves the map.
        dropout: before the last layer.
    """

    export_names = ("images", "values")

    def __init__(
        self,
        *,
        channels: Positive,
        unit: str,
        target_mean: float,
        target_std: PositiveFloat,
        widths: Widths,
        dropout: Probability,
        optimizer: Recipe,
    ) -> None:
        super().__init__(unit, target_mean, target_std)
        self.save_hyperparameters(logger=False)
        self._build(channels, widths, dropout, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) of any size to values (B,) in the unit of the data.

        Raises:
            ValueError: another layout, or images too small to be halved so often.
        """
        return self.in_unit(self.head(self.dropout(self.forward_features(images))))
