"""The rows of labelled tables: texts, or files beside them.

Which tables of a folder are read is in split_tables.py, how each is in tables.py, which of its
columns are meant in columns.py.
"""

import os
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from datamodules.sources import columns, tables
from datamodules.sources.columns import FILE, FIND, SPLIT, Columns
from datamodules.sources.labels import check_classes, label_of, unify
from datamodules.sources.rows import SPLITS, Rows, Source, refuse
from datamodules.sources.split_tables import Tables, split_tables


class Sample(NamedTuple):
    """A row with a label: the line that it begins in, and what it says."""

    number: int
    content: Any
    label: str
    split: str  # "" where there is no such column


# --- their rows ----------------------------------------------------------------------------------


def read_tables(location: Path, parts: Tables, texts: bool, cols: Columns, broken: str) -> Source:
    """Tables of texts, or of files beside them.

    Args:
        parts: of `split_tables`.
        broken: "skip" leaves out rows that cannot be read; they are listed.

    Raises:
        ValueError: columns that are not clear, a row that cannot be read, labels that are no
            classes.
        FileNotFoundError: a row names a file that is not there.
    """
    skipped: list[str] = []
    notes = passed_over(location, parts)
    samples: dict[str, list[Sample]] = {}
    for split, path in sorted(parts.items(), key=lambda part: part[0] != "train"):
        content, label, of_files = columns.columns_of(path, tables.header(path), texts, cols)
        cols = Columns(None, label, content) if of_files else Columns(content, label)
        rows, faults = read_rows(path, content, label, of_files, notes)
        refuse(faults, broken)
        if of_files:
            rows, absent = find_files(path, split, rows)
            refuse(absent, broken, FileNotFoundError)
            faults += absent
        samples[split], skipped = rows, skipped + faults
    every = [one.label for rows in samples.values() for one in rows]
    if skipped and not every:
        raise ValueError(f"no row of {location} can be read: {skipped[0]}")
    spelling = dict(zip(every, unify(every), strict=True))
    classes = columns.in_order({*spelling.values()})
    check_classes(classes, len(every), f"{location}, column {label!r}")
    splits: dict[str, Rows] = {}
    for split, path in parts.items():
        part = samples[split]
        numbers = columns.class_numbers([spelling[one.label] for one in part], classes)
        lines = np.array([one.number for one in part], np.int64)
        undivided = Rows([one.content for one in part], numbers, lines, f"line {{}} of {path}")
        names = [one.split for one in part]
        splits |= {split: undivided} if split else by_split(path, undivided, names)
    return Source(splits, classes, skipped, notes)


def passed_over(location: Path, parts: Tables) -> list[str]:
    """A line on the tables that lie beside those that are read."""
    if location.is_file():
        return []
    folders = {path.parent for path in parts.values()}
    beside = {table for folder in folders for table in tables.all_tables(folder)}
    names = ", ".join(sorted(table.name for table in beside - {*parts.values()}))
    read = ", ".join(path.name for path in parts.values())
    return [f"tables    {read}; passed over: {names}"] if names else []


def read_rows(
    path: Path, content: str, label: str, of_files: bool, notes: list[str]
) -> tuple[list[Sample], list[str]]:
    """The samples of a table, and why other rows are none.

    Args:
        notes: gets what is unusual about how the table is written.
    """
    names = tables.header(path)
    split = columns.only([name for name in names if columns.plain(name) == SPLIT])
    entries: list[Sample | str] = []
    doubtful: dict[int, list[Sample | str]] = {}
    stray = []
    for row in tables.rows(path, [content, label, *([split] if split else [])]):
        if row.apart:
            lines = [sample_of(line, path, content, of_files) for line in row.apart]
            doubtful[len(entries)] = lines
        entries.append(sample_of(row, path, content, of_files))
        stray.extend([row.number] if row.stray else [])
    for i, samples in sorted(swallowed(entries, doubtful).items(), reverse=True):
        entries[i : i + 1] = samples
        stray.append(samples[0].number)
    notes += [f"table     {path.name} is {what}" for what in tables.dialect(path)]
    if stray:
        notes.append(
            f"table     {path.name} has stray quote marks in {len(stray):,} place(s), which are "
            f"read as they stand; the first is in line {min(stray)}"
        )
    faults = [one for one in entries if isinstance(one, str)]
    return [one for one in entries if isinstance(one, Sample)], faults


