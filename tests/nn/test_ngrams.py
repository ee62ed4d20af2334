"""A linear classifier of n-grams beside a network of words."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC

import zoo
from datamodules.inputs.ngrams import REPEATS as IN_A_ROW
from datamodules.inputs.ngrams import NgramInput, ngrams_of
from tests.data import opened, refused, seeded
from zoo.metrics.choice import BestPipeline
from zoo.nn.ngrams import GAIN, LEAST, REPEATS, SHARES, NgramHead, NgramScores
from zoo.pretrained import store
from zoo.utilities.modes import in_eval_mode

FIRST, M = 6, 40
WORDS = ["not", "good", "bad", "film"]  # their ids are 2 to 5


def rows(count=9):
    """Texts with words and n-grams, as ids, and how often they have each; the last has none."""
    torch.manual_seed(0)
    counts = 2 ** torch.randint(0, 3, (count, M)) * (torch.rand(count, M) < 0.3)
    counts[:, 7], counts[-1] = 0, 0  # 7 stands in no text
    levels = counts.clamp(min=1).log2().long() + (counts > 0)
    grams = [torch.arange(M).repeat_interleave(one) + FIRST for one in levels]
    ids = torch.nn.utils.rnn.pad_sequence(grams, batch_first=True)
    return torch.cat([torch.randint(0, FIRST, (count, 4)), ids], 1), counts.numpy()


def features(counts):
    """The weights of n-grams as scikit-learn has them, of which each half has a row of its own."""
    return np.hstack([
        TfidfTransformer(sublinear_tf=True).fit_transform(csr_matrix(half.astype(float))).toarray()
        for half in (counts[:, : M // 2], counts[:, M // 2 :])
    ])  # fmt: skip


def network(name="text_cnn", **options):
    model = seeded(name, vocabulary_size=FIRST, ngrams=M, **options).eval()
    model.input = NgramInput(
        ngrams=M, vocabulary=WORDS, max_length=8, padding="pre", truncating="pre"
    )
    with torch.no_grad():
        model.ngram_scores.weight.normal_(std=0.01)
    return model


def test_scores_are_those_of_tf_idf_of_words_and_of_letters_under_a_support_vector_machine():
    """scikit-learn's, of logits that are fitted by folds."""
    ids, counts = rows(200)
    labels = (counts[:, 3] > 0) + 2 * (counts[:, 30] > 1).astype(int)
    scores = NgramScores(M, FIRST, 5).eval()
    scores.fit(ids, labels, np.array([1.0, 2.0, 1.0, 0.5, 1.0]))
    words, numbers = scores.divide(ids)
    assert torch.equal(words[:, :4], ids[:, :4])
    assert not words[:, 4:].any()
    assert scores.rarity[7] == 0
    x = features(counts)
    np.testing.assert_allclose(scores.rows(ids).toarray(), x, atol=1e-6)
    options = {"class_weight": {0: 1, 1: 2, 2: 1, 3: 0.5}, "fit_intercept": False}
    machines = [LinearSVC(C=C, random_state=0, **options) for C in (0.1, 0.3, 1.0)]
    best = BestPipeline([("", FunctionTransformer(), machines)], folds=3).fit(x, labels)
    logits = scores(numbers)
    wanted = best.predict_proba(x)[:-1]
    np.testing.assert_allclose(logits[:-1, :4].softmax(1), wanted, atol=0.02)
    assert (logits[:-1].argmax(1).numpy() == best.predict(x)[:-1]).mean() > 0.98
    assert best.accuracy_ > 0.8


@pytest.mark.parametrize("classes", [[1], [0, 2]])
def test_a_class_without_a_training_text_is_never_the_answer(classes):
    ids, _ = rows(40)
    scores = NgramScores(M, FIRST, 4).eval()
    scores.fit(ids, np.resize(classes, 40), np.ones(4))
    logits = scores(scores.divide(ids)[1])
    assert bool((logits.max(1).values[:, None] == logits)[:, classes].any(1).all())


