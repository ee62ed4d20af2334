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
from typing_extensions import Unpack

from zoo.config.types import Positive, Probability, Widths
from zoo.figures.kinds import Picture, Table
from zoo.nn.dropout import Dropout
from zoo.nn.embedding import SigmoidLayer
from zoo.nn.ngram_classifier import NgramClassifier
from zoo.nn.text_classifier import TextArguments, TextClassifier, VectorArguments

TEXTS = 1000  # among which the n-grams of the report are looked for
BATCH = 64  # of these texts
ROWS = 16  # n-grams that the report shows


class TextCNN2017(TextClassifier):
    """The lecture's network, slide 26.

    It takes padding for words, as Keras' example did: every text must come in the same length.

    Args:
        filters, filter_length: of the convolution.
        hidden: width of the dense layer.
        embedding_dropout: share of the vocabulary that a batch does without.
        dropout: behind the dense layer.
        text: what all classifiers of texts take.
    """

    def __init__(
        self,
        *,
        filters: Positive,
        filter_length: Positive,
        hidden: Positive,
        embedding_dropout: Probability,
        dropout: Probability,
        **text: Unpack[TextArguments],
    ) -> None:
        super().__init__(keras=True, **text)
        self.save_hyperparameters(logger=False)
        self.convolution = nn.Conv1d(self.steps.width, filters, filter_length)
        self.hidden = nn.Sequential(nn.Linear(filters, hidden), Dropout(dropout), nn.ReLU())
        self.head = SigmoidLayer(hidden, text["num_classes"])
        self.example_input_array = self.steps.example(4 * filter_length)
        self.least = filter_length

    @property
    def receptive_field(self) -> str:
        return f"{self.least} words, the maximum over the text"

    def forward(self, sequences: Tensor) -> Tensor:
        """Map word ids (B, T), or numbers (B, T, F), to logits (B, K).

        Raises:
            ValueError: another layout, or fewer steps than the filter is long.
        """
        return self.head(self.forward_features(sequences))

    def forward_features(self, sequences: Tensor) -> Tensor:
        """Map word ids (B, T), or numbers (B, T, F), to what the last layer sees, (B, hidden).

        Raises:
            ValueError: another layout, or fewer steps than the filter is long.
        """
        steps = self.steps(sequences) * self.word_dropout(sequences)
        length = steps.shape[1]
        if length < self.least:
            raise ValueError(f"sequences have {length} steps: {self.least} or more are needed")
        if self.training:
            best = max_over_time(self.convolution, steps)
        else:
            best = self.convolution(steps.transpose(1, 2)).amax(2)  # (B, C)
        return self.hidden(best.relu())

    def word_dropout(self, sequences: Tensor) -> Tensor | float:
        """Keras 1.2's dropout of the table: whole rows go, so a word is missing everywhere.

        (B, T, 1), zero where the word is dropped from this batch; the others are scaled up.
        """
        share = self.hparams["embedding_dropout"]
        if not self.training or not share or self.hparams["vocabulary_size"] is None:
            return 1.0
        rows = torch.ones(self.hparams["vocabulary_size"], 1, device=sequences.device)
        return F.embedding(sequences, F.dropout(rows, share))


