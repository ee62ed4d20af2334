"""Word vectors to start from: a CBOW of the zoo's, or a file in word2vec's formats.

    cbow.wikipedia_2015, runs/cbow/mine  released weights, a run, a weights file
    vectors.txt, glove.vec               text: "word x x x" a line, below "words dimensions" or not
    vectors.bin                          binary: that line, then each word, a space and float32s
    vectors.txt.gz, vectors.bin.gz       these, packed

A file is read from front to end and only what is wanted is kept, so it may be larger than memory.
"""

import gzip
from collections.abc import Collection, Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any

import numpy as np

FILES = frozenset({".txt", ".vec", ".bin", ".gz"})
Vectors = dict[str, np.ndarray]  # each (D,)


def read(source: str, wanted: Collection[str], dimensions: int) -> Vectors:
    """The vectors of those wanted words that are there.

    Args:
        dimensions: that they must have.

    Raises:
        FileNotFoundError: no such file or weights.
        ValueError: a damaged file, other dimensions, or none of the words; as `zoo.load`.
    """
    of_a_file = Path(source).suffix.lower() in FILES
    pairs = _of_file(Path(source)) if of_a_file else _of_model(source)
    known, found = frozenset(wanted), Vectors()
    for word, vector in pairs:
        if len(vector) != dimensions:
            raise ValueError(
                f"{source} has vectors of {len(vector)} numbers ({word!r}) and model.embedding is "
                f"{dimensions}: set model.embedding={len(vector)}, or mend the file"
            )
        if word in known:
            found.setdefault(word, vector)
    if not found:
        raise ValueError(
            f"{source} knows none of the {len(known):,} words of the data: give vectors of their "
            "language, in lower case"
        )
    return found


def _of_model(source: str) -> Iterator[tuple[str, np.ndarray]]:
    """Those of a model that has learned some."""
    from zoo import cards

    model: Any = cards.load(source)
    if not hasattr(model, "word_vectors"):
        raise ValueError(
            f"{source} is a {type(model).__name__}, which has no word vectors: give a CBOW, or a "
            f"file that ends in {', '.join(sorted(FILES))}"
        )
    return zip(*model.word_vectors(), strict=True)


def _of_file(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Those of a file of word2vec's, in its order."""
    if not path.is_file():
        raise FileNotFoundError(f"no word vectors at {path}: give a file or the name of a CBOW")
    packed = path.suffix.lower() == ".gz"
    name = path.stem if packed else path.name
    opened: Any = gzip.open if packed else open
    with opened(path, "rb") as file:
        yield from (_binary if name.lower().endswith(".bin") else _text)(path, file)


def _binary(path: Path, file: IO[bytes]) -> Iterator[tuple[str, np.ndarray]]:
    head = file.readline(100).split()
    if len(head) != 2 or not all(part.isdigit() for part in head):
        raise ValueError(f"{path} begins with {head}: binary vectors begin with 'words dimensions'")
    count, size = int(head[0]), 4 * int(head[1])
    for number in range(count):
        word = _word(file)
        data = file.read(size)
        if len(data) < size:
            raise ValueError(f"{path} ends at word {number + 1:,} of {count:,}: fetch it again")
        yield word, np.frombuffer(data, "<f4")


def _word(file: IO[bytes]) -> str:
    """The bytes up to the next space, after the line break that some writers leave."""
    letters = iter(lambda: file.read(1), b" ")
    return b"".join(_until_end(letters)).lstrip(b"\n").decode("utf-8", "replace")


def _until_end(letters: Iterator[bytes]) -> Iterator[bytes]:
    for letter in letters:
        if not letter:  # the file's end, which `read` tells again and again
            return
        yield letter


def _text(path: Path, file: IO[bytes]) -> Iterator[tuple[str, np.ndarray]]:
    first = file.readline()
    head = len(first.split()) == 2  # "words dimensions", which GloVe's files lack
    for number, line in enumerate(chain([] if head or not first else [first], file), 1 + head):
        word, *numbers = line.decode("utf-8", "replace").rstrip().split(" ")
        try:
            yield word, np.array(numbers, np.float32)
        except ValueError as error:
            raise ValueError(
                f"line {number} of {path} is no word and its numbers: {error}"
            ) from error
