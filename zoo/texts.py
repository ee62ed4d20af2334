"""What the classifiers of texts share: where their vectors start, and which words pushed an answer.

A text is read again without each of its words (Li et al. 2016, https://arxiv.org/abs/1612.08220,
section 3). A word's push is what the log-odds of the answer lose without it, in nats: above zero
the word speaks for the answer, below against it.

The word is left out and the others close up. Neither the unknown word nor padding stands in its
place: the vector of the unknown word never learns where the training texts have none, and padding
among words is a gap to a convolution and nothing at all to a recurrent layer that skips it. A text
with a word less is a text to all of them.

Shapes: B texts, T places in a row, W words of a text, K classes.
"""

from itertools import islice
from typing import Any, TextIO

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.nn import wide
from zoo.sequences import Steps
from zoo.supervised import Classifier

Pushes = list[tuple[str, float]]  # words in their order, each with its push

STRONGEST = 8  # words that are named


class TextClassifier(Classifier):
    """A classifier that reads texts, or series of numbers, by its `steps`."""

    steps: Steps

    def setup(self, stage: str) -> None:
        if stage == "fit" and hasattr(self.input, "vocabulary"):
            self.steps.begin(self.input.vocabulary)

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
        self.eval()
        raws = raws if isinstance(raws, list | tuple) else [raws]
        return [self._explained(raw, batch_size) for raw in raws]

    @torch.inference_mode()
    def whole(self, file: TextIO, batch_size: int = 64) -> dict[str, Any]:
        """Answer for all of a text, however long: the mean of the probabilities of its windows.

        A window is as many words as the network reads at most.

        Args:
            file: an open text file, of any size: a batch of windows is in memory at a time.

        Returns:
            The answer, with the number of `windows`.

        Raises:
            ValueError: a line cannot be read, or there are no words.
        """
        self.eval()
        windows = self.input.windows(file)
        total, count = torch.zeros((), device=self.device), 0
        while part := list(islice(windows, batch_size)):
            logits = wide(self(self.ready(part).to(self.device)))
            total, count = total + logits.softmax(1).sum(0), count + len(part)
        if not count:
            raise ValueError("this text has no words")
        (answer,) = self.answer((total / count).log().unsqueeze(0))
        return {**answer, "windows": count}

    def _explained(self, raw: Any, batch_size: int) -> dict[str, Any]:
        ids = self.ready(raw).to(self.device)  # (1, T)
        words = self.input.read(raw)
        pushes = self.pushes(ids[0], batch_size).tolist()
        return {**self.answers(ids)[0], "words": list(zip(words, pushes, strict=True))}

    def pushes(self, ids: Tensor, batch_size: int = 64) -> Tensor:
        """Map the ids of a text (T,) to the push of each of its words, (W,)."""
        copies = torch.cat([ids.unsqueeze(0), without_each(ids, self.input.padding)])
        logits = torch.cat([wide(self(part)) for part in copies.split(batch_size)])
        odds = log_odds(logits, int(logits[0].argmax()))
        return odds[0] - odds[1:]


def without_each(ids: Tensor, padding: str) -> Tensor:
    """Map the ids of a text (T,) to rows (W, T), each without another one of its W words.

    Args:
        padding: the side on which it stands, pre or post, and grows.
    """
    words = ids[ids != 0]
    count = len(words)
    others = ~torch.eye(count, dtype=torch.bool, device=ids.device)
    rows = words.expand(count, count)[others].view(count, count - 1)
    more = len(ids) - count + 1
    return F.pad(rows, (more, 0) if padding == "pre" else (0, more))


def log_odds(logits: Tensor, label: int) -> Tensor:
    """The log-odds (B,) of a class against all others, of logits (B, K)."""
    others = torch.cat([logits[:, :label], logits[:, label + 1 :]], 1)
    return logits[:, label] - others.logsumexp(1)


def strongest(pushes: Pushes) -> str:
    """The words that pushed most, with their sign: for the answer or against it.

    >>> strongest([("not", 2.5), ("a", 0.01), ("good", -3.0)])
    'good -3.00, not +2.50, a +0.01'
    """
    best = sorted(pushes, key=lambda one: -abs(one[1]))[:STRONGEST]
    return ", ".join(f"{word} {push:+.2f}" for word, push in best)
