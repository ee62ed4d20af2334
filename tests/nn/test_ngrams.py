"""A linear classifier of n-grams beside a network of words."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfTransformer

import zoo
from datamodules.inputs.ngrams import NgramInput
from tests.data import opened, refused, seeded
from zoo.nn.ngrams import GAIN, LEAST, SHARES, NgramHead, NgramScores
from zoo.utilities.modes import in_eval_mode

FIRST, M = 6, 40
WORDS = ["not", "good", "bad", "film"]  # their ids are 2 to 5


def rows(count=9):
    """Texts with words and n-grams, as ids; the last has none."""
    torch.manual_seed(0)
    has = torch.rand(count, M) < 0.3
    has[:, 7], has[-1] = False, False  # 7 stands in no text
    grams = (torch.arange(M) + FIRST) * has
    return torch.cat([torch.randint(0, FIRST, (count, 4)), grams], 1), has.numpy()


def network(name="text_cnn", **options):
    model = seeded(name, vocabulary_size=FIRST, ngrams=M, **options).eval()
    model.input = NgramInput(
        ngrams=M, vocabulary=WORDS, max_length=8, padding="pre", truncating="pre"
    )
    with torch.no_grad():
        model.ngram_scores.weight.normal_(std=0.01)
    return model


def test_scores_are_those_of_tf_idf_of_words_and_of_letters():
    """scikit-learn's, of which each half has rows of length one."""
    ids, has = rows()
    scores = NgramScores(M, FIRST, 3).eval()
    torch.nn.init.normal_(scores.weight)
    scores.fit_rarity(ids)
    halves = [
        TfidfTransformer().fit_transform(csr_matrix(half.astype(float))).toarray()
        for half in (has[:, : M // 2], has[:, M // 2 :])
    ]
    wanted = GAIN * np.hstack(halves) @ scores.weight.detach().numpy()
    words, numbers = scores.divide(ids)
    assert torch.equal(words[:, :4], ids[:, :4])
    assert not words[:, 4:].any()
    np.testing.assert_allclose(scores(numbers).detach().numpy(), wanted, atol=1e-4)
    before = scores.rarity.clone()
    scores.fit_rarity(ids[:2])  # once: weights of others go with it
    assert torch.equal(scores.rarity, before)
    assert before[7] == 0


@pytest.mark.parametrize("name", ["text_cnn", "text_lstm"])
def test_each_part_learns_by_its_own_loss(name):
    """The gradients are those of the parts' losses, of which the network's alone is smoothed."""
    model = network(name, dropout=0.0, label_smoothing=0.2).train()
    model.ngram_scores.dropout.p = 0.0
    ids, labels = rows()[0], torch.tensor([0, 1, 1, 0, 1, 0, 0, 1, 1])
    model.scores((ids, labels), "train")["loss"].mean().backward()
    own = [model.head.weight.grad.clone(), model.ngram_scores.weight.grad.clone()]
    model.zero_grad()
    deep, ngrams = model.head.parts(model.forward_features(ids))
    F.cross_entropy(deep, labels, label_smoothing=0.2).backward(retain_graph=True)
    assert not model.ngram_scores.weight.grad.any()
    F.cross_entropy(ngrams, labels).backward()
    torch.testing.assert_close(own, [model.head.weight.grad, model.ngram_scores.weight.grad])


@pytest.mark.parametrize(("good", "share"), [(0, (1, 0)), (1, (0, 1))])
def test_validation_texts_say_what_each_part_has_to_say(good, share):
    """One part knows the labels, the other says anything."""
    torch.manual_seed(0)
    labels = torch.randint(0, 2, (200,))
    parts = torch.randn(2, 200, 2) * 4
    parts[good] = F.one_hot(labels, 2) * 2.0
    head = NgramHead(3, 2, 0.5)
    losses = head.losses(parts, labels)
    pairs = [F.cross_entropy(a * parts[0] + b * parts[1], labels) for a, b in SHARES]
    torch.testing.assert_close(losses / 200, torch.stack(pairs))
    head.fit_shares(losses)
    shares = head.shares / head.shares.sum()
    assert shares.tolist() == pytest.approx(share, abs=0.26)
    torch.testing.assert_close(head.join(parts), sum(head.shares[i] * parts[i] for i in (0, 1)))


@pytest.mark.parametrize("name", ["text_cnn", "text_lstm"])
def test_a_push_is_what_the_log_odds_lose_without_the_word_and_its_ngrams(name):
    model, text = network(name), ["not", "unheard", "bad", "film"]
    (found,) = model.explain(" ".join(text))
    texts = [text, *(text[:i] + text[i + 1 :] for i in range(4))]
    answers = model.predict([" ".join(words) for words in texts])
    shares = [answer["probabilities"][found["label"]] for answer in answers]
    whole, *without = (math.log(share / (1 - share)) for share in shares)
    pushes = [push for _, push in found["words"]]
    assert pushes == pytest.approx([whole - odds for odds in without], abs=1e-4)
    assert abs(pushes[1]) > 1e-3  # an unknown word has letters


@pytest.fixture
def words(tmp_path):
    lines = ["so good a film", "how bad a film", "not bad at all", "not good at all"]
    text = "\n".join(f"{line} {i},{i // 2 % 2}" for i in range(24) for line in [lines[i % 4]])
    (tmp_path / "rows.csv").write_text(f"text,label\n{text}\n")
    return {
        "data": "labelled_text", "data.source": str(tmp_path), "own_vectors": None,
        "baseline": None, "trainer.max_epochs": 2, "model.filters": 8, "data.ngrams": 4096,
        "data.validation": 0.3, "trainer.precision": "32-true",
    }  # fmt: skip


@pytest.mark.slow
def test_a_run_learns_both_parts_and_its_weights_answer_as_it_did(words):
    run = zoo.train("text_cnn", **words, name="a")
    model = zoo.load(run.folder)
    assert model.ngram_scores.weight.any()
    assert not (model.ngram_scores.rarity == 1).all()
    assert run.config["model"]["ngrams"] == 4096
    data = opened("labelled_text", **{k[5:]: v for k, v in words.items() if k[:5] == "data."})
    ids, labels = data.tensors("test")
    logits = in_eval_mode(model)(ids.long())
    hits = (logits.argmax(1) == labels).float().mean()
    assert run.results["test/accuracy"] == pytest.approx(float(hits))
    texts, _ = data.arrays("test")
    assert [one["label"] for one in model.predict(texts)] == [
        model.classes[i] for i in logits.argmax(1).tolist()
    ]
    again = zoo.train("text_cnn", **words, name="b", init=str(run.folder))  # n-grams and all
    assert again.config["model"]["ngrams"] == 4096


def test_a_model_without_a_place_for_ngrams_refuses_them(words):
    more = {"data.buckets": False}
    taken = {k: v for k, v in words.items() if k != "model.filters"}
    refused(
        r"data\.ngrams is 4096, and TextCNN2017 has no place",
        zoo.train,
        "text_cnn_2017",
        **taken,
        **more,
    )


def test_few_validation_texts_leave_the_shares_alone():
    model = network()
    model.on_validation_epoch_start()
    model.scores((rows()[0], torch.zeros(9).long()), "val")
    assert int(model.validated) == 9 < LEAST
