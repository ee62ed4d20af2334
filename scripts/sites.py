"""One-line changes that the code could suffer; `scripts/mutants.py` draws some and tries them.

A mutant is known by the name of its definition and by its line before and after, so that it stays
the same one when a module moves, and a draw by them and the seed alone.
"""

import ast
import bisect
import difflib
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

ROOMS = ("zoo", "datamodules")
SWAPS = {
    ast.Add: ("sign", "+", "-"), ast.Sub: ("sign", "-", "+"),
    ast.Mult: ("sign", "*", "/"), ast.Div: ("sign", "/", "*"),
    ast.Lt: ("bound", "<", "<="), ast.LtE: ("bound", "<=", "<"),
    ast.Gt: ("bound", ">", ">="), ast.GtE: ("bound", ">=", ">"),
    ast.Eq: ("bound", "==", "!="), ast.NotEq: ("bound", "!=", "=="),
    ast.NotIn: ("not", "not in", "in"), ast.IsNot: ("not", "is not", "is"),
}  # fmt: skip
AXES = {"0": "1", "1": "0", "2": "1", "3": "2", "-1": "0", "-2": "-1", "-3": "-2"}
ALIKE = 0.8  # of two lines, at least: the same one, changed a little since
IDENTITY = ("definition", "kind", "before", "after", "ordinal")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Edit = tuple[str, int, int, str]  # the kind; from and to which byte of the file; what is put there


@dataclass(frozen=True)
class Mutant:
    """A changed line: its identity, and where it is today."""

    definition: str  # "Images.setup"; of a constant its name
    kind: str  # sign, bound, axis, default, check, not
    before: str
    after: str
    ordinal: int = 0  # among those of which all the above is the same
    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)
    matters: range = field(default=range(0), compare=False)  # lines; who runs them can see it
    edit: tuple[int, int, str] = field(default=(0, 0, ""), compare=False)  # of the file's bytes

    @property
    def identity(self) -> dict[str, Any]:
        """What a list keeps of it."""
        return {key: getattr(self, key) for key in IDENTITY}

    def rank(self, seed: int) -> str:
        """Its place among all, wherever it is."""
        return hashlib.sha256(repr((seed, *self.identity.values())).encode()).hexdigest()

    def applied(self, text: bytes) -> bytes:
        """Its file with the change."""
        start, end, new = self.edit
        return text[:start] + new.encode() + text[end:]


# --- which to try ---------------------------------------------------------------------------------


def mutants(root: Path) -> list[Mutant]:
    """All that a tree can suffer."""
    paths = sorted(path for room in ROOMS for path in (root / room).rglob("*.py"))
    all_mutants = [mutant for path in paths for mutant in Module(path, root).mutants()]
    twins: Counter[Mutant] = Counter()
    for place, mutant in enumerate(all_mutants):
        all_mutants[place] = replace(mutant, ordinal=twins[mutant])
        twins[mutant] += 1
    return all_mutants


def draw(candidates: list[Mutant], seed: int, count: int) -> list[Mutant]:
    """Some of each kind, in turn."""
    turns: Counter[str] = Counter()
    ranked = []
    for place, mutant in enumerate(sorted(candidates, key=lambda mutant: mutant.rank(seed))):
        ranked.append((turns[mutant.kind], place, mutant))
        turns[mutant.kind] += 1
    return [mutant for _, _, mutant in sorted(ranked, key=lambda one: one[:2])[:count]]


def find(entry: dict[str, Any], candidates: list[Mutant]) -> Mutant | None:
    """A mutant of a list in today's tree: itself, else the only one that is as good as the same."""
    original = Mutant(*(entry[key] for key in IDENTITY))
    line = (original.kind, original.before, original.after)
    for same in (
        lambda mutant: mutant == original,
        lambda mutant: (mutant.kind, mutant.before, mutant.after) == line,  # its definition renamed
        lambda mutant: is_rewritten(mutant, original),
    ):
        alike = [mutant for mutant in candidates if same(mutant)]
        if alike:
            return alike[0] if len(alike) == 1 else None
    return None


def is_rewritten(mutant: Mutant, original: Mutant) -> bool:
    """Whether it may be the same change of a line that was changed a little since."""
    if (mutant.definition, mutant.kind) != (original.definition, original.kind):
        return False
    pairs = ((mutant.before, original.before), (mutant.after, original.after))
    return all(difflib.SequenceMatcher(None, *pair).ratio() > ALIKE for pair in pairs)


# --- what can be changed in a file ----------------------------------------------------------------


