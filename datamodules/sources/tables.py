"""Tables of one sample a row, read row by row: .csv, .tsv or .jsonl; of .parquet, the columns.

    text,label[,split]     texts; columns of other names are found, or told
    file,label[,split]     files beside the table, or in the folders that their rows tell

Labels are words or whole numbers. Bytes that are not UTF-8 stay in their cells, as surrogates.
"""

import csv
import json
import re
import sys
from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np

SUFFIXES = (".csv", ".tsv", ".jsonl")
FILE, TEXT, LABEL, SPLIT = "file", "text", "label", "split"
TEXTS = {
    "text", "texts", "sentence", "review", "reviewtext", "content", "comment", "commenttext",
    "body", "tweet", "document", "message", "utterance", "phrase",
}  # fmt: skip
LABELS = {
    "label", "labels", "class", "classes", "sentiment", "category", "target", "stars", "rating",
    "polarity", "intent",
}  # fmt: skip
ASIDE = {"", "id", "index", "idx", "unnamed0", SPLIT}  # neither texts nor labels


class Columns(NamedTuple):
    """The columns of the texts (or of what else has a label) and of their labels; None: find it."""

    text: str | None
    label: str | None


FOUND = Columns(None, None)


class Table(NamedTuple):
    """What the rows hold, and where each of them stands: `unit` and number."""

    contents: list[Any]
    labels: list[str]
    splits: list[str]  # "" where there is no such column
    numbers: np.ndarray


# --- which columns -------------------------------------------------------------------------------


def choose(
    path: Path | str, names: Sequence[str], told: Columns, strings: Collection[str] | None = None
) -> tuple[str, str]:
    """The columns of the texts and the labels: as told, by their usual names, or the only ones.

    Args:
        names: of all columns.
        strings: those that may hold texts; None: any.

    Raises:
        ValueError: there is no such column, or which one is meant is not clear.
    """
    for name in told:
        if name is not None and name not in names:
            raise ValueError(f"{path} has no column {name!r}: found {', '.join(names)}")
    free = [name for name in names if _plain(name) not in ASIDE]
    label = told.label or usual(free, LABEL, LABELS)
    worded = [name for name in free if name != label and (strings is None or name in strings)]
    text = told.text or usual(worded, TEXT, TEXTS) or only(worded)
    label = label or (only([name for name in free if name != text]) if text else None)
    if text is None or label is None or text == label:
        raise ValueError(
            f"{path} has the columns {', '.join(names) or 'none'}: which of them are the texts and "
            "their labels is not clear; name them: data.text_column=NAME data.label_column=NAME"
        )
    return text, label


def choose_text(
    path: Path | str, names: Sequence[str], told: str | None, strings: Collection[str]
) -> str:
    """The column of texts that have no label: as told, by its usual names, or the only one.

    Args:
        names: of all columns.
        strings: those that look like texts.

    Raises:
        ValueError: there is no such column, or which one is meant is not clear.
    """
    if told is not None and told not in names:
        raise ValueError(f"{path} has no column {told!r}: found {', '.join(names)}")
    free = [name for name in names if _plain(name) not in ASIDE]
    text = told or usual(free, TEXT, TEXTS) or only([name for name in free if name in strings])
    if text is None:
        raise ValueError(
            f"{path} has the columns {', '.join(names) or 'none'}: which of them is the text is "
            "not clear; name it: data.text_column=NAME"
        )
    return text


def columns_of(path: Path, texts: bool, told: Columns) -> tuple[str, str]:
    """The columns of what the rows of a file hold, texts or files, and of their labels."""
    names = header(path)
    files = {FILE, LABEL} <= {*names}
    if texts and (any(told) or TEXT in names or not files):
        return choose(path, names, told)
    if not files:
        raise ValueError(f"{path} has the columns {names}: file and label are needed")
    return FILE, LABEL


def choose_features(path: Path | str, features: Any, told: Columns) -> tuple[str, str]:
    """The same of the features of `datasets`, which say what is text and what a class."""
    classes = [name for name, one in features.items() if type(one).__name__ == "ClassLabel"]
    kinds = ("string", "large_string")
    strings = [name for name, one in features.items() if getattr(one, "dtype", "") in kinds]
    told = told._replace(label=told.label or only(classes))
    return choose(path, list(features), told, strings)


