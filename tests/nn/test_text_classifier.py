"""Which words pushed an answer (S67, S74): against pushes computed by hand."""

import io
import math

import numpy as np
import pytest
import torch
from torch import nn

import zoo
from datamodules.inputs.text import TextInput
from tests.data import refused, seeded
from zoo.figures import texts
from zoo.figures.kinds import Tinted
from zoo.nn import text_classifier as own
from zoo.nn.embedding import SequenceEmbedding

NETWORKS = ["text_cnn", "text_cnn_2017", "text_lstm", "text_lstm_2017"]
WORDS = ["not", "good", "bad", "film"]  # their ids are 2 to 5


class Bag(own.TextClassifier):
    """Logits are the sum of a row of weights for each word."""

    def __init__(self, weights):
        size, width = weights.shape
        super().__init__(vocabulary_size=size, features=None, embedding=width, label_smoothing=0.0)
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
    model = seeded(name, **more)
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
    (answer,) = bag.predict("not not film")
    assert {key: found[0][key] for key in answer} == answer


CUT = {"pre": {"good": 3, "bad": -1, "film": 0.25}, "post": {"not": -2, "film": 0.25, "good": 3}}


@pytest.mark.parametrize(("truncating", "wanted"), CUT.items())
def test_words_that_are_cut_are_not_named_and_do_not_move_in(bag, truncating, wanted):
    bag.input = text_input(3, truncating=truncating)
    (found,) = bag.explain("not film good bad film")
    assert [word for word, _ in found["words"]] == [*wanted]
    assert dict(found["words"]) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("padding", ["pre", "post"])
def test_a_word_is_left_out_and_the_others_close_up(padding):
    """The oracle is the input's own reading of the words that are left."""
    read = text_input(6, padding)
    text = ["not", "good", "strange", "film"]
    shorter = [" ".join(text[:i] + text[i + 1 :]) for i in range(4)]
    assert torch.equal(own.without_each(read(" ".join(text))[0], padding), read(shorter))
    assert torch.equal(own.without_each(read("good")[0], padding), torch.zeros(1, 6).long())


@pytest.mark.parametrize("name", NETWORKS)
def test_a_push_is_what_the_log_odds_lose_without_the_word(name):
    """Of each network, by its own answers for the texts without the word; in batches of three."""
    model, text = network(name), ["not", "good", "bad", "film"]
    (found,) = model.explain(" ".join(text), batch_size=3)
    texts = [text, *(text[:i] + text[i + 1 :] for i in range(4))]
    answers = model.predict([" ".join(words) for words in texts])
    shares = [answer["probabilities"][found["label"]] for answer in answers]
    whole, *without = (math.log(share / (1 - share)) for share in shares)
    wanted = [whole - odds for odds in without]
    assert [push for _, push in found["words"]] == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_text_of_one_word_and_of_more_classes_is_explained(name):
    (found,) = network(name, num_classes=3).explain(["film"])
    assert [word for word, _ in found["words"]] == ["film"]
    assert math.isfinite(found["words"][0][1])


@pytest.mark.parametrize("name", ["text_cnn", "text_lstm"])
def test_padding_changes_no_push(name):
    found = [network(name, length).explain("not good film")[0]["words"] for length in (3, 20)]
    assert dict(found[0]) == pytest.approx(dict(found[1]), abs=1e-4)


def test_the_log_odds_of_three_classes_are_against_the_other_two():
    logits = torch.tensor([[1.0, 2.0, 0.5]])
    assert own.log_odds(logits, 1).item() == pytest.approx(logits.softmax(1)[0, 1].logit().item())
    found = own.strongest([("not", 2.5), ("a", 0.01), ("good", -3.0)])
    assert found == "good -3.00, not +2.50, a +0.01"


def test_what_cannot_be_explained_is_said(bag):
    refused("a text is wanted", bag.explain, ["good", 3])
    refused("has no input", zoo.create_model("text_cnn").explain, "good")


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", [*NETWORKS, "text_mlp"])
def test_a_text_without_a_word_has_one_finite_answer(name, training):
    """Alone, in a batch, before it and behind it; and a batch of nothing else teaches no NaN."""
    model = network(name, **({"max_length": 8} if name == "text_mlp" else {}))
    texts = ["?", "good film", "", "\N{GRINNING FACE}", "not bad"]
    alone, batch = model.predict("?")[0], model.predict(texts)
    for i in (0, 2, 3):
        assert batch[i]["probabilities"] == pytest.approx(alone["probabilities"], abs=1e-6)
    assert sum(alone["probabilities"].values()) == pytest.approx(1)
    assert model.explain("?")[0]["words"] == []
    model.train(training)(model.input(texts[2:4])).square().sum().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


