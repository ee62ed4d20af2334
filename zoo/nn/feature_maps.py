"""What the 2-D convolutions of a network make of a picture (lecture, slides 17-19).

Convolutions are recognised by their weights, so that any network of them will do.

Shapes: C channels of a layer, H x W pixels of its maps.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from datamodules.utilities.windows import Windows, one_window
from zoo.figures import raster
from zoo.figures.kinds import Grid
from zoo.nn.hooks import first_outputs
from zoo.utilities.modes import in_eval_mode

if TYPE_CHECKING:
    from zoo.nn.module import ZooModule

ACTIVATIONS = nn.ReLU.__module__  # where torch keeps them all, or what they are made of
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def convolutions(model: nn.Module) -> dict[str, nn.Module]:
    """The 2-D convolutions, by name, in the order in which the model lists them.

    They are what has weights (out, in, kh, kw), torch's layers or the model's own.
    """
    return {name: layer for name, layer in model.named_modules() if _axes(layer) == 4}


def _axes(layer: nn.Module) -> int:
    """Of its weights; 0 where it has none, or where they make larger maps of smaller ones."""
    weight = getattr(layer, "weight", None)
    return weight.ndim if isinstance(weight, Tensor) and not isinstance(layer, TRANSPOSED) else 0


def displayed_layers(model: nn.Module) -> dict[str, str]:
    """The layer whose output shows a convolution's maps: the activation after it, else itself."""
    displayed: dict[str, str] = {}
    convolution = None
    for name, layer in model.named_modules():
        if _axes(layer) > 1 or isinstance(layer, TRANSPOSED):  # another stage begins
            convolution = name if _axes(layer) == 4 else None
            displayed |= {convolution: name} if convolution else {}
        elif convolution and any(kind.__module__ == ACTIVATIONS for kind in type(layer).__mro__):
            displayed[convolution], convolution = name, None
    return displayed


@torch.inference_mode()
def feature_maps(model: "ZooModule", batch: Tensor | Windows) -> dict[str, np.ndarray]:
    """The maps (C, H, W) of the first sample of a batch, by convolution, of those that take part.

    Args:
        batch: as `forward` takes it, or windows, of which the middle one is shown.
    """
    displayed = displayed_layers(model)
    sample = model.as_input(one_window(batch)[:1])
    outputs = first_outputs(in_eval_mode(model), displayed.values(), sample)
    maps = {name: outputs[layer] for name, layer in displayed.items() if layer in outputs}
    return {name: m[0].float().cpu().numpy() for name, m in maps.items() if m.ndim == 4}


def check(model: "ZooModule") -> None:
    """Refuse a model that has no feature maps of a picture.

    Raises:
        ValueError: it has no 2-D convolution, or makes pictures instead of looking at them.
    """
    kind, example = type(model).__name__, model.example_input_array
    take = "take a network that looks at pictures, such as image_cnn"
    if not convolutions(model):
        raise ValueError(f"{kind} has no 2-D convolution, so it has no feature maps: {take}")
    if isinstance(example, Tensor) and example.ndim < 4:
        raise ValueError(
            f"{kind} does not look at pictures, it takes {tuple(example.shape)}: {take}"
        )


def first_filters(model: nn.Module) -> Grid:
    """The kernels of the layer that sees the pixels."""
    layer: Any = next(iter(convolutions(model).values()))
    return raster.filters(layer.weight.detach().float().cpu().numpy())


def figures(model: "ZooModule", batch: Tensor | Windows) -> dict[str, Grid]:
    """For a report: the first layer's filters, and the maps of the first picture of a batch."""
    maps = raster.feature_maps(feature_maps(model, batch))
    return {"First-layer filters": first_filters(model), "Feature maps": maps}
