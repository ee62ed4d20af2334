"""Word vectors compared by the angle between them: neighbours, analogies, and what they are worth.

Two scores need no labels but the words themselves:

`inflections` is the share of words whose inflected form is among their ten nearest words, and the
other way round. The pairs are a word of three letters or more that does not end in s, and the same
word with an s (file, files; read, reads), if each stands ten times or more in the training text.
Every second pair, from the most frequent on, is kept for the test. Words in a random order would
find 10 / (V - 1) of them.

`analogies` is the share of the questions of Mikolov et al. 2013 (https://arxiv.org/abs/1301.3781,
section 4.1) "a is to b as c is to ?" whose answer is the word nearest to b - a + c; a, b and c
themselves are no answers, and questions with an unknown word are left out.

Shapes: V words, D dimensions, P pairs, Q questions.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path

import numpy as np

NEAREST = 10
FREQUENT = 10  # times in the training text
BLOCK = 1024  # rows of similarities in memory at a time
ENOUGH = {"test/neighbours": 2, "test/analogy": 1000}  # questions that a score needs

NONE = np.zeros(0, np.float32)

Answers = list[tuple[str, float]]


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
        """Where a word stands; capitals do not matter.

        Raises:
            ValueError: it is unknown; the message names the nearest words that are known.
        """
        if word.lower() not in self.rows:
            near = ", ".join(get_close_matches(word.lower(), self.vocabulary, 3))
            hint = f"did you mean {near}?" if near else "no known word is spelt nearly like it"
            raise ValueError(f"the word {word!r} is not in the vocabulary: {hint}")
        return self.rows[word.lower()]

    def most_similar(self, word: str | np.ndarray, count: int = NEAREST) -> Answers:
        """The nearest words and their cosines, best first.

        Args:
            word: a word, which is then no answer itself, or a vector (D,).
        """
        if isinstance(word, str):
            row = self.row(word)
            return self._nearest(self.vectors[row], [row], count)
        return self._nearest(np.asarray(word) / np.linalg.norm(word), [], count)

    def analogy(self, a: str, b: str, c: str, count: int = NEAREST) -> Answers:
        """What is to c as b is to a: the words nearest to b - a + c, without these three."""
        return self.combined([b, c], [a], count)

    def combined(self, plus: Sequence[str], minus: Sequence[str], count: int = NEAREST) -> Answers:
        """The words nearest to a sum of words less others, without all of these."""
        more, less = [self.row(word) for word in plus], [self.row(word) for word in minus]
        target = self.vectors[more].sum(0) - self.vectors[less].sum(0)
        return self._nearest(target / np.linalg.norm(target), [*more, *less], count)

    def _nearest(self, target: np.ndarray, without: Sequence[int], count: int) -> Answers:
        cosines = self.vectors @ target
        cosines[list(without)] = -np.inf
        best = np.argsort(-cosines, kind="stable")[: min(count, len(cosines) - len(without))]
        return [(self.vocabulary[i], float(cosines[i])) for i in best]

    def inflections(self, counts: Sequence[int], stage: str) -> np.ndarray:
        """For each pair both ways whether the partner is near, (2 P,) of 0 and 1.

        Args:
            counts: of each word in the training text.
            stage: val or test; each has half of the pairs.
        """
        pairs = inflected(self.vocabulary, counts)[1 if stage == "test" else 0 :: 2]
        both = np.array([*pairs, *(pair[::-1] for pair in pairs)], np.int64).reshape(-1, 2)
        return np.concatenate([NONE, *map(self._near, blocks(both))])

    def _near(self, pairs: np.ndarray) -> np.ndarray:
        cosines = self.vectors[pairs[:, 0]] @ self.vectors.T
        own = np.arange(len(pairs))
        cosines[own, pairs[:, 0]] = -np.inf
        nearer = cosines > cosines[own, pairs[:, 1]][:, None]
        return (nearer.sum(1) < NEAREST).astype(np.float32)

    def analogies(self, asked: Sequence[Sequence[str]]) -> np.ndarray:
        """For each question (a, b, c, answer) of known words whether it is found, (Q,)."""
        known = [
            [self.rows[word] for word in one]
            for one in asked
            if all(word in self.rows for word in one)
        ]
        rows = np.array(known, np.int64).reshape(-1, 4)
        return np.concatenate([NONE, *map(self._answered, blocks(rows))])

    def _answered(self, rows: np.ndarray) -> np.ndarray:
        a, b, c, answer = rows.T
        cosines = (self.vectors[b] - self.vectors[a] + self.vectors[c]) @ self.vectors.T
        np.put_along_axis(cosines, rows[:, :3], -np.inf, 1)
        return (cosines.argmax(1) == answer).astype(np.float32)


def listed(answers: Answers) -> str:
    """Words and their cosines in one line."""
    return ", ".join(f"{word} {cosine:.2f}" for word, cosine in answers)


def blocks(rows: np.ndarray) -> list[np.ndarray]:
    """Rows in pieces of at most BLOCK."""
    return [rows[i : i + BLOCK] for i in range(0, len(rows), BLOCK)]


def inflected(vocabulary: Sequence[str], counts: Sequence[int]) -> list[tuple[int, int]]:
    """The rows of each word and of the same word with an s, the most frequent first."""
    rows = {word: row for row, word in enumerate(vocabulary) if counts[row] >= FREQUENT}
    return [
        (row, rows[f"{word}s"])
        for word, row in rows.items()
        if len(word) >= 3 and not word.endswith("s") and f"{word}s" in rows
    ]


def questions() -> list[list[str]]:
    """The 19,544 questions of Mikolov et al. 2013, which the package gensim ships; else none."""
    package = find_spec("gensim")
    if package is None or package.origin is None:
        return []
    file = Path(package.origin).parent / "test" / "test_data" / "questions-words.txt"
    lines = file.read_text(encoding="utf-8").lower().splitlines() if file.is_file() else []
    return [line.split() for line in lines if not line.startswith(":")]


def scores(near: Neighbours, counts: Sequence[int]) -> dict[str, np.ndarray]:
    """Each score that can be asked of these vectors: 0 or 1 for each of its questions (N,)."""
    asked = {
        "test/neighbours": near.inflections(counts, "test"),
        "test/analogy": near.analogies(questions()),
    }
    return {name: hits for name, hits in asked.items() if len(hits) >= ENOUGH[name]}
