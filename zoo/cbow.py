"""Word vectors: predict a word from the words around it (slide 24).

Mikolov et al. 2013, https://arxiv.org/abs/1301.3781 (the continuous bag of words, section 3.1) and
https://arxiv.org/abs/1310.4546 (negative sampling, equation 4).

The context's vectors are averaged to h. The score u_w . h of the middle word w is raised; those of
`negatives` words drawn from the noise q, the training text's counts to the power 0.75, are lowered.
At the optimum u_w . h = log P(w | context) - log q_w - log negatives (Levy & Goldberg 2014, "Neural
word embedding as implicit matrix factorization", section 3.1): so q is kept with the weights, and
adding log q gives what `forward` returns, logits of the middle word.

Departs from the papers: Adam on whole batches, where word2vec.c takes a step for each word; and the
loss of validation and test sums over the noise instead of drawing from it, so that it is exact.

Shapes: B windows, C places around each centre, V ids (0 is padding), D dimensions, K negatives.
"""

from typing import Annotated, Any

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from zoo import optim, word_pictures
from zoo.export import Entry, Exported
from zoo.neighbours import NEAREST, Answers
from zoo.optim import Recipe
from zoo.pictures import Picture, Table
from zoo.word_vectors import WordVectors

Positive = Annotated[int, Field(ge=1)]

SHOWN = 12  # rows of a table
FEW = 5  # answers in a row


