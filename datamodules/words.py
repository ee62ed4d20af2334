"""Running text, word by word: each word with the words around it.

    data/mine.txt           one file, UTF-8
    data/mine/*.txt         or a folder of them
    train-*.parquet         or the hub's layout, with a column `text`

A document is a docstring, an article or a paragraph, cut into pieces of at most 1,000 words; whole
documents become training, validation and test text. Words outside the vocabulary are dropped, then
windows are made (word2vec's way), which never reach into another document:

    ids     0 0 7 3 9 4 0 0 5 8 0 0        two documents, windows of 2 words on either side
    window      7 3 9 4 0                  of the centre 9: its context is 7 3 4 0

A batch is contexts (B, 2 w), ids, int64, with 0 where there is no word, and centres (B,), ids.
"""

import ast
import math
import platform
import re
import sysconfig
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from shutil import rmtree
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from datamodules import hub, sources
from datamodules.batches import Batches, Key, seeded
from datamodules.inputs.text import FIRST, PADDING, SUFFIXES, read_text, words
from datamodules.inputs.words import ContextInput
from datamodules.layouts import NAMES, Kind, kept_files
from datamodules.memory import About, InMemory

Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(gt=0, lt=1)]

RUNNING = Kind("texts", SUFFIXES, "Value", "python_docs")
LONGEST = 1000  # words of a document; word2vec.c cuts its sentences there
LEFT_OUT = {  # folders of the standard library that not every installation has
    "ensurepip", "idlelib", "lib2to3", "test", "tests", "turtledemo",
    "site-packages", "dist-packages",
}  # fmt: skip


