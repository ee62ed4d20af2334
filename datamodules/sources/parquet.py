"""The hub's layout: parquet files, read by the library `datasets`, here or from the hub."""

import os
import socket
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import numpy as np

from datamodules.sources.columns import class_numbers, in_order
from datamodules.sources.labels import check_classes, label_of, unify


def connect(hub: str, example: str, seconds: float = 2) -> None:
    """Probe the hub, or the proxy before it, once; without it `datasets` retries for 23 s.

    Args:
        example: a bundled data set, which needs no download.

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
            f"{os.environ.get('ZOO_DATA') or 'not set'}); data={example} needs no download"
        ) from error


def tables(location: Path | str, scratch: Path) -> Any:
    """The splits of a data set of the hub, or of a local folder in its layout, as tables."""
    import datasets

    if isinstance(location, Path) and location.is_file():
        from pyarrow import parquet

        return {"all": datasets.Dataset(parquet.read_table(location))}
    datasets.disable_progress_bars()
    return datasets.load_dataset(str(location), cache_dir=str(scratch))


class Cells(Sequence[Any]):
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
    """The first column of that kind."""
    for name, feature in features.items():
        if type(feature).__name__ == kind:
            return str(name)
    raise ValueError(f"{location} has no {kind} column: found {', '.join(features)}")


def labels(
    columns: Mapping[str, Any], feature: Any, class_splits: Collection[str], where: str
) -> tuple[list[str], dict[str, np.ndarray], list[str]]:
    """The classes of a column of labels, the numbers (N,) of its cells, and why some have none.

    Args:
        columns: of each split, its cells; those that have no class are -1.
        feature: of `datasets`: what they are.
        class_splits: the splits whose cells are classes.
        where: the column, in messages.

    Raises:
        ValueError: they are no classes.
    """
    missing: list[str] = []
    if type(feature).__name__ == "ClassLabel":
        classes = list(feature.names)
        numbers = {
            split: cells.fill_null(-1).to_numpy().astype(np.int64)
            for split, cells in columns.items()
        }
        for split in class_splits:
            wrong = np.flatnonzero((numbers[split] < 0) | (numbers[split] >= len(classes)))
            missing += [
                f"{where}: row {i} of {split} has the label {numbers[split][i]}, which is none of "
                f"the {len(classes)} classes"
                for i in wrong
            ]
            numbers[split][wrong] = -1
        return classes, numbers, missing
    names: dict[str, list[str]] = {}
    for split, cells in columns.items():
        names[split], faults = _names(cells, f"{where}: row {{}} of {split}")
        missing += faults if split in class_splits else []
    present = [name for split in class_splits for name in names[split] if name]
    spelling = dict(zip(present, unify(present), strict=True))
    classes = in_order({*spelling.values()})
    check_classes(classes, len(present), where)
    numbers = {
        split: class_numbers([spelling.get(name, name) for name in column], classes)
        for split, column in names.items()
    }
    return classes, numbers, missing


def _names(cells: Any, where: str) -> tuple[list[str], list[str]]:
    """Cells as names of classes, "" of those that are none, and why these are not."""
    names, faults = [], []
    for i, cell in enumerate(cells.to_pylist()):
        try:
            names.append(label_of(cell))
        except ValueError as error:
            names.append("")
            faults.append(f"{where.format(i)} {error}")
    return names, faults
