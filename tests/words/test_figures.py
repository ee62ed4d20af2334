"""What the report shows of word vectors (S64)."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

import zoo
from zoo.figures.kinds import Scatter, Table
from zoo.words import figures
from zoo.words.keyed_vectors import Neighbours


@pytest.fixture(scope="module")
def wikipedia():
    return zoo.load("cbow.wikipedia_2015")


@pytest.fixture(scope="module")
def pictures(wikipedia):
    return figures.make_figures(wikipedia.neighbours(), wikipedia.input.counts)


def test_both_analogies_of_the_slide_are_shown(wikipedia, pictures):
    """S64: whatever they give."""
    table = pictures["Analogies"]
    assert [row[0] for row in table.rows[:2]] == ["paris - france + italy", "king - man + woman"]
    first = wikipedia.analogy("france", "paris", "italy")[0][0]
    assert table.rows[0][1].startswith(first)
    assert table.rows[1][1].startswith("queen")


def test_analogies_are_told_section_by_section(pictures):
    """S64: the three totals, then each section of which enough words are known."""
    table = pictures["Analogies of each section"]
    assert isinstance(table, Table)
    names = [row[0] for row in table.rows]
    assert names[:3] == ["all", "semantic", "syntactic"]
    assert {"family", "capital common countries", "gram8 plural"} <= {*names}
    counts = [int(row[1].replace(",", "")) for row in table.rows[:3]]
    assert counts[0] == counts[1] + counts[2]


def test_the_plane_of_capitals_is_that_of_the_principal_components(wikipedia, pictures):
    """S64: figure 2 of Mikolov et al. 2013; a line goes from each country to its capital."""
    scatter = pictures["Countries and their capitals"]
    near = wikipedia.neighbours()
    vectors = near.vectors[[near.rows[name] for name in scatter.names]]
    wanted = PCA(2).fit_transform(vectors.astype(np.float64))
    np.testing.assert_allclose(np.abs(scatter.points), np.abs(wanted), atol=1e-4)
    joined = {(scatter.names[a], scatter.names[b]) for a, b in scatter.lines}
    assert joined <= {*figures.CAPITALS}
    assert len(joined) == 8
    groups = {(scatter.groups[a], scatter.groups[b]) for a, b in scatter.lines}
    assert groups == {("country", "capital")}


def test_of_a_regular_relation_the_lines_are_parallel():
    """S64: paris - france = rome - italy, drawn."""
    countries, step = np.random.default_rng(0).normal(size=(2, 5, 30))
    near = Neighbours([name for pair in figures.CAPITALS[:5] for name in pair], np.eye(10, 30))
    vectors = np.stack([countries, countries + 3 * step[0]], 1).reshape(10, 30)
    near.vectors = vectors  # of any length: of unit vectors they are nearly parallel
    scatter = figures.capitals(near)
    directions = np.array([scatter.points[b] - scatter.points[a] for a, b in scatter.lines])
    np.testing.assert_allclose(directions, np.broadcast_to(directions[0], directions.shape))


def test_the_map_has_the_commonest_words_of_meaning_with_like_beside_like(wikipedia, pictures):
    """S64: of most words the nearest on the map is among the ten nearest of those on it."""
    scatter = pictures["Common words, the alike nearby"]
    assert isinstance(scatter, Scatter)
    assert len(scatter.names) == figures.MAPPED
    assert "the" not in scatter.names
    near = wikipedia.neighbours()
    vectors = near.vectors[[near.rows[name] for name in scatter.names]]
    cosines = vectors @ vectors.T - 2 * np.eye(len(vectors))
    distances = np.linalg.norm(scatter.points[:, None] - scatter.points, axis=2)
    np.fill_diagonal(distances, np.inf)
    ten = np.argsort(-cosines, axis=1)[:, :10]
    hits = [nearest in row for nearest, row in zip(distances.argmin(1), ten, strict=True)]
    assert np.mean(hits) > 0.6  # by chance 0.08
    np.testing.assert_array_equal(figures.word_map(near).points, scatter.points)  # each time


def test_of_too_few_words_there_is_no_picture():
    near = Neighbours(["file", "files", "paris", "france"], np.eye(4))
    allowed = {"Nearest words", "A word and its form with an s"}
    assert figures.make_figures(near, [10] * 4).keys() <= allowed
