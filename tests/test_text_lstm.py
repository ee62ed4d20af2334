"""The lecture's LSTM against torch's own, slide 30's equation, and the cells (S72-S75)."""

import numpy as np
import pytest
import torch
from torch import nn

import zoo
from tests.data import refused, seeded
from zoo.catalog.compose import compose
from zoo.text_lstm import LinearRecurrence, VariationalLSTM, last_state

CELLS = ["linear", "rnn", "gru", "lstm"]


def words(rows, length):
    return torch.randint(1, 128, (rows, length))


# The lecture's


def test_without_dropout_our_loop_is_torchs_lstm_and_so_are_its_gradients():
    """S75: the loop that drops states, at p = 0."""
    torch.manual_seed(0)
    lstm = nn.LSTM(5, 7, batch_first=True).double()
    x = torch.randn(3, 11, 5, dtype=torch.double, requires_grad=True)
    wanted = lstm(x)[1][0][0]
    found = last_state(lstm, x, torch.ones(3, 7, dtype=torch.double))
    torch.testing.assert_close(found, wanted)
    leaves = [x, *lstm.parameters()]
    slopes = [torch.autograd.grad(last.square().sum(), leaves) for last in (found, wanted)]
    torch.testing.assert_close(*slopes)


def test_the_state_is_dropped_by_one_mask_at_every_step():
    """S75: what a hand loop over torch's LSTMCell gives, whose state is masked before each step."""
    torch.manual_seed(0)
    lstm, cell = nn.LSTM(5, 7, batch_first=True), nn.LSTMCell(5, 7)
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    cell.load_state_dict({name: getattr(lstm, f"{name}_l0") for name in names})
    x, kept = torch.randn(3, 11, 5), torch.bernoulli(torch.full((3, 7), 0.8)) / 0.8
    h = c = torch.zeros(3, 7)
    for t in range(11):
        h, c = cell(x[:, t], (h * kept, c))
    torch.testing.assert_close(last_state(lstm, x, kept), h)


def test_both_dropouts_are_there_while_training_and_gone_where_it_is_judged():
    torch.manual_seed(0)
    x = torch.randn(4, 6, 5)
    for rates in ((0.5, 0.0), (0.0, 0.5)):
        layer = VariationalLSTM(5, 7, *rates)
        assert not torch.equal(layer(x), layer(x))
        layer.eval()
        torch.testing.assert_close(layer(x), layer.lstm(x)[1][0][0])
    never = VariationalLSTM(5, 7, 0.0, 0.0)
    assert torch.equal(never(x), never(x))


def test_the_input_is_dropped_by_one_mask_a_sequence():
    """A feature that is dropped is dropped at every step: its gradient is zero throughout."""
    torch.manual_seed(0)
    x = torch.randn(8, 6, 20, requires_grad=True)
    VariationalLSTM(20, 7, 0.5, 0.2)(x).sum().backward()
    gone = x.grad == 0  # (8, 6, 20)
    assert torch.equal(gone, gone[:, :1].expand_as(gone))
    assert 0.3 < gone.float().mean() < 0.7
    assert not torch.equal(gone[0], gone[1])


def test_the_lectures_network_is_the_slides_layer_by_layer():
    """S75: an oracle written from slide 31, with the same weights; Keras counts 2,691,713."""
    model = zoo.create_model("text_lstm_2017", vocabulary_size=20_000).eval()
    table, lstm = nn.Embedding(20_000, 128), nn.LSTM(128, 128, batch_first=True)
    last, ids = nn.Linear(128, 1), words(4, 80)
    oracle = [p for layer in (table, lstm, last) for p in layer.parameters()]
    for theirs, ours in zip(oracle, model.parameters(), strict=True):
        theirs.data = ours.data
    sigmoid = last(lstm(table(ids))[0][:, -1]).sigmoid()[:, 0]
    torch.testing.assert_close(model(ids).softmax(1)[:, 1], sigmoid)
    second_bias = 4 * 128  # torch's LSTM has two biases where Keras has one
    assert sum(p.numel() for p in model.parameters()) - second_bias == 2_691_713


def test_the_gates_start_open_to_remember():
    lstm = VariationalLSTM(5, 7, 0.2, 0.2).lstm
    assert (lstm.bias_ih_l0 + lstm.bias_hh_l0).tolist() == [0] * 7 + [1] * 7 + [0] * 14


