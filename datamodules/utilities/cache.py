"""Folders that are filled once, under a lock, in $ZOO_CACHE."""

import os
import shutil
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

PATIENCE = 1.0  # seconds of waiting for another process until that is worth a line


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
    with _lock(cache / f"{name}-{key}.lock"):
        if not folder.is_dir():
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            try:
                build(part)
                part.rename(folder)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    return folder


def _lock(path: Path) -> AbstractContextManager[Any]:
    """Take the lock until the `with` ends, saying so when another process holds it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(path).acquire(timeout=PATIENCE)
    except Timeout:
        if os.environ.get("LOCAL_RANK", "0") == "0":  # the others of a run wait for the first
            print(f"waiting for another process to prepare {path.stem}", file=sys.stderr)
        return FileLock(path).acquire()
    except OSError as error:
        raise ValueError(
            f"cannot write to the cache folder {path.parent} ({error.strerror}): "
            "set ZOO_CACHE to a folder that you may write to"
        ) from error
