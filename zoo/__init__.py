"""zoo: small, readable PyTorch Lightning models with the runs that trained them.

Importing it imports neither torch nor hydra; each name is fetched when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.automl.load import load as load
    from zoo.catalog.create import create_data as create_data
    from zoo.catalog.create import create_model as create_model
    from zoo.catalog.registry import list_data as list_data
    from zoo.catalog.registry import list_experiments as list_experiments
    from zoo.catalog.registry import list_models as list_models
    from zoo.training.estimator import Estimator as Estimator
    from zoo.training.launch import train as train
    from zoo.training.run import Run as Run

    __version__: str  # the distribution's

_HOMES = {
    "list_models": "zoo.catalog.registry",
    "list_data": "zoo.catalog.registry",
    "list_experiments": "zoo.catalog.registry",
    "create_model": "zoo.catalog.create",
    "create_data": "zoo.catalog.create",
    "load": "zoo.automl.load",
    "train": "zoo.training.launch",
    "auto": "zoo.commands.auto",
    "Run": "zoo.training.run",
    "Estimator": "zoo.training.estimator",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("lightning-zoo")
        except PackageNotFoundError:  # a checkout that is on the path and not installed
            return "unknown"
    if name not in _HOMES:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}")
    if not name.startswith("list_"):  # which read conf/ alone
        from zoo.utilities.packages import check_datamodules

        check_datamodules()
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
