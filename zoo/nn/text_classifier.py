"""What classifiers of texts share: word vectors, the words that pushed an answer, figures.

A text is read again without each of its words (Li et al. 2016, https://arxiv.org/abs/1612.08220,
section 3). A word's push is what the log-odds of the answer lose without it, in nats: above zero
the word speaks for the answer, below against it.

The word is left out and the others close up. Neither the unknown word nor padding stands in its
place: the vector of the unknown word never learns where the training texts have none, and padding
among words is a gap to a convolution and nothing at all to a recurrent layer that skips it. A text
with a word less is a text to all of them.

Shapes: B texts, T places in a row, W words of a text, V words, K classes.
"""

from itertools import islice
from typing import Any, TextIO

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from typing_extensions import TypedDict

from zoo.config.types import NumClasses, Positive, Probability, VocabularySize
from zoo.figures.kinds import Picture, Table, Tinted
from zoo.figures.texts import accuracy_by_length, examples
from zoo.nn.embedding import FIRST, Embeddings, SequenceEmbedding, load_layers
from zoo.nn.optim import Recipe
from zoo.nn.shapes import at_least_float32
from zoo.nn.supervised import Batch, Classifier
from zoo.pretrained.export_spec import ExportSpec
from zoo.utilities.modes import in_eval_mode
from zoo.words.keyed_vectors import Neighbours, format_answers

Attributions = list[tuple[str, float]]  # words in their order, each with its push

STRONGEST = 6  # words that are named
FREQUENT = 2000  # words, the most frequent, among which those with the greatest pull are found
ROWS = 16  # words whose neighbours the report shows
NEAR = 5  # of them in a row
LEGEND = "Blue words speak for the answer, orange ones against it: without them its odds change."


class TextArguments(TypedDict):
    """What every classifier of texts is built from."""

    vocabulary_size: VocabularySize | None  # for word ids, set by the data; else null
    features: Positive | None  # numbers a step, for series of numbers; else null
    num_classes: NumClasses  # set by the data
    embedding: Positive  # features of a word
    label_smoothing: Probability
    optimizer: Recipe


class VectorArguments(TextArguments):
    """The same, of one that may start from word vectors, in one of Kim's ways; see embedding.py."""

    embeddings: Embeddings
    vectors: str | None  # a CBOW of the zoo's, or a file


