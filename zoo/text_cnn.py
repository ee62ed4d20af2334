"""Text classification by convolution: the lecture's network and Kim's.

`TextCNN2017` is the network of the lecture's slide 26, which is Keras 1.2's example for IMDB: word
vectors, one convolution over three words, the maximum over time, a hidden layer.

`TextCNN` is Kim 2014 (https://arxiv.org/abs/1408.5882): convolutions of several widths side by
side, each of whose maps gives its maximum over time. Padding changes nothing that it says.

Departs from the paper: there is no max-norm constraint, and the filters see the two channels of
`multichannel` side by side, as a picture's colours, with weights of their own for each. Departs
from Keras: the layers behind the word vectors start as torch starts them.

Both learn by cross-entropy on labels, smoothed and weighted as asked: `Classifier.scores`
(zoo/nn/supervised.py), in the step of `ZooModule.training_step` (zoo/nn/module.py).

Shapes: B texts, T words or steps, F numbers a step, D features of a word, C maps, K classes.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.config.types import NumClasses, Positive, Probability, VocabularySize, Widths
from zoo.figures.kinds import Picture, Table
from zoo.nn.dropout import Dropout
from zoo.nn.embedding import Embeddings, SequenceEmbedding, SigmoidLayer
from zoo.nn.optim import Recipe
from zoo.nn.text_classifier import TextClassifier
from zoo.pretrained.export_spec import ExportSpec

SHOWN = 1000  # texts among which the n-grams of the report are looked for
AT_ONCE = 64  # of these texts
ROWS = 16  # n-grams that the report shows


class TextCNN2017(TextClassifier):
    """The lecture's network, slide 26.

    It takes padding for words, as Keras' example did: every text must come in the same length.

    Args:
        vocabulary_size: a fact of the data, for word ids; else null.
        features: numbers a step, for series of numbers; else null.
        num_classes: a fact of the data.
        embedding: features of a word.
        filters, filter_length: of the convolution.
        hidden: width of the dense layer.
        embedding_dropout: share of the vocabulary that a batch does without.
        dropout: behind the dense layer.
    """

    def __init__(
        self,
        *,
        vocabulary_size: VocabularySize | None,
        features: Positive | None,
        num_classes: NumClasses,
        embedding: Positive,
        filters: Positive,
        filter_length: Positive,
        hidden: Positive,
        embedding_dropout: Probability,
        dropout: Probability,
        label_smoothing: Probability,
        optimizer: Recipe,
    ) -> None:
        super().__init__(label_smoothing)
        self.save_hyperparameters(logger=False)
        self.steps = SequenceEmbedding(vocabulary_size, features, embedding, keras=True)
        self.convolution = nn.Conv1d(embedding, filters, filter_length)
        self.hidden = nn.Sequential(nn.Linear(filters, hidden), Dropout(dropout), nn.ReLU())
        self.head = SigmoidLayer(hidden, num_classes)
        self.example_input_array = self.steps.example(4 * filter_length)

    @property
    def receptive_field(self) -> str:
        return f"{self.hparams['filter_length']} words, the maximum over the text"

    def forward(self, sequences: Tensor) -> Tensor:
        """Map word ids (B, T), or numbers (B, T, F), to logits (B, K).

        Raises:
            ValueError: another layout, or fewer steps than the filter is long.
        """
        found = self.steps(sequences) * self.kept(sequences)
        length = self.hparams["filter_length"]
        if found.shape[1] < length:
            raise ValueError(f"sequences have {found.shape[1]} steps: {length} or more are needed")
        if self.training:
            best = winners(self.convolution, found)
        else:
            best = self.convolution(found.transpose(1, 2)).amax(2)  # (B, C)
        return self.head(self.hidden(best.relu()))

    def kept(self, sequences: Tensor) -> Tensor | float:
        """Keras 1.2's dropout of the table: whole rows go, so a word is missing everywhere.

        (B, T, 1), zero where the word is dropped from this batch; what is kept grows to make up.
        """
        share = self.hparams["embedding_dropout"]
        if not self.training or not share or self.hparams["vocabulary_size"] is None:
            return 1.0
        rows = torch.ones(self.hparams["vocabulary_size"], 1, device=sequences.device)
        return F.embedding(sequences, F.dropout(rows, share))

    def export_spec(self) -> ExportSpec:
        """Sequences of any length to logits."""
        length = self.hparams["filter_length"]
        sizes = {"length": (length, 4 * length + 2)}
        return ExportSpec(self, {"sequences": self.steps.entry()}, ("logits",), sizes)


class TextCNN(TextClassifier):
    """Kim's network, figure 1.

    Args:
        vocabulary_size: a fact of the data, for word ids; else null.
        features: numbers a step, for series of numbers; else null.
        num_classes: a fact of the data.
        embedding: features of a word.
        embeddings, vectors: how the table of words starts and learns, and from what; Kim's four
            ways are in sequences.py.
        widths: words that each kind of filter sees.
        filters: maps of each width.
        dropout: before the last layer.
    """

    def __init__(
        self,
        *,
        vocabulary_size: VocabularySize | None,
        features: Positive | None,
        num_classes: NumClasses,
        embedding: Positive,
        embeddings: Embeddings,
        vectors: str | None,
        widths: Widths,
        filters: Positive,
        dropout: Probability,
        label_smoothing: Probability,
        optimizer: Recipe,
    ) -> None:
        super().__init__(label_smoothing)
        self.save_hyperparameters(logger=False)
        self.steps = SequenceEmbedding(
            vocabulary_size, features, embedding, embeddings=embeddings, source=vectors
        )
        self.convolutions: Any = nn.ModuleList(
            nn.Conv1d(self.steps.width, filters, width, padding=width - 1) for width in widths
        )
        self.dropout = Dropout(dropout)
        self.head = nn.Linear(filters * len(widths), num_classes)
        self.example_input_array = self.steps.example(8)

    @property
    def receptive_field(self) -> str:
        return f"{max(self.hparams['widths'])} words, the maximum over the text"

    def forward(self, sequences: Tensor) -> Tensor:
        """Map word ids (B, T), or numbers (B, T, F), to logits (B, K).

        Raises:
            ValueError: another layout.
        """
        strongest = self.strongest(self.steps.trimmed(sequences))
        return self.head(self.dropout(torch.cat(strongest, 1)))

    def strongest(self, sequences: Tensor) -> list[Tensor]:
        """The maximum over time (B, C) of the filters of each width; equation 3."""
        if not self.training:
            return [maps.amax(2) for maps in self.maps(sequences)]
        real, steps = self.steps.real(sequences), self.steps(sequences)
        found = []
        for convolution, width in zip(self.convolutions, self.hparams["widths"], strict=True):
            windows = seen(real, width)
            best = winners(convolution, F.pad(steps, (0, 0, width - 1, width - 1)), windows)
            found.append(best.relu() * windows.any(2))
        return found

    def maps(self, sequences: Tensor) -> list[Tensor]:
        """What the filters of each width say of each window (B, C, T + width - 1); equation 2.

        Windows hang over both ends, so short texts have some; one of mere padding says zero,
        which no maximum takes for a real one's.
        """
        real = self.steps.real(sequences)
        found = self.steps(sequences).transpose(1, 2)  # padding is zero
        return [
            convolution(found).relu() * seen(real, width)
            for convolution, width in zip(self.convolutions, self.hparams["widths"], strict=True)
        ]

    def export_spec(self) -> ExportSpec:
        """Sequences of any length to logits."""
        sizes = {"length": (1, 8)}
        return ExportSpec(self, {"sequences": self.steps.entry()}, ("logits",), sizes)

    def figures(self, batch: tuple[Tensor, Tensor]) -> dict[str, Picture]:
        pictures = super().figures(batch)
        if hasattr(self.input, "vocabulary"):
            pictures["What the filters look for"] = self.loudest(batch[0][:SHOWN])
        return pictures

    @torch.inference_mode()
    def loudest(self, ids: Tensor) -> Table:
        """The n-gram that excites each of the weightiest filters most, and what it speaks for."""
        pull = self.head.weight - self.head.weight.mean(0)  # (K, C of all widths)
        grams, heights = self.ngrams(ids.to(self.device))
        rows: dict[str, tuple[str, str, str]] = {}
        for i in (pull.amax(0) * heights).argsort(descending=True).tolist():
            best = int(pull[:, i].argmax())
            name = self.classes[best] if self.classes else str(best)
            rows.setdefault(grams[i], (grams[i], name, f"{pull[best, i] * heights[i]:.2f}"))
        return Table(("words", "speak for", "by"), list(rows.values())[:ROWS])

    def ngrams(self, ids: Tensor) -> tuple[list[str], Tensor]:
        """Of each filter the window among texts (N, T) that excites it most, and how much."""
        parts = [self._ngrams(part) for part in ids.split(AT_ONCE)]
        heights, which = torch.stack([found for _, found in parts]).max(0)
        return [parts[part][0][i] for i, part in enumerate(which.tolist())], heights

    def _ngrams(self, ids: Tensor) -> tuple[list[str], Tensor]:
        grams, heights = [], []
        for maps, width in zip(self.maps(ids), self.hparams["widths"], strict=True):
            height, place = maps.transpose(0, 1).flatten(1).max(1)  # each (C,), over B and T
            row, start = place // maps.shape[2], place % maps.shape[2]
            windows = F.pad(ids, (width - 1, width - 1)).unfold(1, width, 1)  # (B, T + w - 1, w)
            grams += self.input.restore(windows[row, start])
            heights.append(height)
        return grams, torch.cat(heights)


def winners(convolution: nn.Conv1d, steps: Tensor, seen: Tensor | None = None) -> Tensor:
    """The maximum over time (B, C) of a convolution of steps (B, T, D), for training.

    Of all windows only a filter's best one has a gradient. So they are compared without it, and the
    best ones computed again with it: the same gradient in a third of the time.

    Args:
        seen: which windows count (B, 1, T - width + 1), bool; all if it is left out.
    """
    assert convolution.bias is not None
    with torch.no_grad():
        pictures = steps.transpose(1, 2).unsqueeze(2)  # (B, D, 1, T), channels last
        maps = F.conv2d(pictures, convolution.weight.unsqueeze(2))  # the bias changes no winner
        if seen is not None:
            maps.masked_fill_(~seen.unsqueeze(2), -torch.inf)
        starts = F.adaptive_max_pool2d(maps, 1, return_indices=True)[1].flatten(1)  # (B, C)
        starts += torch.arange(len(steps), device=steps.device).unsqueeze(1) * steps.shape[1]
        offsets = torch.arange(convolution.kernel_size[0], device=steps.device)
    windows = F.embedding(starts.unsqueeze(2) + offsets, steps.flatten(0, 1))  # (B, C, width, D)
    found: Tensor = (windows * convolution.weight.transpose(1, 2)).sum((2, 3)) + convolution.bias
    return found


def seen(real: Tensor, width: int) -> Tensor:
    """Whether a window sees a real step (B, 1, T + width - 1), of steps (B, T)."""
    steps = F.pad(real.unsqueeze(1), (width - 1, width - 1))
    return steps.unfold(2, width, 1).any(3)
