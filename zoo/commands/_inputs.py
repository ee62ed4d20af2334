"""What `zoo predict` is asked about: files, folders, lines, standard input."""

import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NamedTuple

UTF8: Any = {"encoding": "utf-8-sig", "errors": "surrogateescape"}  # what is none is found later


class Asked(NamedTuple):
    """An input: what it is called, what it is, and where it stands if it is a line."""

    name: str
    raw: Any
    place: str = ""


def collected(given: Namespace, suffixes: frozenset[str]) -> Iterator[Asked]:
    """Each input, when its turn comes: files by their path, texts as they are.

    Raises:
        FileNotFoundError: no such file, where it can be nothing else.
    """
    texts = ".txt" in suffixes
    for word in given.inputs:
        if word == "-":
            yield from standard_input(texts, given.whole)
        elif exists(word):
            for path in found(Path(word), suffixes):
                one = Asked(str(path), path if texts else str(path))
                yield from lines_of(path) if given.lines else [one]
        elif given.lines or given.whole:
            raise FileNotFoundError(f"{word}: there is no such file")
        else:
            yield Asked(word, word)


def exists(word: str) -> bool:
    try:
        return Path(word).exists()
    except OSError:  # too long for a name
        return False


def standard_input(texts: bool, whole: bool) -> Iterator[Asked]:
    """Of texts a line each, or one that is read as it is asked for; else one file."""
    if not texts:
        yield Asked("-", sys.stdin.buffer.read())
        return
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(**UTF8)
    if whole:
        yield Asked("-", sys.stdin)
    else:
        yield from numbered(sys.stdin, "")


def lines_of(path: Path) -> Iterator[Asked]:
    """The texts of a file that holds one a line."""
    with path.open(**UTF8) as file:
        yield from numbered(file, f"{path}, ")


def numbered(lines: Iterable[str], place: str) -> Iterator[Asked]:
    """Each line that is not empty, with its number."""
    for number, line in enumerate(lines, 1):
        if text := line.strip():
            yield Asked(text, text, f"{place}line {number}: ")


def found(path: Path, suffixes: frozenset[str]) -> list[Path]:
    """A file, or all files of the right kind in a folder; a folder of frames is a clip."""
    if path.is_file():
        return [path]
    inside = sorted(f for f in path.rglob("*") if f.suffix.lower() in suffixes)
    return inside or ([path] if suffixes & {".mp4"} and any(path.iterdir()) else [])
