"""The lecture's text CNN to the letter, and Kim's (S62, S67, S72)."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import zoo
from datamodules.inputs.text import TextInput
from tests.data import learned, opened, refused
from zoo.catalog.compose import compose
from zoo.figures.kinds import Table
from zoo.nn.embedding import Steps
from zoo.text_cnn import winners

KERAS = {"vocabulary_size": 5000}


def words(model, rows, length):
    """Random word ids (rows, length), none of them padding."""
    return torch.randint(1, model.hparams["vocabulary_size"], (rows, length))


@pytest.fixture
def lecture():
    torch.manual_seed(0)
    return zoo.create_model("text_cnn_2017", **KERAS).eval()


@pytest.fixture
def kim():
    torch.manual_seed(0)
    return zoo.create_model("text_cnn").eval()


# The lecture's


def test_the_lectures_network_is_the_slides_layer_by_layer(lecture):
    """S67: an oracle written from slide 26, with the same weights, gives the same sigmoid."""
    table, conv, dense, last = (
        nn.Embedding(5000, 50), nn.Conv1d(50, 250, 3), nn.Linear(250, 250), nn.Linear(250, 1)
    )  # fmt: skip
    oracle = [p for layer in (table, conv, dense, last) for p in layer.parameters()]
    with torch.no_grad():
        for theirs, ours in zip(oracle, lecture.parameters(), strict=True):
            theirs.copy_(ours)
    ids = words(lecture, 4, 400)
    pooled = conv(table(ids).transpose(1, 2)).relu().max(dim=2).values
    sigmoid = last(dense(pooled).relu()).sigmoid()[:, 0]
    torch.testing.assert_close(lecture(ids).softmax(1)[:, 1], sigmoid)


def test_the_lectures_network_has_as_many_parameters_as_in_keras(lecture):
    """Keras' summary of imdb_cnn.py: 250,000 + 37,750 + 62,750 + 251."""
    assert sum(p.numel() for p in lecture.parameters()) == 350_751


def test_more_classes_have_a_logit_each():
    model = zoo.create_model("text_cnn_2017", num_classes=5).eval()
    assert model(words(model, 2, 9)).shape == (2, 5)


def test_keras_dropout_of_the_table_takes_a_word_away_everywhere(lecture):
    """Whole rows are dropped, in the whole batch, and the others grow by 1 / (1 - 0.2)."""
    lecture.train()
    ids = torch.arange(5000).repeat(2, 2)
    kept = lecture.kept(ids)[..., 0]  # (2, 10,000)
    assert torch.equal(kept[0, :5000], kept[0, 5000:])
    assert torch.equal(kept[0], kept[1])
    assert set(kept.unique().tolist()) == {0.0, 1.25}
    assert (kept == 0).float().mean().item() == pytest.approx(0.2, abs=0.02)


def test_nothing_is_dropped_where_it_is_judged(lecture):
    ids = words(lecture, 3, 10)
    assert lecture.kept(ids) == 1.0
    assert torch.equal(lecture(ids), lecture(ids))


def test_the_best_windows_are_the_maximum_over_time_and_so_are_their_gradients():
    """S67: what all windows give, in double precision; those of mere padding are alike."""
    torch.manual_seed(0)
    table, conv = nn.Embedding(20, 5).double(), nn.Conv1d(5, 40, 3).double()
    ids = torch.randint(20, (4, 11))
    ids[:2, :7] = 0
    wanted = conv(table(ids).transpose(1, 2)).amax(2)
    found = winners(conv, table(ids))
    torch.testing.assert_close(found, wanted)
    leaves = [*table.parameters(), *conv.parameters()]
    torch.testing.assert_close(
        torch.autograd.grad(found.square().sum(), leaves),
        torch.autograd.grad(wanted.square().sum(), leaves),
    )


