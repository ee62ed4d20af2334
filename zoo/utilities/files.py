"""Files that are written completely or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PART = ".part"


@contextmanager
def replacing(path: Path, part: Path | None = None) -> Iterator[Path]:
    """Give a path to write to; the file there takes the place of PATH, unless an error comes.

    Args:
        part: that path, where a library minds the ending; else PATH.part.
    """
    part = part or path.with_name(path.name + PART)
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def replace(path: Path, content: str | bytes) -> None:
    """Write a file in place of the one there; text in UTF-8."""
    with replacing(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
