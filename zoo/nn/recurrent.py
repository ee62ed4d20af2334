"""Torch's recurrent layers on padded sequences, and as one step, repeated, that can leave Python.

`last_states` passes over padding in one of three ways, which agree:

    packed    torch's own packed sequences: what cuDNN is made for
    aligned   words first, and of each sequence the output at its own last word: on a CPU much
              faster, for there torch multiplies packed sequences step by step
    masked    a scan over the steps that leaves the state as it is: for programs (torch.export),
              which unroll torch's layers to the length of the example and cannot follow packing

Shapes: B sequences, T steps, D features of a step, H units, N layers times directions.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from zoo.utilities.compat import scan

State = tuple[Tensor, ...]  # (h, c) of an LSTM, (h,) of the others; each (N, B, H)
LAYERS: dict[str, Any] = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
Step = Callable[[State, Any], State]  # a state and what is given at one step -> the next state


def last_states(rnn: nn.RNNBase, x: Tensor, real: Tensor) -> Tensor:
    """The last states (N, B, H) of steps (B, T, D), those that are real (B, T), bool.

    A sequence without any real step is its first one, which is padding.
    """
    if torch.compiler.is_exporting():
        return masked_states(rnn, x, real)
    order = (~real).long().argsort(dim=1, stable=True)
    x = gather_steps(x, order)  # wherever the padding was, it comes last
    lengths = real.sum(1).clamp(min=1)
    return packed_states(rnn, x, lengths) if x.is_cuda else aligned_states(rnn, x, lengths)


def packed_states(rnn: Any, x: Tensor, lengths: Tensor) -> Tensor:
    """The last states (N, B, H) of steps (B, T, D) whose first `lengths` (B,) are real."""
    steps = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
    state = rnn(steps)[1]
    return state[0] if isinstance(state, tuple) else state


def aligned_states(rnn: nn.RNNBase, x: Tensor, lengths: Tensor) -> Tensor:
    """The same, step by step for all sequences; what follows a sequence's last step is not read."""
    places = torch.arange(x.shape[1], device=x.device).expand(len(x), -1)
    ends = lengths.unsqueeze(1)
    backwards = torch.where(places < ends, ends - 1 - places, places)
    ways, states = 1 + rnn.bidirectional, []
    for layer in range(rnn.num_layers):
        outputs = [run_layer(rnn, layer * ways, x)]
        if rnn.bidirectional:
            outputs.append(run_layer(rnn, layer * ways + 1, gather_steps(x, backwards)))
        states += [gather_steps(output, ends - 1)[:, 0] for output in outputs]
        x = torch.cat([outputs[0], *(gather_steps(output, backwards) for output in outputs[1:])], 2)
        x = F.dropout(x, rnn.dropout, rnn.training)
    return torch.stack(states)


def gather_steps(x: Tensor, places: Tensor) -> Tensor:
    """Of each sequence (B, T, D) the steps at its places (B, S): (B, S, D)."""
    return x.gather(1, places.unsqueeze(2).expand(-1, -1, x.shape[2]))


def run_layer(rnn: nn.RNNBase, which: int, x: Tensor) -> Tensor:
    """One layer in one direction, forwards: steps (B, T, D) to outputs (B, T, H)."""
    zeros = x.new_zeros(1, len(x), rnn.hidden_size)
    start: Any = (zeros, zeros) if rnn.mode == "LSTM" else zeros
    loop: Any = {"LSTM": torch.lstm, "GRU": torch.gru, "RNN_TANH": torch.rnn_tanh}[rnn.mode]
    weights = rnn.all_weights[which]
    output: Tensor = loop(x, start, weights, True, 1, 0.0, rnn.training, False, True)[0]
    return output


def masked_states(rnn: nn.RNNBase, x: Tensor, real: Tensor) -> Tensor:
    """The last states (N, B, H) of steps (B, T, D), those that are real (B, T)."""
    empty = ~real.any(1, keepdim=True)
    real = torch.cat([real[:, :1] | empty, real[:, 1:]], 1)
    return scan_layers(rnn, x, real=real)[1][0]