def test_kims_network_gives_the_same_while_it_trains_and_learns_the_same(kim):
    """S65: padding before, behind, everywhere and nowhere; a window of mere padding never wins."""
    kim.double()
    with torch.no_grad():
        for layer in kim.convolutions:
            layer.bias.fill_(0.3)  # so that padding would win, were it seen
    ids = words(kim, 4, 11)
    ids[0, :4], ids[1, 6:], ids[2] = 0, 0, 0
    kim.eval()
    wanted = torch.cat([maps.amax(2) for maps in kim.maps(ids)], 1)
    kim.train()
    found = torch.cat(kim.strongest(ids), 1)
    torch.testing.assert_close(found, wanted)
    leaves = [*kim.steps.parameters(), *kim.convolutions.parameters()]
    torch.testing.assert_close(
        torch.autograd.grad(found.square().sum(), leaves),
        torch.autograd.grad(wanted.square().sum(), leaves),
    )


def test_the_lectures_network_gives_the_same_while_it_trains(lecture):
    ids = words(lecture, 4, 30)
    wanted = lecture(ids)
    lecture.train()
    lecture.hparams["embedding_dropout"], lecture.hidden[1].p = 0.0, 0.0
    torch.testing.assert_close(lecture(ids), wanted)


def test_a_text_shorter_than_the_filter_is_refused(lecture):
    refused("sequences have 2 steps: 3 or more are needed", lecture, words(lecture, 1, 2))


# Kim's


def test_kims_features_are_the_maxima_of_a_window_by_window_loop(kim):
    """Equations 2 and 3 of the paper: c_i = f(w . x[i : i + h] + b), then the maximum."""
    ids = words(kim, 1, 7)
    vectors = kim.steps.read(ids)[0].detach().numpy()
    wanted = []
    for layer, width in zip(kim.convolutions, kim.hparams["widths"], strict=True):
        w, b = layer.weight.detach().numpy(), layer.bias.detach().numpy()
        ends = np.zeros((width - 1, vectors.shape[1]), np.float32)
        x = np.concatenate([ends, vectors, ends])
        windows = [x[i : i + width].T for i in range(len(x) - width + 1)]
        c = [np.maximum((w * window).sum((1, 2)) + b, 0) for window in windows]
        wanted.append(np.max(c, 0))
    found = torch.cat([maps.amax(2) for maps in kim.maps(ids)], 1)
    np.testing.assert_allclose(found.detach().numpy()[0], np.concatenate(wanted), atol=1e-5)


@pytest.mark.parametrize("side", ["pre", "post"])
def test_padding_changes_nothing_that_kims_network_says(kim, side):
    with torch.no_grad():
        for layer in kim.convolutions:
            layer.bias.fill_(1.0)  # windows of mere padding would shine
    ids = words(kim, 3, 5)
    empty = torch.zeros(3, 9, dtype=torch.int64)
    padded = torch.cat([empty, ids] if side == "pre" else [ids, empty], 1)
    torch.testing.assert_close(kim(padded), kim(ids))


def test_its_report_shows_the_words_that_excite_a_filter(kim):
    """One filter is set by hand to look for "very good"; the table finds it in the texts."""
    vocabulary = ["very", "good", "bad", "film"]
    kim.input = TextInput(vocabulary=vocabulary, max_length=6, padding="pre", truncating="pre")
    kim.classes = ["negative", "positive"]
    with torch.no_grad():
        layer = kim.convolutions[0]  # of two words
        layer.weight[0] = 10 * kim.steps.read.weight[[2, 3]].t()
        kim.head.weight[:, 0] = torch.tensor([-1.0, 1.0])
    batch = kim.input(["film bad", "very good film", "good very film bad"]), torch.tensor([0, 1, 0])
    table = kim.figures(batch)["What the filters look for"]
    assert isinstance(table, Table)
    assert tuple(table.rows[0])[:2] == ("very good", "positive")


# Both


def test_a_row_of_the_table_is_the_product_with_a_one_hot_vector():
    """S62: W is (n_words, n_neurons), its rows are words; rows come from outside, too."""
    steps = Steps(vocabulary_size=7, features=None, width=3)
    table = torch.randn(7, 3)
    steps.read.weight.data.copy_(table)
    ids = torch.tensor([[2, 5, 5]])
    torch.testing.assert_close(steps(ids), F.one_hot(ids, 7).float() @ table)
    assert steps.read.weight.shape == (7, 3)


