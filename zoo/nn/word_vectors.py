"""What a model is for that learns a vector for each word, however it learns them.

The questions that can be asked of vectors are gensim's, by name and by result; `intrinsic.py` has
the scores, which validation and test report beside the loss.

Shapes: B samples of a batch, V words, D dimensions.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo.nn.module import ZooModule
from zoo.words import evaluation, formats
from zoo.words.keyed_vectors import NEAREST, Answers, Neighbours, Term


class WordVectors(ZooModule):
    """A model that has a vector for each word of its input's vocabulary."""

    def word_vectors(self) -> tuple[list[str], np.ndarray]:
        """The vocabulary and the vector of each word (V, D), float32.

        Raises:
            ValueError: there is no input, which has the vocabulary.
        """
        raise NotImplementedError

    def neighbours(self) -> Neighbours:
        """The vectors as they are now."""
        return Neighbours(*self.word_vectors())

    def most_similar(
        self,
        positive: Term | Sequence[Term],
        negative: Term | Sequence[Term] = (),
        count: int = NEAREST,
    ) -> Answers:
        """The words nearest to a word, a vector (D,), or a sum of some less others.

        Raises:
            ValueError: a word is unknown, or there is no input; see `Neighbours.most_similar`.
        """
        return self.neighbours().most_similar(positive, negative, count)

    def analogy(self, a: str, b: str, c: str, count: int = NEAREST) -> Answers:
        """What is to c as b is to a: `analogy("man", "king", "woman")` is king - man + woman.

        Raises:
            ValueError: a word is unknown, or there is no input.
        """
        return self.neighbours().analogy(a, b, c, count)

    def doesnt_match(self, words: Sequence[str]) -> str:
        """The word of three or more that is least like the others.

        Raises:
            ValueError: a word is unknown, there are too few, or there is no input.
        """
        return self.neighbours().doesnt_match(words)

    def similarity(self, a: str, b: str) -> float:
        """The cosine between two words.

        Raises:
            ValueError: a word is unknown, or there is no input.
        """
        return self.neighbours().similarity(a, b)

    def save_word2vec_format(self, path: str | Path) -> Path:
        """Write the vectors to a file that gensim and others read; see `zoo.words.formats`."""
        return formats.write(path, *self.word_vectors())

    def predict(self, raws: Any, batch_size: int = 64) -> list[Answers]:
        """The likeliest words for a gap, or the words nearest to a word or a sum of words.

        Args:
            raws: a text or a list of them: a sentence with one gap, "the _ sat on the mat"; a word,
                "paris"; or an analogy, "paris - france + italy".
            batch_size: sentences that the network sees at once.

        Raises:
            ValueError: no input is attached; an unknown word; neither a gap nor a sum.
        """
        texts, near = self.as_list(raws), self.neighbours()
        return [
            super(WordVectors, self).predict(text, batch_size)[0]
            if "_" in text
            else near.most_similar(*terms(text))
            for text in texts
        ]

    def on_validation_epoch_end(self) -> None:
        scores = evaluation.scores(self.neighbours(), self.input.counts, "val")
        means = {name: float(hits.mean()) for name, hits in scores.items()}
        self.log_dict({"val/neighbours": 0.0, **means}, sync_dist=True)

    def on_test_start(self) -> None:
        self.hits = evaluation.scores(self.neighbours(), self.input.counts, "test")

    def test_step(self, batch: Any, batch_idx: int) -> dict[str, Tensor]:
        """The loss of each sample (B,) and, with the first batch, what the vectors are worth."""
        first = batch_idx == 0 and self.global_rank == 0
        hits = {name: torch.from_numpy(h if first else h[:0]) for name, h in self.hits.items()}
        return {**super().test_step(batch, batch_idx), **hits}


def terms(text: str) -> tuple[list[str], list[str]]:
    """The words of a sum that are added, and those that are taken away.

    >>> terms("paris - france + italy")
    (['paris', 'italy'], ['france'])

    Raises:
        ValueError: words without a sign between them.
    """
    signs = re.split(r"(?<!\S)([+-])\s*", f"+ {text.strip()}")[1:]
    signed = list(zip(signs[::2], (word.strip() for word in signs[1::2]), strict=True))
    if not all(re.fullmatch(r"\S+", word) for _, word in signed):
        raise ValueError(
            f"{text!r} is no sum of words: write one _ where a word is missing, a single word, or "
            "words with + and - between them"
        )
    return [w for sign, w in signed if sign == "+"], [w for sign, w in signed if sign == "-"]
