"""Packages: whether `datamodules` is the zoo's, and those of the user's that may be built from.

A package of the user's is one that an installed distribution names in the entry point group
`zoo.packages`, or $ZOO_PACKAGES (a,b) does; its folder conf/ joins the catalog. Of one that a class
in an override names (`model._target_=mine.Net`) classes are built as well: $ZOO_TRUST hands it on
to the processes of a run. Nothing else widens this: neither a card nor a config that is read.
"""

import os
import sys
from collections.abc import Iterable
from functools import cache
from importlib import invalidate_caches
from importlib.machinery import ModuleSpec
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from threading import Lock

OURS = ("zoo", "datamodules", "pytorch_lightning", "sklearn")
GROUP, VARIABLE, TRUST = "zoo.packages", "ZOO_PACKAGES", "ZOO_TRUST"
LOCK = Lock()  # of what is trusted, which threads add to


@cache
def installed() -> tuple[str, ...]:
    """The packages that installed distributions bring to the zoo; none is imported."""
    return tuple(entry.value.partition(":")[0].strip() for entry in entry_points(group=GROUP))


def plugins() -> list[str]:
    """The packages whose conf/ joins the catalog."""
    return list(dict.fromkeys([*_listed(VARIABLE), *installed()]))


def is_trusted(name: str) -> bool:
    """Whether classes of a top-level package may be built."""
    return name in OURS or name in _listed(TRUST) or name in plugins()


def trust(targets: Iterable[object]) -> None:
    """Let the packages of classes be built from, in this process and in those that it starts.

    Args:
        targets: import paths that the user typed; what is none is passed over.
    """
    for target in targets:
        name, dot, _ = str(target).partition(".")
        with LOCK:
            if dot and name.isidentifier() and not is_trusted(name):
                os.environ[TRUST] = ",".join([*_listed(TRUST), name])


def conf_folders() -> list[Path]:
    """The folders conf/ of the plugins that have one.

    Raises:
        ValueError: there is no such package.
    """
    folders = (Path(place) / "conf" for name in plugins() for place in _locations(name))
    return [folder.resolve() for folder in folders if folder.is_dir()]


def find(name: str) -> ModuleSpec | None:
    """A top-level package or module: on Python's path, else in the working directory.

    Of the latter, the folder where the user types, the zoo looks only for names it may build from.
    """
    if name in sys.modules:
        return sys.modules[name].__spec__
    here = Path.cwd()
    if (spec := find_spec(name)) is None and is_trusted(name):
        if (here / name).is_dir() or (here / f"{name}.py").is_file():
            sys.path.append(str(here))
        invalidate_caches()
        spec = find_spec(name)
    return spec


def _listed(variable: str) -> list[str]:
    """The names in a variable of the environment."""
    return [name for part in os.environ.get(variable, "").split(",") if (name := part.strip())]


def _locations(name: str) -> list[str]:
    """The folders of a plugin; none of a single module."""
    spec = find(name) if name.isidentifier() else None
    if spec is None:
        source = VARIABLE if name in _listed(VARIABLE) else f"an installed package ({GROUP})"
        if "." in name:
            raise ValueError(f"{source} names {name!r}: name the package at the top, before a dot")
        raise ValueError(
            f"{source} names {name!r}: there is no such package on Python's path or in {Path.cwd()}"
        )
    return list(spec.submodule_search_locations or [])


@cache
def check_datamodules() -> None:
    """Refuse to go on where Python would import another package `datamodules` than the zoo's.

    `python script.py` and `python -m zoo` look for packages in the script's or the working folder
    first.

    Raises:
        ImportError: another one comes first.
    """
    spec = find_spec("datamodules")
    if spec is None:
        return  # the import itself says so
    path = Path(spec.origin or next(iter(spec.submodule_search_locations or [""])))
    path = path.parent if path.name == "__init__.py" else path
    if path.resolve() != Path(__file__).resolve().parents[2] / "datamodules":
        raise ImportError(
            f"{path} is imported instead of the zoo's own package datamodules: rename it, or start "
            "Python in another folder"
        )
