"""The layouts that a labelled data set may lie in: hub, IDX, class folders or a table.

    <split>-00000-of-00001.parquet       the hub's, with its card; columns are found by their kind
    imdb.npz                             Keras' integer form of IMDB; see ranks.py
    train-images-idx3-ubyte.gz           MNIST's own, pictures only
    [train|val|test/]<class>/1.png       one folder a class
    labels.csv                           file,label[,split]; of texts also text,label[,split]

Nothing is decoded here: a row is bytes, a path, a text or an array.
"""

import csv
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import numpy as np

from datamodules import idx, ranks
from datamodules.inputs import clip, image, sound, text

NAMES = {"train": "train training", "val": "val valid validation dev", "test": "test testing t10k"}
SPLITS = {name: split for split, names in NAMES.items() for name in names.split()}
UNLABELLED = "unsup"  # beside the classes of aclImdb_v1: reviews without a label


@dataclass(frozen=True)
class Kind:
    """What the rows are: a word for them, the endings of their files, their column on the hub."""

    plural: str
    suffixes: frozenset[str]
    feature: str  # a class of `datasets`
    example: str  # an embedded data set, which needs no download


PICTURES = Kind(
    "pictures",
    image.SUFFIXES,
    "Image",
    "digits",
)
TEXTS = Kind("texts", text.SUFFIXES, "Value", "negated_reviews")
CLIPS = Kind("videos", clip.SUFFIXES, "Video", "moving_digits")
SOUNDS = Kind("sounds", sound.SUFFIXES, "Audio", "plucked_strings")


@dataclass(frozen=True)
class Rows:
    """One split: `raws[i]` is bytes, a path, a text or an array, `labels[i]` counts the classes."""

    raws: Sequence[Any] | np.ndarray
    labels: np.ndarray

    def take(self, indices: np.ndarray) -> "Rows":
        """These rows only; nothing is read."""
        return Rows([self.raws[i] for i in indices], self.labels[indices])


@dataclass(frozen=True)
class Source:
    """A data set as it was found: its splits and the names of its classes."""

    splits: dict[str, Rows]
    classes: list[str]


def open_source(location: Path | str, scratch: Path, kind: Kind) -> Source:
    """Read what lies there.

    Args:
        location: a path, or an id on the hub.
        scratch: a folder for what the library `datasets` unpacks; the caller deletes it.
        kind: what the rows should be.

    Raises:
        FileNotFoundError: it is on the hub and there is no connection.
        ValueError: nothing there that can be read, or fewer than two classes.
    """
    if isinstance(location, str):
        connect(location, kind)
    source = _reader(location, kind)(location, scratch)
    classes = source.classes
    if len(classes) < 2:
        raise ValueError(
            f"{location} has {len(classes)} class(es) {classes}: two or more are "
            "needed; put each class into a folder of its own"
        )
    for split, rows in source.splits.items():
        wrong = np.flatnonzero((rows.labels < 0) | (rows.labels >= len(classes)))
        if split in NAMES and len(wrong):
            label = rows.labels[wrong[0]]
            raise ValueError(
                f"{location}: row {wrong[0]} of {split} has the label {label}, "
                f"which is none of the {len(classes)} classes"
            )
    return source


def connect(hub: str, kind: Kind, seconds: float = 2) -> None:
    """Probe the hub, or the proxy before it, once; without it `datasets` retries for 23 s.

    Raises:
        FileNotFoundError: nobody answers; the message names the ways out.
    """
    address = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    server = urlsplit(getproxies().get("https", address))
    try:
        socket.create_connection((server.hostname, server.port or 443), timeout=seconds).close()
    except OSError as error:
        raise FileNotFoundError(
            f"no connection to the hub, where {hub} is ({error.strerror or error}): connect, or "
            "give data.source=PATH, or put the data in a folder of $ZOO_DATA (now "
            f"{os.environ.get('ZOO_DATA') or 'not set'}); data={kind.example} needs no download"
        ) from error


def _reader(location: Path | str, kind: Kind) -> Callable[[Any, Path], Source]:
    """Which of the layouts this is."""
    hub, table = partial(_hub_layout, kind=kind), partial(_table, kind=kind)
    if isinstance(location, str):
        return hub
    if location.is_file():
        if location.suffix.lower() not in (".csv", ".tsv"):
            wanted = "text,label" if kind is TEXTS else "file,label"
            raise ValueError(
                f"{location} is a file: a folder, or a .csv or .tsv of {wanted}, is wanted"
            )
        return table
    if any(location.rglob("*.parquet")):
        return hub
    if tables(location):
        return table
    if kind is TEXTS and any(location.glob("*.npz")):
        return _ranks
    pictures = kind is PICTURES and any(location.glob("*-ubyte*"))
    return _idx if pictures else partial(_class_folders, kind=kind)


