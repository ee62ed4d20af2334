"""Running text, word by word: each word with the words around it.

Text of any size, of any of the kinds in documents.py. A document is a docstring, an article or a
paragraph, cut into pieces of at most 1,000 words; whole documents become training, validation and
test text. Words outside the vocabulary are dropped, then windows are made (word2vec's way), which
never reach into another document:

    ids     0 0 7 3 9 4 0 0 5 8 0 0        two documents, windows of 2 words on either side
    window      7 3 9 4 0                  of the centre 9: its context is 7 3 4 0

While training, a batch is running text, ids (N + 2 w,), int32, with w zeros at its ends and between
documents, and the reach (N,), uint8, of the window around each: that of place i, whose word is
`ids[i + w]`, is `ids[i + w - reach : i + w + reach + 1]`; around a 0 there is none. Frequent words
are thinned out, which makes neighbours of those beside them.

Else a batch is contexts (B, 2 w), ids, int64, with 0 where there is no word, and centres (B,), ids.
"""

import platform
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from shutil import rmtree
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from typing_extensions import Unpack

from datamodules.bundled.python_docs import modules, python_docs
from datamodules.inputs.text import FIRST, PADDING
from datamodules.inputs.tokenizer import Tokenizer, cache_arguments
from datamodules.inputs.words import ContextInput
from datamodules.loading.arrays import DataArguments, InMemory, Positive
from datamodules.loading.batches import Batches
from datamodules.sources import corpus, documents
from datamodules.sources.documents import LONGEST
from datamodules.sources.files import passed_over
from datamodules.sources.rows import NAMES
from datamodules.transforms.subsample import keep_probabilities, subsample
from datamodules.utilities.draws import Key

EVALUATED = 4096  # centres of a global batch that is not trained on


