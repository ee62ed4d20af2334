"""A linear classifier of which n-grams a text has, as a part of a network.

Each n-gram weighs by how few training texts have it and by the logarithm of how often the text has
it (tf-idf, as scikit-learn's), and words and letters each have a row of length one. The classifier
is a support vector machine: a convex problem, which is solved before the network begins to learn.
Classifiers of this kind learn from few texts what convolutions need many for (Wang & Manning 2012,
https://aclanthology.org/P12-2018; Joulin et al. 2016, https://arxiv.org/abs/1607.01759; side by
side with a deep one: Cheng et al. 2016, https://arxiv.org/abs/1606.07792).

Shapes: B texts, G n-grams of a row, K classes, M numbers that n-grams are hashed to.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.nn.dropout import Dropout

GAIN = 100.0  # of the weights: models of before, which learned them by Adam, have such
REPEATS = 8  # times that a number stands in a row, at most
DOUBLE = math.log(2)  # what each of them but the first adds to 1 + log(count)
AT_ONCE = 1024  # texts whose rows are made at a time
LEAST = 20  # validation texts on which shares are fitted
PRIOR = 2.0  # nats by which one part alone must explain these better than both alike
SHARES = torch.tensor([  # of the network and of n-grams, (S, 2): their ratio and their size
    [ratio * size, (1 - ratio) * size]
    for ratio in (0.5, 0.375, 0.625, 0.25, 0.75, 0.125, 0.875, 0.0, 1.0)
    for size in (2 ** (power / 4) for power in range(-8, 9))
])  # fmt: skip


class NgramScores(nn.Module):
    """What the n-grams of texts say of each class.

    Args:
        numbers: M; the lower half is of words, the upper half of letters; inputs/ngrams.py.
        first: id of the first of them in a row, behind those of words.
        num_classes: K.
    """

    rarity: Tensor

    def __init__(self, numbers: int, first: int, num_classes: int) -> None:
        super().__init__()
        self.first = first
        self.weight = nn.Parameter(torch.zeros(numbers, num_classes), requires_grad=False)
        self.register_buffer("rarity", torch.ones(numbers))

    def divide(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Ids (B, T + G) as those of words, and the numbers of n-grams, -1 for none."""
        is_word = ids < self.first
        return ids * is_word, (ids - self.first).masked_fill(is_word, -1)

    @torch.no_grad()
    def fit(self, ids: Tensor, labels: np.ndarray, class_weights: np.ndarray) -> None:
        """Learn from training texts (N, T + G) and labels (N,).

        Args:
            class_weights: how much a text of each class counts (K,).
        """
        from zoo.nn.linear import fit_svm  # which takes a second to import

        counts = torch.zeros_like(self.rarity)  # of the texts that have each number
        for numbers in self.parts(ids):
            first = numbers[(numbers >= 0) & (repeats(numbers) == 0)]
            counts += torch.bincount(first, minlength=len(counts))
        self.rarity.copy_((1 + ((1 + len(ids)) / (1 + counts)).log()) * (counts > 0))
        weights, _ = fit_svm(self.rows(ids), labels, class_weights)
        self.weight.copy_(torch.from_numpy(weights.T / GAIN))

    def parts(self, ids: Tensor) -> Iterator[Tensor]:
        """The numbers of n-grams of some of the texts (N, T + G) at a time."""
        for part in ids.split(AT_ONCE):
            yield self.divide(part.long().to(self.rarity.device))[1]

    def rows(self, ids: Tensor) -> Any:
        """The weights of n-grams of texts (N, T + G) as a sparse matrix of SciPy's (N, M)."""
        from scipy.sparse import csr_matrix, vstack

        rows = []
        for numbers in self.parts(ids):
            texts, places = (numbers >= 0).nonzero(as_tuple=True)
            values = self.values(numbers)[texts, places].double().cpu()
            at = torch.stack([texts, numbers[texts, places]]).cpu().numpy()
            rows.append(csr_matrix((values, at), (len(numbers), len(self.rarity))))
        return vstack(rows, "csr")

    def values(self, numbers: Tensor) -> Tensor:
        """How much each of the n-grams of texts weighs, (B, G); those of one number add up."""
        rarity = self.rarity[numbers.clamp(min=0)] * (numbers >= 0)
        before = repeats(numbers)
        adds = torch.where(before == 0, 1.0, DOUBLE).to(rarity)  # to 1 + log(count)
        squares = rarity.square() * adds * (2 + 2 * DOUBLE * before - adds)  # to its square
        is_word = numbers < len(self.rarity) // 2
        words, letters = ((squares * part).sum(1, keepdim=True) for part in (is_word, ~is_word))
        length = torch.where(is_word, words, letters).clamp(min=1e-12).rsqrt()
        return rarity * adds * length

    def forward(self, numbers: Tensor) -> Tensor:
        """Map the n-grams of texts (B, G), -1 for none, to logits (B, K)."""
        weights = F.embedding(numbers.clamp(min=0), self.weight)
        return GAIN * (weights * self.values(numbers).unsqueeze(2)).sum(1)


def repeats(numbers: Tensor) -> Tensor:
    """How often each of the numbers (B, G) stands before in its row; equal ones are neighbours."""
    same = (F.pad(numbers, (i, 0), value=-2)[:, :-i] == numbers for i in range(1, REPEATS))
    return sum(same, torch.zeros_like(numbers))


class NgramHead(nn.Linear):
    """A last layer whose inputs have the logits of `NgramScores` behind them.

    Both parts learn by themselves, for one that fits the training texts at once would leave the
    other nothing to learn. What each has to say is fitted on validation texts, as a temperature
    is (Guo et al. 2017, https://arxiv.org/abs/1706.04599, section 4.2).

    Args:
        dropout: of the inputs.
    """

    shares: Tensor

    def __init__(self, inputs: int, num_classes: int, dropout: float) -> None:
        super().__init__(inputs, num_classes)
        self.dropout = Dropout(dropout)
        self.register_buffer("shares", torch.tensor([0.5, 0.5]))

    def parts(self, features: Tensor) -> Tensor:
        """Map (B, inputs + K) to the logits of the network, and of n-grams: (2, B, K)."""
        inputs, scores = features.split([self.in_features, self.out_features], 1)
        return torch.stack([super().forward(self.dropout(inputs)), scores])

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, inputs + K) to logits (B, K)."""
        return self.join(self.parts(features))

    def join(self, parts: Tensor) -> Tensor:
        """Map the logits of both parts (2, B, K) to logits (B, K)."""
        return (parts * self.shares[:, None, None]).sum(0)

    def losses(self, parts: Tensor, labels: Tensor) -> Tensor:
        """The sum of the losses of texts with each of `SHARES`, of logits (2, B, K): (S,)."""
        logits = torch.einsum("sp,pbk->sbk", SHARES.to(parts), parts)
        nats = F.cross_entropy(logits.flatten(0, 1), labels.repeat(len(SHARES)), reduction="none")
        return nats.view(len(SHARES), -1).sum(1)

    @torch.no_grad()
    def fit_shares(self, losses: Tensor) -> None:
        """Take those of `SHARES` with the least loss of validation texts (S,).

        `PRIOR` speaks for two parts that say as much: n-grams are calibrated, and the network is by
        the size that suits it best alone.
        """
        network, ngrams = SHARES.to(losses).T
        alone = network[torch.where(ngrams == 0, losses, torch.inf).argmin()]
        ratio = network / (network + alone * ngrams)
        self.shares.copy_(SHARES[int((losses + PRIOR * (2 * ratio - 1).abs()).argmin())])
