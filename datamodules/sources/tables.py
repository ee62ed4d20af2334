"""Tables of one sample a row, read row by row: .csv, .tsv or .jsonl; of .parquet, the columns.

    text,label[,split]     texts; columns of other names are found, or named
    file,label[,split]     files beside the table, or in the folders that their rows tell

Labels are words or whole numbers. Bytes that are not UTF-8 stay in their cells, as surrogates.
"""

import csv
import json
import sys
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np

SUFFIXES = (".csv", ".tsv", ".jsonl")
FILE, TEXT, LABEL, SPLIT = "file", "text", "label", "split"


class Table(NamedTuple):
    """What the rows hold, and where each of them stands: `unit` and number."""

    contents: list[Any]
    labels: list[str]
    splits: list[str]  # "" where there is no such column
    numbers: np.ndarray


def suffix(path: Path | str) -> str:
    """The ending of a file, in small letters."""
    return Path(path).suffix.lower()


def all_tables(folder: Path) -> list[Path]:
    """All tables of a folder."""
    return sorted(f for f in folder.glob("[!.]*") if suffix(f) in SUFFIXES)


def labelled_tables(folder: Path) -> list[Path]:
    """The tables of a folder that name labels, and files or texts."""
    paths = all_tables(folder)
    return [f for f in paths if LABEL in (names := _names(f)) and {FILE, TEXT} & {*names}]


def names_files(path: Path) -> bool:
    """Whether its rows are files, not texts."""
    names = _names(path) if suffix(path) in SUFFIXES else []
    return {FILE, LABEL} <= {*names} and TEXT not in names


def _names(path: Path) -> list[str]:
    """The columns of what may be no table at all."""
    try:
        return header(path)
    except ValueError:
        return []


def header(path: Path) -> list[str]:
    """The names of the columns; of .jsonl, the keys of the first line.

    Raises:
        ValueError: it is empty, in no UTF-8, or no JSON.
    """
    with open_table(path) as file:
        line = next((line for line in file if line.strip()), "")
    if not line or "\0" in line:
        what = "holds NUL where the columns are named" if line else "is empty"
        raise ValueError(f"{path} {what}: a table in UTF-8 is wanted")
    if suffix(path) == ".jsonl":
        return list(_object(line, path, 1))
    return next(csv.reader([line], delimiter=_delimiter(path)))


def open_table(path: Path) -> TextIO:
    """The lines of a table."""
    return path.open(newline="", encoding="utf-8-sig", errors="surrogateescape")


def read(path: Path, content: str, label: str) -> Table:
    """The rows of a table.

    Args:
        content: the column of what has a label; an empty text is left to who reads it.

    Raises:
        ValueError: a row without one of them, or that cannot be read.
    """
    columns = [content, label, *([SPLIT] if SPLIT in header(path) else [])]
    table, numbers = Table([], [], [], np.empty(0)), array("q")
    for number, cells in rows(path, columns):
        raw, label_cell, split = (*cells, "") if len(cells) == 2 else cells
        if not (name := cell_text(label_cell)) or raw is None or (content == FILE and not raw):
            raise ValueError(f"line {number} of {path} has no {content} or no {label}")
        table.contents.append(raw)
        table.labels.append(sys.intern(name))
        table.splits.append(sys.intern(cell_text(split)))
        numbers.append(number)
    return table._replace(numbers=np.array(numbers))


def cell_text(cell: Any) -> str:
    """A label or a split as a word; "" where there is none."""
    return "" if cell is None else str(cell).strip()


def rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, list[Any]]]:
    """The number of each line that ends a row, and these cells of the row."""
    with open_table(path) as file:
        if suffix(path) == ".jsonl":
            for number, line in enumerate(file, 1):
                if line.strip():
                    row = _object(line, path, number)
                    yield number, [row.get(name) for name in columns]
            return
        try:
            yield from _csv_rows(file, path, columns)
        except csv.Error as error:  # NUL, to Python 3.10
            raise ValueError(f"{path} cannot be read: {error}") from error


def _csv_rows(file: TextIO, path: Path, columns: Sequence[str]) -> Iterator[tuple[int, list[Any]]]:
    """The rows of a .csv or .tsv."""
    csv.field_size_limit(2**31 - 1)  # Python's own limit of 128 kB cuts long texts
    reader = csv.reader(file, delimiter=_delimiter(path))
    names = next(row for row in reader if row)
    places, width = [names.index(name) for name in columns], len(names)
    for row in reader:
        if any(row[width:]):
            raise ValueError(
                f"line {reader.line_num} of {path} has {len(row)} cells and the first one {width}: "
                'put texts with separators in them into quotes ("...")'
            )
        if row:
            yield reader.line_num, [row[i] if i < len(row) else "" for i in places]


def _object(line: str, path: Path, number: int) -> dict[str, Any]:
    """One line of a .jsonl."""
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ValueError(f"line {number} of {path} is no JSON: {error}") from error
    if not isinstance(row, dict):
        raise ValueError(f'line {number} of {path} is no object like {{"text": ..., "label": ...}}')
    return row


def _delimiter(path: Path) -> str:
    return "\t" if suffix(path) == ".tsv" else ","
