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

from collections.abc import Callable, Sequence
from functools import partial
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
    hits = {"neighbours": score_inflections(near, counts, stage)} | score_analogies(near, stage)
    if stage == "test":
        hits |= {name: rank_correlation(near, human_scores(name)) for name in PEOPLE}
    return {f"{stage}/{name}": values for name, values in hits.items() if len(values)}


# --- words and the same with an s -----------------------------------------------------------------


def score_inflections(near: Neighbours, counts: Sequence[int], stage: str) -> np.ndarray:
    """For each pair both ways whether the partner is near, (2 P,) of 0 and 1.

    Args:
        counts: of each word in the training text.
        stage: val or test; each has half of the pairs.
    """
    pairs = inflected_pairs(near.vocabulary, counts)[1 if stage == "test" else 0 :: 2]
    both = np.array([*pairs, *(pair[::-1] for pair in pairs)], np.int64).reshape(-1, 2)
    return in_blocks(partial(_is_near, near), both)


def inflected_pairs(vocabulary: Sequence[str], counts: Sequence[int]) -> list[tuple[int, int]]:
    """The rows of each word and of the same word with an s, the most frequent first."""
    rows = {word: row for row, word in enumerate(vocabulary) if counts[row] >= FREQUENT}
    return [
        (row, rows[f"{word}s"])
        for word, row in rows.items()
        if len(word) >= 3 and not word.endswith("s") and f"{word}s" in rows
    ]


def _is_near(near: Neighbours, pairs: np.ndarray) -> np.ndarray:
    cosines = near.vectors[pairs[:, 0]] @ near.vectors.T
    own = np.arange(len(pairs))
    cosines[own, pairs[:, 0]] = -np.inf
    nearer = cosines > cosines[own, pairs[:, 1]][:, None]
    return (nearer.sum(1) < NEAREST).astype(np.float32)


# --- analogies ------------------------------------------------------------------------------------


def score_analogies(near: Neighbours, stage: str) -> Hits:
    """For each question whether the answer is right, 0 or 1: of all, of each kind, by section.

    Args:
        stage: val or test; val has every second question of those that are known.
    """
    rows_of = {name: rows_of_questions(near, questions) for name, questions in sections().items()}
    if sum(map(len, rows_of.values())) < ENOUGH["analogy"]:
        return {}
    step = slice(1, None, 2) if stage == "val" else slice(None)
    score = partial(_is_answered, near.vectors[:COMMONEST])
    hits = {name: in_blocks(score, rows[step]) for name, rows in rows_of.items()}
    every = [*hits.values()]
    kinds = {"": every, "/semantic": every[:SEMANTIC], "/syntactic": every[SEMANTIC:]}
    totals = {f"analogy{kind}": np.concatenate([NONE, *parts]) for kind, parts in kinds.items()}
    large = [name for name, rows in rows_of.items() if len(rows) >= ENOUGH["section"]]
    return totals | {f"analogy/{name}": hits[name] for name in large}


def sections() -> dict[str, list[Question]]:
    """The 19,544 questions in 14 sections, whose names have _ for -."""
    questions: dict[str, list[Question]] = {}
    for line in read_gensim_file("questions-words.txt"):
        if line.startswith(":"):
            section = questions.setdefault(line.strip(": ").replace("-", "_"), [])
        else:
            section.append(line.split())
    return questions


def rows_of_questions(near: Neighbours, questions: Sequence[Question]) -> np.ndarray:
    """The rows (Q, 4) of the words of those questions that have none but common ones."""
    rows = lower_case_rows(near.vocabulary[:COMMONEST])
    known_rows = [[rows[word] for word in one] for one in questions if rows.keys() >= {*one}]
    return np.array(known_rows, np.int64).reshape(-1, 4)


def _is_answered(vectors: np.ndarray, rows: np.ndarray) -> np.ndarray:
    a, b, c, answer = rows.T
    cosines = (vectors[b] - vectors[a] + vectors[c]) @ vectors.T
    np.put_along_axis(cosines, rows[:, :3], -np.inf, 1)
    return (cosines.argmax(1) == answer).astype(np.float32)


# --- what people say of pairs ---------------------------------------------------------------------


def human_scores(name: str) -> list[tuple[str, str, float]]:
    """The pairs of wordsim353 or simlex999, each with people's mean score, from 0 to 10."""
    lines = [line for line in read_gensim_file(PEOPLE[name]) if not line.startswith("#")]
    return [(a, b, float(score)) for a, b, score in (line.split("\t") for line in lines)]


def rank_correlation(near: Neighbours, pairs: Sequence[tuple[str, str, float]]) -> np.ndarray:
    """Spearman's correlation of cosines and scores: its `pseudo_values` (P,) of known pairs."""
    rows = lower_case_rows(near.vocabulary)
    triples = [(rows[a], rows[b], score) for a, b, score in pairs if a in rows and b in rows]
    if len(triples) < ENOUGH["pairs"]:
        return NONE
    a, b, scores = map(np.array, zip(*triples, strict=True))
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


def read_gensim_file(name: str) -> list[str]:
    """The lines, in lower case, of a file that the package gensim ships; else none."""
    package = find_spec("gensim")
    if package is None or package.origin is None:
        return []
    file = Path(package.origin).parent / "test" / "test_data" / name
    return file.read_text(encoding="utf-8").lower().splitlines() if file.is_file() else []


def lower_case_rows(vocabulary: Sequence[str]) -> dict[str, int]:
    """The row of each word without capitals; of words that are then the same, the first."""
    return {word.lower(): row for row, word in reversed([*enumerate(vocabulary)])}


def in_blocks(score: Callable[[np.ndarray], np.ndarray], rows: np.ndarray) -> np.ndarray:
    """What `score` says of each of N rows, (N,); it is called with at most BLOCK of them."""
    starts = range(0, len(rows), BLOCK)
    return np.concatenate([NONE, *(score(rows[i : i + BLOCK]) for i in starts)])
