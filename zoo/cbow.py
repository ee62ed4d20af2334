"""Word vectors: predict a word from the words around it (slide 24).

Mikolov et al. 2013, https://arxiv.org/abs/1301.3781 (the continuous bag of words, section 3.1, and
skip-gram, section 3.2) and https://arxiv.org/abs/1310.4546 (negative sampling, equation 4).

The context's vectors are averaged to h. The score u_w . h of the middle word w is raised; those of
`negatives` words drawn from the noise q, the training text's counts to the power 0.75, are lowered.
At the optimum u_w . h = log P(w | context) - log q_w - log negatives (Levy & Goldberg 2014, "Neural
word embedding as implicit matrix factorization", section 3.1): so q is kept with the weights, and
adding log q gives what `forward` returns, logits of the middle word.

Training takes word2vec's steps (word2vec.py) along the batch, which is a run of text: (ids, reach).
The loss of validation and test, whose batches are windows, sums over the noise instead of drawing
from it, so that it is exact; that of training is drawn, for the batch's first centres, after its
steps. In both modes it is the loss of the centre given the mean of its context.

`CBOW.training_step` below takes the steps, by the gradients that zoo/words/word2vec.py has in
closed form.

Shapes: B windows, C places around each centre, V ids (0 is padding), D dimensions, K negatives.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Annotated, Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from typing_extensions import TypedDict

from zoo.config.types import Positive, PositiveFloat
from zoo.distributed import sparse_rows
from zoo.figures.kinds import Picture, Table
from zoo.nn import optim
from zoo.nn.shapes import at_least_float32, check_layout
from zoo.nn.word_vectors import WordVectors
from zoo.pretrained.export_spec import ExportSpec, InputSpec
from zoo.words import figures, word2vec
from zoo.words.alias_sampler import build_alias_table
from zoo.words.keyed_vectors import NEAREST, Answers
from zoo.words.word2vec import Mode, Run, Tables

ROWS = 12  # rows of a table
FEW = 5  # answers in a row
LOGGED = 256  # centres of a batch whose loss is logged


class Descent(TypedDict):
    """How fast it learns: a part of its config."""

    lr: PositiveFloat  # of the first step; it falls to zero along a straight line


class CBOW(WordVectors):
    """The continuous bag of words, or skip-gram, with negative sampling or the full softmax.

    Args:
        vocabulary_size: a fact of the data: ids, those of padding and of unknown words among them.
        dimensions: of a word's vector.
        mode: whether the mean of a context predicts its centre, or each word of it does.
        negatives: words against each centre; None: all others, by the full softmax, which takes
            time in proportion to the vocabulary.
        power: of the counts, for the noise.
        add_outputs: whether a word's vector is the sum of its two, each of length one: that in
            contexts and that in their middle (Levy et al. 2015, section 3.3, "w + c",
            https://aclanthology.org/Q15-1016); else it is the first.
        threads: of the compiled kernel; more than one do not wait for each other, so that a run
            cannot be repeated exactly.
    """

    noise: Tensor

    def __init__(
        self,
        *,
        vocabulary_size: Annotated[int, Field(ge=4)],
        dimensions: Positive,
        mode: Mode,
        negatives: Positive | None,
        power: Annotated[float, Field(ge=0, le=1)],
        add_outputs: bool,
        threads: Positive,
        optimizer: Descent,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        self.automatic_optimization = False
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
        self.alias = build_alias_table(self.noise)

    def encode(self, contexts: Tensor) -> Tensor:
        """Average the vectors of contexts (B, C) to h (B, D); padding does not count.

        Raises:
            ValueError: another layout.
        """
        check_layout("contexts", contexts, "B", "C")
        if torch.compiler.is_exporting():  # torch's bag becomes a loop over the batch
            vectors = F.embedding(contexts, self.vectors.weight)
            is_word = (contexts != 0).to(vectors.dtype).unsqueeze(2)
            return (vectors * is_word).sum(1) / is_word.sum(1).clamp(min=1)
        means: Tensor = self.vectors(contexts)
        return means

    def forward_features(self, batch: Any) -> Tensor:
        """The mean vectors (B, D) of contexts (B, C)."""
        return self.encode(batch)

    def forward(self, contexts: Tensor) -> Tensor:
        """Map contexts (B, C), ids, to logits (B, V) of the word in their middle."""
        logits = self.encode(contexts) @ self.outputs.T
        sampled = self.hparams["negatives"] is not None
        noise = at_least_float32(self.noise)  # half precision has no 1e-30
        return logits + noise.clamp(min=1e-30).log() if sampled else logits

    def export_spec(self) -> ExportSpec:
        """Contexts of any number of places to logits of the word in their middle."""
        contexts = InputSpec(("batch", "places"), below=self.hparams["vocabulary_size"])
        return ExportSpec(self, {"contexts": contexts}, ("logits",), {"places": (1, 10)})

    def postprocess(self, output: Tensor) -> list[Answers]:
        """Map logits (B, V) to the likeliest words, each with its probability."""
        if self.input is None:
            names, word_logits = [str(i) for i in range(output.shape[1])], output
        else:
            names, word_logits = self.input.vocabulary, output[:, self.input.ids]
        best = word_logits.float().softmax(1).topk(min(NEAREST, len(names)))
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
        vectors, outputs = self.tables()
        if self.hparams["add_outputs"]:
            vectors = F.normalize(vectors) + F.normalize(outputs)
        return self.input.vocabulary, vectors.numpy()

    def tables(self) -> Tables:
        """The vectors of the vocabulary in contexts, and in their middle, both (V, D), float32."""
        both = (self.vectors.weight, self.outputs)
        return Tables(*(table.detach()[self.input.ids].float().cpu() for table in both))

    @torch.no_grad()
    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """Take the steps of a run of text: ids (N + 2 w,), and how far each centre looks (N,)."""
        own, optimizer = self.hparams, cast(Any, self.optimizers())
        tables = Tables(self.vectors.weight, self.outputs)
        block = word2vec.block_size(tables, own["mode"], own["negatives"] is not None)
        run, rate = self.make_run(*batch, block), optimizer.param_groups[0]["lr"]
        with torch.autocast(self.device.type, enabled=False):
            with self.share_steps(tables, run):
                word2vec.descend(tables, run, block, rate, own["mode"], own["threads"])
            loss = self.scores(first_windows(run), "train")["loss"].mean()
        optimizer.step()  # which has no gradients, and counts
        cast(Any, self.lr_schedulers()).step()
        size = len(batch[1])
        self.log("train/loss", loss, on_step=False, on_epoch=True, batch_size=size, sync_dist=True)
        return loss

    @contextmanager
    def share_steps(self, tables: Tables, run: Run) -> Iterator[None]:
        """Share the steps that are taken within this block with all processes."""
        with ExitStack() as stack:
            if self.trainer.world_size > 1:
                for table, uses in zip(tables, word2vec.uses(tables, run), strict=True):
                    stack.enter_context(sparse_rows.shared_rows(table, uses))
            yield

    def make_run(self, ids: Tensor, reach: Tensor, block: int) -> Run:
        """A run of text with the negatives of its blocks."""
        if (count := self.hparams["negatives"]) is None:
            return Run(ids, reach, None, 0.0)
        negatives = self.draw_negatives(*word2vec.shape(len(reach), block))
        return Run(ids, reach, negatives, count / negatives.shape[2])

    def draw_negatives(self, *shape: int) -> Tensor:
        """Draw ids of a shape, int32."""
        return self.alias.draw(*shape).to(self.device)

    def scores(self, batch: tuple[Tensor, Tensor], stage: str) -> dict[str, Tensor]:
        """The loss of each centre (B,), in nats: drawn while training, else its expectation."""
        contexts, centres = batch
        means = self.encode(contexts)
        if self.hparams["negatives"] is None:
            return {"loss": in_parts(self.full_softmax_loss, means, centres)}
        right = F.softplus(-(means * F.embedding(centres, self.outputs)).sum(1))
        if stage == "train":
            return {"loss": right + self.sampled_loss(means, centres)}
        return {"loss": right + in_parts(self.expected_loss, means, centres)}

    def full_softmax_loss(self, means: Tensor, centres: Tensor) -> Tensor:
        """The loss (B,) of the full softmax."""
        return F.cross_entropy(means @ self.outputs.T, centres, reduction="none")

    def sampled_loss(self, means: Tensor, centres: Tensor) -> Tensor:
        """The loss (B,) of words drawn from the noise; the centre itself does not count."""
        words = self.draw_negatives(len(means), self.hparams["negatives"])
        scores = (F.embedding(words, self.outputs) * means[:, None]).sum(2)  # (B, K)
        return (F.softplus(scores) * (words != centres[:, None])).sum(1)

    def expected_loss(self, means: Tensor, centres: Tensor) -> Tensor:
        """What `sampled_loss` is on average, (B,)."""
        losses = F.softplus(means @ self.outputs.T) * self.noise
        others = losses.sum(1) - losses.gather(1, centres[:, None])[:, 0]
        return self.hparams["negatives"] * others

    @torch.inference_mode()
    def figures(self, batch: tuple[Tensor, Tensor]) -> dict[str, Picture]:
        """What the vectors know, and the middle words of test windows."""
        spread = slice(None, None, -(-len(batch[0]) // ROWS))
        pictures = figures.make_figures(self.neighbours(), self.input.counts)
        return {
            **pictures,
            "The word in the middle": self.predict_centres(batch[0][spread], batch[1][spread]),
        }

    def predict_centres(self, contexts: Tensor, centres: Tensor) -> Table:
        """The likeliest words of contexts (B, C), beside the word (B,) that stood there."""
        answers = self.postprocess(self(contexts.to(self.device)))
        context_words, truths = self.input.restore(contexts), self.input.decode(centres.tolist())
        rows = [
            (context, truth, ", ".join(word for word, _ in likeliest[:FEW]))
            for context, truth, likeliest in zip(context_words, truths, answers, strict=True)
        ]
        return Table(("the words around it", "the word", "the likeliest words"), rows)

    def configure_optimizers(self) -> Any:
        """Plain steps; the optimiser counts them and holds their rate."""
        optimizer = torch.optim.SGD(self.parameters(), self.hparams["optimizer"]["lr"])
        steps = optim.total_steps(self)
        schedule = LambdaLR(optimizer, lambda step: max(1 - step / steps, 0.0))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def in_parts(loss: Callable[..., Tensor], means: Tensor, centres: Tensor) -> Tensor:
    """A loss of all words (B,), computed for a few centres at a time."""
    parts = zip(means.split(LOGGED), centres.split(LOGGED), strict=True)
    return torch.cat([loss(*part) for part in parts])


def first_windows(run: Run) -> tuple[Tensor, Tensor]:
    """The windows of a run's first centres: contexts (B, 2 w) and centres (B,), ids."""
    w = run.window
    rows = run.ids[: LOGGED + 2 * w].long().unfold(0, 2 * w + 1, 1)
    apart = (torch.arange(2 * w + 1, device=rows.device) - w).abs()
    rows = rows * (apart <= run.reach[: len(rows), None])
    rows = rows[rows[:, w] != 0]
    return torch.cat([rows[:, :w], rows[:, w + 1 :]], 1), rows[:, w]
