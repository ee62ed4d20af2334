"""A recurrent network that reads text one character at a time and says which comes next.

Karpathy 2015, The Unreasonable Effectiveness of Recurrent Neural Networks,
https://karpathy.github.io/2015/05/21/rnn-effectiveness/; slides 34 and 35.

It is stateful: a long text is a stream cut into chunks, and where one chunk ends, the next goes on
with the state that was reached; gradients stop at the cut (truncated back-propagation through
time). Each row of a batch is a stream with a state of its own. The states start from zero with
each epoch and each pass over a validation or test text, and a checkpoint carries them along.

The arguments of the slide's `Recurrent` layer and what they became: `weights`: the state dict;
`return_sequences`: `forward` gives the whole sequence, `[:, -1]` of it is its end; `go_backwards`:
`ids.flip(1)`; `stateful`: `read` takes a state and gives one; `unroll`, `consume_less`: torch's
kernels choose; `input_dim`: `vocabulary_size`; `input_length`: any.

It learns by cross-entropy a character: `CharRNN.scores` below, in the step of
`ZooModule.training_step` (zoo/nn/module.py).

Shapes: B streams, T characters, V ids (0 padding, 1 unknown), E embedding, H width of a layer.
"""

import math
from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn
from torchmetrics import Metric
from torchmetrics.text import Perplexity

from zoo.config.types import Positive, Probability
from zoo.figures.kinds import Picture, Text
from zoo.nn import recurrent
from zoo.nn.dropout import Dropout
from zoo.nn.module import ZooModule
from zoo.nn.optim import Recipe
from zoo.nn.recurrent import State
from zoo.nn.shapes import at_least_float32, check_layout, check_pair
from zoo.pretrained.export_spec import ExportSpec, InputSpec

PADDING, FIRST = 0, 2  # the ids before FIRST are never written
TEMPERATURES = (0.5, 0.8, 1.0)  # temperatures of the samples in the report
PROMPT, PASSAGE = 64, 400  # characters of those
LIKELY = 5  # characters in an answer
CONTINUATION, TEMPERATURE = 80, 0.5  # of the text that goes on from a prompt