def swallowed(
    entries: list[Sample | str], doubtful: dict[int, list[Sample | str]]
) -> dict[int, list[Sample]]:
    """Those of several lines that are rows between two stray quote marks, and these rows.

    They are where each line has a label of other rows; of no others, one that comes again.
    """
    rows = [one for i, one in enumerate(entries) if doubtful and i not in doubtful]
    labels = {one.label for one in rows if isinstance(one, Sample)}
    apart = {}
    for i, lines in doubtful.items():
        samples = [one for one in lines if isinstance(one, Sample)]
        counts = Counter(one.label for one in samples)
        again = {label for label, count in counts.items() if count > 1}
        if len(samples) == len(lines) and counts.keys() <= (labels or again):
            apart[i] = samples
    return apart


def sample_of(row: tables.Row, path: Path, content: str, of_files: bool) -> Sample | str:
    """A row as a sample, or why it is none; an empty text is left to who reads it."""
    where = f"line {row.number} of {path}"
    if row.fault:
        return f"{where} {row.fault}"
    raw, label, split = (*row.cells, "")[:3]
    if raw is None or (of_files and not str(raw).strip()):
        return f"{where} has no {content}"
    try:
        name = sys.intern(label_of(label))
    except ValueError as error:
        return f"{where} {error}"
    return Sample(row.number, raw, name, sys.intern(tables.cell_text(split)))


def by_split(path: Path | str, rows: Rows, split_names: list[str]) -> dict[str, Rows]:
    """The rows of each split, as each row tells it; all where none does."""
    names = {*split_names}
    wrong = {name for name in names if name.lower() not in SPLITS} if names != {""} else set()
    if wrong:
        raise ValueError(f"{path} has the split {wrong.pop()!r}: train, val or test is wanted")
    places = np.array([SPLITS.get(name.lower(), "all") for name in split_names])
    return {str(split): rows.take(np.flatnonzero(places == split)) for split in np.unique(places)}


# --- the files that they name --------------------------------------------------------------------


def find_files(path: Path, split: str, samples: list[Sample]) -> tuple[list[Sample], list[str]]:
    """The samples whose files are there, with their paths, and which other ones are not."""
    present, absent = [], []
    for one in samples:
        if file := place(path, one, split):
            present.append(one._replace(content=file))
        else:
            names = f"names {str(one.content).strip()!r}, and there is no such file"
            absent.append(f"line {one.number} of {path} {names} beside the table")
    return present, absent


def place(table: Path, sample: Sample, split: str) -> Path | None:
    """Where the file of a row is: beside the table, or in the folder of its class or its split."""
    name = str(sample.content).strip()
    split = sample.split or split
    folders = [(), (split, sample.label), (sample.label,), (split,)]
    for file in (name, name.replace("\\", "/")):  # as Windows writes it
        for folder in folders:
            if os.path.exists(path := os.path.join(table.parent, *folder, file)):
                return Path(path)
    return None


def named_files(location: Path, cols: Columns = FIND) -> list[Path]:
    """The files that the tables of a folder name, or that one table names."""
    paths: list[Path] = []
    if location.is_dir() or tables.suffix(location) in tables.SUFFIXES:
        with suppress(ValueError):  # who reads it says why
            for part in split_tables(location, False, cols).items():
                paths += table_files(*part, cols)
    return paths


def table_files(split: str, path: Path, cols: Columns) -> list[Path]:
    """The files that a table names; none of one of texts."""
    names = tables.header(path)
    if cols.file is None and not columns.has(names, columns.FILES):
        return []
    both = columns.choose(path, names, cols, kind=FILE)
    samples, _ = read_rows(path, *both, True, [])
    return [one.content for one in find_files(path, split, samples)[0]]
