"""Word vectors in files: a CBOW of the zoo's, or word2vec's formats, which others read and write.

    cbow.wikipedia_2015, runs/cbow/mine  released weights, a run, a weights file
    vectors.txt, glove.vec               text: "word x x x" a line, below "words dimensions" or not
    vectors.bin                          binary: that line, then each word, a space and float32s
    vectors.txt.gz, glove.840B.300d.zip  these, packed; a .zip holds one of them

How their rows are read stands in rows.py. A file is read from front to end and `read` keeps only
the words asked for, so it may be larger than memory.

Shapes: V words, D dimensions.
"""

import gzip
import zlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, nullcontext
from itertools import islice
from lzma import LZMAError
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile, ZipFile

import numpy as np

from zoo.utilities.files import replacing
from zoo.words.rows import read_binary, read_text

FILES = frozenset({".txt", ".vec", ".bin", ".gz", ".zip"})
FORMS = (".txt", ".vec", ".bin")
DAMAGE = (EOFError, zlib.error, LZMAError, gzip.BadGzipFile, BadZipFile, NotImplementedError)
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


def vocabulary(source: str | Path, most: int) -> list[str]:
    """The first words of a file or of a model that has learned some; errors are those of `load`."""
    return [word for word, _ in islice(_pairs(str(source)), most)]


def network(source: str) -> Any:
    """The model that has learned the vectors; None where they are in a file."""
    if Path(source).suffix.lower() in FILES:
        return None
    from zoo.pretrained.load import load as load_model

    return load_model(source)


def write(path: str | Path, vocabulary: Sequence[str], vectors: np.ndarray) -> Path:
    """Write a file of word2vec's, whole or not at all: .txt and .vec are text, .bin binary.

    Args:
        path: behind it .gz, if it shall be packed: vectors.bin.gz.
        vectors: of each word (V, D); float32 comes back as it was.

    Raises:
        ValueError: another ending; a word with white space in it; not a vector for each word.
    """
    path, table = Path(path), np.asarray(vectors, "<f4")
    if path.suffix.lower() not in {*FORMS, ".gz"} or _form(path) not in FORMS:
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
    model = network(source)
    if model is None:
        return _of_file(Path(source))
    if not hasattr(model, "word_vectors"):
        raise ValueError(
            f"{source} is a {type(model).__name__}, which has no word vectors: give a CBOW, a "
            f"classifier of texts, or a file that ends in {', '.join(sorted(FILES))}"
        )
    return zip(*model.word_vectors(), strict=True)


def _of_file(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Those of a file of word2vec's, in its order."""
    if not path.is_file():
        raise FileNotFoundError(f"no word vectors at {path}: give a file or the name of a CBOW")
    count = 0
    try:
        with ExitStack() as stack:
            file, form = _open(path, stack)
            for pair in (read_binary if form == ".bin" else read_text)(path, file):
                count += 1
                yield pair
    except DAMAGE as error:
        raise ValueError(
            f"{path} is damaged after {count:,} words ({error}): fetch it again"
        ) from error


def _open(path: Path, stack: ExitStack) -> tuple[IO[bytes], str]:
    """The file, or the one that is packed in it, and the ending that says its form."""
    if path.suffix.lower() != ".zip":
        open_file: Any = gzip.open if path.suffix.lower() == ".gz" else open
        return stack.enter_context(open_file(path, "rb")), _form(path)
    archive = stack.enter_context(ZipFile(path))
    hidden = ("__MACOSX", ".")
    names = [n for n in archive.namelist() if not n.endswith("/") and not n.startswith(hidden)]
    vectors = [name for name in names if _form(Path(name)) in FORMS]
    if len(vectors) != 1:
        listed = ", ".join(vectors or names)
        raise ValueError(
            f"{path} holds {len(vectors)} files of vectors ({listed}): unpack it and give one of "
            "them"
        )
    if archive.getinfo(vectors[0]).flag_bits & 1:
        raise ValueError(f"{path} is locked with a password: unpack it")
    return stack.enter_context(archive.open(vectors[0])), _form(Path(vectors[0]))