class Words(InMemory):
    """One text as windows of words.

    Args:
        name: what it is called: its folder in $ZOO_DATA and in the cache.
        source: a file or folder of the user's; None looks by name.
        hub: id on the hub, or None.
        about: what a card says of the data.
        vocabulary_size: ids, those of padding and of unknown words among them; the others go to
            the most frequent words of the training text, and some stay free where it has fewer.
        min_count: how often a word of the vocabulary stands in the training text at least.
        window: words on either side of a centre at most: while training each centre draws its own
            from 1 to this (word2vec's dynamic window).
        subsample: the share of the text from which a word is thinned out; see `kept`.
        validation, test: shares of the documents.
        batch_size: centres in the global batch, over all devices.
        train_samples: train on the first so many words only; documents are in a seeded order.
        limit: take at most so many documents of each split.
        seed: of order, thinning and windows; the splits have a seed of their own.
    """

    EMBEDDED: ClassVar[Mapping[str, Callable[[], Any]]] = {"python_docs": lambda: python_docs()}
    INPUT: ClassVar = ContextInput
    DECIDES: ClassVar = ("vocabulary_size", "min_count", "window", "validation", "test", "limit")

    def __init__(
        self,
        *,
        name: str,
        source: str | None,
        hub: str | None,
        about: About,
        vocabulary_size: Annotated[int, Field(ge=FIRST + 2)],
        min_count: Positive,
        window: Positive,
        subsample: Annotated[float, Field(gt=0, le=1)],
        validation: Share,
        test: Share,
        batch_size: Positive,
        train_samples: Positive | None,
        limit: Positive | None,
        seed: Annotated[int, Field(ge=0)],
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)

    def origin(self) -> str:
        """The text differs by the version of Python, and by what of it is installed."""
        return f"{super().origin()} of Python {platform.python_version()}, {len(modules())} modules"

    def decides(self) -> dict[str, Any]:
        own = {"vocabulary": self.given.vocabulary} if self.given else {}
        return {**super().decides(), **own}

    def build(self, location: Path | str, part: Path) -> dict[str, Any]:
        """Write the ids of each split; the vocabulary is that of the training split."""
        own, scratch = self.hparams, part / "scratch"
        embedded = self.EMBEDDED.get(own["name"]) if self.embedded else None
        texts = cut(embedded() if embedded else found(location, scratch))
        splits = divide(texts, own["validation"], own["test"], own["limit"])
        rmtree(scratch, ignore_errors=True)
        numbers, spelt = numbered(splits)
        given = self.given and self.given.vocabulary
        vocabulary = given or self.vocabulary(numbers["train"], spelt)
        places = {word: i for i, word in enumerate(vocabulary, FIRST)}
        ids = np.array([places.get(word, PADDING) for word in spelt], np.int32)  # of each number
        for split, of_documents in numbers.items():
            joined = join([ids[of_one] for of_one in of_documents], own["window"], split)
            np.save(part / f"{split}_ids.npy", joined)
        return {"vocabulary": vocabulary}

    def vocabulary(self, documents: list[np.ndarray], spelt: list[str]) -> list[str]:
        """The vocabulary of the training text."""
        own = self.hparams
        most = own["vocabulary_size"] - FIRST
        return [spelt[i] for i in frequent(documents, spelt, most, own["min_count"])]

    def fit(self, known: dict[str, Any]) -> dict[str, Any]:
        own, vocabulary = self.hparams, known["vocabulary"]
        counts = np.bincount(self.arrays("train"), minlength=FIRST + len(vocabulary))[FIRST:]
        self.input = self.given or ContextInput(
            vocabulary=vocabulary, counts=counts.tolist(), window=own["window"]
        )
        samples = {split: int(np.count_nonzero(self.arrays(split))) for split in NAMES}
        return {"vocabulary_size": own["vocabulary_size"], "samples": samples}

    def arrays(self, split: str) -> np.ndarray:
        """The ids (N,) of a split, with as much padding around each document as a window has."""
        ids, most = self.splits[split]["ids"], self.hparams["train_samples"]
        if split != "train" or most is None or most >= np.count_nonzero(ids):
            return ids
        end = np.flatnonzero(ids)[most - 1] + 1
        return np.concatenate([ids[:end], np.full(self.hparams["window"], PADDING, ids.dtype)])

    def tensors(self, split: str) -> tuple[Tensor, ...]:
        """Every window (N, 2 w + 1): a view of the ids, not a copy."""
        return (windows(torch.from_numpy(self.arrays(split)), self.hparams["window"]),)

    def chosen(self, split: str) -> Tensor:
        """The windows whose centre is a word."""
        centres = self.tensors(split)[0][:, self.hparams["window"]]
        return centres.nonzero()[:, 0]

    def whole(self, split: str, count: int) -> tuple[Tensor, Tensor]:
        rows = self.chosen(split)[:count]
        return self.batch(tuple(t.index_select(0, rows) for t in self.tensors(split)), None)

    def batch(self, tensors: tuple[Tensor, ...], key: Key | None) -> tuple[Tensor, Tensor]:
        """Contexts (B, 2 w) and centres (B,); while training each window has a drawn reach."""
        rows, reach = tensors[0].long(), self.hparams["window"]
        contexts = torch.cat([rows[:, :reach], rows[:, reach + 1 :]], 1)
        if key is not None:
            drawn = torch.randint(1, reach + 1, (key.size, 1), generator=key.generator())
            steps = torch.arange(1, reach + 1)
            distances = torch.cat([steps.flip(0), steps])  # of each place from the centre
            contexts = contexts * (distances <= key.mine(drawn)).to(contexts.device)
        return contexts, rows[:, reach]

    def train_dataloader(self) -> Batches:
        """The centres that thinning keeps in an epoch, and the windows over what it keeps."""
        counts = torch.tensor([0] * FIRST + self.input.counts)
        return Thinned(super().train_dataloader(), kept(counts, self.hparams["subsample"]))