class TextCNN(NgramClassifier):
    """Kim's network, figure 1.

    Args:
        widths: words that each kind of filter sees.
        filters: maps of each width.
        dropout: before the last layer.
        ngrams: numbers of a linear classifier of n-grams beside it, which the data set; None: there
            is none. See zoo/nn/ngrams.py.
        text: what all classifiers of texts take that may start from word vectors.
    """

    def __init__(
        self,
        *,
        widths: Widths,
        filters: Positive,
        dropout: Probability,
        ngrams: Positive | None = None,
        **text: Unpack[VectorArguments],
    ) -> None:
        super().__init__(**text)
        self.save_hyperparameters(logger=False)
        self.convolutions: Any = nn.ModuleList(
            nn.Conv1d(self.steps.width, filters, width, padding=width - 1) for width in widths
        )
        self.make_head(filters * len(widths), dropout, ngrams, text)
        self.example_input_array = self.steps.example(8)

    @property
    def receptive_field(self) -> str:
        return f"{max(self.hparams['widths'])} words, the maximum over the text"

    def encode(self, sequences: Tensor) -> Tensor:
        """Map word ids (B, T), or numbers (B, T, F), to the maximum of each map, (B, all maps)."""
        return torch.cat(self.strongest(self.steps.trimmed(sequences)), 1)

    def strongest(self, sequences: Tensor) -> list[Tensor]:
        """The maximum over time (B, C) of the filters of each width; equation 3."""
        if not self.training:
            return [maps.amax(2) for maps in self.maps(sequences)]
        real, steps = self.steps.real(sequences), self.steps(sequences)
        maxima = []
        for convolution, width in zip(self.convolutions, self.hparams["widths"], strict=True):
            windows = has_real_step(real, width)
            padded = F.pad(steps, (0, 0, width - 1, width - 1))
            best = max_over_time(convolution, padded, windows)
            maxima.append(best.relu() * windows.any(2))
        return maxima

    def maps(self, sequences: Tensor) -> list[Tensor]:
        """The maps of each width over all windows (B, C, T + width - 1); equation 2.

        Windows hang over both ends, so short texts have some; one of mere padding
        gives zero, which no maximum takes for a real one's.
        """
        real = self.steps.real(sequences)
        steps = self.steps(sequences).transpose(1, 2)  # padding is zero
        return [
            convolution(steps).relu() * has_real_step(real, width)
            for convolution, width in zip(self.convolutions, self.hparams["widths"], strict=True)
        ]

    def figures(self, batch: tuple[Tensor, Tensor]) -> dict[str, Picture]:
        pictures = super().figures(batch)
        if hasattr(self.input, "vocabulary"):
            ids = self.words_of(batch[0][:TEXTS])
            pictures["What the filters look for"] = self.strongest_ngrams(self.steps.trimmed(ids))
        return pictures

    @torch.inference_mode()
    def strongest_ngrams(self, ids: Tensor) -> Table:
        """The n-gram with the highest activation of each of the filters that weigh most."""
        pull = self.head.weight - self.head.weight.mean(0)  # (K, C of all widths)
        grams, heights = self.ngrams(ids.to(self.device))
        rows: dict[str, tuple[str, str, str]] = {}
        for i in (pull.amax(0) * heights).argsort(descending=True).tolist():
            best = int(pull[:, i].argmax())
            name = self.classes[best] if self.classes else str(best)
            rows.setdefault(grams[i], (grams[i], name, f"{pull[best, i] * heights[i]:.2f}"))
        return Table(("words", "speak for", "by"), list(rows.values())[:ROWS])

    def ngrams(self, ids: Tensor) -> tuple[list[str], Tensor]:
        """Of each filter the window among texts (N, T) with its highest activation, and that."""
        parts = [self._ngrams(part) for part in ids.split(BATCH)]
        heights, which = torch.stack([height for _, height in parts]).max(0)
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


def max_over_time(convolution: nn.Conv1d, steps: Tensor, counts: Tensor | None = None) -> Tensor:
    """The maximum over time (B, C) of a convolution of steps (B, T, D), for training.

    Of all windows only a filter's best one has a gradient. So they are compared without it, and the
    best ones computed again with it: the same gradient in a third of the time.

    Args:
        counts: which windows count (B, 1, T - width + 1), bool; all if it is left out.
    """
    assert convolution.bias is not None
    with torch.no_grad():
        pictures = steps.transpose(1, 2).unsqueeze(2)  # (B, D, 1, T), channels last
        maps = F.conv2d(pictures, convolution.weight.unsqueeze(2))  # the bias changes no winner
        if counts is not None:
            maps.masked_fill_(~counts.unsqueeze(2), -torch.inf)
        starts = F.adaptive_max_pool2d(maps, 1, return_indices=True)[1].flatten(1)  # (B, C)
        starts += torch.arange(len(steps), device=steps.device).unsqueeze(1) * steps.shape[1]
        offsets = torch.arange(convolution.kernel_size[0], device=steps.device)
    windows = F.embedding(starts.unsqueeze(2) + offsets, steps.flatten(0, 1))  # (B, C, width, D)
    maxima: Tensor = (windows * convolution.weight.transpose(1, 2)).sum((2, 3)) + convolution.bias
    return maxima


def has_real_step(real: Tensor, width: int) -> Tensor:
    """Whether a window sees a real step (B, 1, T + width - 1), of steps (B, T)."""
    steps = F.pad(real.unsqueeze(1), (width - 1, width - 1))
    return steps.unfold(2, width, 1).any(3)
