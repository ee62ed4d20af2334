"""Recurrent layers on padded sequences: three ways that agree (S71, S74)."""

import pytest
import torch
from torch import nn

from zoo.nn.recurrent import aligned_states, last_states, masked_states, packed_states

CELLS = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


def made(cell, layers, **options):
    torch.manual_seed(0)
    return CELLS[cell](4, 5, layers, batch_first=True, **options).double()


def sequences():
    """Six of nine steps, with padding before, behind, in between, everywhere and nowhere."""
    torch.manual_seed(1)
    real = torch.rand(6, 9) < 0.7
    real[0], real[1, :4], real[2, 5:], real[3] = False, False, False, True
    return (torch.randn(6, 9, 4) * real.unsqueeze(2)).double(), real


def with_gradients(rnn, states):
    """States, and the gradients of a weighted sum of them."""
    weights = torch.linspace(-1, 1, states.numel(), dtype=states.dtype).view_as(states)
    return [states, *torch.autograd.grad((states * weights).sum(), list(rnn.parameters()))]


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_states_and_gradients_are_those_of_torchs_packed_sequences(cell, layers, bidirectional):
    rnn, (x, real) = made(cell, layers, bidirectional=bidirectional), sequences()
    order = (~real).long().argsort(dim=1, stable=True)
    first = x.gather(1, order.unsqueeze(2).expand_as(x))
    lengths = real.sum(1).clamp(min=1)
    wanted = with_gradients(rnn, packed_states(rnn, first, lengths))
    torch.testing.assert_close(with_gradients(rnn, aligned_states(rnn, first, lengths)), wanted)
    torch.testing.assert_close(with_gradients(rnn, last_states(rnn, x, real)), wanted)
    with torch.no_grad():  # a scan is for programs
        torch.testing.assert_close(masked_states(rnn, x, real), wanted[0])


def test_layers_are_dropped_out_between_and_while_training_only():
    rnn, (x, real) = made("lstm", 2, dropout=0.5), sequences()
    first, again = last_states(rnn, x, real), last_states(rnn, x, real)
    torch.testing.assert_close(first[0], again[0])  # the lower layer's own states
    assert not torch.allclose(first[1], again[1])
    rnn.eval()
    torch.testing.assert_close(last_states(rnn, x, real), last_states(rnn, x, real))
