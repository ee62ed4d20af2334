"""A table as HTML."""

import re
from html import escape

from zoo.figures.kinds import (
    Table,
)
from zoo.figures.svg import box

LONG = 60  # characters; a longer cell has a line of its own on a phone
NUMBER = re.compile(r"[-+]?[\d.,]+(e[-+]?\d+)?( ?%)?|nan|-")


def table(picture: Table) -> str:
    """A table in a box that scrolls by itself; numbers are set to the right, texts may wrap."""
    kinds = [f' class="{kind}"' if kind else "" for kind in _column_kinds(picture)]
    head = "".join(
        f'<th scope="col"{kind}>{escape(cell)}</th>'
        for cell, kind in zip(picture.header, kinds, strict=True)
    )
    rows = [
        "".join(f"<td{kind}>{escape(cell)}</td>" for cell, kind in zip(row, kinds, strict=True))
        for row in picture.rows
    ]
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return box(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def _column_kinds(picture: Table) -> list[str]:
    columns = [[row[i] for row in picture.rows] for i in range(len(picture.header))]
    pairs = zip(columns, numeric_columns(picture), strict=True)
    return [
        "number" if numeric else "long" if any(len(cell) > LONG for cell in cells) else ""
        for cells, numeric in pairs
    ]


def numeric_columns(picture: Table) -> list[bool]:
    """Which columns hold numbers in most of their filled cells; the first one names the rows."""
    columns = [[row[i] for row in picture.rows if row[i]] for i in range(len(picture.header))]
    return [
        i > 0 and 2 * sum(bool(NUMBER.fullmatch(cell)) for cell in cells) > len(cells)
        for i, cells in enumerate(columns)
    ]
