"""A text larger than memory: documents -> numbers of their words in a file -> ids in a file.

In memory there are the distinct words, the lengths of the documents and a few megabytes.

Shapes: D documents, W words of all of them, V distinct words.
"""

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from datamodules.inputs.text import PADDING, words
from datamodules.sources.documents import LONGEST
from datamodules.sources.rows import NAMES
from datamodules.utilities.console import with_bar, with_late_bar

BLOCK = 2**18  # words that are counted at a time


class Corpus(NamedTuple):
    """A text as numbers of its words.

    Args:
        numbers: (W,), int32, memory-mapped.
        bounds: (D + 1,): document i is `numbers[bounds[i] : bounds[i + 1]]`.
        spelt: how each number is spelt, (V,).
    """

    numbers: np.ndarray
    bounds: np.ndarray
    lexicon: list[str]

    def blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Documents next to each other and their words, about BLOCK of them."""
        cuts = np.searchsorted(self.bounds, np.arange(0, self.bounds[-1], BLOCK))
        for first, last in pairwise(np.unique([*cuts, len(self.bounds) - 1]).tolist()):
            yield slice(first, last), self.numbers[self.bounds[first] : self.bounds[last]]

    def counts(self, documents: np.ndarray) -> np.ndarray:
        """How often each word stands in these documents, (V,)."""
        total = np.zeros(len(self.lexicon), np.int64)
        is_inside = np.zeros(len(self.bounds) - 1, bool)
        is_inside[documents] = True
        for block, numbers in self.blocks():
            sizes = np.diff(self.bounds[block.start : block.stop + 1])
            inside = np.repeat(is_inside[block], sizes)
            total += np.bincount(numbers[inside], minlength=len(total))
        return total

    def count_known(self, ids: np.ndarray) -> np.ndarray:
        """How many words of each document have an id, (D,).

        Args:
            ids: of each number, (V,), or PADDING.
        """
        totals = np.zeros(len(self.bounds) - 1, np.int64)
        for block, numbers in self.blocks():
            ends = self.bounds[block.start : block.stop + 1] - self.bounds[block.start]
            sums = np.cumsum(ids[numbers] != PADDING)
            totals[block] = np.diff(np.append(0, sums)[ends])
        return totals


def number_words(documents: Iterable[str], path: Path) -> Corpus:
    """Cut documents into words, with a bar, and write their numbers to a file."""
    numbers: defaultdict[str, int] = defaultdict()
    numbers.default_factory = numbers.__len__
    bounds = array("q", [0])
    with path.open("wb") as file:
        for text in with_late_bar(documents, "cutting into words"):
            tokens = array("i", map(numbers.__getitem__, words(text)))
            tokens.tofile(file)
            bounds.append(bounds[-1] + len(tokens))
    tokens_on_disk = np.memmap(path, np.int32, "r") if bounds[-1] else np.empty(0, np.int32)
    return Corpus(tokens_on_disk, np.array(bounds), list(numbers))


def read(
    documents: Callable[[], Iterable[str]],
    path: Path,
    validation: float,
    test: float,
    limit: int | None,
) -> tuple[Corpus, dict[str, np.ndarray]]:
    """The text as numbers, and the documents of each split; see `numbered` and `divide`.

    Args:
        documents: gives them from the first on; with a limit it is called twice, and only those
            of a split are cut into words.
        path: of the file that is written.
    """
    if limit is None:
        text = number_words(documents(), path)
        return text, divide(len(text.bounds) - 1, validation, test, None)
    splits = divide(sum(1 for _ in documents()), validation, test, limit)
    indices = {*np.concatenate([*splits.values()]).tolist()}
    texts = (text if i in indices else "" for i, text in enumerate(documents()))
    return number_words(texts, path), splits


def divide(count: int, validation: float, test: float, limit: int | None) -> dict[str, np.ndarray]:
    """The documents of each split, in a seeded order.

    Raises:
        ValueError: there are not enough documents for three splits.
    """
    order = np.random.default_rng(0).permutation(count)
    cuts = np.ceil(np.array([test, validation]) * count).astype(int).cumsum()
    if not count:
        raise ValueError("the text has 0 documents: there is no word in what data.source names")
    if count < 3 or cuts[1] >= count:
        raise ValueError(
            f"the text has {count} document(s): three are needed at least, for training, "
            "validation and test; separate its paragraphs by empty lines"
        )
    parts = dict(zip(("test", "val", "train"), np.split(order, cuts), strict=True))
    return {split: parts[split][:limit] for split in NAMES}


def frequent(counts: np.ndarray, lexicon: Sequence[str], most: int, min_count: int) -> list[str]:
    """The most frequent words, in this order; ties by the alphabet.

    Raises:
        ValueError: fewer than two words are frequent enough.
    """
    candidates = np.flatnonzero(counts >= min_count).tolist()
    if len(candidates) < 2:
        raise ValueError(
            f"the vocabulary has {len(candidates)} word(s) that stand {min_count} times or more in "
            f"{counts.sum():,} words of training text: two are needed; lower data.min_count or "
            "give more text"
        )
    numbers = sorted(candidates, key=lambda i: (-counts[i], lexicon[i]))[:most]
    return [lexicon[i] for i in numbers]


def write(
    folder: Path, corpus: Corpus, ids: np.ndarray, splits: Mapping[str, np.ndarray], reach: int
) -> dict[str, float]:
    """Write the ids (N,) of each split, and say which share of its words has none.

    Padding of a window's reach stands before and after each document; more of it ends the file, so
    that N is a multiple of LONGEST.

    Args:
        ids: of each number, (V,), or PADDING.
        splits: their documents, in the order that they are written in.
        reach: of a window.

    Raises:
        ValueError: a split is shorter than one window.
    """
    lengths, sizes = corpus.count_known(ids), np.diff(corpus.bounds)
    for split, documents in splits.items():
        long = documents[lengths[documents] > 1]  # one word alone has no context
        count = int(lengths[long].sum())
        if count < 2 * reach + 1:
            raise ValueError(
                f"the {split} text has {count} known words in a row: a window has "
                f"{2 * reach + 1}; lower data.window or give more text"
            )
        path, size = folder / f"{split}_ids.npy", round_up(count + reach * (len(long) + 1))
        file, place = np.lib.format.open_memmap(path, "w+", np.int32, (size,)), reach
        for i in with_bar(long, f"writing {path.stem}"):
            of_one = ids[corpus.numbers[corpus.bounds[i] : corpus.bounds[i + 1]]]
            of_one = of_one[of_one != PADDING]
            file[place : place + len(of_one)] = of_one
            place += len(of_one) + reach
        file.flush()
    return {
        split: 1 - float(lengths[documents].sum() / max(sizes[documents].sum(), 1))
        for split, documents in splits.items()
    }


def round_up(size: int) -> int:
    """The size of a text in whole rows of LONGEST."""
    return size + -size % LONGEST


def until(ids: np.ndarray, count: int) -> int:
    """The place after the first `count` words of ids (N,)."""
    for start in range(0, len(ids), BLOCK):
        block = ids[start : start + BLOCK] != PADDING
        if (here := int(np.count_nonzero(block))) >= count:
            return start + int(np.flatnonzero(block)[count - 1]) + 1
        count -= here
    return len(ids)


def histogram(ids: np.ndarray, size: int) -> np.ndarray:
    """How often each id stands in a text (N,), (size,)."""
    starts = range(0, len(ids), BLOCK)
    total = sum(np.bincount(ids[i : i + BLOCK], minlength=size) for i in starts)
    return np.asarray(total)
