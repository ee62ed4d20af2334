"""Documents of a text of any size, one after another, as parts of strings.

    mine.txt, text8                     UTF-8; empty lines end its paragraphs, which are documents
    mine.{jsonl,csv,tsv,parquet}        a document a row, in a column that is found or named
    a folder of one of these kinds      its files in the order of their names
    an id on the hub, or its layout     as .parquet

No more than a line, a cell or a megabyte is in memory.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from datamodules.inputs.text import BAD, LONG, LONGER, SUFFIXES, parts, read_text
from datamodules.sources import columns, parquet, tables
from datamodules.sources.files import Kind, find_files

PARQUET = ".parquet"
RUNNING = Kind("texts", SUFFIXES | {*tables.SUFFIXES, PARQUET}, "Value", "python_docs")
LONGEST = 1000  # words of a document; word2vec.c cuts its sentences there
AT_ONCE = 1000  # rows of a .parquet that are in memory

Stream = Iterator[tuple[str, bool]]  # parts of documents; whether the document ends with it


def open_documents(location: Path | str, scratch: Path, column: str | None) -> Callable[[], Stream]:
    """What reads the text that lies there, from its start at each call.

    Args:
        location: a file, a folder, or an id on the hub.
        scratch: a folder for what the library `datasets` unpacks; the caller deletes it.
        column: the column of the texts in a table; None finds it.

    Raises:
        FileNotFoundError: it is on the hub and there is no connection, or no text in the folder.
        ValueError: files of several kinds; reading may raise it, too: what is no text, no column.
    """
    if isinstance(location, str):
        parquet.connect(location, RUNNING.example)
    files = [location] if isinstance(location, str) or location.is_file() else inside(location)
    if isinstance(location, str) or (location.is_dir() and tables.suffix(files[0]) == PARQUET):
        loaded = parquet.tables(location, scratch).values()
        return lambda: (part for table in loaded for part in of_hub(location, table, column))
    return lambda: (part for file in files for part in of_file(Path(file), column))


def inside(folder: Path) -> list[Path]:
    """The files of a folder, which are of one kind."""
    files = find_files(folder, RUNNING).samples
    kinds = sorted({tables.suffix(file) for file in files})
    if not files:
        others = ", ".join(sorted(RUNNING.suffixes - SUFFIXES))
        raise FileNotFoundError(
            f"no .txt files in {folder}, nor {others}: put some there or set data.source"
        )
    if len(kinds) > 1:
        raise ValueError(
            f"{folder} holds files of several kinds ({', '.join(kinds)}): give one of them, or a "
            "folder of one kind, as data.source"
        )
    return files


def of_file(path: Path, column: str | None) -> Stream:
    """The documents of a file."""
    if tables.suffix(path) == PARQUET:
        return of_parquet(path, column)
    return rows(path, column) if tables.suffix(path) in tables.SUFFIXES else paragraphs(path)


def paragraphs(path: Path) -> Stream:
    """The lines of a text file; an empty one ends a document, and so does a part without a space.

    Raises:
        ValueError: it is not UTF-8 or holds a NUL, with the position of the byte.
    """
    with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
        for _, part in parts(file):
            if BAD.search(part):
                raise fault(path)
            yield part, part.isspace() or (len(part) >= LONGER and " " not in part)
    yield "", True


def fault(path: Path) -> ValueError:
    """What is wrong with the first byte of a file that is no text."""
    place, kind = 0, "surrogateescape"
    with path.open(encoding="utf-8", errors=kind, newline="") as file:
        while part := file.readline(LONG):
            bad = BAD.search(part)
            place += len(part[: bad.start() if bad else None].encode(errors=kind))
            if bad:
                byte = bad[0].encode(errors=kind)[0]
                what = f"0x{byte:02x}, which is not UTF-8" if byte else "NUL, which is no text"
                return ValueError(f"{path}: byte {place:,} is {what}: save it as UTF-8")
    raise AssertionError(path)


def rows(path: Path, column: str | None) -> Stream:
    """The texts of a table, a document each; one that is not there has no words.

    Raises:
        ValueError: no such column, or which is not clear; a row that cannot be read, or its text.
    """
    names = tables.header(path)
    first = next((row.cells for row in tables.rows(path, names) if not row.fault), names)
    cells = zip(names, first, strict=True)
    text_like = [
        name for name, cell in cells if isinstance(cell, str) and re.search("[^\\W\\d]", cell)
    ]
    text_column = columns.choose_text(path, names, column, text_like)
    for row in tables.rows(path, [text_column]):
        if row.fault:
            raise ValueError(f"line {row.number} of {path} {row.fault}")
        (cell,) = row.cells
        try:
            text = "" if cell is None else read_text(cell)
        except ValueError as error:
            raise ValueError(f"line {row.number} of {path}: {error}") from error
        yield text, True


def of_parquet(path: Path, column: str | None) -> Stream:
    """The texts of a .parquet file."""
    from pyarrow import ArrowInvalid, parquet

    try:
        file = parquet.ParquetFile(path, memory_map=True)
    except ArrowInvalid as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    text_column = text_column_of(path, file.schema_arrow, column)
    for batch in file.iter_batches(AT_ONCE, columns=[text_column]):
        yield from cells_as_documents(batch.column(0))


def of_hub(location: Path | str, table: Any, column: str | None) -> Stream:
    """The texts of a split that the library `datasets` has opened, which stay on the disk."""
    text_column = text_column_of(location, table.data.schema, column)
    for chunk in table.data.column(text_column).chunks:
        for start in range(0, len(chunk), AT_ONCE):
            yield from cells_as_documents(chunk.slice(start, AT_ONCE))


def text_column_of(path: Path | str, schema: Any, column: str | None) -> str:
    """The column of the texts, by Arrow's schema of a table."""
    strings = [field.name for field in schema if str(field.type) in ("string", "large_string")]
    return columns.choose_text(path, schema.names, column, strings)


def cells_as_documents(cells: Any) -> Stream:
    """Arrow's cells as documents."""
    return ((str(cell or ""), True) for cell in cells.to_pylist())


def pieces(stream: Iterable[tuple[str, bool]]) -> Iterator[str]:
    """The documents in pieces of at most LONGEST words, none of them empty."""
    rest: list[str] = []
    for text, ends in stream:
        rest += text.split()
        count = len(rest) if ends else len(rest) // LONGEST * LONGEST
        for start in range(0, count, LONGEST):
            yield " ".join(rest[start : min(start + LONGEST, count)])
        if count:
            rest = rest[count:]
