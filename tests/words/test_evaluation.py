"""What word vectors are worth: by their inflections, by analogies, by what people say (S64)."""

import numpy as np
import pytest
from gensim.models import KeyedVectors
from gensim.test.utils import datapath
from scipy import stats

from zoo.words import evaluation
from zoo.words.evaluation import inflected_pairs, score_inflections
from zoo.words.keyed_vectors import Neighbours

QUESTIONS = datapath("questions-words.txt")


@pytest.fixture(scope="module")
def pair():
    """Vectors of most words, in which some answers are right, in our hands and in gensim's."""
    asked = [one for questions in evaluation.sections().values() for one in questions]
    pairs = [one for name in evaluation.PEOPLE for one in evaluation.human_scores(name)]
    names = sorted({*(word for one in asked for word in one), *(w for *ab, _ in pairs for w in ab)})
    random = np.random.default_rng(0)
    random.shuffle(names)
    vectors = dict(zip(names, random.normal(size=(len(names), 12)), strict=True))
    for a, b, c, d in asked[::7]:
        vectors[d] = vectors[b] - vectors[a] + vectors[c] + random.normal(size=12) / 5
    for a, b, score in pairs:
        vectors[a] = vectors[a] + score / 10 * vectors[b]
    names = names[:-100]
    table = np.stack([vectors[name] for name in names]).astype(np.float32)
    theirs = KeyedVectors(12)
    theirs.add_vectors(names, table)
    return Neighbours(names, table), theirs


@pytest.mark.parametrize("commonest", [1300, 30_000])
def test_the_score_of_each_section_is_gensims(pair, commonest, monkeypatch):
    """S64: by the standard rules, section by section and in all."""
    ours, theirs = pair
    monkeypatch.setattr(evaluation, "COMMONEST", commonest)
    monkeypatch.setitem(evaluation.ENOUGH, "section", 1)
    total, wanted = theirs.evaluate_word_analogies(QUESTIONS, restrict_vocab=commonest)
    found = evaluation.score_analogies(ours, "test")
    asked = {one["section"]: (len(one["correct"]), len(one["incorrect"])) for one in wanted[:-1]}
    for section, (right, wrong) in asked.items():
        hits = found.get(f"analogy/{section.replace('-', '_')}", evaluation.NONE)
        assert (hits.sum(), len(hits)) == (right, right + wrong), section
    assert 0.02 < total < 0.9
    assert found["analogy"].mean() == pytest.approx(total)
    counts = np.array([*asked.values()])
    for name, part in (("semantic", counts[:5]), ("syntactic", counts[5:])):
        mean = part[:, 0].sum() / part.sum()
        assert found[f"analogy/{name}"].mean() == pytest.approx(mean)


def test_capitals_do_not_matter_and_the_commonest_spelling_counts(pair):
    """S64: as in gensim."""
    ours, theirs = pair[0], KeyedVectors(12)
    again = ["Athens", *ours.vocabulary, "ATHENS"]
    table = np.concatenate([ours.vectors[-1:], ours.vectors, ours.vectors[:1]])
    theirs.add_vectors(again, table)
    found = evaluation.score_analogies(Neighbours(again, table), "test")["analogy"]
    wanted = theirs.evaluate_word_analogies(QUESTIONS, restrict_vocab=30_000)[0]
    assert found.mean() == pytest.approx(wanted)


@pytest.mark.parametrize("name", evaluation.PEOPLE)
def test_the_agreement_with_people_is_gensims(pair, name):
    """S64: the mean of its values is Spearman's rank correlation, of pairs that are known."""
    ours, theirs = pair
    wanted = theirs.evaluate_word_pairs(datapath(evaluation.PEOPLE[name]))
    values = evaluation.rank_correlation(ours, evaluation.human_scores(name))
    assert values.mean() == pytest.approx(wanted[1].statistic, abs=1e-5)
    assert len(values) < len(evaluation.human_scores(name))
    assert wanted[2] > 0


