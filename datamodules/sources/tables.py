"""Tables of one sample a row, read row by row: .csv, .tsv, .tab or .jsonl, also as .gz.

    text,label[,split]     texts; columns of other names are value, or named
    file,label[,split]     files beside the table, or in the folders that their rows tell

They are in UTF-8, or in what their byte order mark says. Bytes that are not UTF-8 stay in their
cells, as surrogates.
"""

import codecs
import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from datamodules.sources.separated import SEPARATORS, Row, Separated

SUFFIXES = (".csv", ".tsv", ".tab", ".jsonl")
MARKS = {  # byte order marks, the longest first
    codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip
FIRST_ROWS = 100  # of a .jsonl, whose keys are its columns


def suffix(path: Path | str) -> str:
    """The ending of a file, in small letters; of a table that is compressed the one before .gz."""
    path = Path(path)
    inner = Path(path.stem).suffix.lower()
    return inner if path.suffix.lower() == ".gz" and inner in SUFFIXES else path.suffix.lower()


def all_tables(folder: Path) -> list[Path]:
    """All tables of a folder."""
    return sorted(f for f in folder.glob("[!.]*") if suffix(f) in SUFFIXES and f.is_file())


def cell_text(cell: Any) -> str:
    """A cell as a word; "" where there is none."""
    return "" if cell is None else str(cell).strip()


@contextmanager
def open_table(path: Path) -> Iterator[TextIO]:
    """The lines of a table.

    Raises:
        ValueError: it is not in the encoding of its byte order mark, or a damaged .gz.
    """
    opener: Any = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with opener(path, "rb") as file:
            encoding = mark(file.read(4))
            file.seek(0)
            errors = "surrogateescape" if encoding.startswith("utf-8") else "strict"
            yield TextIOWrapper(file, encoding, errors, newline="")
    except (UnicodeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error


def mark(first_bytes: bytes) -> str:
    """The encoding that a byte order mark tells; UTF-8 without one."""
    return next((name for bom, name in MARKS.items() if first_bytes.startswith(bom)), "utf-8")


def header(path: Path) -> list[str]:
    """The names of the columns; of .jsonl, the keys of its first rows.

    Raises:
        ValueError: it is empty, in no UTF-8, or no JSON.
    """
    with open_table(path) as file:
        line = next((line for line in file if line.strip()), "")
    if not line or "\0" in line:
        what = "holds NUL where the columns are named" if line else "is empty"
        raise ValueError(f"{path} {what}: a table in UTF-8 is wanted")
    with open_table(path) as file:
        if suffix(path) != ".jsonl":
            return Separated(file, usual(path)).names
        first_rows = list(islice(objects(file), FIRST_ROWS))
    objs = [row for _, row in first_rows if isinstance(row, dict)]
    if not objs:
        raise ValueError(f"line {first_rows[0][0]} of {path} {first_rows[0][1]}")
    return list(dict.fromkeys(key for row in objs for key in row))


def dialect(path: Path) -> list[str]:
    """What is unusual about how a table is written: its separator, its encoding."""
    with open_table(path) as file:
        encoding = file.encoding.upper()
        separator = usual(path)
        if suffix(path) != ".jsonl":
            separator = Separated(file, separator).separator
    notes = [f"in {encoding}"] if not encoding.startswith("UTF-8") else []
    if separator != usual(path):
        notes.append(f"separated by {SEPARATORS.get(separator, repr(separator))}")
    return notes


def rows(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """The rows with these cells each; None or "" where one is missing. Faults are told in them."""
    with open_table(path) as file:
        if suffix(path) == ".jsonl":
            for number, value in objects(file):
                if isinstance(value, str):
                    yield Row(number, [], value)
                else:
                    yield Row(number, [value.get(name) for name in columns])
            return
        table = Separated(file, usual(path))
        places, width = [table.names.index(name) for name in columns], len(table.names)
        for row in table.rows(width):
            apart = tuple(one._replace(cells=take(one.cells, places)) for one in row.apart)
            yield Row(row.number, take(row.cells, places), row.fault, row.stray, apart)


def take(cells: list[str], places: list[int]) -> list[str]:
    """The cells at these places; "" behind the last one."""
    return [cells[i] if i < len(cells) else "" for i in places]


def objects(file: TextIO) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """The number of each line of a .jsonl that is not blank, and its object or why it is none."""
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, f"is no JSON: {error}"
        else:
            sample = '{"text": ..., "label": ...}'
            yield number, row if isinstance(row, dict) else f"is no object like {sample}"


def usual(path: Path) -> str:
    """The separator that the ending promises."""
    return "," if suffix(path) == ".csv" else "\t"
