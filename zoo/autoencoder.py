"""Autoencoders: squeeze a picture through a short code and draw it again.

`Autoencoder2017` is the network of the lecture's slide, which is the first of the Keras blog
(Chollet 2016, https://blog.keras.io/building-autoencoders-in-keras.html): one dense layer to 32
numbers and one back.

`Autoencoder` is ours: convolutions of stride 2 down to a few small maps, one dense layer to the
code and one back, then transposed convolutions through the same sizes upwards. Their kernel is 4
where that is even, so that all pixels are drawn by as many weights and no checkerboard shows
(Odena et al. 2016, https://distill.pub/2016/deconv-checkerboard).

The target is the picture itself. With `noise` the input is spoiled and the target is not, so that
the network learns to restore pictures (Vincent et al. 2008, https://doi.org/10.1145/1390156.1390294).

Departs from the blog: the loss is computed from logits, which is the same function, but stays
finite where the sigmoid is 0 or 1.

They learn by binary cross-entropy a pixel: `CodedImages.scores` below, in the step of
`ZooModule.training_step` (zoo/nn/module.py).

Shapes: B images, C channels, H x W pixels in [0, 1], D numbers in a code.
"""

from collections.abc import Sequence
from itertools import chain, pairwise
from typing import Annotated, Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn
from torchmetrics import Metric
from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure
from torchvision.ops import Conv2dNormActivation

from zoo.config.types import Positive
from zoo.figures import raster
from zoo.figures.kinds import Grid, Picture
from zoo.nn.module import ZooModule
from zoo.nn.noise import Noise, psnr, seeded, spoil
from zoo.nn.optim import Recipe
from zoo.nn.shapes import at_least_float32, check_images, check_pair
from zoo.pretrained.export_spec import ExportSpec, InputSpec

COLUMNS = 10  # pictures in a row of a figure
STEPS = 10  # from one picture to another
SSIM_WINDOW = 11  # pixels of a side: Wang et al. 2004, https://doi.org/10.1109/TIP.2003.819861
ROWS = 4  # pairs of pictures between which there are steps


class CodedImages(ZooModule):
    """What autoencoders of images share; `encoder` gives codes and `decoder` logits of pixels."""

    encoder: nn.Sequential
    decoder: nn.Sequential

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) in [0, 1] to what is decoded from their codes, (B, C, H, W).

        Raises:
            ValueError: another layout or size.
        """
        return self.decode(self.encode(images))

    def encode(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) in [0, 1] to codes (B, D).

        Raises:
            ValueError: another layout or size.
        """
        check_images(images, self.hparams["channels"], self.hparams["image_size"])
        return self.encoder(images)

    def forward_features(self, batch: Any) -> Tensor:
        """The codes (B, D) of images (B, C, H, W) in [0, 1]."""
        return self.encode(batch)

    def decode(self, codes: Tensor) -> Tensor:
        """Map codes (B, D) to images (B, C, H, W) in [0, 1]."""
        return self.decoder(codes).sigmoid()

    def export_spec(self) -> ExportSpec:
        """Images of the one size to their reconstructions and codes."""
        side = self.hparams["image_size"]
        images = InputSpec(("batch", self.hparams["channels"], side, side))
        return ExportSpec(self._decode_with_codes, {"images": images}, ("drawn", "codes"))

    def _decode_with_codes(self, images: Tensor) -> tuple[Tensor, Tensor]:
        codes = self.encode(images)
        return self.decode(codes), codes

    def postprocess(self, output: Tensor) -> list[np.ndarray]:
        """Map images (B, C, H, W) in [0, 1] to pictures (H, W, C), uint8."""
        return list(_pixels(output))

    def metrics(self) -> dict[str, Metric]:
        metrics: dict[str, Metric] = {}
        if self.hparams["noise"] is None:  # else `scores` has it
            metrics["psnr"] = PeakSignalNoiseRatio(data_range=1.0, dim=(1, 2, 3))
        if self.hparams["image_size"] >= SSIM_WINDOW:
            metrics["ssim"] = StructuralSimilarityIndexMeasure(data_range=1.0)
        return metrics

    def scores(self, batch: tuple[Tensor, Tensor], stage: str) -> dict[str, Tensor]:
        """Per image: cross-entropy a pixel in nats, squared error, and PSNR where there is noise.

        All are measured against the clean images; the labels of the batch are not used.
        """
        (images, _), noise = check_pair(batch, self), self.hparams["noise"]
        inputs = images if noise is None else spoil(images, noise, self.draw)
        logits = at_least_float32(self.decoder(self.encode(inputs)))
        losses = F.binary_cross_entropy_with_logits(logits, images, reduction="none")
        outputs = logits.sigmoid()
        self.measure(outputs, images.to(outputs))
        errors = (outputs - images).square().mean((1, 2, 3))
        scores = {"loss": losses.mean((1, 2, 3)), "mse": errors}
        return scores if noise is None else {**scores, "psnr": psnr(errors)}

    @torch.inference_mode()
    def figures(self, batch: tuple[Tensor, Tensor]) -> dict[str, Picture]:
        """Pictures and their reconstructions, and steps from one picture to another."""
        images = one_of_each(*batch).to(self.device)
        noise = self.hparams["noise"]
        if noise is None:
            title = "Pictures, and below them what comes out"
            pictures = {title: rows(images, self(images))}
        else:
            inputs = spoil(images.cpu(), noise, seeded(0)).to(self.device)
            title = "Pictures, spoiled, and restored"
            pictures = {title: rows(images, inputs, self(inputs))}
        ends = self.encode(images)[: ROWS + 1]
        between = [self.decode(steps(a, b)) for a, b in pairwise(ends)]
        return {**pictures, "From one picture's code to another's": rows(*between)}


