"""Raw text -> word ids, and behind them which n-grams the text has.

An n-gram is a word, two neighbouring words, or some neighbouring letters of a word with its ends.
There is no list of them: each is hashed to a number (Weinberger et al. 2009,
https://arxiv.org/abs/0902.2206), so words that no training text has are read by their letters, too.

Shapes: B texts, T words of a row, G n-grams of the text that has most of them.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import islice
from typing import Any, Literal
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from datamodules.inputs.text import FIRST, Side, TextInput, words_of
from datamodules.inputs.tokenizer import Tokenizer

MOST = 2048  # different n-grams of a text: of a longer one those of its last words
Grams = Literal["once_3_4", "counted_2_5"]
RULES: dict[str, tuple[int, int, bool]] = {  # letters, fewest and most; and whether counts matter
    "once_3_4": (3, 4, False), "counted_2_5": (2, 5, True),
}  # fmt: skip
REPEATS = 8  # times that a number stands in a row, at most; zoo/nn/ngrams.py knows them


class NgramInput(TextInput):
    """Texts as a batch of word ids, as `TextInput` gives them, and numbers of n-grams behind them.

    A number stands in a row as `vocabulary_size` + number, and is below that of words for the
    model: ids (B, T + G), int64, 0 = padding. Words that a row cuts have n-grams all the same.

    Args:
        ngrams: numbers that they are hashed to: the lower half is of words and pairs of words, the
            upper half of letters.
        grams: which of them there are. once_3_4: of three or four letters, each number once.
            counted_2_5: of two to five letters, and a number stands in a row again for each time
            that its count doubles, so that a model sees the logarithm of how often the text has it.
    """

    kind = "text_ngrams"

    def __init__(
        self, *, ngrams: int, vocabulary: list[str], max_length: int, padding: Side,
        truncating: Side, tokenizer: Tokenizer = "words", grams: Grams = "once_3_4",
    ) -> None:  # fmt: skip
        super().__init__(
            vocabulary=vocabulary, max_length=max_length, padding=padding, truncating=truncating,
            tokenizer=tokenizer,
        )  # fmt: skip
        self.ngrams, self.grams = ngrams, grams

    def __call__(self, raws: Any) -> Tensor:
        """Map texts to ids (B, max_length + G), int64; see `TextInput`."""
        texts = [words_of(raw, self.tokenizer) for raw in self.as_list(raws)]
        return torch.cat([super().__call__([" ".join(text) for text in texts]),
                          torch.from_numpy(self.pad_ngrams(texts)).long()], 1)  # fmt: skip

    @property
    def first(self) -> int:
        """The id of the first number of n-grams, behind those of words."""
        return FIRST + len(self.vocabulary)

    def pad_ngrams(self, texts: Iterable[Sequence[str]]) -> np.ndarray:
        """The n-grams of texts, each as its words, as ids: (N, G), int32."""
        numbers = [ngrams_of(words, self.ngrams, self.grams) for words in texts]
        rows = [np.array(row, np.int32) + self.first for row in numbers]
        ids = np.zeros((len(rows), max(map(len, rows), default=0)), np.int32)
        for row, own in zip(ids, rows, strict=True):
            row[: len(own)] = own
        return ids

    def restore(self, batch: Tensor) -> list[str]:
        """The words of ids (B, T + G); (B,). n-grams are passed over."""
        return super().restore(batch * (batch < self.first))


def ngrams_of(words: Sequence[str], numbers: int, grams: Grams) -> list[int]:
    """The numbers of the n-grams of a text; `MOST` different ones at most, of its last words.

    Each stands there once, or, where counts matter, as often as its count has binary digits.
    """
    fewest, most, counts = RULES[grams]
    half, tally, after = numbers // 2, dict[int, int](), ""
    for word in reversed(words):
        for number in ngrams_of_word(word, half, fewest, most):
            tally[number] = tally.get(number, 0) + 1
        if after:
            number = crc32(f"{word} {after}".encode()) % half
            tally[number] = tally.get(number, 0) + 1
        if len(tally) >= MOST:
            break
        after = word
    kept = islice(tally.items(), MOST)
    if not counts:
        return [number for number, _ in kept]
    return [number for number, n in kept for _ in range(min(n.bit_length(), REPEATS))]


@cache
def ngrams_of_word(word: str, half: int, fewest: int, most: int) -> tuple[int, ...]:
    """The numbers of a word and of its letters; a word's ends are letters, too."""
    ends, sizes = f" {word} ", range(fewest, most + 1)
    parts = [ends[i : i + n] for n in sizes for i in range(len(ends) - n + 1)]
    return crc32(word.encode()) % half, *(half + crc32(p.encode()) % half for p in sorted(parts))