class CBOW(WordVectors):
    """The continuous bag of words with negative sampling.

    Args:
        vocabulary_size: a fact of the data: ids, those of padding and of unknown words among them.
        dimensions: of a word's vector.
        negatives: words drawn against each centre.
        power: of the counts, for the noise.
    """

    noise: Tensor

    def __init__(
        self,
        *,
        vocabulary_size: Annotated[int, Field(ge=4)],
        dimensions: Positive,
        negatives: Positive,
        power: Annotated[float, Field(ge=0, le=1)],
        optimizer: Recipe,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        self.vectors = nn.EmbeddingBag(vocabulary_size, dimensions, mode="mean", padding_idx=0)
        self.outputs = nn.Parameter(torch.zeros(vocabulary_size, dimensions))
        nn.init.uniform_(self.vectors.weight, -0.5 / dimensions, 0.5 / dimensions)  # word2vec.c's
        self.register_buffer("noise", torch.full((vocabulary_size,), 1 / vocabulary_size))
        self.example_input_array = torch.ones((1, 10), dtype=torch.long)

    def setup(self, stage: str) -> None:
        """Take the noise from the counts that came with the vocabulary."""
        weights = torch.zeros_like(self.noise, dtype=torch.float64)
        counts = torch.tensor(self.input.counts, dtype=torch.float64)
        weights[self.input.ids] = torch.where(counts > 0, counts ** self.hparams["power"], 0)
        self.noise.copy_(weights / weights.sum())

    def encode(self, contexts: Tensor) -> Tensor:
        """Average the vectors of contexts (B, C) to h (B, D); padding does not count.

        Raises:
            ValueError: another layout.
        """
        if contexts.ndim != 2:
            raise ValueError(f"contexts have the shape {tuple(contexts.shape)}: (B, C) is wanted")
        if torch.compiler.is_exporting():  # torch's bag becomes a loop over the batch
            return mean_known(F.embedding(contexts, self.vectors.weight), contexts)
        means: Tensor = self.vectors(contexts)
        return means

    def embed(self, batch: Any) -> Tensor:
        """The mean vectors (B, D) of contexts (B, C)."""
        return self.encode(batch)

    def forward(self, contexts: Tensor) -> Tensor:
        """Map contexts (B, C), ids, to logits (B, V) of the word in their middle."""
        return self.encode(contexts) @ self.outputs.T + self.noise.clamp(min=1e-30).log()

    def exported(self) -> Exported:
        """Contexts of any number of places to logits of the word in their middle."""
        contexts = Entry(("batch", "places"), below=self.hparams["vocabulary_size"])
        return Exported(self, {"contexts": contexts}, ("logits",), {"places": (1, 10)})

    def answer(self, output: Tensor) -> list[Answers]:
        """Map logits (B, V) to the likeliest words, each with its probability."""
        if self.input is None:
            names, known = [str(i) for i in range(output.shape[1])], output
        else:
            names, known = self.input.vocabulary, output[:, self.input.ids]
        best = known.float().softmax(1).topk(min(NEAREST, len(names)))
        return [
            [(names[i], share) for i, share in zip(ids, shares, strict=True)]
            for ids, shares in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]

    def word_vectors(self) -> tuple[list[str], np.ndarray]:
        """The vocabulary and the vector of each word (V, D), float32.

        Raises:
            ValueError: there is no input, which has the vocabulary.
        """
        if self.input is None:
            raise ValueError("this model has no input: load it with its weights (zoo.load)")
        vectors = self.vectors.weight.detach()[self.input.ids]
        return self.input.vocabulary, vectors.float().cpu().numpy()

    def scores(self, batch: tuple[Tensor, Tensor], stage: str) -> dict[str, Tensor]:
        """The loss of each centre (B,), in nats: drawn while training, else its expectation."""
        contexts, centres = batch
        means = self.encode(contexts)
        right = F.softplus(-(means * F.embedding(centres, self.outputs)).sum(1))
        wrong = self.drawn if stage == "train" else self.expected
        return {"loss": right + wrong(means, centres)}

    def drawn(self, means: Tensor, centres: Tensor) -> Tensor:
        """The loss (B,) of words drawn from the noise; the centre itself does not count."""
        words = self.from_noise(len(means))
        scores = (F.embedding(words, self.outputs) * means[:, None]).sum(2)  # (B, K)
        return (F.softplus(scores) * (words != centres[:, None])).sum(1)

    def from_noise(self, count: int) -> Tensor:
        """Draw ids (count, K)."""
        edges = self.noise.cumsum(0)
        draws = self.draw(torch.rand, count, self.hparams["negatives"]) * edges[-1]
        return torch.searchsorted(edges, draws, right=True).clamp(max=len(edges) - 1)

    def expected(self, means: Tensor, centres: Tensor) -> Tensor:
        """What `drawn` is on average, (B,)."""
        parts = zip(means.split(256), centres.split(256), strict=True)  # (256, V) at a time
        return self.hparams["negatives"] * torch.cat([self._expected(*part) for part in parts])

    def _expected(self, means: Tensor, centres: Tensor) -> Tensor:
        losses = F.softplus(means @ self.outputs.T) * self.noise
        return losses.sum(1) - losses.gather(1, centres[:, None])[:, 0]

    @torch.inference_mode()
    def figures(self, batch: tuple[Tensor, Tensor]) -> dict[str, Picture]:
        """What the vectors know, and the middle words of test windows."""
        spread = slice(None, None, -(-len(batch[0]) // SHOWN))
        pictures = word_pictures.pictured(self.neighbours(), self.input.counts)
        return {
            **pictures,
            "The word in the middle": self.middles(batch[0][spread], batch[1][spread]),
        }

    def middles(self, contexts: Tensor, centres: Tensor) -> Table:
        """The likeliest words of contexts (B, C), beside the word (B,) that stood there."""
        answers = self.answer(self(contexts.to(self.device)))
        named, truths = self.input.restore(contexts), self.input.named(centres.tolist())
        rows = [
            (context, truth, ", ".join(word for word, _ in likeliest[:FEW]))
            for context, truth, likeliest in zip(named, truths, answers, strict=True)
        ]
        return Table(("the words around it", "the word", "the likeliest words"), rows)

    def configure_optimizers(self) -> Any:
        return optim.configure(self, self.hparams["optimizer"])


def mean_known(vectors: Tensor, contexts: Tensor) -> Tensor:
    """The mean (B, D) of vectors (B, C, D) where the context (B, C) is no padding; else zero."""
    known = (contexts != 0).to(vectors.dtype).unsqueeze(2)
    return (vectors * known).sum(1) / known.sum(1).clamp(min=1)
