"""The rows of word2vec's files, a word and its vector each, as text and in binary.

Words may hold spaces, as `. . .` of GloVe's 840B does and whatever gensim was given: a row of text
is read from its end, and of the spaces of a binary row that one is taken behind which the numbers
are a vector's: text that is read as a float32 is very large or small (b"yor " is 1.6e-19).

Shapes: D dimensions.
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import IO

import numpy as np

Rows = Iterator[tuple[str, np.ndarray]]

BOM, FASTTEXT = b"\xef\xbb\xbf", b"\xba\x16\x4f\x2f"  # what files may begin with
LOOK = 10  # rows by which the dimensions are counted where no header says them
DIGITS = 10  # of a number in a header, at most
LONGEST = 1000  # bytes of a word in a binary file
WIDEST = 100_000  # dimensions of a binary file, below
CHUNK = 2**20  # bytes that are read at once
FRACTION = re.compile(r"[-+]?\d*\.\d+(?:[eE][-+]?\d+)?")
TEXT = re.compile(rb"[-+.eE\d\s]*")
AGAIN = "fetch it again"
FIRST_LINE = f"{AGAIN}, or correct its first line"


def read_text(path: Path, file: IO[bytes]) -> Rows:
    """The rows of a text file, with a header ("words dimensions") or without, as GloVe's.

    Raises:
        ValueError: naming the line that is no word and its numbers, or lacks some; or another
            count of words than the header's.
    """
    lines = (line for line in enumerate(file, 1) if line[1].strip())
    look = list(islice(lines, LOOK))
    if look and look[0][1].startswith(BOM):
        look[0] = look[0][0], look[0][1].removeprefix(BOM)
    header = _header(look[0][1]) if look else None
    look = look[1:] if header else look
    if not look and not header:
        return
    size = header[1] if header else _count_numbers([line for _, line in look])
    count = 0
    for number, line in chain(look, lines):
        count += 1
        yield _text_row(line, size, f"line {number:,} of {path}")
    if header and count != header[0]:
        raise ValueError(f"{path} has {count:,} words of {header[0]:,}: {FIRST_LINE}")


def _header(line: bytes) -> tuple[int, int] | None:
    """Words and dimensions, if the first line of a file says them."""
    parts = line.split()
    if len(parts) != 2 or not all(part.isdigit() and len(part) < DIGITS for part in parts):
        return None
    return int(parts[0]), int(parts[1])


def _count_numbers(lines: list[bytes]) -> int:
    """The dimensions of rows without a header: of most of them, how many numbers they end in."""
    return Counter(_trailing_numbers(line.split()[1:]) for line in lines).most_common(1)[0][0]


def _trailing_numbers(parts: list[bytes]) -> int:
    for count, part in enumerate(reversed(parts)):
        try:
            float(part)
        except ValueError:
            return count
    return len(parts)


def _text_row(line: bytes, size: int, place: str) -> tuple[str, np.ndarray]:
    row = line.decode("utf-8", "replace").rstrip(" \t\r\n").replace("\t", " ")
    word, *numbers = row.rsplit(" ", size) if size else [row]
    if "" in numbers:  # several spaces between numbers
        word, *numbers = re.sub(r"(?<=\S) +", " ", row).rsplit(" ", size)
    try:
        vector = np.array([*map(float, numbers)])
    except ValueError as error:
        raise ValueError(f"{place} is no word and its numbers: {error}") from error
    if not size:
        raise ValueError(f"{place} is no word and its numbers")
    more = FRACTION.fullmatch(word.rpartition(" ")[2]) if " " in word else None
    if more or len(vector) != size:
        has = f"more than {size}" if more else f"{len(vector)}"
        raise ValueError(f"{place} has {has} numbers of {size}: {AGAIN}")
    return word, _check_finite(vector, place)


def read_binary(path: Path, file: IO[bytes]) -> Rows:
    """The rows of a binary file: a header, then of each row the word, a space and D float32s.

    word2vec.c ends rows with a line break, gensim does not.

    Raises:
        ValueError: no header; a row that ends early, or rows behind the last one.
    """
    first = file.readline(100)
    if first.startswith(FASTTEXT):
        raise ValueError(f"{path} is a model of fastText: give the .vec file beside it")
    if (header := _header(first)) is None or not 0 < header[1] < WIDEST:
        raise ValueError(
            f"{path} begins with {first[:20]!r}: binary vectors begin with 'words dimensions'"
        )
    count, size = header
    buffer, place, offset = b"", 0, len(first)
    for number in range(1, count + 1):
        least = 2 * LONGEST + 4 * size + 2  # a word, its vector, and the word behind it
        while len(buffer) - place < least and (more := file.read(CHUNK)):
            offset, buffer, place = offset + place, buffer[place:] + more, 0
        space = _find_vector(buffer, place, size)
        if space is None:
            raise ValueError(
                f"{path} ends at byte {offset + len(buffer):,}, in word {number:,} of {count:,}: "
                f"{FIRST_LINE}"
            )
        if number == 1 and size > 1 and TEXT.fullmatch(buffer, space, space + 1 + 4 * size):
            raise ValueError(f"{path} is text, no binary file: call it .txt")
        word = buffer[place:space].removeprefix(b"\n").decode("utf-8", "replace")
        vector = np.frombuffer(buffer, "<f4", size, space + 1)
        yield word, _check_finite(vector, f"word {number:,} of {path}")
        place = space + 1 + 4 * size
    if (buffer[place:] + file.read(2)).strip():
        raise ValueError(
            f"{path} goes on after the {count:,} words that its first line promises: {FIRST_LINE}"
        )


def _find_vector(buffer: bytes, start: int, size: int) -> int | None:
    """The space between a word that begins there and its vector; None where the file ends first.

    Of several it is the one behind which numbers are nearest to 1 in size, and then another word.
    """
    best, spread, space = None, np.inf, start - 1
    while (space := buffer.find(b" ", space + 1, start + LONGEST)) >= 0:
        end = space + 1 + 4 * size
        if end > len(buffer) or (best is not None and not _is_word(buffer[start:space])):
            break
        best = space if best is None else best
        if (wide := _spread(buffer, space + 1, size)) < spread and _word_begins(buffer, end):
            best, spread = space, wide
    return best


def _spread(buffer: bytes, start: int, size: int) -> float:
    """How far from 1 the float32s from there on are, in powers of ten; infinite if not finite."""
    sizes = np.abs(np.frombuffer(buffer, "<f4", size, start))
    if not np.isfinite(sizes).all():
        return np.inf
    return float(np.abs(np.log10(sizes[sizes > 0])).max(initial=0))


def _word_begins(buffer: bytes, start: int) -> bool:
    """Whether a word and a space follow, or nothing does."""
    rest = buffer[start : start + LONGEST]
    return not rest.strip() or (b" " in rest and _is_word(rest[: rest.index(b" ")]))


def _is_word(data: bytes) -> bool:
    """Whether bytes are UTF-8 without control characters, but for a line break before them."""
    try:
        return not re.search("[\0-\x1f\x7f]", data.removeprefix(b"\n").decode())
    except UnicodeDecodeError:
        return False


def _check_finite(vector: np.ndarray, place: str) -> np.ndarray:
    """A vector (D,) as float32; a ValueError where a number is not finite in it."""
    with np.errstate(over="ignore"):
        numbers = vector.astype(np.float32)
    if not np.isfinite(numbers).all():
        raise ValueError(f"{place} has numbers that are not finite: {AGAIN}")
    return numbers
