"""What models of sequences share: the layer that reads a step, and the slides' last layer.

A table of word vectors starts and learns in one of the four ways of Kim 2014
(https://arxiv.org/abs/1408.5882, section 3.3):

    random        at random, and learns (slide 24: you don't need pre-trained vectors)
    static        from the vectors of a file or model, which stay
    non_static    from such vectors, which learn
    multichannel  from such vectors, twice: one table stays and one learns

Shapes: B sequences, T steps, F numbers a step, D features of what reads it, K classes.
"""

import sys
from collections.abc import Sequence
from typing import Any, Literal

import torch
from pytorch_lightning.utilities import rank_zero_only
from torch import Tensor, nn

from datamodules.utilities.console import SILENT
from zoo.nn.shapes import check_layout
from zoo.pretrained.export_spec import InputSpec
from zoo.words import formats

Embeddings = Literal["random", "static", "non_static", "multichannel"]
FIRST = 2  # the id of the first word of a vocabulary: 0 is padding, 1 an unknown word
REACH = 0.25  # of a random table: uniform between -0.25 and 0.25; Kim 2014's code


class SequenceEmbedding(nn.Module):
    """Read each step: a row of a table for a word (slides 22-23), a linear map for numbers.

    Args:
        vocabulary_size: words of the table, padding and the unknown word among them; or None.
        features: numbers a step; or None. One of the two is given.
        width: features of a table.
        keras: the table starts as in Keras 1.2, and its padding learns like any word.
        embeddings: how a table starts and learns.
        source: the vectors that it starts from; `load_vectors` reads them; see words/formats.py.

    Attributes:
        width: features that the model goes on with: of both tables, where there are two.
    """

    begun: Tensor

    def __init__(
        self,
        vocabulary_size: int | None,
        features: int | None,
        width: int,
        keras: bool = False,
        embeddings: Embeddings = "random",
        source: str | None = None,
    ) -> None:
        super().__init__()
        if (vocabulary_size is None) == (features is None):
            raise ValueError(
                f"vocabulary_size is {vocabulary_size} and features is {features}: give the first "
                "for word ids or the second for series of numbers, and leave the other null"
            )
        if (source is None) != (embeddings == "random") or (source and features):
            raise ValueError(
                f"embeddings is {embeddings!r} and vectors is {source!r}: static, non_static and "
                "multichannel start from the word vectors of a CBOW or a file, vectors=...; random "
                "ones, and series of numbers, from none"
            )
        self.features, self.source = features, source
        self.width = 2 * width if embeddings == "multichannel" else width
        self.fixed: nn.Embedding | None = None
        self.read: Any
        if vocabulary_size is None:
            self.read = nn.Linear(features or 0, width)
            return
        self.read = random_table(vocabulary_size, width, keras)
        if source is not None:
            self.register_buffer("begun", torch.tensor(False))
            self.read.weight.requires_grad_(embeddings != "static")
        if embeddings == "multichannel":
            self.fixed = nn.Embedding.from_pretrained(self.read.weight.detach().clone())

    @property
    def has_started(self) -> bool:
        """Whether no vectors are to be read, or they were."""
        return self.source is None or bool(self.begun)

    @torch.no_grad()
    def load_vectors(self, words: Sequence[str], rescale: bool = True) -> None:
        """Fill the table with the vectors of its source, once; print how many words have one.

        Args:
            words: the vocabulary; the first has the id 2.
            rescale: bring them to the spread of a random table, from which words without one start.

        Raises:
            FileNotFoundError, ValueError: the vectors cannot be read, or know no word.
        """
        if self.source is None or self.has_started:
            return
        table = self.read.weight
        vectors = formats.read(self.source, words, table.shape[1])
        rows = torch.tensor([i for i, word in enumerate(words, FIRST) if word in vectors])
        values = torch.stack([torch.from_numpy(vectors[words[i - FIRST]].copy()) for i in rows])
        if rescale:
            values = values * REACH / 3**0.5 / values.square().mean().sqrt()
        table[rows] = values.to(table)
        if self.fixed is not None:
            self.fixed.weight.copy_(table)
        self.begun.fill_(True)
        counts = f"{len(rows):,} of {len(words):,} words are in {self.source}"
        _say(f"vectors   {counts}; the others start at random")

    def forward(self, sequences: Tensor) -> Tensor:
        """Map word ids (B, T), int64, or numbers (B, T, F) to (B, T, D).

        Raises:
            ValueError: another layout, naming the axis.
        """
        self.check(sequences)
        steps: Tensor = self.read(sequences)
        return steps if self.fixed is None else torch.cat([steps, self.fixed(sequences)], 2)

    def check(self, sequences: Tensor) -> None:
        """Refuse another layout with a ValueError that names the axis."""
        if self.features is None:
            check_layout("sequences of word ids", sequences, "B", "T")
        else:
            check_layout("sequences of numbers", sequences, "B", "T", self.features)

    def trimmed(self, sequences: Tensor) -> Tensor:
        """Word ids (B, T) without the steps that are padding in all of them; one stays at least.

        A program that is exported takes them as they are.
        """
        self.check(sequences)
        if self.features is not None or torch.compiler.is_exporting():
            return sequences
        used = (sequences != 0).any(0).nonzero().flatten()
        if not len(used):
            return sequences[:, :1]
        return sequences[:, int(used[0]) : int(used[-1]) + 1]

    def real(self, sequences: Tensor) -> Tensor:
        """Which steps are no padding, (B, T), bool: all steps of numbers are real."""
        if self.features is None:
            return sequences != 0
        return torch.ones(sequences.shape[:2], dtype=torch.bool, device=sequences.device)

    def example(self, length: int) -> Tensor:
        """A batch of one sequence of ones."""
        if self.features is None:
            return torch.ones(1, length, dtype=torch.int64)
        return torch.ones(1, length, self.features)

    def input_spec(self, length: int | str = "length") -> InputSpec:
        """Sequences of one length or, by default, of any, for a program."""
        if self.features is None:
            return InputSpec(("batch", length), below=self.read.num_embeddings)
        return InputSpec(("batch", length, self.features))