def test_the_file_says_what_the_slide_says():
    """S75: what of Keras' imdb_lstm.py is not in the layers above."""
    config = compose(["experiment=imdb_text_lstm_2017"])
    model, data = config["model"], config["data"]
    assert (data["vocabulary_size"], data["max_length"]) == (20_000, 80)
    assert (model["input_dropout"], model["recurrent_dropout"]) == (0.2, 0.2)
    assert (data["padding"], data["truncating"]) == ("pre", "pre")


# Slide 30's equation


def test_the_linear_recurrence_is_the_slides_equation():
    """S73: h_t = W h_{t-1} + U x_t by a hand loop, and unrolled as a sum of powers."""
    layer = LinearRecurrence(3, 4).double()
    x = torch.randn(2, 6, 3, dtype=torch.double)
    w, u = layer.W.weight.detach().numpy(), layer.U.weight.detach().numpy()
    found = layer(x, torch.arange(6) < torch.tensor([[6], [4]])).detach().numpy()
    for row, length in enumerate((6, 4)):
        h = np.zeros(4)
        for t in range(length):
            h = w @ h + u @ x[row, t].numpy()
        powers = [np.linalg.matrix_power(w, length - 1 - t) @ u for t in range(length)]
        unrolled = sum(p @ x[row, t].numpy() for t, p in enumerate(powers))
        np.testing.assert_allclose(found[row], h, atol=1e-12)
        np.testing.assert_allclose(found[row], unrolled, atol=1e-12)


def test_the_rnn_cell_is_the_slides_equation_inside_a_tanh():
    """S73."""
    model = seeded("text_lstm", cell="rnn", bidirectional=False, embedding=3, hidden=4)
    u, w, bias, second = model.recurrence.parameters()
    ids, h = words(1, 6), torch.zeros(4)
    for x in model.steps(ids)[0]:
        h = torch.tanh(w @ h + u @ x + bias + second)
    torch.testing.assert_close(model.forward_features(ids)[0], h, atol=1e-5, rtol=0)


@pytest.mark.parametrize("wrong", [{"layers": 2, "bidirectional": False}, {"bidirectional": True}])
def test_the_linear_cell_has_one_layer_and_one_direction(wrong):
    refused("cell is 'linear'", zoo.create_model, "text_lstm", cell="linear", **wrong)


# The cells


@pytest.mark.parametrize("cell", CELLS)
def test_padding_changes_nothing_that_it_says(cell):
    """S74: before a text, and behind it."""
    model, ids = seeded("text_lstm", cell=cell, bidirectional=cell != "linear"), words(3, 9)
    ids[0, :4], ids[1, 6:] = 0, 0
    alone = torch.cat([model(ids[:1, 4:]), model(ids[1:2, :6]), model(ids[2:])])
    torch.testing.assert_close(model(ids), alone)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_layers_and_directions_are_torchs(cell):
    """S74: the last states of the upper layer, forwards and backwards, of unpadded texts."""
    model, ids = seeded("text_lstm", cell=cell, layers=2, bidirectional=True), words(3, 6)
    output = model.recurrence(model.steps(ids))[0]  # (3, 6, 2 H)
    forwards, backwards = output.split(model.hparams["hidden"], 2)
    wanted = torch.cat([forwards[:, -1], backwards[:, 0]], 1)
    torch.testing.assert_close(model.forward_features(ids), wanted)


def test_an_unknown_cell_is_told_before_any_work(command):
    said = command.refused("train", "experiment=text_lstm", "model.cell=lstn")
    assert "model.cell is 'lstn'" in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "low", "high"), [("text_cnn", 0.4, 0.65), ("text_lstm", 0.75, 0.9)]
)
def test_order_and_negation_are_learned_where_counting_is_lost(name, low, high, tmp_path, command):
    """A bag of words knows nothing of them, windows of four words a part (S69)."""
    command.ran("train", f"experiment={name}", "name=a", "trainer.max_epochs=6")
    results = zoo.Run(tmp_path / "runs" / name / "a").results
    assert results["test/accuracy"] >= 0.95
    assert low <= results["baseline/test/accuracy"] <= high
