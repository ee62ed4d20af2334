"""A linear classifier of which n-grams a text has, as a part of a network.

Each n-gram weighs by how few training texts have it (tf-idf without tf, as scikit-learn's), words
and letters each have a row of length one, and a number for each class is learned for each n-gram.
Networks of this kind learn from few texts what convolutions need many for (Wang & Manning 2012,
https://aclanthology.org/P12-2018; Joulin et al. 2016, https://arxiv.org/abs/1607.01759; side by
side with a deep one: Cheng et al. 2016, https://arxiv.org/abs/1606.07792).

Shapes: B texts, G n-grams of a row, K classes, M numbers that n-grams are hashed to.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.nn.dropout import Dropout

DROPOUT = 0.5  # share of a text's n-grams that a step does without
GAIN = (
    100.0  # of what is learned: rows of length one need large numbers, which Adam's steps are not
)
LEAST = 20  # validation texts on which shares are fitted
SHARES = torch.tensor([  # of the network and of n-grams, (S, 2): their ratio and their size
    [ratio * size, (1 - ratio) * size]
    for ratio in (0.5, 0.25, 0.75, 0.0, 1.0)
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
        self.weight = nn.Parameter(torch.zeros(numbers, num_classes))
        self.register_buffer("rarity", torch.ones(numbers))
        self.dropout = Dropout(DROPOUT)

    def divide(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Ids (B, T + G) as those of words, and the numbers of n-grams, -1 for none."""
        is_word = ids < self.first
        return ids * is_word, (ids - self.first).masked_fill(is_word, -1)

    @torch.no_grad()
    def fit_rarity(self, ids: Tensor) -> None:
        """Learn from training texts (N, T + G) how much each n-gram weighs, once.

        One that none of them has weighs nothing.
        """
        if not bool((self.rarity == 1).all()):
            return
        counts = torch.bincount(ids[ids >= self.first].long() - self.first,
                                minlength=len(self.rarity)).to(self.rarity)  # fmt: skip
        self.rarity.copy_((1 + ((1 + len(ids)) / (1 + counts)).log()) * (counts > 0))

    def forward(self, numbers: Tensor) -> Tensor:
        """Map the n-grams of texts (B, G), -1 for none, to logits (B, K)."""
        ids = numbers.clamp(min=0)
        values = self.rarity[ids] * (numbers >= 0)  # (B, G)
        is_word = ids < len(self.rarity) // 2
        words, letters = (
            (values * part).square().sum(1, keepdim=True) for part in (is_word, ~is_word)
        )
        values = values * torch.where(is_word, words, letters).clamp(min=1e-12).rsqrt()
        return GAIN * (F.embedding(ids, self.weight) * self.dropout(values).unsqueeze(2)).sum(1)


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
        """Take those of `SHARES` with the least loss of validation texts (S,)."""
        self.shares.copy_(SHARES[int(losses.argmin())])
