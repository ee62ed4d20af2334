"""Files that are written completely or not at all."""

import os
from pathlib import Path

PART = ".part"


def replace(path: Path, text: str) -> None:
    """Write a text file in place of the one there, whole or not at all."""
    part = path.with_name(path.name + PART)
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)
