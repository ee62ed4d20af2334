"""The layouts that a labelled data set may lie in: hub, IDX, class folders or a table.

    <split>-00000-of-00001.parquet       the hub's, with its card; columns are found by their kind
    train-images-idx3-ubyte.gz           MNIST's own, pictures only
    [train|val|test/]<class>/1.png       one folder a class; see class_folders.py
    labels.csv                           a table: file,label[,split], or of texts; see tables.py

Nothing is decoded here: a row is bytes, a path, a text or an array.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from datamodules.sources import class_folders, columns, idx, parquet, tables
from datamodules.sources.columns import FIND, Columns
from datamodules.sources.files import PICTURES, TEXTS, Kind, ending, walk
from datamodules.sources.labelled_table import by_split, read_tables
from datamodules.sources.rows import NAMES, SPLITS, Rows, Source, refuse
from datamodules.sources.split_tables import split_tables


def open_source(
    location: Path | str, scratch: Path, kind: Kind, cols: Columns = FIND, broken: str = "error"
) -> Source:
    """Read what lies there.

    Args:
        location: a path, or an id on the hub.
        scratch: a folder for what the library `datasets` unpacks; the caller deletes it.
        kind: what the rows should be.
        cols: the columns of texts and labels, where a person named them.
        broken: "skip" leaves rows without a label, or that cannot be read, out; they are listed.

    Raises:
        FileNotFoundError: it is on the hub and there is no connection.
        ValueError: nothing there that can be read, or fewer than two classes.
    """
    if isinstance(location, str):
        parquet.connect(location, kind.example)
    source = _read(location, scratch, kind, cols, broken)
    classes = source.classes
    if len(classes) < 2:
        raise ValueError(
            f"{location} has {len(classes)} class(es) {classes}: two or more are needed; give each "
            "class a folder of its own, or a label in the table"
        )
    return source


def _read(location: Path | str, scratch: Path, kind: Kind, cols: Columns, broken: str) -> Source:
    """Read by whichever of the layouts this is."""
    if isinstance(location, str):
        return _hub_layout(location, scratch, kind, cols, broken)
    is_parquet = kind is TEXTS and tables.suffix(location) == ".parquet"
    if location.is_file() and not is_parquet and tables.suffix(location) not in tables.SUFFIXES:
        cells = "text,label (or .parquet)" if kind is TEXTS else "file,label"
        raise ValueError(
            f"{location} is a file: a folder, or a .csv, .tsv or .jsonl of {cells}, is wanted"
        )
    if is_parquet if location.is_file() else holds_parquet(location):
        return _hub_layout(location, scratch, kind, cols, broken)
    if parts := split_tables(location, kind is TEXTS, cols):
        return read_tables(location, parts, kind is TEXTS, cols, broken)
    if names := [name for name in cols if name is not None]:
        raise ValueError(f"{location} holds no table with the column {' and '.join(names)}")
    if kind is PICTURES and any(location.glob("*-ubyte*")):
        return _idx(location)
    return class_folders.read(location, kind)


def holds_parquet(folder: Path) -> bool:
    """Whether a folder is in the hub's layout."""
    return any(ending(file) == ".parquet" for inside in walk(folder) for file in inside.files)


# --- the hub -------------------------------------------------------------------------------------


def _hub_layout(
    location: Path | str, scratch: Path, kind: Kind, cols: Columns, broken: str
) -> Source:
    """A data set of the hub, a local folder in its layout, or a parquet file of texts."""
    loaded = parquet.tables(location, scratch)
    features = next(iter(loaded.values())).features
    if kind is TEXTS:
        content, label = columns.choose_features(location, features, cols)
    else:
        columns.check_named(location, list(features), cols)
        content = cols.file or parquet.column(features, kind.feature, location)
        label = cols.label or parquet.column(features, "ClassLabel", location)
    cells = {SPLITS.get(name, name): table.data.column(label) for name, table in loaded.items()}
    class_splits = [name for name in cells if name in (*NAMES, "all")]
    where = f"{location}, column {label!r}"
    classes, labels, skipped = parquet.labels(cells, features[label], class_splits, where)
    refuse(skipped, broken)
    splits: dict[str, Rows] = {}
    for name, table in loaded.items():
        name = SPLITS.get(name, name)
        rows = Rows(parquet.Cells(table.data.column(content)), labels[name])
        if len(loaded) == 1 and columns.SPLIT in features:
            parts = [tables.cell_text(cell) for cell in table[columns.SPLIT]]
            splits = by_split(location, rows, parts)
        else:
            splits[name] = rows
    if skipped:
        splits = {name: _with_labels(name, rows) for name, rows in splits.items()}
    return Source(splits, classes, skipped)


def _with_labels(split: str, rows: Rows) -> Rows:
    """The rows that have a label; of what is no split all."""
    if split not in (*NAMES, "all"):
        return rows
    numbers = np.arange(len(rows.labels)) if rows.numbers is None else rows.numbers
    numbered = replace(rows, numbers=numbers, where=f"row {{}} of {split}")
    return numbered.take(np.flatnonzero(rows.labels >= 0))


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
