"""What is read from a table's cells, and the table of a matrix that is too large to survey."""

import re

import numpy as np

from zoo.figures.kinds import Confusion, Table

LONG = 60  # characters; a longer cell has a line of its own on a phone
VALUE = r"[-+]?[\d.,]+(e[-+]?\d+)?"
NUMBER = re.compile(rf"{VALUE}( to {VALUE})?( \({VALUE} to {VALUE}\))?( ?%)?|nan|-")
MATRIX = 200  # classes; above it a confusion matrix is a list of its largest cells
PAIRS = 20  # most confused pairs, listed beside a matrix that is too large to survey


def column_kinds(picture: Table) -> list[str]:
    """What each column holds: "number", "long" texts, or "" for others."""
    columns = [[row[i] for row in picture.rows] for i in range(len(picture.header))]
    pairs = zip(columns, numeric_columns(picture), strict=True)
    return [
        "number" if numeric else "long" if any(len(cell) > LONG for cell in cells) else ""
        for cells, numeric in pairs
    ]


def numeric_columns(picture: Table) -> list[bool]:
    """Which columns hold numbers or ranges in most filled cells; the first one names the rows."""
    columns = [[row[i] for row in picture.rows if row[i]] for i in range(len(picture.header))]
    return [
        i > 0 and 2 * sum(bool(NUMBER.fullmatch(cell)) for cell in cells) > len(cells)
        for i, cells in enumerate(columns)
    ]


def confused(confusion: Confusion, most: int = PAIRS) -> Table:
    """The largest counts off the diagonal."""
    counts = np.array(confusion.matrix)
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:most]
    cells = [(int(cell) // len(counts), int(cell) % len(counts)) for cell in order]
    name = confusion.classes
    rows = [(name[i], name[j], str(counts[i, j])) for i, j in cells if counts[i, j]]
    return Table(("truth", "answer", "samples"), rows)