@pytest.mark.parametrize("name", ["text_cnn", "text_lstm"])
@pytest.mark.parametrize("before", [True, False])
def test_padding_of_a_whole_batch_is_not_computed(name, before):
    """S71: a batch of short texts takes the time of short texts, and says the same."""
    model = zoo.create_model(name).eval()
    ids, none = words(model, 3, 5), torch.zeros(3, 300, dtype=torch.int64)
    steps = []
    model.steps.read.register_forward_hook(lambda *call: steps.append(call[2].shape[1]))
    padded = torch.cat([none, ids] if before else [ids, none], 1)
    torch.testing.assert_close(model(padded), model(ids))
    assert model(none).isfinite().all()
    assert steps == [5, 5, 1]


@pytest.mark.parametrize("name", ["text_cnn", "text_cnn_2017", "text_lstm", "text_lstm_2017"])
def test_it_reads_words_or_numbers_and_not_both(name):
    """S72."""
    for vocabulary_size, features in ((None, None), (10, 4)):
        refused(
            f"vocabulary_size is {vocabulary_size} and features",
            zoo.create_model,
            name,
            vocabulary_size=vocabulary_size,
            features=features,
        )


@pytest.mark.parametrize("name", ["text_cnn", "text_cnn_2017", "text_lstm", "text_lstm_2017"])
def test_a_wrong_layout_is_an_error_that_names_the_axis(name):
    series = zoo.create_model(name, vocabulary_size=None, features=4)
    assert series(torch.randn(2, 9, 4)).shape == (2, 2)
    refused("axis 2 should be 4", series, torch.randn(2, 9, 5))
    refused(r"\(B, T, 4\) of numbers is wanted", series, torch.randn(2, 9))
    refused(
        r"\(B, T\) of word ids is wanted",
        zoo.create_model(name),
        torch.ones(2, 9, 4, dtype=torch.int64),
    )


@pytest.mark.parametrize("name", ["text_cnn", "text_cnn_2017", "text_lstm", "text_lstm_2017"])
def test_a_batch_of_unknown_words_and_of_nothing_has_a_finite_loss(name):
    """Reliability 20."""
    model = zoo.create_model(name)
    batch = torch.tensor([[1] * 8, [0] * 7 + [1], [0] * 8]), torch.tensor([0, 1, 0])
    loss = model.scores(batch, "train")["loss"].mean()
    loss.backward()
    assert torch.isfinite(loss)
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in model.parameters())


@pytest.mark.parametrize("name", ["text_cnn", "text_cnn_2017", "text_lstm", "text_lstm_2017"])
def test_it_overfits_a_batch(name):
    torch.manual_seed(0)
    model = zoo.create_model(name)
    ids, labels = words(model, 16, 12), torch.arange(16) % 2
    assert learned(model, 60, 5e-3, lambda: F.cross_entropy(model(ids), labels)) < 0.1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "at_least"),
    [("text_cnn", 0.9), ("text_cnn_2017", 0.8), ("text_lstm", 0.9), ("text_lstm_2017", 0.9)],
)
def test_it_reads_digits_as_a_series_of_rows(name, at_least):
    """S72: 28 steps of 28 features, and nothing told of pictures; three rows show the least."""
    data = opened("digits", limit=2000)
    parts = {split: data.whole(split, 2000) for split in ("train", "test")}
    torch.manual_seed(0)
    model = zoo.create_model(name, vocabulary_size=None, features=28, num_classes=10)
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    inputs, labels = parts["train"][0][:, 0], parts["train"][1]  # (N, 28, 28)
    for _ in range(12):
        for rows in torch.randperm(len(labels)).split(32):
            optimizer.zero_grad()
            F.cross_entropy(model(inputs[rows]), labels[rows]).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    model.eval()
    with torch.no_grad():
        right = model(parts["test"][0][:, 0]).argmax(1) == parts["test"][1]
    assert right.float().mean() > at_least


def test_the_files_say_what_the_slide_says():
    """S67: the numbers of Keras' imdb_cnn.py."""
    config = compose(["experiment=imdb_text_cnn_2017"])
    model, data = config["model"], config["data"]
    assert (data["vocabulary_size"], data["max_length"]) == (5000, 400)
    assert (model["embedding"], model["filters"], model["filter_length"]) == (50, 250, 3)
    assert (model["hidden"], model["dropout"], model["embedding_dropout"]) == (250, 0.2, 0.2)
