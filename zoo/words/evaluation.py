"""What word vectors are worth by themselves, before any other model uses them.

`neighbours` needs no labels but the words: the share of words whose inflected form is among their
ten nearest words, and the other way round. The pairs are a word of three letters or more that does
not end in s, and the same word with an s (file, files; read, reads), if each stands ten times or
more in the training text. Words in a random order would find 10 / (V - 1) of them.

`analogy` is the share of the questions of Mikolov et al. 2013 (https://arxiv.org/abs/1301.3781,
section 4.1) "a is to b as c is to ?" whose answer is the word nearest to b - a + c, by the rules
of word2vec's own script: among the 30,000 commonest words, without capitals; a, b and c are no
answers; questions with an unknown word are left out. Five sections ask for meaning, nine for
grammar.

`wordsim353` and `simlex999` are Spearman's rank correlations of cosines with what people said of
pairs of words (Finkelstein et al. 2002; Hill et al. 2015, https://arxiv.org/abs/1408.3456): how
related they are, and how alike.

The questions and the pairs are those that the package gensim ships; without it there are none.
Validation asks every second pair and question; the test has the other pairs and all questions,
since nothing is chosen by validation's.

Shapes: V words, D dimensions, P pairs, Q questions.
"""

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

from zoo.words.keyed_vectors import NEAREST, Neighbours

FREQUENT = 10  # times in the training text
COMMONEST = 30_000  # words that analogies are about
BLOCK = 1024  # rows of similarities in memory at a time
SEMANTIC = 5  # of the sections, the first
ENOUGH = {"analogy": 1000, "section": 100, "pairs": 200}  # known, that a score needs
PEOPLE = {"wordsim353": "wordsim353.tsv", "simlex999": "simlex999.txt"}  # gensim's names

NONE = np.zeros(0, np.float32)

Question = list[str]  # a, b, c and the answer
Hits = dict[str, np.ndarray]  # of each score a value for each of its questions (N,)


def scores(near: Neighbours, counts: Sequence[int], stage: str) -> Hits:
    """Each score that can be asked of these vectors, as values whose mean it is.

    Args:
        counts: of each word in the training text.
        stage: val or test.

    Returns:
        <stage>/neighbours, <stage>/analogy, <stage>/analogy/<section> and, of the test,
        test/wordsim353 and test/simlex999; without those for which too few words are known.
    """
    found = {"neighbours": inflections(near, counts, stage)} | analogies(near, stage)
    if stage == "test":
        found |= {name: agreement(near, judged(name)) for name in PEOPLE}
    return {f"{stage}/{name}": hits for name, hits in found.items() if len(hits)}


# --- words and the same with an s -----------------------------------------------------------------


def inflections(near: Neighbours, counts: Sequence[int], stage: str) -> np.ndarray:
    """For each pair both ways whether the partner is near, (2 P,) of 0 and 1.

    Args:
        counts: of each word in the training text.
        stage: val or test; each has half of the pairs.
    """
    pairs = inflected(near.vocabulary, counts)[1 if stage == "test" else 0 :: 2]
    both = np.array([*pairs, *(pair[::-1] for pair in pairs)], np.int64).reshape(-1, 2)
    return joined(_near(near, part) for part in blocks(both))


def inflected(vocabulary: Sequence[str], counts: Sequence[int]) -> list[tuple[int, int]]:
    """The rows of each word and of the same word with an s, the most frequent first."""
    rows = {word: row for row, word in enumerate(vocabulary) if counts[row] >= FREQUENT}
    return [
        (row, rows[f"{word}s"])
        for word, row in rows.items()
        if len(word) >= 3 and not word.endswith("s") and f"{word}s" in rows
    ]


def _near(near: Neighbours, pairs: np.ndarray) -> np.ndarray:
    cosines = near.vectors[pairs[:, 0]] @ near.vectors.T
    own = np.arange(len(pairs))
    cosines[own, pairs[:, 0]] = -np.inf
    nearer = cosines > cosines[own, pairs[:, 1]][:, None]
    return (nearer.sum(1) < NEAREST).astype(np.float32)


# --- analogies ------------------------------------------------------------------------------------


def analogies(near: Neighbours, stage: str) -> Hits:
    """For each question whether it is found, 0 or 1: of all, of each kind, section by section.

    Args:
        stage: val or test; val has every second question of those that are known.
    """
    asked = {name: known(near, questions) for name, questions in sections().items()}
    if sum(map(len, asked.values())) < ENOUGH["analogy"]:
        return {}
    step = slice(1, None, 2) if stage == "val" else slice(None)
    hits = {name: answered(near, rows[step]) for name, rows in asked.items()}
    names = [*hits]
    kinds = {"": names, "/semantic": names[:SEMANTIC], "/syntactic": names[SEMANTIC:]}
    totals = {f"analogy{kind}": joined(hits[one] for one in part) for kind, part in kinds.items()}
    large = [name for name, rows in asked.items() if len(rows) >= ENOUGH["section"]]
    return totals | {f"analogy/{name}": hits[name] for name in large}


