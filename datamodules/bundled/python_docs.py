"""The documentation of the standard library: real text that every Python has, as installed."""

import ast
import sysconfig
import warnings
from pathlib import Path

LEFT_OUT = {  # folders of the standard library that not every installation has
    "ensurepip", "idlelib", "lib2to3", "test", "tests", "turtledemo",
    "site-packages", "dist-packages",
}  # fmt: skip


def python_docs() -> list[str]:
    """Every docstring of the standard library as it is installed, once, and pydoc's topics.

    Raises:
        FileNotFoundError: this Python has no source files.
    """
    from pydoc_data.topics import topics

    paths = modules()
    if not paths:
        folder = sysconfig.get_path("stdlib")
        raise FileNotFoundError(f"no source of the standard library in {folder}: use another data=")
    once = dict.fromkeys(text for path in paths for text in docstrings(path.read_bytes()))
    return [*once, *topics.values()]


def modules() -> list[Path]:
    """The source files of the standard library, without its tests and programs."""
    folder = Path(sysconfig.get_path("stdlib"))
    return sorted(
        file for file in folder.rglob("*.py") if not LEFT_OUT & {*file.relative_to(folder).parts}
    )


def docstrings(source: bytes) -> list[str]:
    """Those of a module, its classes and its functions."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes in source that is not ours
        tree = ast.parse(source)
    texts = [ast.get_docstring(node) for node in ast.walk(tree) if isinstance(node, documented)]
    return [text for text in texts if text]