def usual(names: Sequence[str], first: str, others: Collection[str]) -> str | None:
    """The column of the first name, else the only one of another usual name."""
    return first if first in names else only([name for name in names if _plain(name) in others])


def only(names: Sequence[str]) -> str | None:
    """The one and only."""
    return names[0] if len(names) == 1 else None


def _plain(name: str) -> str:
    """A name in small letters, without what separates words: "Review Text" is reviewtext."""
    return re.sub(r"[\W_]", "", name.lower())


def in_order(classes: Collection[str]) -> list[str]:
    """Names of classes: whole numbers by their value, others as words."""
    whole = all(re.fullmatch(r"-?\d+", name) for name in classes)
    return sorted(classes, key=int) if whole else sorted(classes)


def numbered(names: Sequence[str], classes: list[str]) -> np.ndarray:
    """The number of each name among the classes, (N,); -1 of one that is none of them."""
    number = {name: i for i, name in enumerate(classes)}
    return np.array([number.get(name, -1) for name in names], np.int64)


def labels(
    columns: Mapping[str, Any], feature: Any, known: Collection[str]
) -> tuple[list[str], dict[str, np.ndarray]]:
    """The classes of Arrow columns, and the numbers (N,) of their cells.

    Args:
        columns: of each split, the labels.
        feature: of `datasets`: what they are.
        known: the splits whose labels are classes.

    Raises:
        ValueError: a cell is empty.
    """
    if type(feature).__name__ == "ClassLabel":
        numbers = {split: cells.to_numpy().astype(np.int64) for split, cells in columns.items()}
        return list(feature.names), numbers
    names = {split: [told(cell) for cell in c.to_pylist()] for split, c in columns.items()}
    for split in known:
        if "" in names[split]:
            raise ValueError(f"row {names[split].index('')} of {split} has no label")
    classes = in_order({name for split in known for name in names[split]})
    return classes, {split: numbered(names[split], classes) for split in names}


# --- their rows ----------------------------------------------------------------------------------


def every(folder: Path) -> list[Path]:
    """All tables of a folder."""
    return sorted(f for f in folder.glob("[!.]*") if f.suffix.lower() in SUFFIXES)


def found(folder: Path) -> list[Path]:
    """The tables of a folder that name labels, and files or texts."""
    return [f for f in every(folder) if LABEL in (names := _names(f)) and {FILE, TEXT} & {*names}]


def names_files(path: Path) -> bool:
    """Whether its rows are files, not texts."""
    names = _names(path) if path.suffix.lower() in SUFFIXES else []
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
    with opened(path) as file:
        line = next((line for line in file if line.strip()), "")
    if not line or "\0" in line:
        what = "holds NUL where the columns are named" if line else "is empty"
        raise ValueError(f"{path} {what}: a table in UTF-8 is wanted")
    if _suffix(path) == ".jsonl":
        return list(_object(line, path, 1))
    return next(csv.reader([line], delimiter=_delimiter(path)))


def opened(path: Path) -> TextIO:
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
        raw, named, split = (*cells, "") if len(cells) == 2 else cells
        if not (name := told(named)) or raw is None or (content == FILE and not raw):
            raise ValueError(f"line {number} of {path} has no {content} or no {label}")
        table.contents.append(raw)
        table.labels.append(sys.intern(name))
        table.splits.append(sys.intern(told(split)))
        numbers.append(number)
    return table._replace(numbers=np.array(numbers))


def told(cell: Any) -> str:
    """A label or a split as a word; "" where there is none."""
    return "" if cell is None else str(cell).strip()


def rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, list[Any]]]:
    """The number of each line that ends a row, and these cells of the row."""
    with opened(path) as file:
        if _suffix(path) == ".jsonl":
            for number, line in enumerate(file, 1):
                if line.strip():
                    row = _object(line, path, number)
                    yield number, [row.get(name) for name in columns]
            return
        try:
            yield from _separated(file, path, columns)
        except csv.Error as error:  # NUL, to Python 3.10
            raise ValueError(f"{path} cannot be read: {error}") from error


def _separated(file: TextIO, path: Path, columns: Sequence[str]) -> Iterator[tuple[int, list[Any]]]:
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


def _suffix(path: Path) -> str:
    return path.suffix.lower()


def _delimiter(path: Path) -> str:
    return "\t" if _suffix(path) == ".tsv" else ","
