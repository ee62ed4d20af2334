"""Word vectors compared by the angle between them: neighbours, analogies, the odd one out.

The directions of words that differ in one thing are alike, so paris - france + italy is near rome
(Mikolov et al. 2013, https://www.aclweb.org/anthology/N13-1090, equation 1). What is asked for is
always the words with the greatest cosine to a mean of vectors, as in word2vec.c and gensim.

Shapes: V words, D dimensions.
"""

from collections.abc import Sequence
from difflib import get_close_matches

import numpy as np

NEAREST = 10
ZERO = 1e-6  # a sum of words that is shorter is what rounding left

Answers = list[tuple[str, float]]
Term = str | np.ndarray  # a word, or a vector (D,)


class Neighbours:
    """The vectors of words, brought to length one.

    Args:
        vocabulary: the words, the most frequent first.
        vectors: of each (V, D).
    """

    def __init__(self, vocabulary: Sequence[str], vectors: np.ndarray) -> None:
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        self.vectors = vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
        self.vocabulary = list(vocabulary)
        self.rows = {word: row for row, word in enumerate(vocabulary)}

    def row(self, word: str) -> int:
        """Where a word stands; as it is written, else without capitals.

        Raises:
            ValueError: it is unknown; the message names the nearest words that are known.
        """
        for spelt in (word, word.lower()):
            if spelt in self.rows:
                return self.rows[spelt]
        near = ", ".join(get_close_matches(word.lower(), self.vocabulary, 3))
        hint = f"did you mean {near}?" if near else "no known word is spelt nearly like it"
        raise ValueError(f"the word {word!r} is not in the vocabulary: {hint}")

    def most_similar(
        self,
        positive: Term | Sequence[Term],
        negative: Term | Sequence[Term] = (),
        count: int = NEAREST,
    ) -> Answers:
        """The words nearest to the sum of some less others, with their cosines, best first.

        Args:
            positive, negative: words, which are then no answers, or vectors (D,); one or several.
                Words count with length one, vectors with their own.

        Raises:
            ValueError: an unknown word; a vector of another size; none at all, or a sum of zero.
        """
        plus, minus = as_list(positive), as_list(negative)
        if not plus and not minus:
            raise ValueError("no words given: positive and negative are empty")
        target = self._sum(plus) - self._sum(minus)
        length = np.linalg.norm(target)
        if length < ZERO:
            raise ValueError("the words cancel each other out: nothing is near a sum of zero")
        without = {self.row(one) for one in (*plus, *minus) if isinstance(one, str)}
        cosines = self.vectors @ (target / length).astype(self.vectors.dtype)
        cosines[list(without)] = -np.inf
        most = max(0, min(count, len(cosines) - len(without)))
        best = np.argsort(-cosines, kind="stable")[:most]
        return [(self.vocabulary[i], float(cosines[i])) for i in best]

    def analogy(self, a: str, b: str, c: str, count: int = NEAREST) -> Answers:
        """What is to c as b is to a: the words nearest to b - a + c, without these three."""
        return self.most_similar([b, c], [a], count)

    def doesnt_match(self, words: Sequence[str]) -> str:
        """The word that is least like the others: the farthest from the mean of them all.

        Raises:
            ValueError: an unknown word, or fewer than three: of two none is the odd one out.
        """
        if isinstance(words, str) or len(words) < 3:
            raise ValueError(f"{words!r} are too few words: give three or more to choose from")
        vectors = self.vectors[[self.row(word) for word in words]]
        return words[int((vectors @ vectors.mean(0)).argmin())]

    def similarity(self, a: str, b: str) -> float:
        """The cosine between two words.

        Raises:
            ValueError: one of them is unknown.
        """
        return float(self.vectors[self.row(a)] @ self.vectors[self.row(b)])

    def _sum(self, terms: Sequence[Term]) -> np.ndarray:
        return np.sum([np.zeros(self.vectors.shape[1]), *map(self._vector, terms)], axis=0)

    def _vector(self, term: Term) -> np.ndarray:
        if isinstance(term, str):
            return self.vectors[self.row(term)]
        vector = np.asarray(term)
        if vector.shape != self.vectors.shape[1:] or not np.isfinite(vector).all():
            raise ValueError(
                f"a vector has the shape {vector.shape}: "
                f"{self.vectors.shape[1:]} is wanted, of finite numbers"
            )
        return vector


def as_list(terms: Term | Sequence[Term]) -> list[Term]:
    """One word or vector, or several of them, as a list."""
    if isinstance(terms, str) or (isinstance(terms, np.ndarray) and terms.ndim == 1):
        return [terms]
    return list(terms)


def format_answers(answers: Answers) -> str:
    """Words and their cosines in one line."""
    return ", ".join(f"{word} {cosine:.2f}" for word, cosine in answers)
