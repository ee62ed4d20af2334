"""What a run on one's own texts starts from (own_vectors)."""

import numpy as np
import pytest
import torch

import zoo
from datamodules.inputs.text import TextInput
from tests.data import seeded
from zoo.training import card
from zoo.training import vectors as module
from zoo.words import formats

LEAST = 0.5
WORDS = ["good", "bad", "film", "a", "so"]
TEXTS = [f"so {'good' if i % 2 else 'bad'} a film" for i in range(30)]
LABELS = np.arange(30) % 2


class Vectors:
    """Word vectors, as a CBOW has them."""

    def __init__(self, words, vectors):
        self.words, self.vectors = words, np.array(vectors, np.float32)

    def word_vectors(self):
        return self.words, self.vectors


KNOWING = Vectors(WORDS, [[1, 0], [-1, 0], [0, 1], [0, 1], [0, 1]])
BLIND = Vectors(WORDS, [[1, 0], [1, 0], [0, 1], [0, 1], [0, 1]])
FOREIGN = Vectors(["gut", "so"], [[1, 0], [-1, 0]])


@pytest.mark.parametrize(("one", "other", "chosen"), [
    (KNOWING, BLIND, "one"), (BLIND, KNOWING, "other"), (FOREIGN, BLIND, "other"),
    (FOREIGN, FOREIGN, None),
])  # fmt: skip
def test_the_vectors_that_tell_the_classes_apart_are_chosen(one, other, chosen, capsys):
    assert module.choose({"one": one, "other": other}, LEAST, TEXTS, LABELS) == chosen
    said = capsys.readouterr().err
    assert ("one knows 25% of the words: it is not used" in said) == (one is FOREIGN)
    if chosen:
        assert "100.0% from" in said or "50.0% from" in said


def test_features_are_the_mean_of_the_vectors_of_the_words_that_have_one():
    rows = module.features(KNOWING, ["good film unheard", "unheard"])
    assert rows.tolist() == [[0.5, 0.5], [0, 0]]


def test_one_class_that_has_one_text_is_no_error():
    networks = {"one": KNOWING, "other": BLIND}
    assert module.choose(networks, LEAST, TEXTS[:2], np.array([0, 1])) == "one"


@pytest.fixture
def other(monkeypatch):
    model = seeded("text_cnn", vocabulary_size=7, embedding=3, filters=4, widths=[1, 2])
    model.input = TextInput(vocabulary=WORDS, max_length=8, padding="pre", truncating="pre")
    monkeypatch.setattr(formats, "network", lambda source: model)
    return model.eval()


def starting(**more):
    options = {"embedding": 3, "filters": 4, "widths": [1, 2], "vectors": "x"}
    model = seeded("text_cnn", vocabulary_size=9, embeddings="non_static", **options | more)
    words = ["new", *reversed(WORDS)]
    model.input = TextInput(vocabulary=words, max_length=8, padding="pre", truncating="pre")
    model.setup("fit")
    return model.eval()


def test_vectors_of_a_network_like_this_one_bring_its_layers(other, capsys):
    """Whatever the order of the vocabulary: a text of known words has the same features."""
    model = starting()
    torch.testing.assert_close(model.features("so bad a film"), other.features("so bad a film"))
    assert "layers    convolutions.0.weight" in capsys.readouterr().err
    with torch.no_grad():
        other.steps.read.weight.zero_()
    before = model.features("good")
    model.setup("fit")  # once
    torch.testing.assert_close(model.features("good"), before)


@pytest.mark.parametrize("more", [{"filters": 5}, {"widths": [2, 3]}])
def test_layers_of_other_sizes_stay_and_vectors_get_a_random_tables_spread(other, more):
    model = starting(**more)
    _, table = model.word_vectors()
    assert np.sqrt(np.square(table[1:]).mean()) == pytest.approx(0.25 / 3**0.5, rel=1e-4)
    mean, own = (np.ravel(rows) for rows in (table[1:][::-1], other.word_vectors()[1]))
    assert np.corrcoef(mean, own)[0, 1] == pytest.approx(1)


@pytest.mark.parametrize(("vectors", "seen"), [
    ("text_cnn.negated_reviews", {"negated_reviews"}), ("cbow.python_docs", set()), (None, set()),
])  # fmt: skip
def test_a_card_says_what_a_network_had_seen_whose_layers_a_run_began_with(vectors, seen):
    assert {*card.seen_by_layers(vectors)} == seen


@pytest.mark.slow
def test_a_run_on_ones_own_texts_starts_from_what_its_words_know(tmp_path):
    lines = [f"such a {'great' if i % 2 else 'boring'} film, really {i},{i % 2}" for i in range(60)]
    (tmp_path / "rows.csv").write_text("\n".join(["text,label", *lines]).replace("film,", "film"))
    run = zoo.train("text_cnn", data="labelled_text", baseline=None,
                    **{"data.source": str(tmp_path), "trainer.max_epochs": 1})  # fmt: skip
    assert run.config["model"]["vectors"] in ("text_cnn.imdb", "cbow.wikipedia_2015")
    assert run.config["model"]["embedding"] == 100
    rate = 0.001 * (0.3 if run.config["model"]["vectors"] == "text_cnn.imdb" else 1)
    assert run.config["model"]["optimizer"]["lr"] == pytest.approx(rate)
    vocabulary = run.model.input.vocabulary
    assert {"boring", "splendid"} <= {*vocabulary}
    assert len(vocabulary) > 19_000
