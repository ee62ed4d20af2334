"""A definition's source without what does not count, and what it refers to.

What does not count are the modules on the way to a name, comments, docstrings, annotations,
imports, printed lines and the texts of errors.
"""

import ast
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OURS = ("zoo", "datamodules")
DOTTED = re.compile(rf"({'|'.join(OURS)})(\.\w+)+")

Reference = tuple[str, str]  # module and name of a definition
Find = Callable[[str], tuple[Reference | None, list[str]]]


@dataclass
class Module:
    """A source file's definitions, and what its imports bring: name to dotted name."""

    file: Path
    definitions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)

    def read(self, body: Iterable[ast.stmt]) -> None:
        """Sort the statements of the module's top."""
        for node in body:
            for name in _defined_names(node):
                self.definitions.setdefault(name, []).append(node)
            self.imports |= import_names(node)
            if isinstance(node, ast.If | ast.Try) and "TYPE_CHECKING" not in ast.dump(node):
                self.read(one for one in ast.iter_child_nodes(node) if isinstance(one, ast.stmt))
            for handler in getattr(node, "handlers", []):
                self.read(handler.body)


class Reader(ast.NodeTransformer):
    """Takes from a definition what does not count, and notes what it refers to.

    Args:
        name, module: where the definition stands.
        find: tells which definition a dotted name leads to, and the attributes behind it.
        leaves: names of methods that do not count.
    """

    def __init__(self, name: str, module: Module, find: Find, leaves: Collection[str]) -> None:
        self.name, self.module, self.find, self.leaves = name, module, find, leaves
        self.scopes: list[dict[str, str]] = []
        self.references: list[Reference] = []
        self.native: list[str] = []

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id == "__file__" and (source := self.module.file.with_suffix(".cpp")).exists():
            self.native.append(source.read_text(encoding="utf-8"))
        return self.visit_Attribute(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """A text that names a module or a definition of ours is read as its last part."""
        if not (isinstance(node.value, str) and DOTTED.fullmatch(node.value)):
            return node
        reference, _ = self.find(node.value)
        self.references += [reference] if reference else []
        return ast.Constant(node.value.rpartition(".")[2])

    def visit_Attribute(self, node: ast.Name | ast.Attribute) -> ast.AST:
        """The bare name of a definition of ours in place of the way to it; others' in full."""
        names: list[str] = []
        base: ast.expr = node
        while isinstance(base, ast.Attribute):
            names.insert(0, base.attr)
            base = base.value
        if not isinstance(base, ast.Name):
            return self.generic_visit(node)
        dotted = self._dotted(base.id)
        reference, rest = self.find(".".join([dotted, *names]))
        if reference is None:
            base.id = dotted.rpartition(".")[2] if DOTTED.fullmatch(dotted) else dotted
            return node
        self.references.append(reference)
        short: ast.expr = ast.Name(reference[1], ast.Load())
        for attribute in rest:
            short = ast.Attribute(short, attribute, ast.Load())
        return short

    def _dotted(self, name: str) -> str:
        """What a name stands for here; itself where that is not ours."""
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        if name in self.module.definitions:
            return f"{self.name}.{name}"
        return self.module.imports.get(name, name)

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        node.body = [one for one in node.body if getattr(one, "name", "") not in self.leaves]
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: Any) -> Any:
        node.returns = None
        return self.visit_Lambda(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: Any) -> Any:
        """A function's body, in which its own names hide the module's."""
        self.scopes.append(_local_names(node))
        self.generic_visit(node)
        self.scopes.pop()
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        """Only a class may need the annotation: it makes a field."""
        node.annotation = ast.Constant(None)
        if self.scopes and node.value:
            return self.generic_visit(ast.Assign([node.target], node.value))
        return self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> Any:
        if isinstance(node.exc, ast.Call):
            node.exc = node.exc.func
        return self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> Any:
        return None if _has_no_effect(node.value) else self.generic_visit(node)

    def visit_Import(self, node: Any) -> None:
        return None

    visit_ImportFrom = visit_Import


def _has_no_effect(node: ast.expr) -> bool:
    """Whether a statement is a docstring, or prints."""
    if isinstance(node, ast.Call):
        function = node.func
        return "print" in (getattr(function, "id", ""), getattr(function, "attr", ""))
    return isinstance(node, ast.Constant)


def _defined_names(node: ast.stmt) -> list[str]:
    """The names that a statement defines."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    targets = getattr(node, "targets", [getattr(node, "target", None)])
    if not isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        return []
    return [n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)]


def import_names(node: ast.AST) -> dict[str, str]:
    """The names that an import brings, each with its dotted name."""
    if isinstance(node, ast.ImportFrom):
        return {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
    if not isinstance(node, ast.Import):
        return {}
    return {
        one.asname or one.name.split(".")[0]: one.name if one.asname else one.name.split(".")[0]
        for one in node.names
    }


def _local_names(function: Any) -> dict[str, str]:
    """A function's own names: variables, and what it imports."""
    own: dict[str, str] = {}
    nodes = list(ast.iter_child_nodes(function))
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.arg):
            own[node.arg] = node.arg
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            own[node.id] = node.id
        if isinstance(node, ast.ExceptHandler) and node.name:
            own[node.name] = node.name
        own |= import_names(node)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            own[node.name] = node.name
        elif not isinstance(node, ast.Lambda):
            nodes += ast.iter_child_nodes(node)
    return own


def fill_blocks(node: ast.AST) -> ast.AST:
    """With `pass` where nothing is left of a block."""
    for one in ast.walk(node):
        if getattr(one, "body", None) == []:
            one.body = [ast.Pass()]  # type: ignore[attr-defined]
    return ast.fix_missing_locations(node)