# --- the hub -------------------------------------------------------------------------------------


def _hub_layout(location: Path | str, scratch: Path, kind: Kind) -> Source:
    """A data set of the hub, or a local folder in its layout."""
    loaded = hub_tables(location, scratch)
    features = next(iter(loaded.values())).features
    content = column(features, kind.feature, location)
    label = column(features, "ClassLabel", location)
    splits = {}
    for name, table in loaded.items():
        labels = table.data.column(label).to_numpy().astype(np.int64)
        splits[SPLITS.get(name, name)] = Rows(_Cells(table.data.column(content)), labels)
    return Source(splits, list(features[label].names))


def hub_tables(location: Path | str, scratch: Path) -> Any:
    """The splits of a data set of the hub, or of a local folder in its layout, as tables."""
    import datasets

    datasets.disable_progress_bars()
    return datasets.load_dataset(str(location), cache_dir=str(scratch))


class _Cells(Sequence[Any]):
    """An Arrow column of texts, or of structs (bytes, path), row by row."""

    def __init__(self, cells: Any) -> None:
        self.cells = cells

    def __len__(self) -> int:
        return len(self.cells)

    def __getitem__(self, index: Any) -> Any:
        value = self.cells[int(index)].as_py()
        if not isinstance(value, dict):
            return value
        return value["bytes"] if value["bytes"] is not None else Path(value["path"])


def column(features: Any, kind: str, location: Path | str) -> str:
    """The first column of that kind; of plain values, the first that holds text."""
    for name, feature in features.items():
        text = getattr(feature, "dtype", None) in ("string", "large_string")
        if type(feature).__name__ == kind and (kind != "Value" or text):
            return str(name)
    wanted = "text" if kind == "Value" else kind
    raise ValueError(f"{location} has no {wanted} column: found {', '.join(features)}")


# --- MNIST's own format --------------------------------------------------------------------------


def _idx(folder: Path, _: Path) -> Source:
    """<split>-images-idx3-ubyte.gz beside <split>-labels-idx1-ubyte.gz."""
    splits = {}
    for images in sorted(folder.glob("*-images*-ubyte*")):
        name = images.name.split("-images")[0]
        beside = next(folder.glob(f"{name}-labels*-ubyte*"), None)
        if beside is None:
            raise FileNotFoundError(f"{images.name} has no labels file beside it in {folder}")
        pixels, labels = idx.read(images), idx.read(beside).astype(np.int64)
        if pixels.ndim != 3 or labels.shape != pixels.shape[:1]:
            raise ValueError(
                f"{images} has the shape {pixels.shape} and {beside.name} {labels.shape}: "
                "(N, H, W) and (N,) are wanted"
            )
        splits[SPLITS.get(name, name)] = Rows(pixels, labels)
    seen = [int(rows.labels.max()) for rows in splits.values() if len(rows.labels)]
    return Source(splits, [str(i) for i in range(max(seen, default=-1) + 1)])


# --- Keras' integers -----------------------------------------------------------------------------


def _ranks(folder: Path, _: Path) -> Source:
    """Keras' integers, as the texts that they stand for."""
    found = ranks.read(folder)
    splits = {split: Rows(texts, labels) for split, (texts, labels) in found.items()}
    return Source(splits, ["neg", "pos"])


# --- class folders -------------------------------------------------------------------------------


def _class_folders(folder: Path, _: Path, kind: Kind) -> Source:
    """[train|val|test/]<class>/*.png; classes in the order of their names."""
    parts = {SPLITS[d.name.lower()]: d for d in _folders(folder) if d.name.lower() in SPLITS}
    whole = "train" not in parts or not _folders(parts["train"])  # or a class is named train
    found = {
        split: [
            (f, d.name)
            for d in _folders(root)
            if kind is not TEXTS or d.name != UNLABELLED
            for f in kept_files(d, kind)
        ]
        for split, root in ({"all": folder} if whole else parts).items()
    }
    classes = sorted({name for files in found.values() for _, name in files})
    if not classes:
        ending = min(kind.suffixes, key=lambda suffix: (suffix not in (".png", ".mp4"), suffix))
        raise ValueError(
            f"no {kind.plural} in {folder}: put them into one folder a class, such as "
            f"{folder}/cat/1{ending} and {folder}/dog/1{ending}"
        )
    return Source({split: _rows(files, classes) for split, files in found.items()}, classes)