def test_ids_that_stand_once_score_as_those_of_models_before():
    """Whose n-grams were not counted: tf-idf without tf."""
    ids, counts = rows()
    scores = NgramScores(M, FIRST, 3).eval()
    torch.nn.init.normal_(scores.weight)
    once = torch.where((F.pad(ids, (1, 0))[:, :-1] == ids) & (ids >= FIRST), 0, ids)
    with torch.no_grad():
        seen = (torch.from_numpy(counts) > 0).sum(0)
        scores.rarity.copy_((1 + ((1 + len(ids)) / (1 + seen)).log()) * (seen > 0))
    wanted = GAIN * features(counts > 0) @ scores.weight.numpy()
    np.testing.assert_allclose(scores(scores.divide(once)[1]), wanted, atol=1e-4)


def test_a_card_of_before_is_read_by_its_own_rules(tmp_path):
    model = network()
    section = {"_target_": "zoo.text_cnn.TextCNN", **model.hparams}
    read = {**model.input.config()}
    del read["grams"]
    for name, kept in ("old", read), ("new", {**read, "grams": "counted_2_5"}):
        (tmp_path / name).mkdir()
        info = {"classes": ["a", "b"], "num_classes": 2, "input": kept}
        store.save(model, {"model": section, "info": info}, tmp_path / name)
    old, new = zoo.load(tmp_path / "old"), zoo.load(tmp_path / "new")
    text = "not good good film"
    numbers = ngrams_of(text.split(), M, "once_3_4")
    ids = torch.tensor([[0] * 4 + [2, 3, 3, 5] + [FIRST + one for one in numbers]])
    probabilities = in_eval_mode(model)(ids).softmax(1)[0].tolist()
    answers = [[*one.predict(text)[0]["probabilities"].values()] for one in (old, new)]
    assert answers[0] == pytest.approx(probabilities, abs=1e-6)
    assert answers[1] != pytest.approx(probabilities, abs=1e-3)


@pytest.mark.parametrize("name", ["text_cnn", "text_lstm"])
def test_the_network_learns_by_its_own_loss_and_the_ngrams_rest(name):
    model = network(name, dropout=0.0, label_smoothing=0.2).train()
    ids, labels = rows()[0], torch.tensor([0, 1, 1, 0, 1, 0, 0, 1, 1])
    model.scores((ids, labels), "train")["loss"].mean().backward()
    own = model.head.weight.grad.clone()
    model.zero_grad()
    deep, _ = model.head.parts(model.forward_features(ids))
    F.cross_entropy(deep, labels, label_smoothing=0.2).backward()
    torch.testing.assert_close(own, model.head.weight.grad)
    assert model.ngram_scores.weight.grad is None


@pytest.mark.parametrize(("name", "classes"), [("text_cnn", 2), ("text_lstm", 3)])
def test_a_last_layer_behind_layers_that_come_along_starts_as_logistic_regression(name, classes):
    model, ids = network(name, num_classes=classes), rows(60)[0]
    model.has_layers = True
    labels = torch.arange(60) % classes
    model.fit_linear(ids, labels)
    x = model.encode(model.words_of(ids)).detach().double().numpy()
    linear = [LogisticRegression(C=C, max_iter=300) for C in (0.001, 0.01, 0.1)]
    best = BestPipeline([("", StandardScaler(), linear)], folds=3).fit(x, labels.numpy())
    logits = model.head.parts(model.forward_features(ids))[0].detach()
    np.testing.assert_allclose(logits.softmax(1), best.predict_proba(x), atol=1e-4)


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


@pytest.mark.slow
def test_two_processes_have_the_ngrams_of_one(words, command):
    """Each fits them to all training texts."""
    runs = []
    for devices in (1, 2):
        more = {"trainer": "ddp", "trainer.devices": devices, "trainer.accelerator": "cpu"}
        pairs = {**words, **more, "name": f"n{devices}", "own_vectors": "null", "baseline": "null"}
        command.ran("train", "experiment=text_cnn", *(f"{k}={v}" for k, v in pairs.items()))
        runs.append(zoo.load(f"runs/labelled_text_text_cnn/n{devices}").ngram_scores)
    for name in ("weight", "rarity"):
        torch.testing.assert_close(getattr(runs[0], name), getattr(runs[1], name), rtol=0, atol=0)
    assert runs[0].weight.any()


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


def test_the_data_repeat_a_number_no_more_than_the_network_counts():
    assert IN_A_ROW == REPEATS


def test_few_validation_texts_leave_the_shares_alone():
    model = network()
    model.on_validation_epoch_start()
    model.scores((rows()[0], torch.zeros(9).long()), "val")
    assert int(model.validated) == 9 < LEAST
