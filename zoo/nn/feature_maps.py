"""What the 2-D convolutions of a network make of a picture (lecture, slides 17-19).

Convolutions are found by their kind, so that any network of them can be looked into.

Shapes: C channels of a layer, H x W pixels of its maps.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from zoo.figures import raster
from zoo.figures.kinds import Grid

if TYPE_CHECKING:
    from zoo.nn.module import ZooModule

ACTIVATIONS = nn.ReLU.__module__  # where torch keeps them all, or what they are made of
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def convolutions(model: nn.Module) -> dict[str, nn.Module]:
    """The 2-D convolutions, by name, in the order in which the model lists them.

    They are what has weights (out, in, kh, kw), torch's layers or the model's own.
    """
    return {name: one for name, one in model.named_modules() if _axes(one) == 4}


def _axes(layer: nn.Module) -> int:
    """Of its weights; 0 where it has none, or where they make larger maps of smaller ones."""
    weight = getattr(layer, "weight", None)
    return weight.ndim if isinstance(weight, Tensor) and not isinstance(layer, TRANSPOSED) else 0


def shown_by(model: nn.Module) -> dict[str, str]:
    """The layer whose output shows a convolution's maps: the activation after it, else itself."""
    found: dict[str, str] = {}
    waiting = None
    for name, layer in model.named_modules():
        if _axes(layer) > 1 or isinstance(layer, TRANSPOSED):  # another stage begins
            waiting = name if _axes(layer) == 4 else None
            found |= {waiting: name} if waiting else {}
        elif waiting and _is_activation(layer):
            found[waiting], waiting = name, None
    return found


def _is_activation(layer: nn.Module) -> bool:
    return any(kind.__module__ == ACTIVATIONS for kind in type(layer).__mro__)


@torch.inference_mode()
def feature_maps(model: "ZooModule", batch: Tensor) -> dict[str, np.ndarray]:
    """The maps (C, H, W) of the first sample of a batch, by convolution, of those that take part.

    Args:
        batch: as `forward` takes it.
    """
    shown = shown_by(model)
    made: dict[str, Tensor] = {}

    def keep(name: str, output: Tensor) -> None:
        made.setdefault(name, output)  # of a network that looks again, at a mirror image, the first

    hooks = [
        model.get_submodule(name).register_forward_hook(
            lambda *seen, name=name: keep(name, seen[2])
        )
        for name in shown.values()
    ]
    try:
        model.eval()(batch[:1].to(model.device))
    finally:
        for hook in hooks:
            hook.remove()
    whole = {name: made[layer] for name, layer in shown.items() if layer in made}
    return {name: maps[0].float().cpu().numpy() for name, maps in whole.items() if maps.ndim == 4}


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
    layer: Any = next(iter(convolutions(model).values()))
    return raster.filters(layer.weight.detach().float().cpu().numpy())


def figures(model: "ZooModule", batch: Tensor) -> dict[str, Grid]:
    """For a report: the first layer's filters, and the maps of the first picture of a batch."""
    maps = raster.feature_maps(feature_maps(model, batch))
    return {"First-layer filters": first_filters(model), "Feature maps": maps}