class Words(InMemory):
    """One text as windows of words.

    Args, besides `DataArguments`:
        hub: id on the hub, or None.
        text_column: of a table; None finds it.
        vocabulary_size: ids, those of padding and of unknown words among them; the others go to
            the most frequent words of the training text, and some stay free where it has fewer.
        min_count: how often a word of the vocabulary stands in the training text at least.
        window: words on either side of a centre at most: while training each centre draws its own
            from 1 to this (word2vec's dynamic window).
        subsample: the share of the text from which a word is thinned out; see `kept`.
        batch_size: words in the global batch of training, over all devices, before thinning; the
            zeros between documents count.
        validation, test: shares of the documents.
        tokenizer: the rules by which text is cut into words; see inputs/tokenizer.py.
        train_samples: train on the first so many words only; documents are in a seeded order.
        seed: of order, thinning and windows; the splits have a seed of their own.
    """

    BUNDLED: ClassVar[Mapping[str, Callable[[], Any]]] = {"python_docs": python_docs}
    INPUT: ClassVar = ContextInput
    ARRAY_ARGUMENTS: ClassVar = (
        "text_column", "vocabulary_size", "min_count", "window", "validation", "test", "limit",
    )  # fmt: skip
    FORMAT: ClassVar = 2

    def __init__(
        self,
        *,
        hub: str | None,
        text_column: str | None,
        vocabulary_size: Annotated[int, Field(ge=FIRST + 2)],
        min_count: Positive,
        window: Annotated[int, Field(ge=1, le=255)],
        subsample: Annotated[float, Field(gt=0, le=1)],
        batch_size: Annotated[int, Field(ge=LONGEST, multiple_of=LONGEST)],
        tokenizer: Tokenizer = "words",
        **shared: Unpack[DataArguments],
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)

    def origin(self) -> str:
        """The text differs by the version of Python, and by what of it is installed."""
        count = len(modules())
        return f"{super().origin()} of Python {platform.python_version()}, {count} modules"

    def array_arguments(self) -> dict[str, Any]:
        vocabulary = {"vocabulary": self.model_input.vocabulary} if self.model_input else {}
        rules = cache_arguments(self.hparams["tokenizer"])
        return {**super().array_arguments(), **vocabulary, **rules}

    def build(self, location: Path | str, part: Path) -> dict[str, Any]:
        """Write the ids of each split; the vocabulary is that of the training split."""
        hparams, scratch = self.hparams, part / "scratch"
        scratch.mkdir()
        how = [hparams[name] for name in ("validation", "test", "limit", "tokenizer")]
        text, splits = corpus.read(self.pieces(location, scratch), scratch / "words", *how)
        counts = text.counts(splits["train"])
        lexicon, encoder = text.lexicon, self.model_input
        limits = hparams["vocabulary_size"] - FIRST, hparams["min_count"]
        vocabulary = encoder.vocabulary if encoder else corpus.frequent(counts, lexicon, *limits)
        places = {word: i for i, word in enumerate(vocabulary, FIRST)}
        ids = np.array([places.get(word, PADDING) for word in lexicon], np.int32)
        metadata = {
            "vocabulary": vocabulary,
            "distinct": int(np.count_nonzero(counts)),
            "documents": {split: len(documents) for split, documents in splits.items()},
            "unknown": corpus.write(part, text, ids, splits, hparams["window"]),
            "passed_over": [] if self.bundled else passed_over(location, documents.RUNNING),
        }
        del text  # and the map of its file
        rmtree(scratch, ignore_errors=True)
        return metadata

    def pieces(self, location: Path | str, scratch: Path) -> Callable[[], Iterator[str]]:
        """What gives the documents, from the first on at each call."""
        if not self.bundled:
            read = documents.open_documents(location, scratch, self.hparams["text_column"])
            return lambda: documents.pieces(read())
        texts = self.BUNDLED[self.hparams["name"]]()
        return lambda: documents.pieces((text, True) for text in texts)

    def fit(self, metadata: dict[str, Any]) -> dict[str, Any]:
        hparams, vocabulary = self.hparams, metadata["vocabulary"]
        counts = corpus.histogram(self.arrays("train"), FIRST + len(vocabulary))[FIRST:]
        self.input = self.model_input or ContextInput(
            vocabulary=vocabulary, counts=counts.tolist(), window=hparams["window"],
            tokenizer=hparams["tokenizer"],
        )  # fmt: skip
        self.counts = torch.tensor([0] * FIRST + self.input.counts)
        self.chances = keep_probabilities(self.counts, hparams["subsample"]).float()
        self.metadata = metadata
        samples = {split: int(np.count_nonzero(self.arrays(split))) for split in NAMES}
        size, beside = hparams["vocabulary_size"], metadata["passed_over"]
        return {"vocabulary_size": size, "samples": samples, "passed_over": beside}

    @property
    def notes(self) -> list[str]:
        """How many words are known, how much of them is trained on, and how many documents are."""
        vocabulary, metadata = len(self.input.vocabulary), self.metadata
        shares = ", ".join(f"{part:.1%} of {split}" for split, part in metadata["unknown"].items())
        share = float((self.counts * self.chances).sum() / self.counts.sum())
        counts = [f"{count:,} {split}" for split, count in metadata["documents"].items()]
        return [
            f"words     {vocabulary:,} known, {metadata['distinct']:,} in the training text; "
            f"unknown: {shares}",
            f"thinned   to {share:.1%} of the training text in each epoch (data.subsample)",
            f"documents {' / '.join(counts)}",
        ]

    def arrays(self, split: str) -> np.ndarray:
        """The ids (N,) of a split, with as much padding around each document as a window has."""
        ids, most = self.splits[split]["ids"], self.hparams["train_samples"]
        if split != "train" or most is None:
            return ids
        end = corpus.until(ids, most)
        part = np.zeros(corpus.round_up(end + self.hparams["window"]), ids.dtype)
        part[:end] = ids[:end]
        return part

    def tensors(self, split: str) -> tuple[Tensor, ...]:
        """Every window (N, 2 w + 1): a view of the ids, not a copy."""
        return (windows(torch.from_numpy(self.arrays(split)), self.hparams["window"]),)

    def row_indices(self, split: str) -> Tensor:
        """The windows whose centre is a word."""
        return self.tensors(split)[0][:, self.hparams["window"]].nonzero()[:, 0]

    def samples(self, split: str, count: int) -> tuple[Tensor, Tensor]:
        reach = self.hparams["window"]
        ids = self.arrays(split)
        rows = windows(torch.from_numpy(ids[: corpus.until(ids, count) + reach]), reach)
        return self.batch((rows[rows[:, reach] != PADDING],), None)

    def batches(self, split: str, shuffle: bool = False) -> Batches:
        """Training: rows of LONGEST ids, int32; else: the windows of all words."""
        trainer = self.trainer
        rank, world = (trainer.global_rank, trainer.world_size) if trainer else (0, 1)
        options = {"seed": self.hparams["seed"], "rank": rank, "world_size": world}
        if not shuffle:
            size = EVALUATED // world * world
            return Batches(self.tensors(split), size, indices=self.row_indices(split), **options)
        rows = torch.from_numpy(self.arrays(split)).view(-1, LONGEST)
        return Batches((rows,), self.rows(len(rows), world), shuffle=True, **options)

    def rows(self, there: int, world: int) -> int:
        """The rows of a global batch.

        Args:
            there: rows of the text.
            world: devices.

        Raises:
            ValueError: there are fewer, or the devices cannot share them.
        """
        size, words = self.hparams["batch_size"], self.info["samples"]["train"]
        if (rows := size // LONGEST) % world:
            raise ValueError(
                f"data.batch_size is {size}, which {world} devices cannot share in rows of "
                f"{LONGEST} words: set data.batch_size={(rows + -rows % world) * LONGEST}"
            )
        if rows > there:
            most = there // world * LONGEST * world
            mend = f"set data.batch_size={most}, or give more" if most else "give more"
            raise ValueError(
                f"data.batch_size is {size}: the training text, {words} words and zeros between "
                f"documents, has {there * LONGEST}; {mend}"
            )
        return rows

    def batch(self, tensors: tuple[Tensor, ...], key: Key | None) -> tuple[Tensor, Tensor]:
        """While training ids (N + 2 w,) and reaches (N,); else contexts (B, 2 w), centres (B,)."""
        if key is not None:
            rows = tensors[0]
            self.chances = self.chances.to(rows.device)
            return subsample(rows, self.chances, self.hparams["window"], key)
        rows, reach = tensors[0].long(), self.hparams["window"]
        return torch.cat([rows[:, :reach], rows[:, reach + 1 :]], 1), rows[:, reach]


def windows(ids: Tensor, reach: int) -> Tensor:
    """Every window (N - 2 reach, 2 reach + 1) over ids (N,), as a view."""
    return ids.unfold(0, 2 * reach + 1, 1)
