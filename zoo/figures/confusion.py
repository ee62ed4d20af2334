"""A confusion matrix as HTML."""

import math
from collections.abc import Sequence
from html import escape

import numpy as np

from zoo.figures.kinds import (
    Confusion,
    Table,
)
from zoo.figures.svg import box
from zoo.figures.table import table

MATRIX = 200  # classes; above it a confusion matrix is a list of its largest cells
PAIRS = 20  # most confused pairs, listed beside a matrix that is too large to survey


def confusion_html(confusion: Confusion) -> str:
    many = len(confusion.classes)
    parts = [_matrix(confusion)] if many <= MATRIX else []
    if many > PAIRS and (pairs := confused(confusion)).rows:
        parts += ["<p>Most often confused</p>", table(pairs)]
    return "".join(parts)


def confused(confusion: Confusion, most: int = PAIRS) -> Table:
    """The largest counts off the diagonal."""
    counts = np.array(confusion.matrix)
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:most]
    cells = [(int(cell) // len(counts), int(cell) % len(counts)) for cell in order]
    name = confusion.classes
    rows = [(name[i], name[j], str(counts[i, j])) for i, j in cells if counts[i, j]]
    return Table(("truth", "answer", "samples"), rows)


def _matrix(confusion: Confusion) -> str:
    """Names stay in sight while the box scrolls; a cell is tinted by its share of the truth."""
    names = [escape(name) for name in confusion.classes]
    style = ' class="upright"' if max(map(len, confusion.classes)) > 3 else ""
    head = "".join(f'<th scope="col"><span>{name}</span></th>' for name in names)
    rows = "".join(
        f'<tr><th scope="row">{name}</th>{_cells(i, names, counts)}</tr>'
        for i, (name, counts) in enumerate(zip(names, confusion.matrix.tolist(), strict=True))
    )
    corner = "<thead><tr><td></td>"
    return (
        box(f"<table{style}>{corner}{head}</tr></thead><tbody>{rows}</tbody></table>")
        + "<p>Rows are the truth, columns the answer; the tint is the share of the row.</p>"
    )


def _cells(truth: int, names: Sequence[str], counts: Sequence[int]) -> str:
    total = sum(counts)
    return "".join(
        f'<td class="{"hit" if answer == truth else "miss"}" '
        f'style="--tint:{math.sqrt(n / total):.2f}" '  # the root: one mistake in 100 is seen
        f'title="{names[truth]} taken for {names[answer]}: {n}">{n}</td>'
        if n
        else "<td></td>"
        for answer, n in enumerate(counts)
    )