def run(rnn: nn.RNNBase, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
    """What `rnn` gives for steps (B, T, D): outputs (B, T, H) and the states reached, (N, B, H).

    It is torch's own loop, and a scan where it becomes part of a program.
    """
    if torch.compiler.is_exporting():
        return scan_layers(rnn, x, state)
    start: Any = state if state is None or len(state) == 2 else state[0]
    output, states = rnn(x, start)
    return output, states if isinstance(states, tuple) else (states,)


def scan_layers(
    rnn: nn.RNNBase, x: Tensor, state: State | None = None, real: Tensor | None = None
) -> tuple[Tensor, State]:
    """The same as a scan, without dropout.

    Args:
        state: where it starts, each (N, B, H); None: zeros.
        real: (B, T), bool; a step that is not real leaves the states as they are.
    """
    ways, states = 1 + rnn.bidirectional, []
    real = torch.ones_like(x[..., 0], dtype=torch.bool) if real is None else real
    for layer in range(rnn.num_layers):
        outputs = []
        for way in range(ways):
            output, last = scan_direction(rnn, layer * ways + way, x, state, real, reverse=way == 1)
            outputs.append(output)
            states.append(last)
        x = torch.cat(outputs, 2)
    return x, tuple(torch.stack(parts) for parts in zip(*states, strict=True))


def scan_direction(
    rnn: nn.RNNBase, which: int, x: Tensor, state: State | None, real: Tensor, reverse: bool
) -> tuple[Tensor, State]:
    """One layer in one direction: steps (B, T, D) to outputs (B, T, H) and the states, (B, H)."""
    from_input, from_state, bias, second_bias = rnn.all_weights[which]
    cell, parts = CELLS[rnn.mode]
    inputs = F.linear(x.transpose(0, 1), from_input, bias)  # (T, B, gates * H)
    zeros = [x.new_zeros(x.shape[0], rnn.hidden_size) for _ in range(parts)]
    start = tuple(zeros) if state is None else tuple(part[which] for part in state)

    def step(state: State, step_inputs: tuple[Tensor, Tensor]) -> State:
        inputs, real = step_inputs
        new = cell(inputs, F.linear(state[0], from_state, second_bias), *state)
        return tuple(torch.where(real, a, b) for a, b in zip(new, state, strict=True))

    outputs, states = scan_steps(step, start, (inputs, real.t()[..., None]), reverse)
    return outputs.transpose(0, 1), states


def scan_steps(
    step: Step, state: State, inputs: Any, reverse: bool = False
) -> tuple[Tensor, State]:
    """Repeat a step over tensors (T, ...): each first part (T, ...), and the last whole."""

    def combine(state: State, step_inputs: Any) -> tuple[State, Tensor]:
        new = step(state, step_inputs)
        return new, new[0].clone()  # a scan may not give one tensor twice

    last, outputs = scan(combine, state, inputs, reverse)
    return outputs, last


def lstm(inputs: Tensor, recurrent: Tensor, h: Tensor, c: Tensor) -> State:
    """torch.nn.LSTM's equations, from what input and state give the gates, (B, 4 H) each."""
    i, f, g, o = (inputs + recurrent).chunk(4, 1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def gru(inputs: Tensor, recurrent: Tensor, h: Tensor) -> State:
    """torch.nn.GRU's equations, from (B, 3 H) each."""
    (r, z, n), (hr, hz, hn) = inputs.chunk(3, 1), recurrent.chunk(3, 1)
    z = (z + hz).sigmoid()
    return ((1 - z) * (n + (r + hr).sigmoid() * hn).tanh() + z * h,)


def rnn(inputs: Tensor, recurrent: Tensor, h: Tensor) -> State:
    """torch.nn.RNN's equation, from (B, H) each."""
    return ((inputs + recurrent).tanh(),)


CELLS: dict[str, tuple[Callable[..., State], int]] = {  # and how many tensors a state has
    "LSTM": (lstm, 2),
    "GRU": (gru, 1),
    "RNN_TANH": (rnn, 1),
}
