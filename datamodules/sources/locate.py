"""The one door to data: a name, folder or file -> rows that are not decoded yet -> cached arrays.

A data set is looked for in this order:

    data.source=PATH     in one of the layouts of layouts.py, or as the data set's own file says
    $ZOO_DATA/<name>     the same
    the hub              by its id, through the library `datasets`, after one connection probe

What is made of it is prepared once, under a lock, in `$ZOO_CACHE` (default ~/.cache/zoo).
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from datamodules.sources.columns import FILE, LABEL, Columns
from datamodules.sources.labelled_table import files


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
    data_folder = os.environ.get("ZOO_DATA")
    if data_folder and (Path(data_folder).expanduser() / name).exists():
        return Path(data_folder).expanduser() / name
    if hub:
        return hub
    raise FileNotFoundError(f"no data for {name!r}: give data.source=PATH, or put it in $ZOO_DATA")


def fingerprint(location: Path | str, **preprocessing: Any) -> str:
    """A digest of the files, with sizes and times, and of how they are read."""
    contents: list[Any] = [str(location)]
    if isinstance(location, Path):
        cols = Columns(None, *(preprocessing.get(f"{name}_column") for name in (LABEL, FILE)))
        stats = [(file, file.stat()) for file in files(location, cols) if file.is_file()]
        root = location.parent
        contents = [(os.path.relpath(f, root), stat.st_size, stat.st_mtime_ns) for f, stat in stats]
    text = json.dumps([contents, preprocessing], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