class CharRNN(ZooModule):
    """Embedding, recurrent layers, and a linear layer to the next character's logits.

    Args:
        vocabulary_size: a fact of the data.
        cell: the kind of layer; `rnn` is the plain one with tanh.
        embedding: size of a character's vector.
        layers, width: how many, and how many units in each.
        dropout: before each layer but the first and before the last linear one.
    """

    def __init__(
        self,
        *,
        vocabulary_size: Annotated[int, Field(ge=FIRST + 2)],
        cell: Literal["lstm", "gru", "rnn"],
        embedding: Positive,
        layers: Positive,
        width: Positive,
        dropout: Probability,
        optimizer: Recipe,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        self.embedding = nn.Embedding(vocabulary_size, embedding)
        options = {"batch_first": True, "dropout": dropout if layers > 1 else 0.0}
        self.rnn = recurrent.LAYERS[cell](embedding, width, layers, **options)
        self.dropout = Dropout(dropout)
        self.head = nn.Linear(width, vocabulary_size)
        self.states: dict[str, State] = {}  # by stage; no buffers: those are equal on all ranks
        self.example_input_array = torch.full((1, 8), FIRST)

    def forward(self, ids: Tensor) -> Tensor:
        """Map ids (B, T) to logits (B, T, V); those at t are about the character at t + 1.

        Where a shorter text has ended, in padding, the logits of its end are repeated.
        """
        logits, _ = self.read(ids)
        places = torch.arange(ids.shape[1], device=ids.device)
        last = torch.where(ids != PADDING, places, 0).cummax(1).values
        return logits.gather(1, last[:, :, None].expand_as(logits))

    def read(self, ids: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Read from a state on, zero when None: logits (B, T, V) and the last state.

        Raises:
            ValueError: another layout.
        """
        output, states = self._read(ids, state)
        return self.head(self.dropout(output)), states

    def _read(self, ids: Tensor, state: State | None) -> tuple[Tensor, State]:
        """What the last recurrent layer gives at each place (B, T, H), and the last state."""
        check_layout("ids", ids, "B", "T")
        start = None if state is None else tuple(part.to(ids.device) for part in state)
        return recurrent.run(self.rnn, self.embedding(ids), start)

    def forward_features(self, ids: Tensor) -> Tensor:
        """Map ids (B, T) to what the last layer sees at each place, (B, T, H).

        Raises:
            ValueError: another layout.
        """
        return self._read(ids, None)[0]

    def export_spec(self) -> ExportSpec:
        """One step, of as many characters as are given: ids and a state to logits and the next."""
        hparams = self.hparams
        names = ("h", "c") if hparams["cell"] == "lstm" else ("h",)
        state = InputSpec((hparams["layers"], "batch", hparams["width"]))
        ids = InputSpec(("batch", "length"), below=hparams["vocabulary_size"])
        inputs = {"ids": ids, **dict.fromkeys(names, state)}
        outputs = ("logits", *(f"next_{name}" for name in names))
        return ExportSpec(self._go_on, inputs, outputs, {"length": (1, 8)})

    def _go_on(self, ids: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        logits, states = self.read(ids, state)
        return logits, *states

    def postprocess(self, output: Tensor) -> list[dict[str, Any]]:
        """Map logits (B, T, V) to what comes after each text: the likeliest characters."""
        shares = output[:, -1, FIRST:].float().softmax(1)
        best, ids = shares.topk(min(LIKELY, shares.shape[1]))
        answers = [
            {self._name(i + FIRST): share for i, share in zip(*row, strict=True)}
            for row in zip(ids.tolist(), best.tolist(), strict=True)
        ]
        return [{"next": next(iter(row)), "probabilities": row} for row in answers]

    def predict(self, raws: Any, batch_size: int = 64) -> list[dict[str, Any]]:
        """What comes after a prompt, or a list of them: the likeliest characters, and a `text`.

        The text is one that `generate` writes, at half the temperature.
        """
        prompts = self.as_list(raws)
        answers = super().predict(prompts, batch_size)
        return [
            {**answer, "text": "".join(self.generate(prompt, CONTINUATION, TEMPERATURE))}
            for prompt, answer in zip(prompts, answers, strict=True)
        ]

    def _name(self, number: int) -> str:
        return self.input.decode([number]) if self.input is not None else str(number)

    def generate(
        self, prompt: str, length: int, temperature: float = 1.0, seed: int = 0
    ) -> Iterator[str]:
        """Read a prompt and write on, one character at a time.

        Args:
            prompt: what it goes on from; characters that it does not know are read as unknown.
            length: characters to write.
            temperature: divides the logits: below 1 more of the likely; 0: always the likeliest.
            seed: another one, another text.

        Raises:
            ValueError: no input is attached, no character of the prompt is known, or a number is
                out of its range.
        """
        if self.input is None:
            raise ValueError("this model has no input: load it with its weights (zoo.load)")
        if length < 1 or not 0 <= temperature < math.inf or seed < 0:
            raise ValueError(
                f"length is {length}, temperature {temperature}, seed {seed}: length must be 1 or "
                "more, the others 0 or more"
            )
        ids = self.input.encode(prompt)
        if not (ids >= FIRST).any():
            raise ValueError(
                f"the prompt {prompt!r} has no character that this model knows: it knows "
                f"{self.input.characters!r}"
            )
        return self._generate(ids, length, temperature, np.random.default_rng(seed))

    def _generate(
        self, ids: np.ndarray, length: int, temperature: float, random: np.random.Generator
    ) -> Iterator[str]:
        """The characters after ids (T,)."""
        reader = Reader(self)
        for number in ids:
            logits = reader.read(number)
        for _ in range(length):
            logits = logits[FIRST:]
            if temperature:  # the largest after Gumbel noise is a draw from the softmax
                logits = logits / temperature + random.gumbel(size=len(logits))
            number = int(logits.argmax()) + FIRST
            yield self.input.decode([number])
            logits = reader.read(number)

    def sample(
        self, *, prompt: str = "\n", length: int = 500, temperature: float = 0.8, seed: int = 0
    ) -> Iterator[str]:
        """The prompt, and what the model writes after it, character by character.

        Args:
            prompt: what it goes on from.
            length: characters to write.
            temperature: below 1 more of the likely; 0: always the likeliest character.
            seed: another one, another text.
        """
        return chain([prompt], self.generate(prompt, length, temperature, seed))

    def metrics(self) -> dict[str, Metric]:
        return {"perplexity": Perplexity(ignore_index=PADDING)}

    def scores(self, batch: tuple[Tensor, Tensor], stage: str) -> dict[str, Tensor]:
        """Loss in nats of each character (N,), going on from where the last batch stopped."""
        inputs, targets = check_pair(batch, self)
        logits, state = self.read(inputs, self.states.get(stage))
        self.states[stage] = tuple(part.detach() for part in state)
        logits = at_least_float32(logits)
        self.measure(logits, targets)
        losses = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
        losses = losses[targets.flatten() != PADDING]
        scores = {"loss": losses, "bits_per_character": losses / math.log(2)}
        return scores if stage == "test" else {"loss": losses}

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        if batch_idx == 0:
            self.states.pop("train", None)

    def on_validation_epoch_start(self) -> None:
        self.states.pop("val", None)

    def on_test_epoch_start(self) -> None:
        self.states.pop("test", None)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Put the states of all streams into it, those of the other ranks, too."""
        if "train" in self.states:
            checkpoint["streams"] = [self._gather(part) for part in self.states["train"]]

    def _gather(self, part: Tensor) -> Tensor:
        """A part of the state (layers, B, H) with the streams of all ranks."""
        if self.trainer.world_size == 1:
            return part
        parts: Any = self.all_gather(part)  # (ranks, layers, B, H)
        return torch.cat([*parts], 1)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the states of this rank's streams."""
        if "streams" in checkpoint:
            rank, ranks = self.trainer.global_rank, self.trainer.world_size
            parts = [part.tensor_split(ranks, 1)[rank] for part in checkpoint["streams"]]
            self.states["train"] = tuple(parts)

    @torch.inference_mode()
    def figures(self, batch: tuple[Tensor, Tensor]) -> dict[str, Picture]:
        """What it writes after the first words of the test text, at several temperatures."""
        text = "".join(self.input.restore(batch[0][:1]))
        prompt = text[:PROMPT]
        passages = [
            "".join(self.sample(prompt=prompt, length=PASSAGE, temperature=t)) for t in TEMPERATURES
        ]
        captions = [f"temperature {t}" for t in TEMPERATURES]
        return {"Written after the test text's first words": Text(passages, captions)}


class Reader:
    """A model's layers for one stream, a character at a time, outside autograd.

    Each character costs a few products of a matrix and a vector, which numpy does with less ado
    than torch's layers, made for sequences. What the first layer makes of each id is tabled.

    Args:
        model: a CharRNN; its weights are taken as they are now.
    """

    def __init__(self, model: CharRNN) -> None:
        weights = {n: p.detach().float().cpu().numpy() for n, p in model.named_parameters()}
        names = ("weight_ih", "bias_ih", "weight_hh", "bias_hh")
        self.layers = [
            [weights[f"rnn.{name}_l{layer}"] for name in names]
            for layer in range(model.rnn.num_layers)
        ]
        first, bias = self.layers[0][:2]
        self.table = weights["embedding.weight"] @ first.T + bias  # (V, gates * H)
        self.head, self.bias = weights["head.weight"], weights["head.bias"]
        self.cell = {"lstm": lstm, "gru": gru, "rnn": rnn}[model.hparams["cell"]]
        zero = np.zeros(model.rnn.hidden_size, np.float32)
        self.states = [(zero, zero)] * len(self.layers)

    def read(self, number: int) -> np.ndarray:
        """Read one id; return the logits (V,) of the next."""
        inputs = self.table[number]
        for i, (weight, bias, recurrent_weight, recurrent_bias) in enumerate(self.layers):
            if i:
                inputs = weight @ self.states[i - 1][0] + bias
            h, c = self.states[i]
            self.states[i] = self.cell(inputs, recurrent_weight @ h + recurrent_bias, h, c)
        return self.head @ self.states[-1][0] + self.bias


Vectors = tuple[np.ndarray, np.ndarray]


def lstm(inputs: np.ndarray, recurrent: np.ndarray, h: np.ndarray, c: np.ndarray) -> Vectors:
    """Next h and c (H,) from the input's and the state's part of the gates (4 H,), as nn.LSTM."""
    enter, keep, new, out = np.split(inputs + recurrent, 4)
    c = sigmoid(keep) * c + sigmoid(enter) * np.tanh(new)
    return sigmoid(out) * np.tanh(c), c


def gru(inputs: np.ndarray, recurrent: np.ndarray, h: np.ndarray, c: np.ndarray) -> Vectors:
    """Next h (H,) from both shares (3 H,), as nn.GRU; c is of no use."""
    size = len(h)
    reset, keep = np.split(sigmoid(inputs[: 2 * size] + recurrent[: 2 * size]), 2)
    new = np.tanh(inputs[2 * size :] + reset * recurrent[2 * size :])
    return new + keep * (h - new), c


def rnn(inputs: np.ndarray, recurrent: np.ndarray, h: np.ndarray, c: np.ndarray) -> Vectors:
    """Next h (H,) from both shares (H,), as nn.RNN; c is of no use."""
    return np.tanh(inputs + recurrent), c


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Without the overflow of 1 / (1 + exp(-x))."""
    return 0.5 + 0.5 * np.tanh(0.5 * x)
