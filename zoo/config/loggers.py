"""The loggers of a config: any class by its `_target_`, and what its backend takes."""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from inspect import signature
from typing import Any

from zoo.config.schema import check_arguments, kinds, locate, parameters
from zoo.utilities.errors import no_such

Config = dict[str, Any]

PACKAGES = {  # that a class of Lightning's needs, and what pip calls it
    "WandbLogger": ("wandb", '"lightning-zoo[wandb]"'),
    "MLFlowLogger": ("mlflow", '"lightning-zoo[mlflow]"'),
    "CometLogger": ("comet_ml", "comet_ml"),
    "LitLogger": ("litlogger", "litlogger"),
}
HANDED_ON = {  # what takes the other arguments of a class
    "pytorch_lightning.loggers.WandbLogger": ("wandb", "init"),
    "pytorch_lightning.loggers.TensorBoardLogger": ("torch.utils.tensorboard", "SummaryWriter"),
}


def with_folder(section: Mapping[str, Any], key: str = "logger") -> Config:
    """A logger's section with the run's folder, ".", where its class takes one."""
    target = section.get("_target_")
    takes = isinstance(target, str) and "save_dir" in parameters(locate(target, f"{key}._target_"))
    return {"save_dir": ".", **section} if takes else dict(section)


def check(config: Mapping[str, Any]) -> None:
    """Check each logger, before any data is read.

    Raises:
        ValueError: a wrong class or argument, or a package that is not installed.
    """
    for name, section in config["logger"].items():
        key = f"logger.{name}"
        check_arguments(with_folder(section, key), key)
        cls = locate(section["_target_"])
        for kind in PACKAGES.keys() & kinds(cls):
            package, install = PACKAGES[kind]
            if find_spec(package) is None:
                raise ValueError(f"{key} needs the package {package}: pip install {install}")
        _check_handed_on(cls, section, key)


def _check_handed_on(cls: type, section: Mapping[str, Any], key: str) -> None:
    """Refuse an argument that neither a class of Lightning's takes nor what it hands it on to."""
    if section["_target_"] not in HANDED_ON:
        return
    module, function = HANDED_ON[section["_target_"]]
    taker = getattr(import_module(module), function)
    names = {"_target_", *parameters(cls), *signature(taker).parameters}
    for argument in section.keys() - names:
        raise ValueError(no_such("key", f"{key}.{argument}", [f"{key}.{one}" for one in names]))