class Module:
    """A file, and the changes of its nodes."""

    def __init__(self, path: Path, root: Path) -> None:
        self.file = path.relative_to(root).as_posix()
        self.bytes = path.read_bytes()
        self.starts = [0]  # of the lines, in bytes
        for line in self.bytes.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def mutants(self) -> Iterator[Mutant]:
        """All of this file, without ordinals."""
        for node, names, function in walk(ast.parse(self.bytes)):
            for kind, start, end, new in self.edits(node):
                line = bisect.bisect(self.starts, start)
                if end > self.starts[line]:
                    continue  # more than one line
                matters = range(line, line + 1) if function else range(0)
                if function and kind == "default":
                    matters = range(function.lineno, (function.end_lineno or 0) + 1)
                before, after = self.lines(line, start, end, new)
                mutant = Mutant(".".join(names), kind, before, after)
                edit = (start, end, new)
                yield replace(mutant, file=self.file, line=line, matters=matters, edit=edit)

    def lines(self, number: int, start: int, end: int, new: str) -> tuple[str, str]:
        """A line before and after a change."""
        first, last = self.starts[number - 1 : number + 1]
        old = self.bytes[first:last].decode().strip()
        after = self.bytes[first:start] + new.encode() + self.bytes[end:last]
        return old, after.decode().strip()

    def edits(self, node: ast.AST) -> Iterator[Edit]:
        """The changes of one node."""
        match node:
            case ast.BinOp() if not (is_text(node.left) or is_text(node.right)):
                yield from self.swapped(node.left, node.op, node.right)
            case ast.AugAssign() if not is_text(node.value):
                yield from self.swapped(node.target, node.op, node.value)
            case ast.Compare():
                sides = [node.left, *node.comparators]
                for left, op, right in zip(sides, node.ops, sides[1:], strict=False):
                    yield from self.swapped(left, op, right)
                yield from self.shifted("bound", sides)
            case ast.Subscript() if not ast.unparse(node.value).endswith("Literal"):
                index = node.slice
                yield from self.shifted("bound", getattr(index, "elts", [index]))
            case ast.Slice():
                yield from self.shifted("bound", [node.lower, node.upper, node.step])
            case ast.Call(func=ast.Name("range")):
                yield from self.shifted("bound", node.args)
            case ast.keyword(arg="dim" | "axis"):
                yield from self.other_axes(node.value)
            case ast.arguments():
                yield from self.shifted("default", [*node.defaults, *node.kw_defaults])
            case ast.If(body=[*_, ast.Raise()]):
                yield "check", *self.span(node.test), "False"
            case ast.Assert():
                yield "check", *self.span(node.test), "True"
            case ast.UnaryOp(op=ast.Not()):
                yield "not", self.span(node)[0], self.span(node)[0] + len("not "), ""
            case ast.UnaryOp(op=ast.USub(), operand=one) if not isinstance(one, ast.Constant):
                yield "sign", self.span(node)[0], self.span(node)[0] + len("-"), ""

    def span(self, node: ast.expr) -> tuple[int, int]:
        """From and to which byte a node goes."""
        end = self.starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        return self.starts[node.lineno - 1] + node.col_offset, end

    def swapped(self, left: ast.expr, op: ast.AST, right: ast.expr) -> Iterator[Edit]:
        """Another operator between two operands."""
        if type(op) in SWAPS:
            kind, old, new = SWAPS[type(op)]
            start = self.bytes.find(old.encode(), self.span(left)[1], self.span(right)[0])
            if start >= 0:
                yield kind, start, start + len(old), new

    def shifted(self, kind: str, nodes: Iterable[ast.expr | None]) -> Iterator[Edit]:
        """One more; of a default also twice as much, the other truth, another word."""
        for node in nodes:
            if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
                node = node.operand
            value = node.value if isinstance(node, ast.Constant) else None
            if node and type(value) is int:
                yield kind, *self.span(node), str(value + 1)
            elif node and kind == "default" and isinstance(value, bool | float | str):
                other = {
                    bool: lambda x: not x,
                    float: lambda x: 2 * x or 1.0,
                    str: lambda x: x + "_",
                }
                yield kind, *self.span(node), repr(other[type(value)](value))

    def other_axes(self, value: ast.expr) -> Iterator[Edit]:
        """Another axis."""
        for node in getattr(value, "elts", [value]):
            start, end = self.span(node)
            if (axis := self.bytes[start:end].decode()) in AXES:
                yield "axis", start, end, AXES[axis]


Step = tuple[ast.AST, tuple[str, ...], Function | None]


def walk(
    node: ast.AST, names: tuple[str, ...] = (), function: Function | None = None
) -> Iterator[Step]:
    """Every node that may be changed, the names that lead to it, and the outermost function."""
    yield node, names, function
    for key, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or is_spared(key, child):
                continue
            around = function or (child if isinstance(child, Function) else None)
            yield from walk(child, (*names, *defined(child, function)), around)


def defined(node: ast.AST, function: Function | None) -> tuple[str, ...]:
    """The name of what a node defines, if it does; a variable of a function is no definition."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return (node.name,)
        case ast.Assign(targets=[target, *_]) | ast.AnnAssign(target=target) if not function:
            return (ast.unparse(target),)
    return ()


def is_spared(key: str, node: ast.AST) -> bool:
    """Whether it is an annotation, a message, or what runs where a module is a program."""
    if key in ("annotation", "returns"):
        return True
    if isinstance(node, ast.If):
        return ast.unparse(node.test).startswith("__name__")
    return isinstance(node, ast.JoinedStr | ast.Raise)


def is_text(node: ast.expr) -> bool:
    """Whether it is a literal string."""
    return isinstance(node, ast.JoinedStr) or isinstance(getattr(node, "value", None), str)
