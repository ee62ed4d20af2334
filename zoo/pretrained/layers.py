"""Whether a model still is what its arguments build: only that comes back when it is loaded."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from zoo.config import schema


def check(model: Any, arguments: Mapping[str, Any]) -> None:
    """Refuse a model with other layers than a card's arguments build.

    Args:
        arguments: the card's, with the class as `_target_`.

    Raises:
        ValueError: naming the first layer that is of another class or size, missing or left over.
    """
    with torch.random.fork_rng(devices=[]):
        built = schema.build(arguments, "model")
    for own, expected in ((_layers(model), _layers(built)), (_shapes(model), _shapes(built))):
        for name in [*own, *expected]:
            if own.get(name) != expected.get(name):
                raise ValueError(
                    f"{name or 'the model'} is {own.get(name, 'missing')}, and by the card's "
                    f"arguments {expected.get(name, 'is not there')}: it would be lost when the "
                    "model is loaded; change layers by arguments, such as zoo.load(..., "
                    "num_classes=3), or store model.state_dict() yourself"
                )


def _layers(model: nn.Module) -> dict[str, str]:
    """Class and sizes of each layer, as it prints itself without what is in it."""
    return {
        name: f"{type(layer).__module__}.{type(layer).__qualname__}({layer.extra_repr()})"
        for name, layer in model.named_modules()
    }


def _shapes(model: nn.Module) -> dict[str, str]:
    """The shape of each tensor that is saved."""
    return {name: f"of shape {tuple(of.shape)}" for name, of in model.state_dict().items()}
