"""Text classification by recurrence: the lecture's network, and the cells to choose from.

`TextLSTM2017` is the network of the lecture's slide 31, which is Keras 1.2's example for IMDB: an
LSTM whose input and whose state are dropped out by one mask a sequence (Gal & Ghahramani 2016,
https://arxiv.org/abs/1512.05287, section 4).

`TextLSTM` reads texts or series with the cell of one's choice: slide 30's own equation, or torch's
RNN, GRU (Cho et al. 2014, https://arxiv.org/abs/1406.1078) or LSTM (Hochreiter & Schmidhuber 1997).
Padding changes nothing that it says.

Departs from Keras: the gates are sigmoids, not hard ones; one mask serves all four gates, as with
Keras' consume_less="gpu".

Both learn by cross-entropy on labels, smoothed and weighted as asked: `Classifier.scores`
(zoo/nn/supervised.py), in the step of `ZooModule.training_step` (zoo/nn/module.py).

Shapes: B texts, T words or steps, F numbers a step, D features of a word, H units, K classes.
"""

from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from typing_extensions import Unpack

from zoo.config.types import Positive, Probability
from zoo.nn import recurrent
from zoo.nn.embedding import SigmoidLayer
from zoo.nn.ngram_classifier import NgramClassifier
from zoo.nn.text_classifier import TextArguments, TextClassifier, VectorArguments


class VariationalLSTM(nn.Module):
    """An LSTM with dropout of its input and of its state, the same mask at every step.

    Args:
        inputs, width: D and H.
        input_dropout, recurrent_dropout: shares that are dropped.
    """

    def __init__(
        self, inputs: int, width: int, input_dropout: float, recurrent_dropout: float
    ) -> None:
        super().__init__()
        self.input_dropout, self.recurrent_dropout = input_dropout, recurrent_dropout
        self.lstm = nn.LSTM(inputs, width, batch_first=True)
        init_as_keras(self.lstm)

    def forward(self, x: Tensor) -> Tensor:
        """Map steps (B, T, D) to the last state (B, H)."""
        x = x * F.dropout(torch.ones_like(x[:, :1]), self.input_dropout, self.training)
        if not self.training or self.recurrent_dropout == 0:
            return recurrent.run(self.lstm, x)[1][0][0]  # torch's own loop is twice as fast
        mask = F.dropout(x.new_ones(len(x), self.lstm.hidden_size), self.recurrent_dropout)
        return last_state(self.lstm, x, mask)


def init_as_keras(lstm: nn.LSTM) -> None:
    """Start as Keras 1.2 does: Glorot, orthogonal, and gates that remember (forget bias 1)."""
    from_input, from_state, bias, second_bias = lstm.all_weights[0]
    nn.init.xavier_uniform_(from_input)
    nn.init.orthogonal_(from_state)
    nn.init.zeros_(bias)
    nn.init.zeros_(second_bias)
    with torch.no_grad():
        bias[lstm.hidden_size : 2 * lstm.hidden_size] = 1


def last_state(lstm: nn.LSTM, x: Tensor, mask: Tensor) -> Tensor:
    """The last state (B, H) of an LSTM on steps (B, T, D), whose state a mask (B, H) multiplies.

    Gal & Ghahramani, equation 7; the inputs of all steps are multiplied at once.
    """
    from_input, from_state, bias, second_bias = lstm.all_weights[0]
    inputs = F.linear(x.transpose(0, 1), from_input, bias + second_bias)  # (T, B, 4 H)
    h = c = torch.zeros_like(mask)
    for step in inputs.unbind(0):
        i, f, g, o = torch.addmm(step, h * mask, from_state.t()).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
    return h


