"""The names that conf/ holds. That folder is the catalog, with those of the user's packages.

A file `conf/<group>/<name>.yaml` is a name that can be listed, shown, composed and built; nothing
is registered anywhere else.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from threading import RLock
from typing import Any

from zoo.utilities import packages
from zoo.utilities.errors import no_such

Config = dict[str, Any]
CHOICES = ("model", "data", "trainer", "logger", "experiment")  # that a config keeps by name
GROUPS = (*CHOICES, "callbacks", "debug")
CONFIG_DIRS = "ZOO_CONFIG_DIRS"  # folders like conf/, which --config-dir adds to
LOCK = RLock()  # what Hydra composes with is the process', not the thread's


def conf_folder() -> Path:
    """The folder conf/: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    folders = (package / "conf", package.parent / "conf")
    return next(folder for folder in folders if folder.is_dir())


def roots() -> list[Path]:
    """The folders that make up the catalog: ours, the user's packages', those of --config-dir."""
    return list(dict.fromkeys([conf_folder(), *packages.conf_folders(), *config_dirs()]))


def config_dirs() -> list[Path]:
    """The folders that --config-dir, hydra.searchpath and $ZOO_CONFIG_DIRS add to the catalog."""
    return [Path(one) for one in os.environ.get(CONFIG_DIRS, "").split(os.pathsep) if one]


@contextmanager
def with_config_dirs(folders: Iterable[str]) -> Iterator[None]:
    """Add folders to the catalog, also of the processes that are started meanwhile.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    before, places = os.environ.get(CONFIG_DIRS), [Path(one).expanduser() for one in folders]
    for place in places:
        if not place.is_dir():
            raise FileNotFoundError(f"{place}: there is no such folder of configs")
    added = [*config_dirs(), *(place.resolve() for place in places)]
    if places:
        os.environ[CONFIG_DIRS] = os.pathsep.join(dict.fromkeys(map(str, added)))
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(CONFIG_DIRS, None)
        else:
            os.environ[CONFIG_DIRS] = before


def is_group(name: str) -> bool:
    """Whether a key is a folder of files to choose from."""
    return name in GROUPS or any((root / name).is_dir() for root in roots())


def files(group: str) -> dict[str, Path]:
    """The file of each name of a group, sorted.

    Raises:
        ValueError: two folders have one name.
    """
    paths: dict[str, Path] = {}
    for path in (path for root in roots() for path in (root / group).glob("*.yaml")):
        if path.stem in paths:
            raise ValueError(
                f"{group} {path.stem!r} exists twice: {paths[path.stem]} and {path}; rename one"
            )
        paths[path.stem] = path
    return dict(sorted(paths.items()))


def file(group: str, name: str) -> Path:
    """The file of a name; a ValueError says which name is near a wrong one."""
    paths = files(group)
    if name not in paths:
        raise ValueError(no_such(group, name, paths))
    return paths[name]


def names(group: str, pattern: str = "*") -> list[str]:
    """The names of a group that match a shell pattern."""
    return [name for name in files(group) if fnmatch(name, pattern)]


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
    text = file(group, name).read_text("utf-8")
    lines = (line[1:].strip() for line in text.splitlines() if line.startswith("#"))
    return next((line for line in lines if not line.startswith("@package")), "")
