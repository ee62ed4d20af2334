"""Pictures of word vectors: neighbours, analogies, and what they are worth."""

from collections.abc import Sequence

from zoo import intrinsic
from zoo.neighbours import NEAREST, Neighbours, listed
from zoo.pictures import Picture, Table

ANALOGIES = [  # a is to b as c is to ...: slide 24, and what the documentation of Python knows
    ("france", "paris", "italy"), ("man", "king", "woman"),
    ("file", "files", "class"), ("returns", "return", "raises"), ("write", "writing", "read"),
    ("call", "called", "return"), ("list", "lists", "string"), ("read", "reader", "write"),
]  # fmt: skip
SHOWN = 12  # rows of a table
FEW = 5  # answers in a row


def pictured(near: Neighbours, counts: Sequence[int]) -> dict[str, Picture]:
    """All of them for which enough words are known.

    Args:
        counts: of each word in the training text.
    """
    hits = intrinsic.scores(near, counts, "test")
    tables = {
        "Nearest words": nearest(near),
        "Analogies": analogies(near),
        "Analogies of each section": by_section(hits),
        "A word and its form with an s": against_chance(near, hits),
    }
    return {title: table for title, table in tables.items() if table.rows}


def content(near: Neighbours) -> list[str]:
    """The words that have a meaning of their own, the commonest first."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return [word for word in near.vocabulary if len(word) > 3 and word not in ENGLISH_STOP_WORDS]


def nearest(near: Neighbours) -> Table:
    """The neighbours of the commonest words that have a meaning of their own."""
    rows = [(word, listed(near.most_similar(word, count=FEW))) for word in content(near)[:SHOWN]]
    return Table(("word", "nearest words"), rows)


def analogies(near: Neighbours) -> Table:
    """Those of which all words are known."""
    known = [one for one in ANALOGIES if {*one} <= {*near.rows}]
    rows = [(f"{b} - {a} + {c}", listed(near.analogy(a, b, c, FEW))) for a, b, c in known]
    return Table(("analogy", "nearest words"), rows)


def by_section(hits: intrinsic.Hits) -> Table:
    """How many questions of each section are answered; sections of too few known ones are left out.

    Args:
        hits: of the test.
    """
    sizes = {name: len(asked) for name, asked in intrinsic.sections().items()}
    rows = []
    for name, found in hits.items():
        section = name.removeprefix("test/analogy").removeprefix("_")
        if name.startswith("test/analogy"):
            of = str(sizes.get(section, ""))
            share = f"{100 * found.mean():.1f}"
            rows.append((section.replace("_", " ") or "all", of, str(len(found)), share))
    return Table(("section", "questions", "of known words", "answered %"), rows)


def against_chance(near: Neighbours, hits: intrinsic.Hits) -> Table:
    """How often a word's partner is near, and how often it were in a random order."""
    found, others = hits.get("test/neighbours", intrinsic.NONE), len(near.vocabulary) - 1
    if not len(found):
        return Table((), [])
    chance = min(NEAREST / others, 1)
    row = (str(len(found)), f"{100 * found.mean():.1f}", f"{100 * chance:.1f}")
    return Table(("words", f"partner among the {NEAREST} nearest %", "by chance %"), [row])
