"""Word vectors in files: a CBOW of the zoo's, or word2vec's formats, which others read and write.

    cbow.wikipedia_2015, runs/cbow/mine  released weights, a run, a weights file
    vectors.txt, glove.vec               text: "word x x x" a line, below "words dimensions" or not
    vectors.bin                          binary: that line, then each word, a space and float32s
    vectors.txt.gz, vectors.bin.gz       these, packed

A file is read from front to end and `read` keeps only the words asked for, so it may be larger than
memory.

Shapes: V words, D dimensions.
"""

import gzip
import zlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import nullcontext
from itertools import chain
from pathlib import Path
from typing import IO, Any

import numpy as np

from zoo.utilities.files import replacing

FILES = frozenset({".txt", ".vec", ".bin", ".gz"})
FORMS = (".txt", ".vec", ".bin")
Vectors = dict[str, np.ndarray]  # each (D,)


def load(source: str | Path) -> tuple[list[str], np.ndarray]:
    """All words, in their order, and their vectors (V, D), float32: what `Neighbours` takes.

    Of a word that is there twice the first counts.

    Raises:
        FileNotFoundError: no such file or weights.
        ValueError: a damaged file, or none in it; as `zoo.load`.
    """
    vectors = Vectors()
    for word, vector in _pairs(str(source)):
        vectors.setdefault(word, vector)
    if len({len(vector) for vector in vectors.values()}) != 1:
        raise ValueError(f"{source} has no vectors, or not all of one size: fetch it again")
    return [*vectors], np.stack([*vectors.values()])


def read(source: str, words: Collection[str], dimensions: int) -> Vectors:
    """The vectors of those of some words that the file has.

    Args:
        dimensions: that they must have.

    Raises:
        FileNotFoundError: no such file or weights.
        ValueError: a damaged file, other dimensions, or none of the words; as `zoo.load`.
    """
    vocabulary, vectors = frozenset(words), Vectors()
    for word, vector in _pairs(source):
        if len(vector) != dimensions:
            raise ValueError(
                f"{source} has vectors of {len(vector)} numbers ({word!r}) and model.embedding is "
                f"{dimensions}: set model.embedding={len(vector)}, or mend the file"
            )
        if word in vocabulary:
            vectors.setdefault(word, vector)
    if not vectors:
        raise ValueError(
            f"{source} knows none of the {len(vocabulary):,} words of the data: give vectors "
            "of their language, in lower case"
        )
    return vectors


def write(path: str | Path, vocabulary: Sequence[str], vectors: np.ndarray) -> Path:
    """Write a file of word2vec's, whole or not at all: .txt and .vec are text, .bin binary.

    Args:
        path: behind it .gz, if it shall be packed: vectors.bin.gz.
        vectors: of each word (V, D); float32 comes back as it was.

    Raises:
        ValueError: another ending; a word with white space in it; not a vector for each word.
    """
    path, table = Path(path), np.asarray(vectors, "<f4")
    if path.suffix.lower() not in FILES or _form(path) not in FORMS:
        raise ValueError(f"{path} should end in {', '.join(FORMS)}, or these and .gz")
    if table.ndim != 2 or len(table) != len(vocabulary) or not len(table):
        raise ValueError(f"{len(vocabulary)} words and vectors {table.shape}: one each is wanted")
    if wrong := [word for word in vocabulary if word.split() != [word]]:
        raise ValueError(f"the word {wrong[0]!r} has white space in it or is empty: rename it")
    as_bytes = _in_binary if _form(path) == ".bin" else _in_text
    gz = path.suffix.lower() == ".gz"
    with replacing(path) as part, part.open("wb") as plain:
        target = gzip.GzipFile("", "wb", fileobj=plain, mtime=0) if gz else nullcontext(plain)
        with target as file:
            file.write(f"{len(table)} {table.shape[1]}\n".encode())
            file.writelines(as_bytes(*pair) for pair in zip(vocabulary, table, strict=True))
    return path


def _in_binary(word: str, vector: np.ndarray) -> bytes:
    return word.encode() + b" " + vector.tobytes() + b"\n"


def _in_text(word: str, vector: np.ndarray) -> bytes:
    numbers = " ".join(["%.9g"] * len(vector)) % tuple(vector.tolist())  # all of a float32
    return f"{word} {numbers}\n".encode()


def _form(path: Path) -> str:
    """The ending that says how vectors are written, without that of packing."""
    is_packed = path.suffix.lower() == ".gz"
    return Path(path.stem if is_packed else path.name).suffix.lower()


def _pairs(source: str) -> Iterator[tuple[str, np.ndarray]]:
    """Each word and its vector, of a file or of a model that has learned some."""
    if Path(source).suffix.lower() in FILES:
        return _of_file(Path(source))
    from zoo.pretrained.load import load

    model: Any = load(source)
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
    open_file: Any = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with open_file(path, "rb") as file:
            yield from (_binary if _form(path) == ".bin" else _text)(path, file)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path} is damaged ({error}): fetch it again") from error


def _binary(path: Path, file: IO[bytes]) -> Iterator[tuple[str, np.ndarray]]:
    head = file.readline(100).split()
    if len(head) != 2 or not all(part.isdigit() for part in head):
        raise ValueError(f"{path} begins with {head}: binary vectors begin with 'words dimensions'")
    count, size = int(head[0]), 4 * int(head[1])
    for number in range(1, count + 1):
        word, data = _word(file), file.read(size)
        if len(data) < size:
            raise ValueError(f"{path} ends at word {number:,} of {count:,}: fetch it again")
        yield word, _finite(np.frombuffer(data, "<f4"), f"word {number:,} of {path}")
    if file.read(2).strip():
        raise ValueError(
            f"{path} goes on after the {count:,} words that its first line promises: fetch it again"
        )


def _word(file: IO[bytes]) -> str:
    """The bytes up to the next space, after the line break that some writers leave."""
    letters = iter(lambda: file.read(1) or b" ", b" ")  # and no further than the end of the file
    return b"".join(letters).lstrip(b"\n").decode("utf-8", "replace")


def _text(path: Path, file: IO[bytes]) -> Iterator[tuple[str, np.ndarray]]:
    first = file.readline()
    sizes = first.split()
    head = len(sizes) == 2 and all(part.isdigit() for part in sizes)  # which GloVe's files lack
    number = 0
    for number, line in enumerate(chain([] if head or not first else [first], file), 1):
        place = f"line {number + head} of {path}"
        word, *numbers = line.decode("utf-8", "replace").rstrip().split(" ")
        try:
            vector = np.array(numbers, np.float32)
        except ValueError as error:
            raise ValueError(f"{place} is no word and its numbers: {error}") from error
        if head and len(numbers) != int(sizes[1]):
            raise ValueError(
                f"{place} has {len(numbers)} numbers of {int(sizes[1])}: fetch it again"
            )
        yield word, _finite(vector, place)
    if head and number != int(sizes[0]):
        raise ValueError(f"{path} has {number:,} words of {int(sizes[0]):,}: fetch it again")


def _finite(vector: np.ndarray, place: str) -> np.ndarray:
    if not np.isfinite(vector).all():
        raise ValueError(f"{place} has numbers that are not finite: fetch it again")
    return vector
