"""Pictures of word vectors: neighbours, analogies, what they are worth, and two maps.

Shapes: N words, D dimensions.
"""

from collections.abc import Sequence

import numpy as np

from zoo.figures.kinds import Picture, Scatter, Table
from zoo.words import evaluation
from zoo.words.keyed_vectors import NEAREST, Neighbours, format_answers

ANALOGIES = [  # a is to b as c is to ...: slide 24, and what the documentation of Python knows
    ("france", "paris", "italy"), ("man", "king", "woman"),
    ("file", "files", "class"), ("returns", "return", "raises"), ("write", "writing", "read"),
    ("call", "called", "return"), ("list", "lists", "string"), ("read", "reader", "write"),
]  # fmt: skip
CAPITALS = [
    ("france", "paris"), ("germany", "berlin"), ("italy", "rome"), ("spain", "madrid"),
    ("russia", "moscow"), ("japan", "tokyo"), ("china", "beijing"), ("greece", "athens"),
    ("poland", "warsaw"), ("austria", "vienna"), ("turkey", "ankara"), ("portugal", "lisbon"),
]  # fmt: skip
COUNTRIES = 8  # in the picture, at most
MAPPED = 120  # words on the map
FEWEST = 20  # with which a map is worth drawing
SHOWN = 12  # rows of a table
ANALOGY = "test/analogy"  # starts the names of their scores
FEW = 5  # answers in a row


def make_figures(near: Neighbours, counts: Sequence[int]) -> dict[str, Picture]:
    """All of them for which enough words are known.

    Args:
        counts: of each word in the training text.
    """
    hits = evaluation.scores(near, counts, "test")
    maps = {"Common words, the alike nearby": word_map(near),
            "Countries and their capitals": capitals(near)}  # fmt: skip
    tables = {
        "Nearest words": nearest(near),
        "Analogies": analogies(near),
        "Analogies of each section": by_section(hits),
        "A word and its form with an s": against_chance(near, hits),
    }
    return {
        **{title: table for title, table in tables.items() if table.rows},
        **{title: scatter for title, scatter in maps.items() if len(scatter.names)},
    }


def content_words(near: Neighbours) -> list[str]:
    """The words that have a meaning of their own, the commonest first."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return [word for word in near.vocabulary if len(word) > 3 and word not in ENGLISH_STOP_WORDS]


def nearest(near: Neighbours) -> Table:
    """The neighbours of the commonest words that have a meaning of their own."""
    words = content_words(near)[:SHOWN]
    rows = [(word, format_answers(near.most_similar(word, count=FEW))) for word in words]
    return Table(("word", "nearest words"), rows)


def analogies(near: Neighbours) -> Table:
    """Those of which all words are known."""
    triples = [words for words in ANALOGIES if {*words} <= {*near.rows}]
    rows = [(f"{b} - {a} + {c}", format_answers(near.analogy(a, b, c, FEW))) for a, b, c in triples]
    return Table(("analogy", "nearest words"), rows)


def by_section(hits: evaluation.Hits) -> Table:
    """The accuracy of each section; those with too few known questions are left out.

    Args:
        hits: of the test.
    """
    rows = []
    for name, values in hits.items():
        if name.startswith(ANALOGY):
            section = name.removeprefix(ANALOGY).lstrip("/").replace("_", " ") or "all"
            rows.append((section, f"{len(values):,}", f"{100 * values.mean():.1f}"))
    return Table(("section", "questions of known words", "answered %"), rows)


def against_chance(near: Neighbours, hits: evaluation.Hits) -> Table:
    """How often a word's partner is near, and how often it would be in a random order."""
    values, others = hits.get("test/neighbours", evaluation.NONE), len(near.vocabulary) - 1
    if not len(values):
        return Table((), [])
    chance = min(NEAREST / others, 1)
    row = (str(len(values)), f"{100 * values.mean():.1f}", f"{100 * chance:.1f}")
    return Table(("words", f"partner among the {NEAREST} nearest %", "by chance %"), [row])


def word_map(near: Neighbours) -> Scatter:
    """The commonest words that have a meaning of their own, so that neighbours are neighbours.

    By t-SNE (van der Maaten & Hinton 2008), which keeps small distances and no large ones.
    """
    from sklearn.manifold import TSNE

    names = content_words(near)[:MAPPED]
    if len(names) < FEWEST:
        return Scatter(np.zeros((0, 2)), [])
    vectors = near.vectors[[near.rows[name] for name in names]].astype(np.float64)
    projection = TSNE(
        init=principal(vectors) * 1e-2, perplexity=min(12.0, len(names) / 4), method="exact",
        learning_rate="auto", random_state=0,
    )  # fmt: skip
    points = projection.fit_transform(vectors)
    return Scatter(points / np.ptp(points, axis=0) * [1.4, 1], names)  # there is room to the sides


def capitals(near: Neighbours) -> Scatter:
    """Countries and their capitals in the plane in which they differ most.

    As figure 2 of Mikolov et al. 2013, https://arxiv.org/abs/1310.4546: the lines from a country to
    its capital are parallel where paris - france is what rome - italy is.
    """
    pairs = [pair for pair in CAPITALS if {*pair} <= {*near.rows}][:COUNTRIES]
    if len(pairs) < 3:
        return Scatter(np.zeros((0, 2)), [])
    names = [*(country for country, _ in pairs), *(capital for _, capital in pairs)]
    points = principal(near.vectors[[near.rows[name] for name in names]])
    groups = ["country"] * len(pairs) + ["capital"] * len(pairs)
    return Scatter(points, names, [(i, i + len(pairs)) for i in range(len(pairs))], groups)


def principal(vectors: np.ndarray) -> np.ndarray:
    """The first two principal components (N, 2) of vectors (N, D), with a sign that is the same
    each time: the largest number of each is positive."""
    centred = vectors - vectors.mean(0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    points: np.ndarray = left[:, :2] * sizes[:2]
    largest = points[np.abs(points).argmax(0), [0, 1]]
    return points * np.sign(largest)