# A whole text (S71)


def test_a_text_of_any_length_is_the_mean_of_its_windows(bag):
    """The oracle: probabilities of two full windows and of a shorter one."""
    bag.input = text_input(2)
    found = bag.predict_file(io.StringIO("good good\nbad\n\nnot film"), batch_size=2)
    each = [bag.predict(part)[0]["probabilities"] for part in ("good good", "bad not", "film")]
    mean = {label: sum(one[label] for one in each) / 3 for label in ("neg", "pos")}
    assert (found["label"], found["windows"]) == (max(mean, key=mean.get), 3)
    assert found["probabilities"] == pytest.approx(mean)
    refused("has no words", bag.predict_file, io.StringIO("...\n"))


# The report


def test_the_report_shows_what_pushed_right_answers_and_the_worst_mistakes(bag):
    texts = ["good", "not", "good film", "bad", "good good", "strange not"]
    labels = torch.tensor([1, 0, 1, 1, 0, 0])  # of "bad" and of "good good" another than is said
    bag.steps = SequenceEmbedding(6, None, 3)
    figures = bag.figures((bag.input(texts), labels))
    shown = figures["Words that pushed the answer"]
    assert isinstance(shown, Tinted)
    assert [" ".join(word for word, _ in one) for one in shown.passages] == [
        "not", "\N{DOUBLE QUESTION MARK} not", "good", "good film", "good good", "bad",
    ]  # fmt: skip
    assert shown.captions[3] == "pos, answered pos (96 % sure): good +3.00, film +0.25"
    assert shown.captions[4] == "neg, answered pos (100 % sure): good +3.00, good +3.00"
    assert dict(shown.passages[3]) == pytest.approx({"good": 3.0, "film": 0.25}, abs=1e-5)
    bars = figures["Accuracy over length"]
    assert bars.names == ["1 words (3 texts)", "2 words (3 texts)"]
    assert bars.values == pytest.approx([200 / 3, 200 / 3])


def test_the_words_with_the_greatest_pull_stand_beside_the_nearest_of_the_table(bag):
    bag.steps = SequenceEmbedding(6, None, 2)
    with torch.no_grad():
        bag.steps.read.weight[2:] = torch.tensor([[1.0, 0], [0, 1], [0.9, 0.1], [0.1, 1.0]])
    rows = {word: (label, near.split()[0]) for word, label, near in bag.nearest().rows}
    assert rows["good"] == ("pos", "film")
    assert bag.nearest().rows[0][:2] == ("not", "neg")
    assert bag.nearest().rows[0][2].startswith("bad 0.99")


def counts(bars):
    return [int(name.split("(")[1].split()[0]) for name in bars.names]


def test_lengths_are_cut_into_bins_of_as_many_texts():
    """Those of one length are one bin, and none is lost."""
    lengths = np.arange(1, 81)
    bars = texts.accuracy_by_length(lengths, lengths > 40)
    assert bars.names[0] == "1 to 10 words (10 texts)"
    assert len(bars.names) == 8
    assert {*counts(bars)} <= {9, 10, 11}
    assert bars.values[:3] + bars.values[-3:] == [0] * 3 + [100] * 3
    bars = texts.accuracy_by_length(np.full(50, 400), np.arange(50) < 20)
    assert (bars.names, bars.values) == (["400 words (50 texts)"], [40.0])
    lengths = np.random.default_rng(0).integers(1, 12, 1000)
    assert sum(counts(texts.accuracy_by_length(lengths, lengths > 3))) == 1000


def test_examples_are_of_all_classes_and_the_surest_mistakes():
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 0, 1])
    sure = np.array([0.9, 0.8, 0.7, 0.9, 0.9, 0.9, 0.9, 0.6, 0.8])
    answers = np.array([0, 0, 0, 0, 1, 1, 1, 1, 0])
    probabilities = np.where(np.arange(2) == answers[:, None], sure[:, None], 1 - sure[:, None])
    assert [int(i) for i in own.examples(labels, probabilities)] == [0, 1, 4, 5, 8, 7]
    assert [int(i) for i in own.examples(labels[7:], probabilities[7:])] == [1, 0]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_of_texts_has_these_pictures(name):
    model = network(name, length=12)
    texts = ["not good", "film bad good", "good", "bad"] * 3
    batch = model.input(texts), torch.arange(12) % 2
    assert {"Words that pushed the answer", "Accuracy over length"} <= model.figures(batch).keys()
    series = zoo.create_model(name, vocabulary_size=None, features=3).eval()
    found = series.figures((torch.randn(4, 12, 3), torch.arange(4) % 2))
    assert not {"Words that pushed the answer", "Accuracy over length"} & found.keys()