def load_layers(model: nn.Module, source: str | None, left_out: tuple[str, ...]) -> bool:
    """Where vectors are those of a classifier like this one, take its layers, too, and say so.

    Args:
        source: of the vectors.
        left_out: what the names of layers begin with that are not taken.

    Returns:
        Whether it was one: of the same class, with layers of the same sizes.
    """
    other = formats.network(source or "")
    if type(other) is not type(model):
        return False
    own, others = (
        {k: v for k, v in one.state_dict().items() if not k.startswith(left_out)}
        for one in (model, other)
    )
    if {k: v.shape for k, v in own.items()} != {k: v.shape for k, v in others.items()}:
        return False
    model.load_state_dict(others, strict=False)
    _say(f"layers    {', '.join(others)} of {source}")
    return True


def random_table(words: int, width: int, keras: bool) -> nn.Embedding:
    """A table of word vectors as it starts."""
    table = nn.Embedding(words, width, padding_idx=None if keras else 0)
    reach = 0.05 if keras else REACH  # of Keras 1.2
    nn.init.uniform_(table.weight, -reach, reach)
    if not keras:
        nn.init.zeros_(table.weight[0])
    return table


class SigmoidLayer(nn.Module):
    """The slides' last layer: one sigmoid for two classes; for more, a logit each."""

    def __init__(self, inputs: int, num_classes: int) -> None:
        super().__init__()
        self.score = nn.Linear(inputs, 1 if num_classes == 2 else num_classes)

    def forward(self, hidden: Tensor) -> Tensor:
        """Map (B, inputs) to logits (B, K)."""
        logits: Tensor = self.score(hidden)
        if logits.shape[1] > 1:
            return logits
        return torch.cat([torch.zeros_like(logits), logits], 1)  # their softmax is the sigmoid


def _say(line: str) -> None:
    """Print a line on standard error, once of all processes, unless nothing is to be said."""
    if not SILENT.get():
        rank_zero_only(print)(line, file=sys.stderr)
