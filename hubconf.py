"""torch.hub's door: every model of the catalog is an entry point.

torch.hub.load(REPOSITORY, "image_cnn", pretrained=True)             a model's default weights
torch.hub.load(REPOSITORY, "image_cnn.mnist", pretrained=True)       those of one data set
torch.hub.load(REPOSITORY, "image_cnn", widths=[16, 32])             fresh weights
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from zoo.catalog.create import create_model
from zoo.catalog.registry import list_models

dependencies = ["torch", "pytorch_lightning", "hydra", "pydantic", "safetensors"]


def __dir__() -> list[str]:
    return ["dependencies", *list_models(), *list_models(pretrained=True)]


def __getattr__(name: str) -> Callable[..., Any]:
    if name not in __dir__():
        raise AttributeError(f"no model named {name!r}: torch.hub.list shows them")
    entry = partial(create_model, name)
    entry.__doc__ = create_model.__doc__
    return entry
