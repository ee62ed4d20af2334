"""The lecture's text CNN to the letter, and Kim's (S62, S67, S72)."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import zoo
from datamodules.inputs.text import TextInput
from tests.data import opened, refused, seeded
from zoo.catalog.compose import compose
from zoo.text_cnn import max_over_time

NETWORKS = ["text_cnn", "text_cnn_2017", "text_lstm", "text_lstm_2017"]


def words(model, rows, length):
    """Random word ids (rows, length), none of them padding."""
    return torch.randint(1, model.hparams["vocabulary_size"], (rows, length))


def same_gradients(found, wanted, *layers):
    """And the same numbers."""
    torch.testing.assert_close(found, wanted)
    leaves = [p for layer in layers for p in layer.parameters()]
    gradients = [torch.autograd.grad(x.square().sum(), leaves) for x in (found, wanted)]
    torch.testing.assert_close(*gradients)


@pytest.fixture
def lecture():
    return seeded("text_cnn_2017", vocabulary_size=5000)


@pytest.fixture
def kim():
    return seeded("text_cnn")


# The lecture's


def test_the_lectures_network_is_the_slides_layer_by_layer(lecture):
    """S67: an oracle written from slide 26, with the same weights, gives the same sigmoid."""
    table, conv = nn.Embedding(5000, 50), nn.Conv1d(50, 250, 3)
    dense, last = nn.Linear(250, 250), nn.Linear(250, 1)
    oracle = [p for layer in (table, conv, dense, last) for p in layer.parameters()]
    for theirs, ours in zip(oracle, lecture.parameters(), strict=True):
        theirs.data = ours.data
    ids = words(lecture, 4, 400)
    pooled = conv(table(ids).transpose(1, 2)).relu().max(dim=2).values
    sigmoid = last(dense(pooled).relu()).sigmoid()[:, 0]
    torch.testing.assert_close(lecture(ids).softmax(1)[:, 1], sigmoid)
    parts = 250_000, 37_750, 62_750, 251  # in Keras' summary of imdb_cnn.py
    assert sum(p.numel() for p in lecture.parameters()) == sum(parts)
    refused("sequences have 2 steps: 3 or more are needed", lecture, words(lecture, 1, 2))


def test_keras_dropout_of_the_table_takes_a_word_away_everywhere(lecture):
    """Whole rows are dropped, in the whole batch, and the others grow by 1 / (1 - 0.2)."""
    ids, few = torch.arange(5000).repeat(2, 2), words(lecture, 4, 30)
    assert lecture.word_dropout(ids) == 1.0  # where it is judged nothing is dropped
    judged = lecture(few)
    assert torch.equal(judged, lecture(few))
    lecture.train()
    kept = lecture.word_dropout(ids)[..., 0]  # (2, 10,000)
    assert torch.equal(kept[0, :5000], kept[0, 5000:])
    assert torch.equal(kept[0], kept[1])
    assert set(kept.unique().tolist()) == {0.0, 1.25}
    assert (kept == 0).float().mean().item() == pytest.approx(0.2, abs=0.02)
    lecture.hparams["embedding_dropout"], lecture.hidden[1].p = 0.0, 0.0
    torch.testing.assert_close(lecture(few), judged)


def test_the_best_windows_are_the_maximum_over_time_and_so_are_their_gradients():
    """S67: what all windows give, in double precision; those of mere padding are alike."""
    torch.manual_seed(0)
    table, conv = nn.Embedding(20, 5).double(), nn.Conv1d(5, 40, 3).double()
    ids = torch.randint(20, (4, 11))
    ids[:2, :7] = 0
    wanted = conv(table(ids).transpose(1, 2)).amax(2)
    same_gradients(max_over_time(conv, table(ids)), wanted, table, conv)


def test_kims_network_gives_the_same_while_it_trains_and_learns_the_same(kim):
    """S65: padding before, behind, everywhere and nowhere; a window of mere padding never wins."""
    kim.double()
    for layer in kim.convolutions:
        layer.bias.data.fill_(0.3)  # so that padding would win, were it seen
    ids = words(kim, 4, 11)
    ids[0, :4], ids[1, 6:], ids[2] = 0, 0, 0

    def strongest(ids):
        return torch.cat(kim.strongest(ids), 1)

    wanted = strongest(ids)
    torch.testing.assert_close(strongest(ids[:1, 4:]), wanted[:1])
    torch.testing.assert_close(strongest(ids[1:2, :6]), wanted[1:2])
    kim.train()
    same_gradients(strongest(ids), wanted, kim.steps, kim.convolutions)


# Kim's


def test_kims_features_are_the_maxima_of_a_window_by_window_loop(kim):
    """Equations 2 and 3 of the paper: c_i = f(w . x[i : i + h] + b), then the maximum."""
    ids = words(kim, 1, 7)
    vectors = kim.steps.read(ids)[0].T
    assert [layer.weight.shape[2] for layer in kim.convolutions] == kim.hparams["widths"]
    for layer, found in zip(kim.convolutions, kim.strongest(ids), strict=True):
        width = layer.weight.shape[2]
        x = F.pad(vectors, (width - 1, width - 1))
        windows = [x[:, i : i + width] for i in range(x.shape[1] - width + 1)]
        c = [((layer.weight * window).sum((1, 2)) + layer.bias).relu() for window in windows]
        torch.testing.assert_close(found[0], torch.stack(c).amax(0), atol=1e-5, rtol=0)


def test_its_report_shows_the_words_that_excite_a_filter(kim):
    """One filter is set by hand to look for "very good"; the table finds it in the texts."""
    vocabulary = ["very", "good", "bad", "film"]
    kim.input = TextInput(vocabulary=vocabulary, max_length=6, padding="pre", truncating="pre")
    kim.classes = ["negative", "positive"]
    table = kim.steps.read.weight.data
    kim.convolutions[0].weight.data[0] = 10 * table[[2, 3]].t()  # of two words
    kim.head.weight.data[:, 0] = torch.tensor([-1.0, 1.0])
    batch = kim.input(["film bad", "very good film", "good very film bad"]), torch.tensor([0, 1, 0])
    shown = kim.figures(batch)["What the filters look for"]
    assert tuple(shown.rows[0])[:2] == ("very good", "positive")


# Both


@pytest.mark.parametrize("name", ["text_cnn", "text_lstm"])
@pytest.mark.parametrize("before", [True, False])
def test_padding_of_a_whole_batch_is_not_computed(name, before):
    """S71: a batch of short texts takes the time of short texts, and says the same."""
    model, steps = zoo.create_model(name).eval(), []
    ids, none = words(model, 3, 5), torch.zeros(3, 300, dtype=torch.int64)
    model.steps.read.register_forward_hook(lambda *call: steps.append(call[2].shape[1]))
    padded = torch.cat([none, ids] if before else [ids, none], 1)
    torch.testing.assert_close(model(padded), model(ids))
    assert model(none).isfinite().all()
    assert steps == [5, 5, 1]


@pytest.mark.parametrize("name", NETWORKS)
def test_it_reads_words_or_numbers_and_not_both(name):
    """S72."""
    for words, numbers in ((None, None), (10, 4)):
        given = {"vocabulary_size": words, "features": numbers}
        refused(f"vocabulary_size is {words} and features", zoo.create_model, name, **given)


@pytest.mark.parametrize("name", [*NETWORKS, "text_mlp"])
def test_a_wrong_layout_is_an_error_that_names_the_axis(name):
    series = zoo.create_model(name, vocabulary_size=None, features=4)
    assert series(torch.randn(2, 9, 4)).shape == (2, 2)
    refused("axis 2 should be 4", series, torch.randn(2, 9, 5))
    refused(r"numbers have the shape .*: \(B, T, 4\) is wanted", series, torch.randn(2, 9))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_batch_of_unknown_words_and_of_nothing_has_a_finite_loss(name):
    """Reliability 20."""
    model = zoo.create_model(name)
    batch = torch.tensor([[1] * 8, [0] * 7 + [1], [0] * 8]), torch.tensor([0, 1, 0])
    loss = model.scores(batch, "train")["loss"].mean()
    loss.backward()
    assert torch.isfinite(loss)
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in model.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_it_reads_digits_as_a_series_of_rows(name):
    """S72: 28 steps of 28 features, and nothing told of pictures; three rows show the least."""
    data = opened("digits", limit=2000)
    (inputs, labels), (unseen, truths) = (data.samples(part, 2000) for part in ("train", "test"))
    torch.manual_seed(0)
    model = zoo.create_model(name, vocabulary_size=None, features=28, num_classes=10)
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    for _ in range(12):
        for rows in torch.randperm(len(labels)).split(32):
            optimizer.zero_grad()
            F.cross_entropy(model(inputs[rows, 0]), labels[rows]).backward()  # of (B, 28, 28)
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    right = model.eval()(unseen[:, 0]).argmax(1) == truths
    assert right.float().mean() > (0.8 if name == "text_cnn_2017" else 0.9)


def test_the_file_reads_what_the_slide_reads():
    """S67: as many words and as long texts as in Keras' imdb_cnn.py."""
    data = compose(["experiment=imdb_text_cnn_2017"])["data"]
    assert (data["vocabulary_size"], data["max_length"]) == (5000, 400)
