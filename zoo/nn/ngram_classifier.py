"""A classifier of texts that has, where the data give n-grams, a linear one of these beside it.

The n-grams learn first, then the network, by its own loss; validation says how much each has to say
in the answer. See ngrams.py.

Shapes: B texts, T words or steps, G n-grams, F features of the last layer, K classes.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.nn.dropout import Dropout
from zoo.nn.ngrams import LEAST, SHARES, NgramHead, NgramScores
from zoo.nn.shapes import at_least_float32
from zoo.nn.supervised import Batch
from zoo.nn.text_classifier import TextClassifier
from zoo.pretrained.export_spec import ExportSpec
from zoo.utilities.compat import trainer_of
from zoo.utilities.modes import in_eval_mode

AT_ONCE = 64  # texts that the network sees


class NgramClassifier(TextClassifier):
    """A text classifier with a last layer behind what it makes of words, and n-grams or none."""

    head_prefixes = ("head.", "ngram_scores.")
    head: Any
    ngram_scores: Any

    def make_head(self, inputs: int, dropout: float, ngrams: int | None, text: Any) -> None:
        """Add the last layer.

        Args:
            inputs: F.
            dropout: of what it sees.
            ngrams: numbers that n-grams are hashed to; None: there are none.
            text: the `TextArguments`.
        """
        self.dropout, self.ngram_scores = Dropout(dropout), None
        if not ngrams:
            self.head = nn.Linear(inputs, text["num_classes"])
            return
        self.head = NgramHead(inputs, text["num_classes"], dropout)
        self.ngram_scores = NgramScores(ngrams, text["vocabulary_size"], text["num_classes"])

    def encode(self, sequences: Tensor) -> Tensor:
        """Map word ids (B, T), or numbers, to features (B, F)."""
        raise NotImplementedError

    def forward(self, sequences: Tensor) -> Tensor:
        """Map word ids (B, T), ids (B, T + G), or numbers (B, T, ...), to logits (B, K).

        Raises:
            ValueError: another layout.
        """
        features = self.forward_features(sequences)
        return self.head(features if self.ngram_scores else self.dropout(features))

    def forward_features(self, sequences: Tensor) -> Tensor:
        """Map them to features (B, F); with n-grams their logits stand behind these (B, F + K).

        Raises:
            ValueError: another layout.
        """
        if self.ngram_scores is None:
            return self.encode(sequences)
        self.steps.check(sequences)
        words, ngrams = self.ngram_scores.divide(sequences)
        return torch.cat([self.encode(words), self.ngram_scores(ngrams)], 1)

    def words_of(self, ids: Tensor) -> Tensor:
        return ids if self.ngram_scores is None else self.ngram_scores.divide(ids)[0]

    def export_spec(self) -> ExportSpec:
        """As all classifiers of texts; ids of n-grams stand in the same sequences."""
        spec = super().export_spec()
        if self.ngram_scores is None:
            return spec
        below = self.ngram_scores.first + len(self.ngram_scores.weight)
        inputs = {name: replace(one, below=below) for name, one in spec.inputs.items()}
        return replace(spec, inputs=inputs)

    def copies(self, raw: Any) -> Tensor:
        if self.ngram_scores is None:
            return super().copies(raw)
        words = self.input.read(raw)
        texts = [words, *(words[:i] + words[i + 1 :] for i in range(len(words)))]
        return self.preprocess([" ".join(text) for text in texts])

    def setup(self, stage: str) -> None:
        super().setup(stage)
        data: Any = getattr(trainer_of(self), "datamodule", None)
        if stage == "fit" and self.ngram_scores is not None and hasattr(data, "row_indices"):
            tensors, used = data.tensors("train"), data.row_indices("train")
            self.fit_linear(*(tensors if used is None else (one[used] for one in tensors)))

    @torch.no_grad()
    def fit_linear(self, ids: Tensor, labels: Tensor) -> None:
        """Solve what is linear from training texts (N, T + G) and labels (N,): the n-grams, and the
        last layer of a network whose others come with its vectors.

        So these learn from a good start (Kumar et al. 2022, https://arxiv.org/abs/2202.10054).
        """
        from zoo.nn.linear import fit_logistic  # which takes a second to import

        weights, classes = self.loss_weights, self.head.out_features
        balance = np.ones(classes) if weights is None else weights.cpu().numpy()
        self.ngram_scores.fit(ids, labels.numpy(), balance)
        if self.has_layers:
            model = in_eval_mode(self)
            parts = ids.long().to(self.device).split(AT_ONCE)
            rows = torch.cat([model.encode(model.words_of(part)) for part in parts])
            layer = fit_logistic(rows.double().cpu().numpy(), labels.numpy(), balance)
            for own, one in zip((self.head.weight, self.head.bias), layer, strict=True):
                own.copy_(torch.from_numpy(one))

    def logits(self, inputs: Any) -> Tensor:
        if self.ngram_scores is None:
            return super().logits(inputs)
        self.parts = at_least_float32(self.head.parts(self.forward_features(inputs)))
        return self.head.join(self.parts)

    def scores(self, batch: Batch, stage: str) -> dict[str, Tensor]:
        """With n-grams, which have learned by then, training has the loss of the network alone."""
        scores, labels = super().scores(batch, stage), batch[1]
        if self.ngram_scores is not None and stage == "train":
            options: Any = {"weight": self.loss_weights, "label_smoothing": self.label_smoothing}
            scores["loss"] = F.cross_entropy(self.parts[0], labels, reduction="none", **options)
        elif self.ngram_scores is not None and stage == "val":
            self.share_losses += self.head.losses(self.parts, labels)
            self.validated += len(labels)
        return scores

    def on_validation_epoch_start(self) -> None:
        self.share_losses = torch.zeros(len(SHARES), device=self.device)
        self.validated = torch.zeros((), device=self.device)

    def on_validation_epoch_end(self) -> None:
        if self.ngram_scores is not None and not self.trainer.sanity_checking:
            add = self.trainer.strategy.reduce  # over all processes
            losses = add(self.share_losses, reduce_op="sum")
            if add(self.validated, reduce_op="sum") >= LEAST:
                self.head.fit_shares(losses)