def _rows(raws: list[tuple[Any, str]], classes: list[str]) -> Rows:
    number = {name: i for i, name in enumerate(classes)}
    labels = np.array([number[name] for _, name in raws], np.int64)
    return Rows([raw for raw, _ in raws], labels)


def _folders(folder: Path) -> list[Path]:
    return sorted(d for d in folder.iterdir() if d.is_dir() and not d.name.startswith("."))


def kept_files(folder: Path, kind: Kind) -> list[Path]:
    """The files of a kind below a folder, but for hidden ones; a folder of pictures is a clip."""
    found = {f for f in folder.rglob("*") if f.suffix.lower() in kind.suffixes}
    if kind is CLIPS:
        pictures = (f for f in folder.rglob("*") if f.suffix.lower() in PICTURES.suffixes)
        found |= {f.parent for f in pictures} - {folder}
    return sorted(f for f in found if "/." not in f"/{f.relative_to(folder).as_posix()}")


# --- tables --------------------------------------------------------------------------------------


def tables(folder: Path) -> list[Path]:
    """The csv and tsv files of a folder that name labels, and files or texts."""
    found = sorted([*folder.glob("*.csv"), *folder.glob("*.tsv")])
    return [f for f in found if "label" in _header(f) and {"file", "text"} & set(_header(f))]


def _header(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        return next(csv.reader(file, delimiter=_delimiter(path)), [])


def _delimiter(path: Path) -> str:
    return "\t" if path.suffix.lower() == ".tsv" else ","


def _table(location: Path, _: Path, kind: Kind) -> Source:
    """A csv with the columns file or text, label and, if there is one, split."""
    found = tables(location) if location.is_dir() else [location]
    if len(found) > 1:
        names = ", ".join(table.name for table in found)
        raise ValueError(f"{location} has several tables ({names}): give one as data.source")
    content = "text" if kind is TEXTS and "text" in _header(found[0]) else "file"
    rows = read_table(found[0], content)
    named = {row.get("split") or "" for row in rows}
    wrong = {name for name in named if name.lower() not in SPLITS} if named != {""} else set()
    if wrong:
        raise ValueError(f"{found[0]} has the split {wrong.pop()!r}: train, val or test is wanted")
    raws: dict[str, list[tuple[Any, str]]] = {}
    for row in rows:
        split = SPLITS.get((row.get("split") or "").lower(), "all")
        raw = row[content] if content == "text" else _place(found[0], row)
        raws.setdefault(split, []).append((raw, row["label"]))
    classes = sorted({row["label"] for row in rows})
    return Source({split: _rows(part, classes) for split, part in raws.items()}, classes)


def _place(table: Path, row: dict[str, str]) -> Path:
    """Where the file of a row is: beside the table, or in the class folder that the row tells."""
    beside = table.parent / row["file"]
    inside = table.parent / (row.get("split") or "") / row["label"] / row["file"]
    return inside if inside.exists() and not beside.exists() else beside


def read_table(path: Path, content: str) -> list[dict[str, str]]:
    """The rows of a table whose column `content` is file or text.

    Raises:
        ValueError: there is no such column or no label, or a row without one of them.
    """
    if not {content, "label"} <= set(_header(path)):
        raise ValueError(f"{path} has the columns {_header(path)}: {content} and label are needed")
    csv.field_size_limit(2**31 - 1)  # Python's own limit of 128 kB cuts long texts
    with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
        rows = list(csv.DictReader(file, delimiter=_delimiter(path)))
    for line, row in enumerate(rows, start=2):
        if not row[content] or not row["label"]:
            raise ValueError(f"line {line} of {path} has no {content} or no label")
    return rows


def files(location: Path) -> list[Path]:
    """Every file of a data set: those of a folder, and those that a table names."""
    folder = location.is_dir()
    found = tables(location) if folder else [location] if location.suffix == ".csv" else []
    named = [
        _place(table, row)
        for table in found
        if "file" in _header(table)
        for row in read_table(table, "file")
    ]
    return sorted({*(location.rglob("*") if folder else [location]), *named})