class Thinned(Batches):
    """Batches of a text whose frequent words are thinned out anew in each epoch.

    What is kept is a function of (seed, epoch) and its amount is always the same: words are kept
    by systematic sampling along a random order, which keeps each with its probability.

    Args:
        plain: the batches of the whole text, whose only tensor are its windows (N, 2 w + 1).
        probabilities: with which each id is kept (V,).

    Raises:
        ValueError: fewer words are kept than are in a batch.
    """

    def __init__(self, plain: Batches, probabilities: Tensor) -> None:
        super().__init__(
            plain.tensors, plain.batch_size, indices=plain.indices, shuffle=True, seed=plain.seed,
            rank=plain.rank, world_size=plain.world_size,
        )  # fmt: skip
        whole = plain.tensors[0]
        self.reach = whole.shape[1] // 2
        self.ids = torch.cat([whole[:, 0], whole[-1, 1:]])
        self.probabilities = probabilities[whole[:, self.reach]]  # of the centre of each window
        self.count = int(self.probabilities[self.indices].sum())
        if self.count < self.batch_size:
            raise ValueError(
                f"data.batch_size is {self.batch_size}: thinning keeps {self.count} of "
                f"{len(self.indices)} words; lower it, or raise data.subsample"
            )

    def __len__(self) -> int:
        """Global batches in an epoch."""
        return self.count // self.batch_size

    def order(self) -> Tensor:
        """The windows whose centre is kept, in the order of this epoch; `tensors` then has them."""
        generator = seeded(self.seed, self.epoch, 0, 1)
        shuffled = self.indices[torch.randperm(len(self.indices), generator=generator)]
        start = torch.rand(1, generator=generator, dtype=torch.float64)
        sums = torch.cat([start, start + self.probabilities[shuffled].cumsum(0)])
        centres = shuffled[sums.floor().diff() > 0]
        stays = self.ids == PADDING
        stays[centres + self.reach] = True
        self.tensors = (windows(self.ids[stays], self.reach),)
        return stays.cumsum(0)[centres + self.reach] - 1 - self.reach


def kept(counts: Tensor, threshold: float) -> Tensor:
    """The probability with which each word is kept, from its count; both (V,).

    That of word2vec.c: sqrt(t / f) + t / f, at most 1, for a share f of the text. Section 2.3 of
    Mikolov et al. 2013 (https://arxiv.org/abs/1310.4546) prints sqrt(t / f) alone.
    """
    ratio = threshold / (counts.double() / counts.sum())  # infinite where there is none
    return (ratio.sqrt() + ratio).clamp(max=1)


def windows(ids: Tensor, reach: int) -> Tensor:
    """Every window (N - 2 reach, 2 reach + 1) over ids (N,), as a view."""
    return ids.unfold(0, 2 * reach + 1, 1)


# --- from texts to ids ----------------------------------------------------------------------------


def found(location: Path | str, scratch: Path) -> list[str]:
    """The documents that lie there: a column of texts, or the paragraphs of text files.

    Raises:
        FileNotFoundError: it is on the hub and there is no connection, or no .txt in the folder.
        ValueError: no column `text`, or a file that is not UTF-8.
    """
    if isinstance(location, str):
        hub.connect(location, RUNNING.example)
    if isinstance(location, str) or any(location.rglob("*.parquet")):
        tables = hub.tables(location, scratch)
        for table in tables.values():
            if "text" not in table.features:
                there = ", ".join(table.features)
                raise ValueError(f"{location} has no column named text: found {there}")
        return [text for table in tables.values() for text in table["text"]]
    files = kept_files(location, RUNNING) if location.is_dir() else [location]
    if not files:
        raise FileNotFoundError(f"no .txt files in {location}: put some there or set data.source")
    return [part for file in files for part in re.split(r"\n\s*\n", read_text(file))]


def cut(texts: Sequence[str]) -> list[str]:
    """The texts in pieces of at most LONGEST words."""
    pieces = []
    for text in texts:
        parts = text.split()
        pieces += [" ".join(parts[i : i + LONGEST]) for i in range(0, len(parts), LONGEST)]
    return pieces