class TextLSTM2017(TextClassifier):
    """The lecture's network, slide 31.

    It takes padding for words, as Keras' example did: every text must come in the same length.

    Args:
        hidden: units of the LSTM.
        input_dropout, recurrent_dropout: Keras' dropout_W and dropout_U.
        text: what all classifiers of texts take.
    """

    def __init__(
        self,
        *,
        hidden: Positive,
        input_dropout: Probability,
        recurrent_dropout: Probability,
        **text: Unpack[TextArguments],
    ) -> None:
        super().__init__(keras=True, **text)
        self.save_hyperparameters(logger=False)
        self.lstm = VariationalLSTM(self.steps.width, hidden, input_dropout, recurrent_dropout)
        self.head = SigmoidLayer(hidden, text["num_classes"])
        self.example_input_array = self.steps.example(8)

    def forward(self, sequences: Tensor) -> Tensor:
        """Map word ids (B, T), or numbers (B, T, F), to logits (B, K).

        Raises:
            ValueError: another layout.
        """
        return self.head(self.forward_features(sequences))

    def forward_features(self, sequences: Tensor) -> Tensor:
        """Map word ids (B, T), or numbers (B, T, F), to the last state, (B, H).

        Raises:
            ValueError: another layout.
        """
        return self.lstm(self.steps(sequences))


class LinearRecurrence(nn.Module):
    """Slide 30 to the letter: h_t = W h_{t-1} + U x_t, and nothing else."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.U = nn.Linear(inputs, width, bias=False)
        self.W = nn.Linear(width, width, bias=False)
        nn.init.orthogonal_(self.W.weight)  # which neither grows nor shrinks a state

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        """Map steps (B, T, D), those that are real (B, T), to the last state (B, H)."""
        inputs = self.U(x).transpose(0, 1), real.t().unsqueeze(2)  # (T, B, H), (T, B, 1)
        h = torch.zeros_like(inputs[0][0])
        if torch.compiler.is_exporting():
            return recurrent.scan_steps(self.step, (h,), inputs)[1][0]
        for step in zip(*inputs, strict=True):
            (h,) = self.step((h,), step)
        return h

    def step(self, state: tuple[Tensor, ...], inputs: tuple[Tensor, Tensor]) -> tuple[Tensor, ...]:
        """The next state (B, H); the same again where the step is not real."""
        step, real = inputs
        return (torch.where(real, self.W(state[0]) + step, state[0]),)


class TextLSTM(NgramClassifier):
    """A recurrent network whose last state, of both directions if there are two, is classified.

    Args:
        cell: linear is slide 30's equation; it has one layer and one direction.
        hidden: units a direction.
        layers: one upon the other.
        bidirectional: read it backwards, too.
        dropout: of word vectors, between layers and before the last one.
        ngrams: numbers of a linear classifier of n-grams beside it, which the data set; None: there
            is none. See zoo/nn/ngrams.py.
        text: what all classifiers of texts take that may start from word vectors.
    """

    def __init__(
        self,
        *,
        cell: Literal["linear", "rnn", "gru", "lstm"],
        hidden: Positive,
        layers: Positive,
        bidirectional: bool,
        dropout: Probability,
        ngrams: Positive | None = None,
        **text: Unpack[VectorArguments],
    ) -> None:
        super().__init__(**text)
        self.save_hyperparameters(logger=False)
        self.recurrence: Any
        if cell == "linear":
            if layers > 1 or bidirectional:
                raise ValueError("cell is 'linear': it has layers=1 and bidirectional=false")
            self.recurrence = LinearRecurrence(self.steps.width, hidden)
        else:
            self.recurrence = recurrent.LAYERS[cell](
                self.steps.width,
                hidden,
                layers,
                batch_first=True,
                dropout=dropout if layers > 1 else 0.0,
                bidirectional=bidirectional,
            )
        self.make_head(hidden * (2 if bidirectional else 1), dropout, ngrams, text)
        self.example_input_array = self.steps.example(8)

    def encode(self, sequences: Tensor) -> Tensor:
        """The last state of each direction, side by side: (B, H) or (B, 2 H)."""
        sequences = self.steps.trimmed(sequences)
        real = self.steps.real(sequences)
        x = self.dropout(self.steps(sequences))
        if isinstance(self.recurrence, LinearRecurrence):
            return self.recurrence(x, real)
        h = recurrent.last_states(self.recurrence, x, real)  # (layers * directions, B, H)
        return torch.cat([h[-2], h[-1]], 1) if self.hparams["bidirectional"] else h[-1]