def one_of_each(images: Tensor, labels: Tensor) -> Tensor:
    """The first image of each class, then those that come first, (COLUMNS, C, H, W) at most."""
    firsts = [int((labels == k).nonzero()[0]) for k in labels.unique()]
    others = [i for i in range(len(labels)) if i not in firsts]
    return images[[*firsts, *others][:COLUMNS]]


def steps(start: Tensor, end: Tensor) -> Tensor:
    """Codes (STEPS, D) on the straight line from one (D,) to another (D,), both with it."""
    return torch.lerp(start, end, torch.linspace(0, 1, STEPS, device=start.device)[:, None])


def rows(*batches: Tensor) -> Grid:
    """Each batch (B, C, H, W) in [0, 1] as a row of pictures."""
    return Grid(np.concatenate([_pixels(batch) for batch in batches]), columns=len(batches[0]))


def _pixels(images: Tensor) -> np.ndarray:
    """(B, C, H, W) in [0, 1] to (B, H, W, C), uint8."""
    return images.float().mul(255).round().byte().permute(0, 2, 3, 1).cpu().numpy()


class Autoencoder2017(CodedImages):
    """The lecture's network, slide 33: 784-32-784, 50,992 parameters for MNIST.

    Args:
        channels, image_size: set by the data.
        scaling: the pixels' range, [0, 1].
        noise: what spoils the input; None for nothing.
    """

    def __init__(
        self,
        *,
        channels: Positive,
        image_size: Positive,
        scaling: Literal["unit"],
        noise: Noise | None,
        optimizer: Recipe,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        shape = (channels, image_size, image_size)
        pixels = channels * image_size**2
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(pixels, 32), nn.ReLU())
        self.decoder = nn.Sequential(nn.Linear(32, pixels), nn.Unflatten(1, shape))
        self.example_input_array = torch.zeros(1, *shape)

    def figures(self, batch: tuple[Tensor, Tensor]) -> dict[str, Picture]:
        looks, draws = self.encoder[1].weight, self.decoder[0].weight
        return {
            **super().figures(batch),
            "What each number of the code looks for": self._planes(looks),
            "What each number of the code draws": self._planes(draws.T),
        }

    def _planes(self, weights: Any) -> Grid:
        """Weights (D, C * H * W) as pictures."""
        shape = (-1, self.hparams["channels"], *[self.hparams["image_size"]] * 2)
        return raster.filters(weights.detach().float().cpu().reshape(shape).numpy())


class Autoencoder(CodedImages):
    """A small convolutional autoencoder.

    Args:
        channels, image_size: set by the data.
        widths: channels after each convolution of stride 2, which halves the map, rounding up.
        code_size: numbers in a code.
        scaling: the pixels' range, [0, 1].
        noise: what spoils the input; None for nothing.
    """

    def __init__(
        self,
        *,
        channels: Positive,
        image_size: Annotated[int, Field(ge=8)],
        widths: Annotated[list[Positive], Field(min_length=1, max_length=4)],
        code_size: Annotated[int, Field(ge=1, le=128)],
        scaling: Literal["unit"],
        noise: Noise | None,
        optimizer: Recipe,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        sides = [image_size]
        for _ in widths:
            sides.append(-(-sides[-1] // 2))
        least = (widths[-1], sides[-1], sides[-1])
        numbers = widths[-1] * sides[-1] ** 2
        halvings = [
            Conv2dNormActivation(a, b, stride=2, inplace=None, bias=True)
            for a, b in pairwise([channels, *widths])
        ]
        self.encoder = nn.Sequential(*chain(*halvings), nn.Flatten(), nn.Linear(numbers, code_size))
        self.decoder = nn.Sequential(
            nn.Linear(code_size, numbers),
            nn.Unflatten(1, least),
            nn.ReLU(),
            *upwards([*widths[::-1], channels], sides[-2::-1]),
        )
        self.example_input_array = torch.zeros(1, channels, image_size, image_size)


def upwards(widths: Sequence[int], sides: Sequence[int]) -> list[nn.Module]:
    """For each side a convolution that doubles the map to it; all but the last normalised, ReLU."""
    layers: list[nn.Module] = []
    for (inputs, width), side in zip(pairwise(widths), sides, strict=True):
        kernel = 4 - side % 2  # 2 n pixels from n with a kernel of 4, 2 n - 1 with one of 3
        convolution = nn.ConvTranspose2d(inputs, width, kernel, stride=2, padding=1)
        layers += [convolution, nn.BatchNorm2d(width), nn.ReLU()]
    return layers[:-2]