def sections() -> dict[str, list[Question]]:
    """The 19,544 questions in 14 sections, whose names have _ for -."""
    found: dict[str, list[Question]] = {}
    for line in shipped("questions-words.txt"):
        if line.startswith(":"):
            latest = found.setdefault(line.strip(": ").replace("-", "_"), [])
        else:
            latest.append(line.split())
    return found


def known(near: Neighbours, asked: Sequence[Question]) -> np.ndarray:
    """The rows (Q, 4) of the words of those questions that have none but common ones."""
    rows = lowered(near.vocabulary[:COMMONEST])
    found = [[rows[word] for word in one] for one in asked if all(word in rows for word in one)]
    return np.array(found, np.int64).reshape(-1, 4)


def answered(near: Neighbours, rows: np.ndarray) -> np.ndarray:
    """For each question, as rows (Q, 4), whether the answer is found, (Q,) of 0 and 1."""
    return joined(_answered(near.vectors[:COMMONEST], part) for part in blocks(rows))


def _answered(vectors: np.ndarray, rows: np.ndarray) -> np.ndarray:
    a, b, c, answer = rows.T
    cosines = (vectors[b] - vectors[a] + vectors[c]) @ vectors.T
    np.put_along_axis(cosines, rows[:, :3], -np.inf, 1)
    return (cosines.argmax(1) == answer).astype(np.float32)


# --- what people say of pairs ---------------------------------------------------------------------


def judged(name: str) -> list[tuple[str, str, float]]:
    """The pairs of wordsim353 or simlex999, each with people's mean score, from 0 to 10."""
    lines = (line.split("\t") for line in shipped(PEOPLE[name]) if not line.startswith("#"))
    return [(a, b, float(score)) for a, b, score in lines]


def agreement(near: Neighbours, pairs: Sequence[tuple[str, str, float]]) -> np.ndarray:
    """Spearman's correlation of cosines and scores: its `pseudo_values` (P,) of known pairs."""
    rows = lowered(near.vocabulary)
    found = [(rows[a], rows[b], score) for a, b, score in pairs if a in rows and b in rows]
    if len(found) < ENOUGH["pairs"]:
        return NONE
    a, b, scores = map(np.array, zip(*found, strict=True))
    return pseudo_values((near.vectors[a] * near.vectors[b]).sum(1), scores)


def pseudo_values(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The rank correlation of x and y (P,) as values (P,) whose mean it is.

    They are the jackknife's, of the correlations without each pair (Efron & Tibshirani 1993, An
    Introduction to the Bootstrap, section 11.5), so that their spread tells how sure it is.
    """
    count = len(x)
    others = ~np.eye(count, dtype=bool)
    without = spearman(
        *(np.broadcast_to(v, others.shape)[others].reshape(count, -1) for v in (x, y))
    )
    values = spearman(x, y) + (count - 1) * (without.mean() - without)
    return values.astype(np.float32)


def spearman(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The rank correlation along the last axis of x and y (..., P); 0 where all are alike."""
    ranks = [rankdata(values, axis=-1) for values in (x, y)]
    a, b = (r - r.mean(-1, keepdims=True) for r in ranks)
    spread = np.sqrt((a * a).sum(-1) * (b * b).sum(-1))
    correlation: np.ndarray = (a * b).sum(-1) / np.maximum(spread, 1e-9)
    return correlation


# --- what they share ------------------------------------------------------------------------------


def shipped(name: str) -> list[str]:
    """The lines, without capitals, of a file that the package gensim brings; else none."""
    package = find_spec("gensim")
    if package is None or package.origin is None:
        return []
    file = Path(package.origin).parent / "test" / "test_data" / name
    return file.read_text(encoding="utf-8").lower().splitlines() if file.is_file() else []


def lowered(vocabulary: Sequence[str]) -> dict[str, int]:
    """The row of each word without capitals; of words that are then the same, the first."""
    return {word.lower(): row for row, word in reversed([*enumerate(vocabulary)])}


def blocks(rows: np.ndarray) -> list[np.ndarray]:
    """Rows in pieces of at most BLOCK."""
    return [rows[i : i + BLOCK] for i in range(0, len(rows), BLOCK)]


def joined(parts: Iterable[np.ndarray]) -> np.ndarray:
    """Arrays (N,) one after the other, or none."""
    return np.concatenate([NONE, *parts])
