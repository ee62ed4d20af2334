"""Raw text -> ids of its characters and back.

Shapes: B texts, T characters; ids count from 0: padding, 1: an unknown character, 2: the alphabet.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from datamodules.inputs import Input
from datamodules.inputs.text import SUFFIXES, read_text

PADDING, UNKNOWN, FIRST = 0, 1, 2
UNKNOWN_CHARACTER = "\N{REPLACEMENT CHARACTER}"  # how an unknown character is shown


class CharacterInput(Input):
    """Texts of any length as a batch of ids.

    Args:
        characters: the alphabet, each character once, sorted.
    """

    kind = "characters"
    plural = "texts"
    suffixes = SUFFIXES

    def __init__(self, *, characters: str) -> None:
        self.characters = characters

    @classmethod
    def fit(cls, text: str) -> "CharacterInput":
        """Take every character of a text.

        Raises:
            ValueError: there are fewer than two.
        """
        characters = "".join(sorted(set(text)))
        if len(characters) < 2:
            raise ValueError(
                f"the text is made of {len(characters)} kind(s) of character ({characters!r}): "
                "two or more are needed"
            )
        return cls(characters=characters)

    @property
    def vocabulary_size(self) -> int:
        """How many ids there are."""
        return FIRST + len(self.characters)

    def as_list(self, raws: Any) -> list[str]:
        """One text, or several of them, as a list; files and bytes are read."""
        texts = super().as_list(raws)
        return [raw if isinstance(raw, str) else read_text(raw) for raw in texts]

    def __call__(self, raws: Any) -> Tensor:
        """Map a text, or a list of them, to ids (B, T), int64; shorter ones end in padding.

        Raises:
            ValueError: no text, or an empty one.
        """
        texts = self.as_list(raws)
        if not all(texts):
            raise ValueError("an empty text was given: at least one character is needed")
        batch = np.full((len(texts), max(map(len, texts))), PADDING, np.int64)
        for row, text in zip(batch, texts, strict=True):
            row[: len(text)] = self.encode(text)
        return torch.from_numpy(batch)

    def encode(self, text: str) -> np.ndarray:
        """Map a text to ids (T,), int64."""
        alphabet, codes = _codes(self.characters), _codes(text)
        places = np.searchsorted(alphabet, codes).clip(max=len(alphabet) - 1)
        return np.where(alphabet[places] == codes, places + FIRST, UNKNOWN)

    def decode(self, ids: Sequence[int] | np.ndarray) -> str:
        """Map ids (T,) to a text; padding disappears."""
        symbols = ["", UNKNOWN_CHARACTER, *self.characters]
        return "".join([symbols[i] for i in ids])

    def restore(self, batch: Tensor) -> list[str]:
        """Map a batch of ids (B, T) back to texts."""
        return [self.decode(row) for row in batch.tolist()]


def _codes(text: str) -> np.ndarray:
    """The code point of each character (T,)."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
