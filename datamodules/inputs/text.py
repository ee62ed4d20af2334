"""Raw text -> word ids and back; how a text is cut into words is in tokenizer.py."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TextIO

import numpy as np
import torch
from torch import Tensor

from datamodules.inputs import Input
from datamodules.inputs.tokenizer import RULES, UNKNOWN_WORD, Tokenizer

PADDING, UNKNOWN, FIRST = 0, 1, 2  # ids: of no word, of a word not in the vocabulary, of the first
SUFFIXES = frozenset({".txt"})
LONG = 2**20  # characters of a line that are read at once
LONGER = 2 * LONG  # a line without a space is cut there
Side = Literal["pre", "post"]

BAD = re.compile("[\0\ud800-\udfff]")  # NUL, and surrogates, which stand for undecoded bytes
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")  # halves of a character beyond U+FFFF


def read_text(raw: str | bytes | Path) -> str:
    """A text as it was given, or the text of a file in UTF-8, with a byte order mark or without.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no text, is not UTF-8, holds a NUL or half a surrogate pair, with the
            position.
    """
    prefix = f"{raw}: " if isinstance(raw, Path) else ""
    if not isinstance(raw, str | bytes | Path):
        raise ValueError(f"a text is wanted, or the path of one: got {type(raw).__name__}")
    raw = _encode(raw) if isinstance(raw, str) else raw
    data = raw.read_bytes() if isinstance(raw, Path) else raw
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = error.start + len(data) - len(error.object)  # without the byte order mark
        raise ValueError(
            f"{prefix}byte {start} is 0x{data[start]:02x}, which is not UTF-8: save it as UTF-8"
        ) from error
    if "\0" in text:
        raise ValueError(f"{prefix}byte {data.index(0)} is NUL: this is no text in UTF-8")
    return text


def _encode(text: str) -> bytes:
    """A text as UTF-8; bytes that a table could not decode are surrogates, and bytes again."""
    if _PAIR.search(text):
        text = _PAIR.sub(
            lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), text
        )
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        code = ord(text[error.start])
        raise ValueError(
            f"character {error.start} is U+{code:04X}, half of a surrogate pair: cut texts between "
            "characters"
        ) from error


def replace_bad_bytes(raw: Any) -> tuple[str, int]:
    """A text with U+FFFD for each byte that is not UTF-8 or is NUL, and how many these were."""
    if not isinstance(raw, str | bytes | Path):
        return read_text(raw), 0  # which says what is wanted
    data = raw.read_bytes() if isinstance(raw, Path) else raw
    text = data.decode("utf-8-sig", "surrogateescape") if isinstance(data, bytes) else data
    return BAD.subn("\N{REPLACEMENT CHARACTER}", text)


class TextInput(Input):
    """Texts as a batch of word ids of one length: 0 is padding, 1 an unknown word.

    Args:
        vocabulary: the known words; the first has the id 2.
        max_length: words of a row: longer texts are cut, shorter ones padded.
        padding: where the padding stands: before the words or after them.
        truncating: which words are cut: the first ones or the last ones.
        tokenizer: the rules by which texts are cut into words; see tokenizer.py.
    """

    kind = "text"
    plural = "texts"
    suffixes = SUFFIXES

    def __init__(
        self,
        *,
        vocabulary: list[str],
        max_length: int,
        padding: Side,
        truncating: Side,
        tokenizer: Tokenizer = "words",
    ) -> None:
        self.vocabulary, self.max_length = vocabulary, max_length
        self.padding, self.truncating, self.tokenizer = padding, truncating, tokenizer

    def __call__(self, raws: Any) -> Tensor:
        """Map texts to word ids (B, max_length), int64.

        Args:
            raws: a text, or the path of a text file; or a list of them; see `as_list`. One
                without a word is a row of padding.

        Raises:
            ValueError: an empty list, or a text that cannot be read.
        """
        numbers = {word: i for i, word in enumerate(self.vocabulary, FIRST)}
        texts = [words_of(raw, self.tokenizer) for raw in self.as_list(raws)]
        rows = [[numbers.get(word, UNKNOWN) for word in text] for text in texts]
        return torch.from_numpy(self.pad(rows)).long()

    def arrays(self, raws: Any) -> list[str]:
        """Map texts to all their words, known or not, with a space between; see `__call__`."""
        return [" ".join(words_of(raw, self.tokenizer)) for raw in self.as_list(raws)]

    def read(self, raw: str | bytes | Path) -> list[str]:
        """The words of a text that a row holds, known or not: without those that are cut.

        Raises:
            ValueError: it cannot be read.
        """
        tokens = words_of(raw, self.tokenizer)
        return tokens[-self.max_length :] if self.truncating == "pre" else tokens[: self.max_length]

    def windows(self, file: TextIO) -> Iterator[str]:
        """Cut a text of any length into texts of `max_length` words; the last may be shorter.

        No more than a line of it is in memory, nor all of a long line.

        Raises:
            ValueError: a line that cannot be read, with its number.
        """
        tokens = (word for number, part in parts(file) for word in self.cut_line(part, number))
        while window := list(islice(tokens, self.max_length)):
            yield " ".join(window)

    def cut_line(self, part: str, number: int) -> list[str]:
        """The words of a line, or of a part of it; an error names its number."""
        try:
            return words_of(part, self.tokenizer)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error

    def pad(self, rows: Sequence[Any]) -> np.ndarray:
        """Cut or pad N rows of ids to one length: (N, max_length), int32."""
        sizes = np.array([len(row) for row in rows], np.int64)
        return self.pad_flat(np.concatenate([np.empty(0, np.int32), *rows]), sizes.cumsum())

    def pad_flat(self, ids: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Cut or pad the ids of all texts in a row: (N, max_length), int32.

        Args:
            ids: (W,), those of the first text, of the second, and so on.
            ends: where each text ends, (N,).
        """
        length, sizes = self.max_length, np.diff(ends, prepend=0)
        starts = ends - sizes
        if self.truncating == "pre":
            starts = np.maximum(starts, ends - length)
        lengths = np.minimum(sizes, length)
        first = (length - lengths if self.padding == "pre" else 0 * lengths)[:, None]
        place = np.arange(length, dtype=np.int32)
        is_word = (place >= first) & (place < first + lengths[:, None])  # as many as words are kept
        rows = np.full((len(ends), length), PADDING, np.int32)
        rows[is_word] = ids if lengths.sum() == len(ids) else ids[spans(starts, lengths)]
        return rows

    def restore(self, batch: Tensor) -> list[str]:
        """Map ids (B, T) back to texts that give these ids again; (B,)."""
        names = ["", UNKNOWN_WORD, *self.vocabulary]
        return [" ".join(names[i] for i in row if i != PADDING) for row in batch.tolist()]


def spans(starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The places of `sizes[i]` things from `starts[i]` on, for all i in a row."""
    shifts = starts - (sizes.cumsum() - sizes)
    return np.repeat(shifts, sizes) + np.arange(sizes.sum())


def parts(file: TextIO) -> Iterator[tuple[int, str]]:
    """The lines of a file with their numbers; long ones in parts that end at a space."""
    number, rest = 1, ""
    while part := file.readline(LONG):
        ends, line = part.endswith("\n"), rest + part
        complete = ends or (len(line) >= LONGER and " " not in line)
        text, _, rest = (line, "", "") if complete else line.rpartition(" ")
        yield number, text
        number += ends
    yield number, rest


def words_of(
    raw: str | bytes | Path, tokenizer: Tokenizer, read: Callable[[Any], str] = read_text
) -> list[str]:
    """The words of a raw text, which may have none.

    Raises:
        ValueError: it cannot be read.
    """
    return RULES[tokenizer](read(raw))