class TextClassifier(Classifier):
    """A classifier that reads texts, or series of numbers, by its `steps`."""

    least = 1  # steps of a sequence
    has_layers = False  # those of the classifier whose vectors it starts from

    def __init__(self, *, keras: bool = False, **text: Any) -> None:
        super().__init__(text["label_smoothing"])
        self.steps = SequenceEmbedding(
            text["vocabulary_size"], text["features"], text["embedding"], keras,
            text.get("embeddings", "random"), text.get("vectors"),
        )  # fmt: skip

    def export_spec(self) -> ExportSpec:
        """Sequences of any length to logits."""
        sizes = {"length": (self.least, 8 * self.least)}
        return ExportSpec(self, {"sequences": self.steps.input_spec()}, ("logits",), sizes)

    def setup(self, stage: str) -> None:
        if hasattr(self.input, "ngrams") and getattr(self, "ngram_scores", None) is None:
            raise ValueError(
                f"data.ngrams is {self.input.ngrams}, and {type(self).__name__} has no place for "
                "n-grams: take text_cnn or text_lstm, or data.ngrams=null"
            )
        if stage == "fit" and hasattr(self.input, "vocabulary") and not self.steps.has_started:
            self.has_layers = load_layers(self, self.steps.source, ("steps.", *self.head_prefixes))
            self.steps.load_vectors(self.input.vocabulary, rescale=not self.has_layers)

    def word_vectors(self) -> tuple[list[str], np.ndarray]:
        """The vocabulary and the vector of each word (V, D), float32.

        Raises:
            ValueError: there is no input, or it has no vocabulary.
        """
        if not hasattr(self.input, "vocabulary"):
            raise ValueError("this model has no words: load it with its weights (zoo.load)")
        vocabulary = self.input.vocabulary
        table = self.steps.read.weight[FIRST : FIRST + len(vocabulary)]
        return vocabulary, table.detach().float().cpu().numpy()

    @torch.inference_mode()
    def explain(self, raws: Any, batch_size: int = 64) -> list[dict[str, Any]]:
        """Answer for texts, one or a list, as `predict` does, and say which words pushed.

        Args:
            batch_size: copies of a text, each without one word, that the network sees at once.

        Returns:
            Answers with `words`: a pair (word, push in nats) for each word that was read, in order.

        Raises:
            ValueError: no input is attached, or a text cannot be read.
        """
        model, answers = in_eval_mode(self), []
        for raw in self.as_list(raws):
            ids = self.as_input(self.copies(raw))  # (1 + W, T)
            pushes = model.attributions(ids, batch_size).tolist()
            words = list(zip(self.input.read(raw), pushes, strict=True))
            answers.append({**model.predict_batch(ids[:1])[0], "words": words})
        return answers

    @torch.inference_mode()
    def predict_file(self, file: TextIO, batch_size: int = 64) -> dict[str, Any]:
        """Answer for all of a text, however long: the mean of the probabilities of its windows.

        A window is as many words as the network reads at most.

        Args:
            file: an open text file, of any size: a batch of windows is in memory at a time.

        Returns:
            The answer, with the number of `windows`.

        Raises:
            ValueError: a line cannot be read, or there are no words.
        """
        model = in_eval_mode(self)
        windows = self.input.windows(file)
        total, count = torch.zeros((), device=self.device), 0
        while part := list(islice(windows, batch_size)):
            logits = at_least_float32(model(self.as_input(self.preprocess(part))))
            total, count = total + logits.softmax(1).sum(0), count + len(part)
        if not count:
            raise ValueError("this text has no words")
        (answer,) = self.postprocess((total / count).log().unsqueeze(0))
        return {**answer, "windows": count}

    def copies(self, raw: Any) -> Tensor:
        """The ids of a text and of copies, each without another one of its W words, (1 + W, T)."""
        ids = self.preprocess(raw)
        return torch.cat([ids, without_each(ids[0], self.input.padding)])

    def words_of(self, ids: Tensor) -> Tensor:
        """Ids without those that are no words of a row."""
        return ids

    def attributions(self, copies: Tensor, batch_size: int = 64) -> Tensor:
        """Map the ids of a text and of its copies (1 + W, T) to the push of each word, (W,)."""
        logits = torch.cat([at_least_float32(self(part)) for part in copies.split(batch_size)])
        odds = log_odds(logits, int(logits[0].argmax()))
        return odds[0] - odds[1:]

    def make_figures(self, batch: Batch, probabilities: np.ndarray) -> dict[str, Picture]:
        """Of texts also the words that pushed, accuracy over length, and the nearest words."""
        pictures = super().make_figures(batch, probabilities)
        if not hasattr(self.input, "vocabulary"):
            return pictures
        ids, labels = batch[0], batch[1].numpy()
        lengths, right = (self.words_of(ids) != 0).sum(1).numpy(), probabilities.argmax(1) == labels
        return {
            **pictures,
            "Words that pushed the answer": self.explain_some(ids, labels, probabilities),
            "Accuracy over length": accuracy_by_length(lengths, right),
            "Words with the greatest pull, and the nearest in the table": self.nearest(),
        }

    def explain_some(self, ids: Tensor, labels: np.ndarray, probabilities: np.ndarray) -> Tinted:
        """The words of some texts (B, T) that were answered rightly, and of the worst mistakes."""
        rows = [i for i in examples(labels, probabilities) if ids[i].any()]
        answers = self.explain(self.input.restore(ids[rows]))
        names = self.class_names(probabilities.shape[1])
        captions = [
            f"{names[label]}, answered {one['label']} ({100 * one['probability']:.0f} % sure): "
            f"{strongest(one['words'])}"
            for label, one in zip(labels[rows], answers, strict=True)
        ]
        return Tinted([answer["words"] for answer in answers], captions, LEGEND)

    @torch.inference_mode()
    def nearest(self) -> Table:
        """Of the words that alone pull most towards a class those that the table has beside them.

        Each class has its share of the rows.
        """
        vocabulary, table = self.word_vectors()
        near = Neighbours(vocabulary, table)
        pulls = self.class_bias(min(FREQUENT, len(vocabulary)))
        names = self.class_names(pulls.shape[1])
        share = max(1, ROWS // len(names))
        rows = [
            (word, name, format_answers(near.most_similar(word, count=NEAR)))
            for name, pull in zip(names, pulls.T, strict=True)
            for word in [vocabulary[i] for i in pull.argsort(descending=True)[:share].tolist()]
        ]
        return Table(("word", "speaks for", "nearest words"), rows[:ROWS])

    def class_bias(self, count: int) -> Tensor:
        """The log-odds (V, K) of each class for each of the first words alone, less their mean."""
        parts = self.input(self.input.vocabulary[:count]).to(self.device).split(256)
        logits = torch.cat([at_least_float32(self(part)).cpu() for part in parts])
        odds = torch.stack([log_odds(logits, label) for label in range(logits.shape[1])], 1)
        return odds - odds.mean(0)


def without_each(ids: Tensor, padding: str) -> Tensor:
    """Map the ids of a text (T,) to rows (W, T), each without another one of its W words.

    Args:
        padding: the side on which it stands, pre or post, and grows.
    """
    words = ids[ids != 0]
    count = len(words)
    others = ~torch.eye(count, dtype=torch.bool, device=ids.device)
    rows = words.expand(count, count)[others].view(count, max(count - 1, 0))
    more = len(ids) - rows.shape[1]
    return F.pad(rows, (more, 0) if padding == "pre" else (0, more))


def log_odds(logits: Tensor, label: int) -> Tensor:
    """The log-odds (B,) of a class against all others, of logits (B, K)."""
    others = torch.cat([logits[:, :label], logits[:, label + 1 :]], 1)
    return logits[:, label] - others.logsumexp(1)


def strongest(pushes: Attributions) -> str:
    """The words that pushed most, with their sign: for the answer or against it.

    >>> strongest([("not", 2.5), ("a", 0.01), ("good", -3.0)])
    'good -3.00, not +2.50, a +0.01'
    """
    best = sorted(pushes, key=lambda pair: -abs(pair[1]))[:STRONGEST]
    return ", ".join(f"{word} {push:+.2f}" for word, push in best)
