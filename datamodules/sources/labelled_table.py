"""A table of texts with labels, or of files beside it, and where it lies; see tables.py."""

from pathlib import Path
from typing import Any

import numpy as np

from datamodules.sources import columns, tables
from datamodules.sources.columns import Columns
from datamodules.sources.rows import SPLITS, Rows, Source


def read_table(location: Path, texts: bool, cols: Columns) -> Source:
    """A table of texts, or of files beside it; see tables.py."""
    paths = candidates(location, texts) if location.is_dir() else [location]
    if len(paths) > 1:
        names = ", ".join(table.name for table in paths)
        raise ValueError(f"{location} has several tables ({names}): give one as data.source")
    path = paths[0]
    both = columns.columns_of(path, texts, cols)
    table = tables.read(path, *both)
    raws: list[Any] = table.contents
    if both[0] == tables.FILE:
        cells = zip(raws, table.labels, table.splits, strict=True)
        raws = [_place(path, *row) for row in cells]
    classes = columns.in_order({*table.labels})
    rows = Rows(
        raws, columns.class_numbers(table.labels, classes), table.numbers, f"line {{}} of {path}"
    )
    return Source(by_split(path, rows, table.splits), classes)


def candidates(folder: Path, texts: bool) -> list[Path]:
    """The tables of a folder; where it has no folders, of texts also those of other columns."""
    loose = texts and not any(d.is_dir() for d in folder.glob("[!.]*"))
    return tables.labelled_tables(folder) or (tables.all_tables(folder) if loose else [])


def by_split(path: Path | str, rows: Rows, split_names: list[str]) -> dict[str, Rows]:
    """The rows of each split, as each row tells it; all where none does."""
    names = {*split_names}
    wrong = {name for name in names if name.lower() not in SPLITS} if names != {""} else set()
    if wrong:
        raise ValueError(f"{path} has the split {wrong.pop()!r}: train, val or test is wanted")
    places = np.array([SPLITS.get(name.lower(), "all") for name in split_names])
    return {str(split): rows.take(np.flatnonzero(places == split)) for split in np.unique(places)}


def _place(table: Path, file: Any, label: str, split: str) -> Path:
    """Where the file of a row is: beside the table, or in the class folder that the row tells."""
    beside, inside = table.parent / str(file), table.parent / split / label / str(file)
    return inside if inside.exists() and not beside.exists() else beside


def files(location: Path) -> list[Path]:
    """Every file of a data set: those of a folder, and those that a table names."""
    folder = location.is_dir()
    label_tables = tables.labelled_tables(location) if folder else [location]
    paths = [
        _place(table, file, label, split)
        for table in label_tables
        if tables.names_files(table)
        for file, label, split in zip(*tables.read(table, "file", "label")[:3], strict=True)
    ]
    return sorted({*(location.rglob("*") if folder else [location]), *paths})
