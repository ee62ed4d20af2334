"""The names that conf/ holds. That folder is the catalog.

A file `conf/<group>/<name>.yaml` is a name that can be listed, shown, composed and built; nothing
is registered anywhere else.
"""

from fnmatch import fnmatch
from pathlib import Path
from typing import Any

Config = dict[str, Any]
CHOICES = ("model", "data", "trainer", "logger", "experiment")  # that a config keeps by name
GROUPS = (*CHOICES, "callbacks", "debug")


def conf_folder() -> Path:
    """The folder conf/: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    folders = (package / "conf", package.parent / "conf")
    return next(folder for folder in folders if folder.is_dir())


def names(group: str, pattern: str = "*") -> list[str]:
    """The names of a group that match a shell pattern."""
    stems = (path.stem for path in (conf_folder() / group).glob("*.yaml"))
    return sorted(stem for stem in stems if fnmatch(stem, pattern))


def list_models(filter: str = "*", pretrained: bool = False) -> list[str]:
    """Names of models, those that match a shell pattern such as `image_*`.

    Args:
        pretrained: of weights instead, <model>.<data>: what `zoo.load` takes.
    """
    if pretrained:
        from zoo.pretrained import store

        return [name for name in store.released() if fnmatch(name, filter)]
    return names("model", filter)


def list_data(filter: str = "*") -> list[str]:
    """Names of data sets."""
    return names("data", filter)


def list_experiments(filter: str = "*") -> list[str]:
    """Names of experiments: a model, its data and the recipe that trains it."""
    return names("experiment", filter)


def describe(group: str, name: str) -> str:
    """The first comment of a config: what it is, in one line."""
    path = conf_folder() / group / f"{name}.yaml"
    lines = (line[1:].strip() for line in path.read_text().splitlines() if line.startswith("#"))
    return next((line for line in lines if not line.startswith("@package")), "")