def divide(
    texts: Sequence[str], validation: float, test: float, limit: int | None
) -> dict[str, list[str]]:
    """Whole documents for each split, in a seeded order.

    Raises:
        ValueError: there are not enough documents for three splits.
    """
    order = np.random.default_rng(0).permutation(len(texts))
    cuts = np.cumsum([math.ceil(len(order) * share) for share in (test, validation)])
    if len(order) < 3 or cuts[1] >= len(order):
        raise ValueError(
            f"the text has {len(order)} document(s): three are needed at least, for training, "
            "validation and test; separate its paragraphs by empty lines"
        )
    parts = dict(zip(("test", "val", "train"), np.split(order, cuts), strict=True))
    return {split: [texts[i] for i in parts[split][:limit]] for split in NAMES}


def numbered(splits: Mapping[str, Sequence[str]]) -> tuple[dict[str, list[np.ndarray]], list[str]]:
    """The words of each document as numbers, and how each number is spelt."""
    numbers: dict[str, int] = {}

    def read_words(text: str) -> np.ndarray:
        return np.array([numbers.setdefault(word, len(numbers)) for word in words(text)], np.int32)

    coded = {
        split: [read_words(text) for text in sources.with_bar(texts, f"reading {split}")]
        for split, texts in splits.items()
    }
    return coded, list(numbers)


def frequent(
    documents: Sequence[np.ndarray], spelt: Sequence[str], most: int, min_count: int
) -> list[int]:
    """The numbers of the most frequent words, in this order; ties by the alphabet.

    Raises:
        ValueError: fewer than two words are frequent enough.
    """
    counts = np.bincount(np.concatenate(documents), minlength=len(spelt))
    known = [int(i) for i in np.flatnonzero(counts >= min_count)]
    if len(known) < 2:
        raise ValueError(
            f"the vocabulary has {len(known)} word(s) that stand {min_count} times or more in "
            f"{counts.sum():,} words of training text: two are needed; lower data.min_count or "
            "give more text"
        )
    return sorted(known, key=lambda i: (-counts[i], spelt[i]))[:most]


def join(documents: Sequence[np.ndarray], reach: int, split: str) -> np.ndarray:
    """Documents of ids as one array (N,), padding of a window's reach before and after each.

    Raises:
        ValueError: all of them together are shorter than one window.
    """
    gap = np.full(reach, PADDING, np.int32)
    known = [ids[ids != PADDING] for ids in documents]
    long = [ids for ids in known if len(ids) > 1]  # one word alone has no context
    count = sum(map(len, long))
    if count < 2 * reach + 1:
        raise ValueError(
            f"the {split} text has {count} known words in a row: a window has {2 * reach + 1}; "
            "lower data.window or give more text"
        )
    return np.concatenate([gap, *(part for ids in long for part in (ids, gap))])


# --- the standard library's documentation ---------------------------------------------------------


def python_docs() -> list[str]:
    """Every docstring of the standard library as it is installed, once, and pydoc's topics.

    Raises:
        FileNotFoundError: this Python has no source files.
    """
    from pydoc_data.topics import topics

    paths = modules()
    if not paths:
        folder = sysconfig.get_path("stdlib")
        raise FileNotFoundError(f"no source of the standard library in {folder}: use another data=")
    once = dict.fromkeys(text for path in paths for text in docstrings(path.read_bytes()))
    return [*once, *topics.values()]


def modules() -> list[Path]:
    """The source files of the standard library, without its tests and programs."""
    folder = Path(sysconfig.get_path("stdlib"))
    return sorted(
        file for file in folder.rglob("*.py") if not LEFT_OUT & {*file.relative_to(folder).parts}
    )


def docstrings(source: bytes) -> list[str]:
    """Those of a module, its classes and its functions."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes in source that is not ours
        tree = ast.parse(source)
    texts = [ast.get_docstring(node) for node in ast.walk(tree) if isinstance(node, documented)]
    return [text for text in texts if text]
