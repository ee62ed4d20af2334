"""The layouts that a labelled data set may lie in: hub, IDX, class folders or a table.

    <split>-00000-of-00001.parquet       the hub's, with its card; columns are found by their kind
    train-images-idx3-ubyte.gz           MNIST's own, pictures only
    [train|val|test/]<class>/1.png       one folder a class; see class_folders.py
    labels.csv                           a table: file,label[,split], or of texts; see tables.py

Nothing is decoded here: a row is bytes, a path, a text or an array.
"""

from pathlib import Path
from typing import Any

import numpy as np

from datamodules.sources import class_folders, columns, idx, parquet, tables
from datamodules.sources.columns import FIND, Columns
from datamodules.sources.files import PICTURES, TEXTS, Kind, ending, list_folder, walk
from datamodules.sources.rows import NAMES, SPLITS, Rows, Source


def open_source(location: Path | str, scratch: Path, kind: Kind, cols: Columns = FIND) -> Source:
    """Read what lies there.

    Args:
        location: a path, or an id on the hub.
        scratch: a folder for what the library `datasets` unpacks; the caller deletes it.
        kind: what the rows should be.
        cols: the columns of texts and labels, where a person named them.

    Raises:
        FileNotFoundError: it is on the hub and there is no connection.
        ValueError: nothing there that can be read, or fewer than two classes.
    """
    if isinstance(location, str):
        parquet.connect(location, kind.example)
    source = _read(location, scratch, kind, cols)
    classes = source.classes
    if len(classes) < 2:
        raise ValueError(
            f"{location} has {len(classes)} class(es) {classes}: two or more are needed; give each "
            "class a folder of its own, or a label in the table"
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


def _read(location: Path | str, scratch: Path, kind: Kind, cols: Columns) -> Source:
    """Read by whichever of the layouts this is."""
    if isinstance(location, str):
        return _hub_layout(location, scratch, kind, cols)
    is_parquet = kind is TEXTS and tables.suffix(location) == ".parquet"
    if location.is_file() and not is_parquet and tables.suffix(location) not in tables.SUFFIXES:
        cells = "text,label (or .parquet)" if kind is TEXTS else "file,label"
        raise ValueError(
            f"{location} is a file: a folder, or a .csv, .tsv or .jsonl of {cells}, is wanted"
        )
    if is_parquet if location.is_file() else holds_parquet(location):
        return _hub_layout(location, scratch, kind, cols)
    if location.is_file() or _candidates(location, kind):
        return _table(location, kind, cols)
    if kind is PICTURES and any(location.glob("*-ubyte*")):
        return _idx(location)
    return class_folders.read(location, kind)


def holds_parquet(folder: Path) -> bool:
    """Whether a folder is in the hub's layout."""
    return any(ending(file) == ".parquet" for inside in walk(folder) for file in inside.files)


# --- the hub -------------------------------------------------------------------------------------


def _hub_layout(location: Path | str, scratch: Path, kind: Kind, cols: Columns) -> Source:
    """A data set of the hub, a local folder in its layout, or a parquet file of texts."""
    loaded = parquet.tables(location, scratch)
    features = next(iter(loaded.values())).features
    if kind is TEXTS:
        content, label = columns.choose_features(location, features, cols)
    else:
        kinds = (kind.feature, "ClassLabel")
        content, label = (parquet.column(features, one, location) for one in kinds)
    cells = {SPLITS.get(name, name): table.data.column(label) for name, table in loaded.items()}
    class_splits = [name for name in cells if name in (*NAMES, "all")]
    classes, labels = columns.labels(cells, features[label], class_splits)
    splits: dict[str, Rows] = {}
    for name, table in loaded.items():
        name = SPLITS.get(name, name)
        rows = Rows(parquet.Cells(table.data.column(content)), labels[name])
        if len(loaded) == 1 and tables.SPLIT in features:
            parts = [tables.cell_text(cell) for cell in table[tables.SPLIT]]
            return Source(_by_split(location, rows, parts), classes)
        splits[name] = rows
    return Source(splits, classes)


# --- MNIST's own format --------------------------------------------------------------------------


def _idx(folder: Path) -> Source:
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
    highest = [int(rows.labels.max()) for rows in splits.values() if len(rows.labels)]
    return Source(splits, [str(i) for i in range(max(highest, default=-1) + 1)])


# --- tables --------------------------------------------------------------------------------------


def _table(location: Path, kind: Kind, cols: Columns) -> Source:
    """A table of texts, or of files beside it; see tables.py."""
    candidates = _candidates(location, kind) if location.is_dir() else [location]
    if len(candidates) > 1:
        names = ", ".join(table.name for table in candidates)
        raise ValueError(f"{location} has several tables ({names}): give one as data.source")
    path = candidates[0]
    both = columns.columns_of(path, kind is TEXTS, cols)
    table = tables.read(path, *both)
    raws: list[Any] = table.contents
    if both[0] == tables.FILE:
        cells = zip(raws, table.labels, table.splits, strict=True)
        raws = [_place(path, *row) for row in cells]
    classes = columns.in_order({*table.labels})
    rows = Rows(
        raws, columns.class_numbers(table.labels, classes), table.numbers, f"line {{}} of {path}"
    )
    return Source(_by_split(path, rows, table.splits), classes)


def _candidates(folder: Path, kind: Kind) -> list[Path]:
    """The tables of a folder; where it has no folders, of texts also those of other columns."""
    loose = kind is TEXTS and not list_folder(folder)[0]
    return tables.labelled_tables(folder) or (tables.all_tables(folder) if loose else [])


def _by_split(path: Path | str, rows: Rows, split_names: list[str]) -> dict[str, Rows]:
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


def table_files(location: Path) -> list[Path]:
    """The files that the tables of a folder name, or that one table names."""
    label_tables = tables.labelled_tables(location) if location.is_dir() else [location]
    return [
        _place(table, file, label, split)
        for table in label_tables
        if tables.names_files(table)
        for file, label, split in zip(*tables.read(table, "file", "label")[:3], strict=True)
    ]
