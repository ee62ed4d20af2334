"""Words compared by the angle between their vectors, beside gensim (S64)."""

import numpy as np
import pytest
from gensim.models import KeyedVectors

from tests.data import refused
from zoo.words.keyed_vectors import Neighbours

NAMES = [f"w{i}" for i in range(200)]
GIVEN = np.random.default_rng(0).normal(size=(200, 16)).astype(np.float32)


OURS, THEIRS = Neighbours(NAMES, GIVEN), KeyedVectors(16)
THEIRS.add_vectors(NAMES, GIVEN)


VECTOR = np.linspace(-1, 2, 16).astype(np.float32)
ASKED = {
    "a word": ("w7", ()), "a vector": (VECTOR, ()), "several words": (["w7", "w8", "w9"], ()),
    "a sum": (["w2", "w3"], ["w1"]), "one less another": ("w2", "w1"),
    "words and a vector": (["w2", VECTOR], ["w1"]), "rows of a table": (GIVEN[:3], ()),
    "the opposite": ([], "w1"), "a word twice": (["w7", "w7", "w8"], ()),
}  # fmt: skip


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_most_similar_is_gensims(asked):
    """S64: by the mean of unit vectors; what was asked is no answer."""
    positive, negative = asked
    mine = OURS.most_similar(positive, negative, count=300)
    other = THEIRS.most_similar(positive, negative or [], topn=300)
    assert [word for word, _ in mine] == [word for word, _ in other]
    np.testing.assert_allclose([c for _, c in mine], [c for _, c in other], atol=1e-6)
    assert OURS.most_similar(positive, negative) == mine[:10]


def test_an_analogy_is_gensims_and_leaves_its_own_words_out():
    """S64: king - man + woman."""
    mine = OURS.analogy("w1", "w2", "w3", 1000)
    other = THEIRS.most_similar(positive=["w2", "w3"], negative=["w1"], topn=1000)
    assert [word for word, _ in mine] == [word for word, _ in other]
    assert len(mine) == 197
    assert not {"w1", "w2", "w3"} & {word for word, _ in mine}


def test_the_odd_one_out_and_a_similarity_are_gensims():
    """S64."""
    random = np.random.default_rng(1)
    for count in (3, 4, 9):
        words = random.choice(NAMES, count, replace=False).tolist()
        assert OURS.doesnt_match(words) == THEIRS.doesnt_match(words)
    for a, b in (("w1", "w2"), ("w5", "w5"), ("w9", "w100")):
        assert OURS.similarity(a, b) == pytest.approx(THEIRS.similarity(a, b), abs=1e-6)


def test_an_unknown_word_is_an_error_with_the_nearest_that_are_known():
    """S64."""
    near = Neighbours(["file", "files", "read"], np.eye(3))
    refused("'Filez' is not in the vocabulary: did you mean file", near.most_similar, "Filez")
    refused("no known word is spelt nearly like it", near.analogy, "file", "files", "zzzzzz")
    refused("did you mean file", near.similarity, "file", "filee")
    refused("did you mean read", near.doesnt_match, ["file", "files", "reed"])
    near = Neighbours(["us", "US", "file"], np.eye(3))  # where a word is known with capitals
    assert (near.row("US"), near.row("FILE")) == (1, 2)


def test_what_cannot_be_asked_is_said():
    """S64: nothing, too few, a sum of zero, and vectors of another size."""
    refused("no words given: positive and negative are empty", OURS.most_similar, [])
    refused("too few words: give three or more", OURS.doesnt_match, [])
    refused(r"\['w1', 'w2'\] are too few words", OURS.doesnt_match, ["w1", "w2"])
    refused("cancel each other out", OURS.most_similar, "w1", "w1")
    refused(r"has the shape \(3,\): \(16,\) is wanted", OURS.most_similar, np.ones(3))
    refused("of finite numbers", OURS.most_similar, np.full(16, np.nan))
    assert OURS.most_similar("w1", count=0) == []
