"""Which tables of a folder are a data set, and which splits they are.

labels.csv                    one table, whose column `split` may tell the splits
train.csv, test.csv           a table a split
train/metadata.csv, ...       the same, in the folders of the splits
data/...                      one of these a level below
"""

import re
from pathlib import Path

from datamodules.sources import columns, tables
from datamodules.sources.columns import FIND, Columns
from datamodules.sources.rows import SPLITS

Tables = dict[str, Path]  # by split; of a single one the split is ""


def split_tables(location: Path, texts: bool, cols: Columns = FIND) -> Tables:
    """The tables of a data set by their splits; none where there are none.

    Raises:
        ValueError: there are several, and their names are not those of splits.
    """
    if location.is_file():
        return {"": location}
    if paths := candidates(location, texts, cols):
        return by_name(location, paths)
    parts = {}
    for folder in (d for d in sorted(location.iterdir()) if d.name.lower() in SPLITS):
        if folder.is_dir() and len(paths := candidates(folder, texts, cols)) == 1:
            parts[SPLITS[folder.name.lower()]] = paths[0]
    if "train" in parts:
        return parts
    data = location / "data"
    return split_tables(data, texts, cols) if data.is_dir() else {}


def candidates(folder: Path, texts: bool, cols: Columns) -> list[Path]:
    """The tables of a folder with labels; where it has no folders, of texts also other ones."""
    paths = tables.all_tables(folder)
    loose = texts and not any(d.is_dir() for d in folder.glob("[!.]*"))
    return [f for f in paths if is_labelled(f, texts, cols)] or (paths if loose else [])


def is_labelled(path: Path, texts: bool, cols: Columns) -> bool:
    """Whether a table has the columns that were named, or such of usual names."""
    try:
        names = tables.header(path)
    except ValueError:
        return False
    content = columns.has(names, columns.FILES) or (texts and columns.has(names, columns.TEXTS))
    usual = content and columns.has(names, columns.LABELS)
    return {*cols} - {None} <= {*names} if any(cols) else usual


def by_name(folder: Path, paths: list[Path]) -> Tables:
    """Tables by the splits that their names tell, such as train.csv or reviews-test.csv."""
    if len(paths) == 1:
        return {"": paths[0]}
    splits = [(split_of(path), path) for path in paths]
    parts = {split: path for split, path in splits if split}
    if "train" in parts and len(parts) == sum(bool(split) for split, _ in splits) > 1:
        return parts
    names = ", ".join(table.name for table in paths)
    raise ValueError(
        f"{folder} has several tables ({names}): call them train, val and test, or give one of "
        "them as data.source"
    )


def split_of(path: Path) -> str:
    """The split that the name of a file tells; "" for none or several."""
    words = re.split(r"[\W_]+", path.name.lower())
    splits = {SPLITS[word] for word in words if word in SPLITS}
    return splits.pop() if len(splits) == 1 else ""
