"""zoo: small, readable PyTorch Lightning models with the runs that trained them.

Importing it imports neither torch nor hydra; each name is fetched when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.catalog.create import create_data as create_data
    from zoo.catalog.create import create_model as create_model
    from zoo.catalog.registry import list_data as list_data
    from zoo.catalog.registry import list_experiments as list_experiments
    from zoo.catalog.registry import list_models as list_models
    from zoo.pretrained.load import load as load
    from zoo.training.launch import train as train
    from zoo.training.run import Run as Run

__version__ = "0.1.0"

_HOMES = {
    "list_models": "zoo.catalog.registry",
    "list_data": "zoo.catalog.registry",
    "list_experiments": "zoo.catalog.registry",
    "create_model": "zoo.catalog.registry",
    "create_data": "zoo.catalog.registry",
    "load": "zoo.pretrained.load",
    "train": "zoo.training.launch",
    "Run": "zoo.training.run",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
