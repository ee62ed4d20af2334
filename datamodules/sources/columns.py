"""Which columns of a table are samples and labels, and which classes the labels name."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

TEXT, FILE, LABEL, SPLIT = "text", "file", "label", "split"
TEXTS = {
    "text", "texts", "sentence", "review", "reviewtext", "content", "comment", "commenttext",
    "body", "tweet", "document", "message", "utterance", "phrase",
}  # fmt: skip
FILES = {
    "file", "files", "filename", "filepath", "path", "image", "imagename", "imagepath", "imagefile",
    "img", "imgname", "imgpath", "picture", "photo", "video", "videoname", "videopath", "clip",
    "audio", "audiopath", "audiofile", "sound", "recording", "wav",
}  # fmt: skip
LABELS = {
    "label", "labels", "class", "classes", "sentiment", "category", "target", "stars", "rating",
    "polarity", "intent",
}  # fmt: skip
USUAL = {TEXT: TEXTS, FILE: FILES}
ASIDE = {"", "id", "index", "idx", "unnamed0", SPLIT}  # neither texts nor labels


class Columns(NamedTuple):
    """The columns of the texts, of their labels, and of files instead of texts; None: find it."""

    text: str | None
    label: str | None
    file: str | None = None


FIND = Columns(None, None)


def choose(
    path: Path | str,
    names: Sequence[str],
    columns: Columns,
    strings: Collection[str] | None = None,
    kind: str = TEXT,
) -> tuple[str, str]:
    """The columns of the texts and the labels: as named, by their usual names, or the only ones.

    Args:
        names: of all columns.
        strings: those that may hold texts; None: any.
        kind: of what has a label: "text", or "file".

    Raises:
        ValueError: there is no such column, two of a name, or which one is meant is not clear.
    """
    check_named(path, names, columns)
    free = [name for name in names if plain(name) not in ASIDE]
    label = columns.label or usual(free, LABEL, LABELS)
    candidates = [name for name in free if name != label and (strings is None or name in strings)]
    content = columns.text if kind == TEXT else columns.file
    content = content or usual(candidates, kind, USUAL[kind])
    content = content or (only(candidates) if kind == TEXT else None)
    label = label or (only([name for name in free if name != content]) if content else None)
    if content is None or label is None or content == label:
        raise ValueError(
            f"{path} has the columns {listed(names)}: which of them are the {kind}s and their "
            f"labels is not clear; name them: data.{kind}_column=NAME data.label_column=NAME; if "
            f"this is a row, not a header, write {kind},label in a line above it"
        )
    for name in (content, label):
        if names.count(name) > 1:
            raise ValueError(f"{path} has {names.count(name)} columns {name!r}: rename all but one")
    return content, label


def check_named(path: Path | str, names: Sequence[str], columns: Columns) -> None:
    """Refuse columns that a person named and that are not there."""
    for name in columns:
        if name is not None and name not in names:
            raise ValueError(f"{path} has no column {name!r}: found {listed(names)}")


def listed(names: Sequence[str]) -> str:
    """Names of columns in a message; long ones may be a row's texts."""
    short = [" ".join(name.split()) for name in names]
    return ", ".join(name if len(name) <= 40 else f"{name[:40]}..." for name in short) or "none"


def choose_text(
    path: Path | str, names: Sequence[str], column: str | None, strings: Collection[str]
) -> str:
    """The column of texts that have no label: as named, by its usual names, or the only one.

    Args:
        names: of all columns.
        strings: those that look like texts.

    Raises:
        ValueError: there is no such column, or which one is meant is not clear.
    """
    if column is not None and column not in names:
        raise ValueError(f"{path} has no column {column!r}: found {listed(names)}")
    free = [name for name in names if plain(name) not in ASIDE]
    text = column or usual(free, TEXT, TEXTS) or only([name for name in free if name in strings])
    if text is None:
        raise ValueError(
            f"{path} has the columns {listed(names)}: which of them is the text is "
            "not clear; name it: data.text_column=NAME"
        )
    return text


def columns_of(
    path: Path | str, names: Sequence[str], texts: bool, columns: Columns
) -> tuple[str, str, bool]:
    """The columns of what the rows of a table hold, and of their labels; whether they hold files.

    Args:
        texts: whether the rows may be texts; they are files where a column of these is named, or
            has a usual name and none of texts has.
    """
    files = not texts or columns.file is not None or (columns.text is None and holds_files(names))
    return *choose(path, names, columns, kind=FILE if files else TEXT), files


def holds_files(names: Sequence[str]) -> bool:
    """Whether usual names say that rows are files with labels, not texts."""
    file, label = has(names, FILES), usual(names, LABEL, LABELS)
    return file and label is not None and not has(names, TEXTS)


def has(names: Sequence[str], others: Collection[str]) -> bool:
    """Whether one of the names is among these."""
    return any(plain(name) in others for name in names)


def choose_features(path: Path | str, features: Any, columns: Columns) -> tuple[str, str]:
    """The same of the features of `datasets`, which say what is text and what a class."""
    classes = [name for name, feature in features.items() if type(feature).__name__ == "ClassLabel"]
    kinds = ("string", "large_string")
    strings = [name for name, feature in features.items() if getattr(feature, "dtype", "") in kinds]
    columns = columns._replace(label=columns.label or only(classes))
    return choose(path, list(features), columns, strings)


def usual(names: Sequence[str], first: str, others: Collection[str]) -> str | None:
    """The column of the first name, else the only one of another usual name."""
    if first in names:
        return first
    alike = [name for name in names if plain(name) == first]
    return only(alike) or only([name for name in names if plain(name) in others])


def only(names: Sequence[str]) -> str | None:
    """The one and only."""
    return names[0] if len(names) == 1 else None


def plain(name: str) -> str:
    """A name in small letters, without what separates words: "Review Text" is reviewtext."""
    return re.sub(r"[\W_]", "", name.lower())


def in_order(classes: Collection[str]) -> list[str]:
    """Names of classes: whole numbers by their value, others as words."""
    integers = all(re.fullmatch(r"-?\d+", name) for name in classes)
    return sorted(classes, key=int) if integers else sorted(classes)


def class_numbers(names: Sequence[str], classes: list[str]) -> np.ndarray:
    """The number of each name among the classes, (N,); -1 of one that is none of them."""
    number = {name: i for i, name in enumerate(classes)}
    return np.array([number.get(name, -1) for name in names], np.int64)
