"""What the 2-D convolutions of a network make of a picture (lecture, slides 17-19).

Convolutions are found by their kind, so that any network of them can be looked into.

Shapes: C channels of a layer, H x W pixels of its maps.
"""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from zoo import pictures
from zoo.pictures import Grid

if TYPE_CHECKING:
    from zoo.nn import ZooModule

ACTIVATIONS = nn.ReLU.__module__  # where torch keeps them all
WEIGHTED = (nn.Linear, nn.modules.conv._ConvNd)  # what begins another stage


def convolutions(model: nn.Module) -> dict[str, nn.Conv2d]:
    """The 2-D convolutions, by name, in the order in which the model lists them."""
    return {name: one for name, one in model.named_modules() if isinstance(one, nn.Conv2d)}


def shown_by(model: nn.Module) -> dict[str, str]:
    """The layer whose output shows a convolution's maps: the activation after it, else itself."""
    found: dict[str, str] = {}
    waiting = None
    for name, layer in model.named_modules():
        if isinstance(layer, WEIGHTED):
            waiting = name if isinstance(layer, nn.Conv2d) else None
            found |= {waiting: name} if waiting else {}
        elif waiting and type(layer).__module__ == ACTIVATIONS:
            found[waiting], waiting = name, None
    return found


@torch.inference_mode()
def feature_maps(model: "ZooModule", batch: Tensor) -> dict[str, np.ndarray]:
    """The maps (C, H, W) of the first sample of a batch, by convolution, of those that take part.

    Args:
        batch: as `forward` takes it.
    """
    shown = shown_by(model)
    made = model.eval()._watched(batch[:1].to(model.device), list(dict.fromkeys(shown.values())))
    return {
        name: made[layer][0].float().cpu().numpy()
        for name, layer in shown.items()
        if layer in made and made[layer].ndim == 4
    }


def check(model: "ZooModule") -> None:
    """Refuse a model that has no feature maps of a picture.

    Raises:
        ValueError: it has no 2-D convolution, or makes pictures instead of looking at them.
    """
    kind, given = type(model).__name__, model.example_input_array
    take = "take a network that looks at pictures, such as image_cnn"
    if not convolutions(model):
        raise ValueError(f"{kind} has no 2-D convolution, so it has no feature maps: {take}")
    if isinstance(given, Tensor) and given.ndim < 4:
        raise ValueError(f"{kind} does not look at pictures, it takes {tuple(given.shape)}: {take}")


def first_filters(model: nn.Module) -> Grid:
    """The kernels of the layer that sees the pixels."""
    layer = next(iter(convolutions(model).values()))
    return pictures.filters(layer.weight.detach().float().cpu().numpy())


def figures(model: "ZooModule", batch: Tensor) -> dict[str, Grid]:
    """For a report: the first layer's filters, and the maps of the first picture of a batch."""
    maps = pictures.feature_maps(feature_maps(model, batch))
    return {"First-layer filters": first_filters(model), "Feature maps": maps}
