"""What `zoo predict` is asked about: files, folders, lines, standard input."""

import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

UTF8: Any = {"encoding": "utf-8-sig", "errors": "surrogateescape"}  # what is none is found later


class RawInput(NamedTuple):
    """An input: what it is called, what it is, and where it stands if it is a line."""

    name: str
    raw: Any
    place: str = ""


def collect_inputs(args: Namespace, suffixes: frozenset[str]) -> Iterator[RawInput]:
    """Each input, when its turn comes.

    Raises:
        FileNotFoundError: there is none.
    """
    inputs = read_inputs(args, suffixes)
    first = next(inputs, None)
    if first is None:
        raise FileNotFoundError(f"{', '.join(args.inputs)}: no inputs for {args.name} in there")
    return chain([first], inputs)


def read_inputs(args: Namespace, suffixes: frozenset[str]) -> Iterator[RawInput]:
    """Files by their path, texts as they are.

    Raises:
        FileNotFoundError: no such file, where it can be nothing else.
    """
    texts = ".txt" in suffixes
    for word in args.inputs:
        if word == "-":
            yield from read_stdin(texts, args.whole)
        elif exists(word):
            for path in list_inputs(Path(word), suffixes):
                raw_input = RawInput(str(path), path if texts else str(path))
                yield from read_lines(path) if args.lines else [raw_input]
        elif args.lines or args.whole:
            raise FileNotFoundError(f"{word}: there is no such file")
        else:
            yield RawInput(word, word)


def exists(word: str) -> bool:
    try:
        return Path(word).exists()
    except OSError:  # too long for a name
        return False


def read_stdin(texts: bool, whole: bool) -> Iterator[RawInput]:
    """Of texts a line each, or one that is read as it is asked for; else one file."""
    if not texts:
        yield RawInput("-", sys.stdin.buffer.read())
        return
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(**UTF8)
    if whole:
        yield RawInput("-", sys.stdin)
    else:
        yield from number_lines(sys.stdin, "")


def read_lines(path: Path) -> Iterator[RawInput]:
    """The texts of a file that holds one a line."""
    with path.open(**UTF8) as file:
        yield from number_lines(file, f"{path}, ")


def number_lines(lines: Iterable[str], place: str) -> Iterator[RawInput]:
    """Each line that is not empty, with its number."""
    for number, line in enumerate(lines, 1):
        if text := line.strip():
            yield RawInput(text, text, f"{place}line {number}: ")


def list_inputs(path: Path, suffixes: frozenset[str]) -> list[Path]:
    """A file, or all samples in a folder, as training finds them; a folder of frames is a clip.

    What is passed over is said on standard error.
    """
    from datamodules.sources.files import KINDS, ending, find_files, printable

    kind = next((kind for kind in KINDS if kind.suffixes == suffixes), None)
    if path.is_file() or kind is None:
        return [path] if path.is_file() else []
    files = find_files(path, kind)
    if not files.samples and any(ending(file) in kind.frames for file in files.others):
        return [path]
    for line in files.passed_over():
        print(f"zoo: {printable(path)}: passed over: {line}", file=sys.stderr)
    return files.samples
