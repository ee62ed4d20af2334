"""The definitions of our source that others lead to, read without importing anything.

A definition is a function, a class or a constant at the top of a module. Each reference in it is
followed through the imports to the definition that it names. Its form is its source without what
does not count; see canonical.py.
"""

import ast
import hashlib
from collections.abc import Collection, Iterable
from copy import deepcopy
from pathlib import Path

from zoo.training.canonical import OURS, Module, Reader, Reference, fill_blocks


class Code:
    """The modules under a folder, as far as they were asked for.

    Args:
        leaves: what is not followed: dotted names of definitions, and names of methods.
    """

    def __init__(self, folder: Path, leaves: Collection[str] = ()) -> None:
        self.folder, self.leaves = folder, leaves
        self.modules: dict[str, Module | None] = {}
        self.forms: dict[Reference, tuple[str, list[Reference]]] = {}

    def module(self, name: str) -> Module | None:
        """A module of ours by its dotted name; None where there is none."""
        if name not in self.modules:
            path = self.folder.joinpath(*name.split("."))
            files = [path.with_suffix(".py"), path / "__init__.py"]
            file = next((f for f in files if f.is_file()), None)
            module = Module(file) if file and name.split(".")[0] in OURS else None
            if module:
                module.read(ast.parse(module.file.read_text(encoding="utf-8")).body)
            self.modules[name] = module
        return self.modules[name]

    def find(self, dotted: str) -> tuple[Reference | None, list[str]]:
        """The definition that a dotted name leads to, and the attributes behind it."""
        parts = dotted.split(".")
        for cut in range(len(parts) - 1, 0, -1):
            module, name, rest = ".".join(parts[:cut]), parts[cut], parts[cut + 1 :]
            if source := self.module(module):
                if name in source.definitions:
                    return (module, name), rest
                target = ".".join([source.imports.get(name, ""), *rest])
                return (None, []) if target[:1] in "." or target == dotted else self.find(target)
        return None, []

    def form(self, reference: Reference) -> tuple[str, list[Reference]]:
        """A definition without what does not count, and the definitions that it refers to."""
        if reference not in self.forms:
            module = self.module(reference[0])
            assert module is not None
            reader = Reader(reference[0], module, self.find, self.leaves)
            nodes = [reader.visit(deepcopy(node)) for node in module.definitions[reference[1]]]
            text = "\n".join(ast.unparse(fill_blocks(node)) for node in nodes)
            self.forms[reference] = ("\n".join([text, *reader.native]), reader.references)
        return self.forms[reference]

    def reached(self, roots: Iterable[str]) -> set[Reference]:
        """All definitions that some lead to, themselves included."""
        queue = [self._root(root) for root in roots]
        reachable: set[Reference] = set()
        while queue:
            reference = queue.pop()
            if reference not in reachable:
                reachable.add(reference)
                queue += self.next(reference)
        return reachable

    def next(self, one: Reference) -> list[Reference]:
        """The definitions that one refers to, but for the leaves."""
        return [other for other in self.form(one)[1] if ".".join(other) not in self.leaves]

    def _root(self, dotted: str) -> Reference:
        reference, _ = self.find(dotted)
        if reference is None:
            raise LookupError(f"no definition {dotted}: see zoo/training/digest.py")
        return reference

    def texts(self, roots: Iterable[str]) -> list[str]:
        """The forms of all that is reached, each with those that it refers to, sorted."""
        return sorted(
            "\n".join(
                [self.form(one)[0], *(short_hash(self.form(other)[0]) for other in self.next(one))]
            )
            for one in self.reached(roots)
        )


def short_hash(content: str | bytes) -> str:
    """16 hexadecimal digits."""
    data = content.encode() if isinstance(content, str) else content
    return hashlib.sha256(data).hexdigest()[:16]
