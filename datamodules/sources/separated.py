"""Rows of separated values: the separator by the header, and stray quote marks as they are meant.

A quote mark that opens a cell and does not close it before a separator would take the rows behind
it into the cell. Its line is then read by itself, in the first of these ways that gives as many
cells as the header has: with backslashes before the quote marks of a text, with quote marks that
close only before a separator, as it stands.
"""

import csv
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple, TextIO

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
SAYS = "sep="  # Excel's first line: sep=;
AHEAD = 50  # lines by which separators are told apart where the header leaves several


class Row(NamedTuple):
    """One row, and the first line of the file that it stands in.

    `apart` are its lines as rows of their own, where they have as many cells as the header: what
    looks like a text of several lines may be rows between two stray quote marks.
    """

    number: int
    cells: list[Any]
    fault: str = ""  # why it cannot be read
    stray: bool = False  # whether its quote marks were read as they are meant
    apart: "tuple[Row, ...]" = ()


class Lines:
    """The lines of a file, which can be put back; `number` is that of the first one of a row."""

    def __init__(self, file: TextIO) -> None:
        self.file, self.number = file, 1
        self.row: list[str] = []
        self.waiting: deque[str] = deque()

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        line = self.waiting.popleft() if self.waiting else next(self.file)
        self.row.append(line)
        return line

    def begin(self) -> None:
        """What was read is a row."""
        self.number += len(self.row)
        self.row = []

    def put_back(self, after: int = 0) -> None:
        """All lines of this row wait again, but for so many."""
        self.waiting.extendleft(reversed(self.row[after:]))
        del self.row[after:]


class Separated:
    """A table of separated values.

    Args:
        file: its lines, with their ends.
        usual: the separator, where the header does not say otherwise.
    """

    def __init__(self, file: TextIO, usual: str) -> None:
        csv.field_size_limit(2**31 - 1)  # Python's own limit of 128 kB cuts long texts
        self.lines = Lines(file)
        ahead = list(islice(self.lines, AHEAD))
        self.lines.put_back()
        self.separator = usual
        if ahead and (line := unquote(ahead[0].strip("\r\n"))).lower().startswith(SAYS):
            self.separator = line[len(SAYS) :][:1] or usual
            next(self.lines)
        else:
            self.separator = find_separator([line for line in ahead if line.strip()], usual)
        while self.lines.waiting and not self.lines.waiting[0].strip():
            next(self.lines)
        self.lines.begin()
        header = self.lines.waiting[0] if self.lines.waiting else ""
        gaps = header.count(self.separator)
        self.spaces = gaps > 0 and header.count(f"{self.separator} ") == gaps
        names = next(self.rows(None), Row(0, [])).cells
        self.names = [name.strip() for name in names]

    def rows(self, width: int | None) -> Iterator[Row]:
        """The rows that are left, without those of empty cells.

        Args:
            width: cells of the header; None while it is read.
        """
        lines, separator = self.lines, self.separator
        reader = csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=self.spaces)
        while True:
            lines.begin()
            try:
                row = Row(lines.number, next(reader))
            except StopIteration:
                return
            except csv.Error:
                lines.put_back(after=1)
                row = mend(lines.number, lines.row[0], separator, width)
            if width and len(lines.row) > 1:
                row = row._replace(apart=apart(lines.number, lines.row, separator, width))
            if width and any(row.cells[width:]):
                fault = f"has {len(row.cells)} cells and the first one {width}: put texts with "
                row = row._replace(fault=fault + 'separators in them into quotes ("...")')
            if row.fault or any(cell and not cell.isspace() for cell in row.cells):
                yield row


def find_separator(lines: list[str], usual: str) -> str:
    """The separator of the header; of several the one that most of these lines agree with."""
    order = [usual, *(s for s in SEPARATORS if s != usual)]
    widths = {s: len(split(lines[0], s)) for s in order} if lines else {}
    several = [s for s in order if widths.get(s, 1) > 1]
    agree = {s: sum(len(split(line, s)) == widths[s] for line in lines) for s in several}
    return max(several, key=agree.__getitem__, default=usual)


def split(line: str, separator: str) -> list[str]:
    """The cells of a line; separators between quote marks are none."""
    cells, pieces = [], []  # type: list[str], list[str]
    for piece in line.rstrip("\r\n").split(separator):
        first = not pieces
        pieces.append(piece)
        if closes(piece, first) if not first or piece.lstrip().startswith('"') else True:
            cells.append(unquote(separator.join(pieces)))
            pieces = []
    return [*cells, separator.join(pieces)] if pieces else cells


def closes(piece: str, first: bool) -> bool:
    """Whether a quoted cell may end with this piece: with an odd number of quote marks."""
    piece = piece.strip()
    piece = piece[1:] if first else piece
    return (len(piece) - len(piece.rstrip('"'))) % 2 == 1


def unquote(cell: str) -> str:
    """A cell without the quote marks about it."""
    bare = cell.strip()
    quoted = bare.startswith('"') and closes(bare, True)
    return bare[1:-1].replace('""', '"') if quoted else cell


def mend(number: int, line: str, separator: str, width: int | None) -> Row:
    """A line with a stray quote mark as a row."""
    plain = line.rstrip("\r\n")
    readings = [escaped(plain, separator), split(plain, separator), plain.split(separator)]
    for cells in readings:
        if cells and width in (None, len(cells)):
            return Row(number, cells, stray=True)
    fault = (
        'has a quote mark (") that opens a cell and does not close it before a separator: write '
        'quote marks in a text twice ("") and one at each end of it'
    )
    return Row(number, [], fault)


def escaped(line: str, separator: str) -> list[str]:
    """The cells of a line whose quote marks stand behind backslashes; none if they do not."""
    try:
        rows = csv.reader(
            [line], delimiter=separator, escapechar="\\", doublequote=False, strict=True
        )
        return next(rows) if '\\"' in line else []
    except csv.Error:
        return []


def apart(number: int, lines: list[str], separator: str, width: int) -> tuple[Row, ...]:
    """Lines as rows of their own, as they stand; none unless each has so many cells."""
    plain = [line.rstrip("\r\n").split(separator) for line in lines]
    if any(len(cells) != width for cells in plain if cells != [""]):
        return ()
    return tuple(
        Row(number + i, cells, stray=True) for i, cells in enumerate(plain) if cells != [""]
    )
