"""The documentation of the standard library: real text that every Python has, as installed."""

import ast
import os
import sysconfig
import warnings
from collections import deque
from collections.abc import Iterator
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
    paths: list[Path] = []
    for folder, folders, names in os.walk(sysconfig.get_path("stdlib")):
        folders[:] = set(folders) - LEFT_OUT  # not even looked into: site-packages may be large
        paths += [Path(folder, name) for name in names if name.endswith(".py")]
    return sorted(paths)


def docstrings(source: bytes) -> list[str]:
    """Those of a module, its classes and its functions."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes in source that is not ours
        tree = ast.parse(source)
    texts = [ast.get_docstring(node) for node in blocks(tree) if isinstance(node, documented)]
    return [text for text in texts if text]


def blocks(tree: ast.Module) -> Iterator[ast.AST]:
    """What may hold statements and the statements, as `ast.walk` orders them; no expressions."""
    todo: deque[ast.AST] = deque([tree])
    while todo:
        node = todo.popleft()
        yield node
        for field in ("body", "cases", "handlers", "orelse", "finalbody"):
            inner = getattr(node, field, None)  # of a lambda or a choice an expression
            todo.extend(inner if isinstance(inner, list) else [])
