"""Image classification by residual networks, torchvision's, also for small pictures.

He et al. 2016, Deep residual learning for image recognition, https://arxiv.org/abs/1512.03385

Each block adds what its two or three convolutions give to its own input, so that gradients reach
the first layers of a deep network undiminished (section 3.2). The blocks are torchvision's; the
first layer is too, or, for pictures of up to 64 pixels, one that does not shrink them: a 3 x 3
convolution without pooling, as in section 4.2 of the paper.

Departs from the paper: in ResNet-50 the 3 x 3 convolution of a block has the stride, which
torchvision calls V1.5.

It learns by cross-entropy on labels, smoothed and weighted as asked: `Classifier.scores`
(zoo/nn/supervised.py), in the step of `ZooModule.training_step` (zoo/nn/module.py).

Shapes: B images, C channels, H x W pixels, F features, K classes.
"""

from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torchvision.models import get_model, get_model_weights

from zoo.config.types import NumClasses, Positive, Probability
from zoo.figures.kinds import Picture
from zoo.nn import feature_maps
from zoo.nn.optim import Recipe
from zoo.nn.shapes import check_images
from zoo.nn.supervised import Batch, Classifier
from zoo.pretrained.export_spec import ExportSpec, InputSpec


class ImageResNet(Classifier):
    """A residual network for images of any size.

    Args:
        channels, num_classes: set by the data.
        depth: layers with weights.
        stem: the first layer: small keeps the size, imagenet divides it by four.
        weights: imagenet begins training from torchvision's weights, read from torch's cache or
            fetched; a small stem and the last layer start at random. null: all do.
    """

    has_begun: Tensor  # whether the weights of ImageNet, or what became of them, are in it

    def __init__(
        self,
        *,
        channels: Positive,
        num_classes: NumClasses,
        depth: Literal[18, 34, 50],
        stem: Literal["small", "imagenet"],
        weights: Literal["imagenet"] | None,
        label_smoothing: Probability,
        optimizer: Recipe,
    ) -> None:
        super().__init__(label_smoothing)
        self.save_hyperparameters(logger=False)
        network = get_model(f"resnet{depth}", weights=None)
        size, stride = (3, 1) if stem == "small" else (7, 2)
        self.conv1 = nn.Conv2d(channels, 64, size, stride, padding=size // 2, bias=False)
        nn.init.kaiming_normal_(self.conv1.weight, mode="fan_out", nonlinearity="relu")
        self.bn1, self.relu = network.bn1, network.relu
        self.maxpool = nn.Identity() if stem == "small" else network.maxpool
        self.layer1, self.layer2 = network.layer1, network.layer2
        self.layer3, self.layer4 = network.layer3, network.layer4
        self.head = nn.Linear(network.fc.in_features, num_classes)
        for layer in self.modules():
            if isinstance(layer, nn.ReLU):
                layer.inplace = False  # what a layer gives stays to be seen
        if weights is not None:
            self.register_buffer("has_begun", torch.tensor(False))
        self.example_input_array = torch.zeros(1, channels, 28, 28)  # any size will do

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) of any size to logits (B, K).

        Raises:
            ValueError: another layout.
        """
        return self.head(self.forward_features(images))

    def forward_features(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) to the mean of each map of the last block, (B, F).

        Raises:
            ValueError: another layout.
        """
        check_images(images, self.hparams["channels"])
        maps = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            maps = layer(maps)
        return maps.mean((2, 3))

    def setup(self, stage: str) -> None:
        if stage == "fit" and self.hparams["weights"] is not None and not self.has_begun:
            self.load_imagenet()

    @torch.no_grad()
    def load_imagenet(self) -> None:
        """Take torchvision's weights; those of grey pictures' first layer are the colours' sum.

        Raises:
            FileNotFoundError: they are not in torch's cache and cannot be fetched.
            ValueError: pictures with neither one channel nor three.
        """
        channels = self.hparams["channels"]
        if channels not in (1, 3):
            raise ValueError(f"channels is {channels}: model.weights=imagenet takes 1 or 3")
        tensors = imagenet_weights(self.hparams["depth"])
        if channels == 1:
            tensors["conv1.weight"] = tensors["conv1.weight"].sum(1, keepdim=True)
        anew = ("fc.", "conv1.") if self.hparams["stem"] == "small" else ("fc.",)
        shared = {name: tensor for name, tensor in tensors.items() if not name.startswith(anew)}
        self.load_state_dict(shared, strict=False)
        self.has_begun.fill_(True)

    def export_spec(self) -> ExportSpec:
        """Images of any size to logits."""
        images = InputSpec(("batch", self.hparams["channels"], "height", "width"))
        least = 9 if self.hparams["stem"] == "small" else 33  # its last map has several pixels
        sizes = {"height": (least, least + 11), "width": (least, least + 15)}
        return ExportSpec(self, {"images": images}, ("logits",), sizes)

    def figures(self, batch: Batch) -> dict[str, Picture]:
        return {**super().figures(batch), **feature_maps.figures(self, batch[0])}


def imagenet_weights(depth: int) -> dict[str, Any]:
    """Torchvision's tensors by name, from torch's cache or else fetched.

    Raises:
        FileNotFoundError: neither.
    """
    weights = get_model_weights(f"resnet{depth}").DEFAULT
    try:
        tensors: dict[str, Any] = weights.get_state_dict(
            progress=False, check_hash=True, weights_only=True
        )
    except OSError as error:
        path = Path(torch.hub.get_dir(), "checkpoints", Path(weights.url).name)
        raise FileNotFoundError(
            f"no ImageNet weights at {path}, and they cannot be fetched ({error}): put "
            f"{weights.url} there, or set model.weights=null"
        ) from error
    return tensors