def test_the_spread_of_an_agreement_tells_how_sure_it_is():
    """Of a normal pair it is that of Fisher's transformation, 1.03 / sqrt(P - 3)."""
    x, noise = np.random.default_rng(0).normal(size=(2, 400))
    values = evaluation.pseudo_values(x, x + noise)
    correlation = stats.spearmanr(x, x + noise).statistic
    assert values.mean() == pytest.approx(correlation, abs=1e-6)
    error = values.std() / np.sqrt(400)
    assert error == pytest.approx((1 - correlation**2) * 1.03 / np.sqrt(397), rel=0.2)


def test_vectors_that_are_all_alike_agree_with_nobody():
    pairs = evaluation.human_scores("wordsim353")
    names = sorted({word for a, b, _ in pairs for word in (a, b)})
    alike = Neighbours(names, np.ones((len(names), 3)))
    assert evaluation.rank_correlation(alike, pairs).mean() == 0


def test_the_questions_are_those_of_the_paper():
    """S64."""
    sections = evaluation.sections()
    assert sum(map(len, sections.values())) == 19_544
    assert sections["capital_common_countries"][0] == ["athens", "greece", "baghdad", "iraq"]
    around = [*sections][evaluation.SEMANTIC - 1 : evaluation.SEMANTIC + 1]
    assert around == ["family", "gram1_adjective_to_adverb"]


def test_validation_has_every_second_question(pair):
    """S64: the odd ones of each section."""
    ours = pair[0]
    whole, half = (evaluation.score_analogies(ours, stage) for stage in ("test", "val"))
    assert half.keys() == whole.keys()
    for name in half:
        if name not in ("analogy", "analogy/semantic", "analogy/syntactic"):
            assert half[name].tolist() == whole[name][1::2].tolist()
    assert len(half["analogy"]) == sum(len(whole[one]) // 2 for one in [*whole][3:])


def test_of_too_few_known_words_nothing_is_said(pair, monkeypatch):
    """S64: a section needs 100 questions, and all of them together 1,000; nor without gensim."""
    some, few = (Neighbours(pair[0].vocabulary[:n], pair[0].vectors[:n]) for n in (1300, 50))
    found = evaluation.score_analogies(some, "test")
    assert 0 < len(found) < 3 + 14
    assert all(len(hits) >= 100 for hits in found.values())
    for stage in ("test", "val"):
        assert evaluation.scores(few, [10] * 50, stage).keys() <= {f"{stage}/neighbours"}
    monkeypatch.setattr(evaluation, "find_spec", lambda name: None)
    assert evaluation.sections() == {}
    assert evaluation.scores(some, [10] * 1300, "test").keys() <= {"test/neighbours"}


# --- inflections ----------------------------------------------------------------------------------


def names(count):
    return [name for i in range(count) for name in (f"word{i}x", f"word{i}xs")]


def test_the_pairs_are_frequent_words_and_the_same_with_an_s():
    names = ["file", "class", "files", "a", "as", "rare", "rares", "classs"]
    assert inflected_pairs(names, [50, 40, 30, 20, 20, 20, 9, 20]) == [(0, 2)]


def test_a_partner_counts_if_nine_words_or_fewer_are_nearer():
    """Both ways: thing is near things; of things ten others are nearer."""
    names = ["thing", "things", *(f"x{i}" for i in range(10))]
    angles = [0.0, 0.5, *(0.6 + i / 1000 for i in range(10))]
    near = Neighbours(names, np.stack([np.cos(angles), np.sin(angles)], 1))
    assert score_inflections(near, [10] * 12, "val").tolist() == [1, 0]
    assert score_inflections(near, [10] * 12, "test").tolist() == []


def test_validation_and_test_have_no_pair_in_common():
    near = Neighbours(names(9), np.eye(18))
    assert [len(score_inflections(near, [10] * 18, stage)) for stage in ("val", "test")] == [10, 8]


def test_vectors_that_know_nothing_score_by_chance():
    """The statement that the score is measured against."""
    near = Neighbours(names(500), np.random.default_rng(0).normal(size=(1000, 50)))
    found = score_inflections(near, [10] * 1000, "test")
    assert found.mean() == pytest.approx(10 / 999, abs=0.015)
