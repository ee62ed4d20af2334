"""Recurrent layers as one step, repeated: the form in which a program can leave Python.

torch.export unrolls torch's LSTM, GRU and RNN to the length of its example, and cannot follow
packed sequences. Written as a scan over the steps, the same layers take sequences of any length,
and padding is passed over by a mask. Training keeps to torch's own loops, which are faster.

Shapes: B sequences, T steps, D features of a step, H units, N layers times directions.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

State = tuple[Tensor, ...]  # (h, c) of an LSTM, (h,) of the others
Step = Callable[[State, Any], State]  # a state and what is given at one step -> the next state


def run(rnn: nn.RNNBase, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
    """What `rnn` gives for steps (B, T, D): outputs (B, T, H) and the states reached, (N, B, H).

    It is torch's own loop, and a scan where it becomes part of a program.
    """
    if torch.compiler.is_exporting():
        return scanned(rnn, x, state)
    given: Any = state if state is None or len(state) == 2 else state[0]
    output, reached = rnn(x, given)
    return output, reached if isinstance(reached, tuple) else (reached,)


def scanned(
    rnn: nn.RNNBase, x: Tensor, state: State | None = None, real: Tensor | None = None
) -> tuple[Tensor, State]:
    """The same as a scan, without dropout.

    Args:
        state: where it starts, each (N, B, H); None: zeros.
        real: (B, T), bool; a step that is not real leaves the states as they are.
    """
    ways, reached = 1 + rnn.bidirectional, []
    real = torch.ones_like(x[..., 0], dtype=torch.bool) if real is None else real
    for layer in range(rnn.num_layers):
        outputs = []
        for way in range(ways):
            output, last = one_way(rnn, layer * ways + way, x, state, real, reverse=way == 1)
            outputs.append(output)
            reached.append(last)
        x = torch.cat(outputs, 2)
    return x, tuple(torch.stack(parts) for parts in zip(*reached, strict=True))


def one_way(
    rnn: nn.RNNBase, which: int, x: Tensor, state: State | None, real: Tensor, reverse: bool
) -> tuple[Tensor, State]:
    """One layer in one direction: steps (B, T, D) to outputs (B, T, H) and the states, (B, H)."""
    from_input, from_state, bias, second_bias = rnn.all_weights[which]
    cell, parts = CELLS[rnn.mode]
    given = F.linear(x.transpose(0, 1), from_input, bias)  # (T, B, gates * H)
    zeros = [x.new_zeros(x.shape[0], rnn.hidden_size) for _ in range(parts)]
    start = tuple(zeros) if state is None else tuple(part[which] for part in state)

    def step(state: State, now: tuple[Tensor, Tensor]) -> State:
        given, real = now
        new = cell(given, F.linear(state[0], from_state, second_bias), *state)
        return tuple(torch.where(real, a, b) for a, b in zip(new, state, strict=True))

    outputs, reached = over(step, start, (given, real.t()[..., None]), reverse)
    return outputs.transpose(0, 1), reached


def over(step: Step, state: State, given: Any, reverse: bool = False) -> tuple[Tensor, State]:
    """Repeat a step over tensors (T, ...), as torch's scan: each first part (T, ...) and the last.

    It lives at a private place until torch makes it public; torch.onnx knows it as ONNX's Scan.
    """
    from torch._higher_order_ops.scan import scan

    def combine(state: State, now: Any) -> tuple[State, Tensor]:
        new = step(state, now)
        return new, new[0].clone()  # a scan may not give one tensor twice

    reached, outputs = scan(combine, state, given, reverse=reverse)
    return outputs, reached


def lstm(given: Tensor, recurrent: Tensor, h: Tensor, c: Tensor) -> State:
    """torch.nn.LSTM's equations, from what input and state give the gates, (B, 4 H) each."""
    i, f, g, o = (given + recurrent).chunk(4, 1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def gru(given: Tensor, recurrent: Tensor, h: Tensor) -> State:
    """torch.nn.GRU's equations, from (B, 3 H) each."""
    (r, z, n), (hr, hz, hn) = given.chunk(3, 1), recurrent.chunk(3, 1)
    z = (z + hz).sigmoid()
    return ((1 - z) * (n + (r + hr).sigmoid() * hn).tanh() + z * h,)


def rnn(given: Tensor, recurrent: Tensor, h: Tensor) -> State:
    """torch.nn.RNN's equation, from (B, H) each."""
    return ((given + recurrent).tanh(),)


CELLS: dict[str, tuple[Callable[..., State], int]] = {  # and how many tensors a state has
    "LSTM": (lstm, 2),
    "GRU": (gru, 1),
    "RNN_TANH": (rnn, 1),
}
