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
from datamodules.sources.files import printable, walk
from datamodules.sources.labelled_table import named_files


def locate(name: str, source: str | None, hub: str | None) -> Path | str:
    """Where the data set is: a path, or an id on the hub.

    Raises:
        FileNotFoundError: it is nowhere; the message names the ways out.
        ValueError: the source's name cannot be written into a run's config.
    """
    if source is not None:
        if printable(source) != source:
            raise ValueError(
                f"data.source is {printable(source)}, whose name is not UTF-8: rename it, or give "
                "a link to it"
            )
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


def fingerprint(location: Path | str, former: bool = False, **preprocessing: Any) -> str:
    """A digest of the files, with sizes, times and numbers on the disk, and of how they are read.

    Args:
        former: as before numbers, folders and links were of it.

    Raises:
        FileNotFoundError: there are no files.
    """
    contents: list[Any] = [str(location)]
    if isinstance(location, Path):
        cols = Columns(None, *(preprocessing.get(f"{name}_column") for name in (LABEL, FILE)))
        contents, others = describe_files(location, cols)
        contents = [row[:3] for row in contents] if former else [*contents, *others]
    text = json.dumps([contents, preprocessing], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def describe_files(location: Path, cols: Columns) -> tuple[list[Any], list[Any]]:
    """What tells each file from all others, and the folders and links to folders.

    A number on the disk (inode) tells files apart that have the same name, size and time: those of
    folders that changed their names, or of a link that leads elsewhere now.
    """
    links: list[Path] = []
    roots = [location, *named_files(location, cols)]  # a clip may be a folder elsewhere
    folders = [folder for root in roots if root.is_dir() for folder in walk(root, links)]
    rows = []
    for file in sorted({*roots, *(file for folder in folders for file in folder.files)}):
        if os.path.isfile(file):  # a table may name some that are not there
            stat = file.stat()
            place = os.path.relpath(file, location.parent)
            rows.append((place, stat.st_size, stat.st_mtime_ns, stat.st_ino))
    if not rows:
        raise FileNotFoundError(
            f"{printable(location)} has no files in it: put the data there, or set data.source"
        )
    places = sorted(os.path.relpath(folder.path, location.parent) for folder in folders)
    return rows, [*places, *sorted((str(link), os.path.realpath(link)) for link in links)]
