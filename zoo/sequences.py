"""What the models that read sequences share: what reads one step, and the slides' last layer.

Shapes: B sequences, T steps, F numbers a step, D features of what reads it, K classes.
"""

from typing import Any

import torch
from torch import Tensor, nn

from zoo.export import Entry
from zoo.nn import two_logits


class Steps(nn.Module):
    """Read each step: a row of a table for a word (slides 22-23), a linear map for numbers.

    Args:
        vocabulary_size: words of the table, padding and the unknown word among them; or None.
        features: numbers a step; or None. One of the two is given.
        width: features that the model goes on with.
        keras: the table starts as in Keras 1.2, and its padding learns like any word.
    """

    def __init__(
        self, vocabulary_size: int | None, features: int | None, width: int, keras: bool = False
    ) -> None:
        super().__init__()
        if (vocabulary_size is None) == (features is None):
            raise ValueError(
                f"vocabulary_size is {vocabulary_size} and features is {features}: give the first "
                "for word ids or the second for series of numbers, and leave the other null"
            )
        self.features = features
        self.read: Any
        if vocabulary_size is not None:
            self.read = nn.Embedding(vocabulary_size, width, padding_idx=None if keras else 0)
        else:
            self.read = nn.Linear(features or 0, width)
        if vocabulary_size is not None:
            reach = 0.05 if keras else 0.25  # of Keras 1.2; Kim 2014, section 3.1
            nn.init.uniform_(self.read.weight, -reach, reach)
            if not keras:
                nn.init.zeros_(self.read.weight[0])

    def forward(self, sequences: Tensor) -> Tensor:
        """Map word ids (B, T), int64, or numbers (B, T, F) to (B, T, D).

        Raises:
            ValueError: another layout, naming the axis.
        """
        shape, wanted = tuple(sequences.shape), "(B, T) of word ids"
        if self.features is not None:
            wanted = f"(B, T, {self.features}) of numbers"
        if len(shape) != (2 if self.features is None else 3):
            raise ValueError(f"sequences have the shape {shape}: {wanted} is wanted")
        if self.features not in (None, shape[-1]):
            raise ValueError(f"sequences have the shape {shape}: axis 2 should be {self.features}")
        return self.read(sequences)

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

    def entry(self) -> Entry:
        """Sequences of any length, for a program."""
        if self.features is None:
            return Entry(("batch", "length"), below=self.read.num_embeddings)
        return Entry(("batch", "length", self.features))


class SigmoidLayer(nn.Module):
    """The slides' last layer: one sigmoid for two classes; for more, a logit each."""

    def __init__(self, inputs: int, num_classes: int) -> None:
        super().__init__()
        self.score = nn.Linear(inputs, 1 if num_classes == 2 else num_classes)

    def forward(self, hidden: Tensor) -> Tensor:
        """Map (B, inputs) to logits (B, K)."""
        found: Tensor = self.score(hidden)
        return two_logits(found) if found.shape[1] == 1 else found
