"""Raw sentence with a gap -> ids of the words around it, and back.

Shapes: B sentences, w words on either side; ids count from 0: padding, 1: an unknown word, which
no window holds, 2: the vocabulary.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from datamodules.inputs import Input
from datamodules.inputs.text import FIRST, PADDING, SUFFIXES, read_text
from datamodules.inputs.tokenizer import RULES, Tokenizer

GAP = re.compile(r"(?<!\w)_+(?!\w)")  # underscores that are no part of a word


class ContextInput(Input):
    """The words around a gap as ids; those outside the vocabulary are dropped, not counted.

    Args:
        vocabulary: the known words, the most frequent first.
        counts: how often each stands in the training text.
        window: words on either side of the gap.
        tokenizer: the rules by which sentences are cut into words; see tokenizer.py.
    """

    kind = "words"
    plural = "sentences"
    suffixes = SUFFIXES

    def __init__(
        self,
        *,
        vocabulary: list[str],
        counts: list[int],
        window: int,
        tokenizer: Tokenizer = "words",
    ) -> None:
        self.vocabulary, self.counts, self.window = vocabulary, counts, window
        self.tokenizer = tokenizer

    @property
    def ids(self) -> slice:
        """The ids of the vocabulary."""
        return slice(FIRST, FIRST + len(self.vocabulary))

    def as_list(self, raws: Any) -> list[str]:
        """One sentence, or several of them, as a list of texts; files are read."""
        return [read_text(raw) for raw in super().as_list(raws)]

    def __call__(self, raws: Any) -> Tensor:
        """Map sentences, each with one gap written as `_`, to contexts (B, 2 w), int64.

        The last w words before the gap are followed by the first w after it; what is missing at
        the far ends is padding.

        Raises:
            ValueError: no sentence, or one without a gap or with several.
        """
        sentences, words = self.as_list(raws), RULES[self.tokenizer]
        numbers = {word: i for i, word in enumerate(self.vocabulary, FIRST)}
        batch = np.full((len(sentences), 2 * self.window), PADDING, np.int64)
        for row, sentence in zip(batch, sentences, strict=True):
            before, after = [
                [numbers[word] for word in words(side) if word in numbers]
                for side in sides(sentence)
            ]
            before, after = before[-self.window :], after[: self.window]
            row[self.window - len(before) : self.window + len(after)] = before + after
        return torch.from_numpy(batch)

    def restore(self, contexts: Tensor) -> list[str]:
        """Map contexts (B, 2 w) back to sentences with a gap."""
        return [
            " ".join([*self.decode(row[: self.window]), "_", *self.decode(row[self.window :])])
            for row in contexts.tolist()
        ]

    def decode(self, ids: Sequence[int]) -> list[str]:
        """The words of ids, without padding."""
        return [self.vocabulary[i - FIRST] for i in ids if i != PADDING]


def sides(sentence: str) -> list[str]:
    """What stands before the gap and after it."""
    parts = GAP.split(sentence)
    if len(parts) != 2:
        raise ValueError(
            f"{sentence!r} has {len(parts) - 1} gaps: write one _ where a word is missing"
        )
    return parts
