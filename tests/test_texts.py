"""Which words pushed an answer (S67, S74): against pushes computed by hand."""

import math

import pytest
import torch
from torch import nn

import zoo
from datamodules.inputs.text import TextInput
from zoo.texts import TextClassifier, log_odds, strongest, without_each

NETWORKS = ["text_cnn", "text_cnn_2017", "text_lstm", "text_lstm_2017"]
WORDS = ["not", "good", "bad", "film"]  # their ids are 2 to 5


class Bag(TextClassifier):
    """Logits are the sum of a row of weights for each word."""

    def __init__(self, weights):
        super().__init__(0.0)
        self.table, self.head = nn.Embedding.from_pretrained(weights, padding_idx=0), nn.Identity()

    def forward(self, ids):
        return self.head(self.table(ids).sum(1))


def text_input(length=8, padding="pre", truncating="pre"):
    return TextInput(vocabulary=WORDS, max_length=length, padding=padding, truncating=truncating)


@pytest.fixture
def bag():
    """The weights of padding, the unknown word and the four words, for two classes."""
    weights = torch.tensor([[0, 0], [0, 0.1], [2, 0], [0, 3], [1, 0], [0.25, 0.5]])
    model = Bag(weights)
    model.input, model.classes = text_input(), ["neg", "pos"]
    return model


def network(name, length=8, **more):
    torch.manual_seed(0)
    model = zoo.create_model(name, **more).eval()
    model.input = text_input(length)
    return model


def test_the_push_of_a_word_of_a_linear_model_is_its_weight(bag):
    """Each word, and each time it stands there, adds the difference of its two weights."""
    (found,) = bag.explain("Good film, not good: unheard-of")
    assert found["label"] == "pos"
    words, pushes = zip(*found["words"], strict=True)
    assert words == ("good", "film", "not", "good", "unheard", "of")
    assert pushes == pytest.approx([3, 0.25, -2, 3, 0.1, 0.1], abs=1e-5)


def test_what_speaks_for_another_answer_is_negative(bag):
    found = bag.explain(["not not film", "good"])
    assert [one["label"] for one in found] == ["neg", "pos"]
    assert dict(found[0]["words"]) == pytest.approx({"not": 2, "film": -0.25}, abs=1e-5)


def test_an_explained_answer_is_the_answer(bag):
    (found,) = bag.explain("not good")
    (answer,) = bag.predict("not good")
    assert {key: found[key] for key in answer} == answer


@pytest.mark.parametrize("truncating", ["pre", "post"])
def test_words_that_are_cut_are_not_named_and_do_not_move_in(bag, truncating):
    bag.input = text_input(3, truncating=truncating)
    (found,) = bag.explain("not film good bad film")
    wanted = ["good", "bad", "film"] if truncating == "pre" else ["not", "film", "good"]
    assert [word for word, _ in found["words"]] == wanted
    weights = {"good": 3, "bad": -1, "film": 0.25, "not": -2}
    assert [push for _, push in found["words"]] == pytest.approx(
        [weights[word] for word in wanted], abs=1e-5
    )


@pytest.mark.parametrize("padding", ["pre", "post"])
def test_a_word_is_left_out_and_the_others_close_up(padding):
    """The oracle is the input's own reading of the words that are left."""
    read = text_input(6, padding)
    text = ["not", "good", "strange", "film"]
    shorter = [" ".join(text[:i] + text[i + 1 :]) for i in range(4)]
    assert torch.equal(without_each(read(" ".join(text))[0], padding), read(shorter))
    assert torch.equal(without_each(read("good")[0], padding), torch.zeros(1, 6).long())


@pytest.mark.parametrize("name", NETWORKS)
def test_a_push_is_what_the_log_odds_lose_without_the_word(name):
    """Of each network, by its own answers for the texts without the word; in batches of three."""
    model, text = network(name), ["not", "good", "bad", "film"]
    (found,) = model.explain(" ".join(text), batch_size=3)

    def odds(words):
        share = model.predict(" ".join(words))[0]["probabilities"][found["label"]]
        return math.log(share / (1 - share))

    wanted = [odds(text) - odds(text[:i] + text[i + 1 :]) for i in range(4)]
    assert [push for _, push in found["words"]] == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_text_of_one_word_and_of_more_classes_is_explained(name):
    (found,) = network(name, num_classes=3).explain(["film"])
    assert [word for word, _ in found["words"]] == ["film"]
    assert math.isfinite(found["words"][0][1])


@pytest.mark.parametrize("name", ["text_cnn", "text_lstm"])
def test_padding_changes_no_push(name):
    text, found = "not good film", []
    for length in (3, 20):
        found.append([push for _, push in network(name, length).explain(text)[0]["words"]])
    assert found[0] == pytest.approx(found[1], abs=1e-4)


def test_the_log_odds_of_three_classes_are_against_the_other_two():
    logits = torch.tensor([[1.0, 2.0, 0.5]])
    share = logits.softmax(1)[0, 1].item()
    assert log_odds(logits, 1).item() == pytest.approx(math.log(share / (1 - share)))


def test_the_strongest_words_stand_first_with_their_sign():
    found = strongest([("not", 2.5), ("a", 0.01), ("good", -3.0)])
    assert found == "good -3.00, not +2.50, a +0.01"


def test_what_cannot_be_explained_is_said(bag):
    with pytest.raises(ValueError, match="has no words"):
        bag.explain(["good", "..."])
    with pytest.raises(ValueError, match="has no input"):
        zoo.create_model("text_cnn").explain("good")
