"""Checkpoints that survive: whole or not there, and checked against a digest at each load.

A file is written beside its target, flushed to the disk, and put in its place only then. Before
that, <file>.sha256 names the digests of the new file and of the one it takes the place of: so
whenever the process is killed, the file that is there has a digest that is named.

    checkpoints/best.ckpt       best.ckpt.sha256        of the best monitored metric
    checkpoints/last-120.ckpt   last-120.ckpt.sha256    after step 120; the newest two are kept
"""

import hashlib
import os
import shutil
import sys
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins import CheckpointIO

from zoo.config.migrate import migrate_checkpoint
from zoo.distributed import environment
from zoo.training.run import Run
from zoo.utilities.errors import FULL
from zoo.utilities.files import replacing

DIGESTS = ".sha256"


class VerifiedIO(CheckpointIO):
    """How Lightning's Trainer writes, reads and removes a checkpoint."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        buffer = BytesIO()
        torch.save(checkpoint, buffer)
        write(Path(path), buffer.getvalue())

    def load_checkpoint(
        self, path: Any, map_location: Any = None, weights_only: bool | None = True
    ) -> dict[str, Any]:
        return load(Path(path))

    def remove_checkpoint(self, path: Any) -> None:
        Path(path).unlink(missing_ok=True)
        _digests_path(Path(path)).unlink(missing_ok=True)


def write(path: Path, data: bytes) -> None:
    """Write a file in place of the one there, whole or not at all, and its digests.

    Raises:
        OSError: it cannot be written; the file that was there still is.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    old_digests = [hashlib.sha256(data).hexdigest()]
    if path.exists() and (old := digest(path)) in read_digests(path):
        old_digests.append(old)
    try:
        with replacing(path) as part, replacing(_digests_path(path)) as digests:  # which come first
            _write(part, data)
            _write(digests, "\n".join(old_digests).encode())
        _flush(path.parent)
    except OSError as error:
        raise _explain(error, path, len(data)) from error


def _write(path: Path, data: bytes) -> None:
    """Write a file, and wait until the disk has it."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _flush(folder: Path) -> None:
    """Wait until the disk has the names in a folder; not all file systems can."""
    handle = os.open(folder, os.O_RDONLY)
    with suppress(OSError):
        os.fsync(handle)
    os.close(handle)


def _explain(error: OSError, path: Path, size: int) -> OSError:
    """The error with what a person can do about it."""
    if error.errno not in FULL:
        return error
    free = shutil.disk_usage(path.parent).free
    return OSError(
        f"{path} could not be written, the disk is full: {size:,} bytes are needed, {free:,} are "
        "free; make room and give the same command again: it goes on from the checkpoint before"
    )


def _digests_path(path: Path) -> Path:
    """The file that names a checkpoint's digests."""
    return path.with_name(path.name + DIGESTS)


def read_digests(path: Path) -> list[str]:
    """The digests that a checkpoint may have."""
    with suppress(FileNotFoundError):
        return _digests_path(path).read_text().split()
    return []


def digest(path: Path) -> str:
    """The sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def is_intact(path: Path) -> bool:
    """Whether a checkpoint is there as it was written."""
    return path.exists() and digest(path) in read_digests(path)


def load(path: Path) -> dict[str, Any]:
    """A checkpoint, on the CPU.

    Raises:
        ValueError: it is damaged, which is told by its digest.
    """
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() not in read_digests(path):
        raise ValueError(f"{path} is damaged: its sha256 is none of those in {path.name}{DIGESTS}")
    return migrate_checkpoint(torch.load(BytesIO(data), weights_only=True, map_location="cpu"))


def newest(run: Run) -> Path | None:
    """The newest checkpoint of a run that is whole; None where there is none at all.

    Raises:
        ValueError: all are damaged.
    """
    for path in run.lasts:
        if is_intact(path):
            return path
        if environment.rank() == 0:
            print(f"damaged   {path.name} is left out", file=sys.stderr)
    if run.lasts:
        raise ValueError(
            f"no checkpoint in {run.checkpoints} is whole: choose another name=, or remove that "
            "folder to start anew"
        )
    return None
