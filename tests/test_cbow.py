"""Words from the words around them, and what their vectors know (S63, S64)."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import zoo
from datamodules.inputs.words import ContextInput
from tests.data import bare_trainer, refused
from zoo.cbow import CBOW
from zoo.pretrained import store
from zoo.pretrained.load import attach
from zoo.words.keyed_vectors import Neighbours

NAMES = ["the", "file", "files", "read", "reads", "class", "classes", "a", "b", "c"]


def build(size):
    steps = {"mode": "cbow", "negatives": 3, "power": 0.75, "add_outputs": False, "threads": 1}
    return CBOW(vocabulary_size=size, dimensions=8, **steps, optimizer={"lr": 0.2})


@pytest.fixture
def model():
    """Ten words and vectors of any value, in float64."""
    torch.manual_seed(0)
    model = build(12).double()
    model.input = ContextInput(vocabulary=NAMES, counts=[*range(20, 10, -1)], window=2)
    model.setup("fit")
    with torch.no_grad():
        model.vectors.weight.normal_()
        model.outputs.normal_()
    return model


CONTEXTS = torch.tensor([[2, 3, 4, 5], [0, 6, 6, 0], [0, 0, 0, 0]])  # of four words, two and none
BATCH = CONTEXTS, torch.tensor([7, 2, 3])


def trained(data, epochs):
    torch.manual_seed(0)
    model = attach(build(data.info["vocabulary_size"]), data.input, data.info)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    bare_trainer(max_epochs=epochs).fit(model, datamodule=data)
    return model, before


# --- the model's claim ----------------------------------------------------------------------------


def test_the_hidden_layer_is_the_mean_of_the_vectors_that_are_there(model):
    """S63: 1301.3781, section 3.1; padding does not count, and without a word it is zero."""
    table = model.vectors.weight
    expected = torch.stack([table[2:6].mean(0), table[6], torch.zeros(8, dtype=torch.float64)])
    torch.testing.assert_close(model.encode(CONTEXTS), expected)


def test_the_gradient_is_that_of_the_formula_with_the_means_one_nth(model, monkeypatch):
    """S63: word2vec's update by hand; the context's share is divided by n (gensim#3266)."""
    negatives = torch.tensor([[8, 9, 2], [2, 4, 11], [5, 5, 6]])  # one of them is the centre
    monkeypatch.setattr(model, "draw_negatives", lambda *shape: negatives)
    model.scores(BATCH, "train")["loss"].sum().backward()
    table, outputs = model.vectors.weight.detach(), model.outputs.detach()
    by_context, by_output = torch.zeros_like(table), torch.zeros_like(outputs)
    for context, centre, words in zip(*BATCH, negatives, strict=True):
        there = context[context > 0]
        mean = table[there].mean(0) if len(there) else torch.zeros_like(table[0])
        for word, label in [(centre, 1), *((word, 0) for word in words if word != centre)]:
            slope = torch.sigmoid(outputs[word] @ mean) - label
            by_output[word] += slope * mean
            for i in there:
                by_context[i] += slope * outputs[word] / len(there)
    slopes = [model.vectors.weight.grad, model.outputs.grad]
    torch.testing.assert_close(slopes, [by_context, by_output])


def test_every_vector_that_was_seen_moves_and_no_other(animals):
    """gensim#386: training left the vectors where they were."""
    model, before = trained(animals, 1)
    for name in ("vectors.weight", "outputs"):
        moved = (model.state_dict()[name] != before[name]).any(1)
        wanted = [2 <= row < 2 + len(animals.input.vocabulary) for row in range(len(moved))]
        assert moved.tolist() == wanted


def test_noise_is_the_counts_to_the_power_of_three_quarters_and_is_what_is_drawn(model):
    """S63: 1310.4546, section 2.2; padding and the unknown word are never drawn."""
    counts = torch.arange(20, 10, -1).double() ** 0.75
    torch.testing.assert_close(model.noise[2:], counts / counts.sum())
    shares = torch.bincount(model.draw_negatives(40_000, 3).flatten(), minlength=12) / 120_000
    assert shares[:2].tolist() == [0, 0]
    torch.testing.assert_close(shares.double(), model.noise, atol=0.005, rtol=0)


def test_the_loss_of_validation_is_what_the_drawn_loss_is_on_average(model):
    exact = model.scores(BATCH, "val")["loss"]
    drawn = [model.scores(BATCH, "train")["loss"] for _ in range(4000)]
    torch.testing.assert_close(torch.stack(drawn).mean(0), exact, atol=0.1, rtol=0.02)
    torch.testing.assert_close(exact, model.scores(BATCH, "test")["loss"], atol=0, rtol=0)


def test_logits_are_those_of_the_probability_that_the_optimum_implies(model):
    """Levy & Goldberg 2014: u . h = log P(w | context) - log q - log negatives at the optimum."""
    wanted = torch.rand(12).double() * (model.noise > 0)
    wanted /= wanted.sum()
    mean = F.one_hot(torch.tensor(0), 8).double()
    with torch.no_grad():
        model.vectors.weight.copy_(mean.expand(12, 8))
        model.outputs.zero_()
        model.outputs[2:, 0] = (wanted / model.noise / 3)[2:].log()
    torch.testing.assert_close(model(torch.tensor([[2, 3]])).softmax(1)[0], wanted)


# --- what the vectors are for ---------------------------------------------------------------------


def test_its_vectors_are_asked_as_neighbours_are(model):
    """S64: the same answers from the model as from its vectors."""
    near, three = Neighbours(*model.word_vectors()), ["file", "files", "read"]
    assert model.most_similar(three[:2], "read") == near.most_similar(three[:2], ["read"])
    assert model.analogy(*three) == near.analogy(*three)
    assert model.doesnt_match(three) == near.doesnt_match(three)
    assert model.similarity("file", "files") == near.similarity("file", "files")
    assert model.predict("files - file + read")[0] == model.analogy(*three)
    refused(r"zoo\.load", build(12).most_similar, "file")


def test_a_words_vector_is_that_of_contexts_or_the_sum_of_both_at_length_one(model):
    """S65, Levy et al. 2015, section 3.3."""
    own, outputs = (t.detach()[2:].numpy() for t in (model.vectors.weight, model.outputs))
    np.testing.assert_allclose(model.word_vectors()[1], own, rtol=1e-6)
    model.hparams["add_outputs"] = True
    units = [table / np.linalg.norm(table, axis=1, keepdims=True) for table in (own, outputs)]
    np.testing.assert_allclose(model.word_vectors()[1], sum(units), rtol=1e-5, atol=1e-7)


# --- in use ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_words_that_stand_in_the_same_places_become_neighbours(animals):
    """It learns: animals are near animals, places near places, and a gap has one kind of word."""
    model, _ = trained(animals, 200)
    found = [word for word, _ in model.most_similar("cat", count=3)]
    assert set(found) == {"dog", "horse", "bird"}
    places = {"house", "garden", "river", "field"}
    assert {word for word, _ in model.predict("the cat goes to the _ it says")[0][:4]} == places


def test_a_saved_model_answers_the_same_from_its_file_and_has_tables_of_words(animals, tmp_path):
    model, _ = trained(animals, 1)
    section = {"_target_": "zoo.cbow.CBOW", **dict(model.hparams)}
    store.save(model, {"model": section, "info": animals.info}, tmp_path)
    again = zoo.load(tmp_path)
    assert again.predict("the _ goes") == model.predict("the _ goes")
    assert again.analogy("cat", "dog", "bird") == model.analogy("cat", "dog", "bird")
    tables = model.eval().figures(animals.samples("test", 100))
    assert {"Nearest words", "The word in the middle"} <= {*tables}
    assert all(len(row) == len(table.header) for table in tables.values() for row in table.rows)
