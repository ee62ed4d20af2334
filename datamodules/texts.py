"""Texts with one label each, in memory as word ids.

    data/mine/pos/1.txt  data/mine/neg/7.txt         one folder a class, one text a file
    data/mine/{train,val,test}/pos/1.txt             with splits of its own
    data/mine.{csv,tsv,jsonl,parquet}                text,label[,split]; see tables.py
    hub layout (parquet)                             see layouts.py

Every word is kept in the cache; which of them the vocabulary holds is decided at each start.

A batch is ids (B, T), int64, 0 = padding, 1 = unknown, and labels (B,), int64 in [0, num_classes).
"""

from array import array
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from typing_extensions import Unpack

from datamodules.bundled.negated_reviews import negated_reviews
from datamodules.inputs.ngrams import NgramInput
from datamodules.inputs.text import (
    FIRST,
    UNKNOWN,
    Side,
    TextInput,
    read_text,
    replace_bad_bytes,
    spans,
    words_of,
)
from datamodules.inputs.tokenizer import Tokenizer, cache_arguments
from datamodules.loading.arrays import Positive
from datamodules.loading.labelled import Labelled, LabelledArguments
from datamodules.loading.storage import Arrays
from datamodules.sources.files import TEXTS
from datamodules.sources.labels import balanced_weights
from datamodules.sources.rows import NAMES, Rows
from datamodules.sources.vocabulary import frequent
from datamodules.utilities.draws import Key

Lexicon = defaultdict[str, int]  # every word of the data set, in the order it was met


class Texts(Labelled):
    """One text classification data set.

    Args, besides `LabelledArguments`:
        text_column: of a table; None finds it.
        vocabulary_size: of the most frequent training words, padding and the unknown word.
        max_length: words of a text: longer ones are cut, shorter ones padded.
        padding: where the padding stands: before the words or after them.
        truncating: which words of a long text are cut: the first ones or the last ones.
        buckets: whether texts of about one length share a batch, which then has little padding.
        class_weights: of the training loss: balanced gives all classes the same say.
        tokenizer: the rules by which texts are cut into words; see inputs/tokenizer.py.
        ngrams: numbers that the n-grams of a text are hashed to, for a linear classifier beside a
            network; None: there are none. See inputs/ngrams.py.
        vector_words: words at most, of those that `use_words` is given, which the vocabulary has
            besides.
        broken: what to do about a text that cannot be read: stop, skip and count it, or read it
            with U+FFFD for each byte that is no UTF-8, and count these.
    """

    BUNDLED: ClassVar[Mapping[str, Callable[[], Any]]] = {"negated_reviews": negated_reviews}
    ARRAY_ARGUMENTS: ClassVar = (
        "text_column", "label_column", "validation", "test", "limit", "broken",
    )  # fmt: skip
    KIND: ClassVar = TEXTS
    HINT: ClassVar = "data.broken=skip leaves such out, data.broken=replace reads over bad bytes"
    INPUT: ClassVar = TextInput

    further: Sequence[str] = ()  # words of the vocabulary that the training texts need not have

    def __init__(
        self,
        *,
        text_column: str | None,
        vocabulary_size: Annotated[int, Field(ge=3)],
        max_length: Positive,
        padding: Side,
        truncating: Side,
        buckets: bool,
        class_weights: Literal["balanced"] | None,
        broken: Literal["error", "skip", "replace"],
        tokenizer: Tokenizer = "words",
        ngrams: Annotated[int, Field(ge=2)] | None = None,
        vector_words: Annotated[int, Field(ge=0)] = 0,
        **shared: Unpack[LabelledArguments],
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)

    @property
    def ragged(self) -> str | None:
        return "words"

    def array_arguments(self) -> dict[str, Any]:
        return {**super().array_arguments(), **cache_arguments(self.hparams["tokenizer"])}

    def make_context(self, rows: Rows) -> Lexicon:
        """The words met so far; a new one gets the next number."""
        self.replaced: list[int] = []  # bad bytes of each text that has some
        lexicon: Lexicon = defaultdict()
        lexicon.default_factory = lexicon.__len__
        return lexicon

    def decode(self, rows: Rows, split: str, lexicon: Lexicon, skipped: list[str]) -> Arrays:
        """The words of all texts in a row (W,), where each text ends (N,), and labels (N,)."""
        words, ends, readable = array("i"), array("q"), array("q")
        read_one = self.read_replacing if self.hparams["broken"] == "replace" else read_text
        read = partial(words_of, tokenizer=self.hparams["tokenizer"], read=read_one)
        for i, tokens in self.decode_rows(rows, split, read, skipped):
            words.extend(map(lexicon.__getitem__, tokens))
            ends.append(len(words))
            readable.append(i)
        labels = rows.labels[np.array(readable)]
        return {"words": np.array(words), "ends": np.array(ends), "labels": labels}

    def read_replacing(self, raw: Any) -> str:
        """A text whose bad bytes are replaced, and counted."""
        text, count = replace_bad_bytes(raw)
        self.replaced.extend([count] if count else [])
        return text

    def context_metadata(self, lexicon: Lexicon) -> dict[str, Any]:
        return {"lexicon": list(lexicon), "replaced": self.replaced}

    def fit(self, metadata: dict[str, Any]) -> dict[str, Any]:
        info, hparams = super().fit(metadata), self.hparams
        self.lexicon: list[str] = metadata["lexicon"]
        self.input = self.model_input or self.fit_input()
        numbers = {word: i for i, word in enumerate(self.input.vocabulary, FIRST)}
        self.table = np.array([numbers.get(word, UNKNOWN) for word in self.lexicon], np.int32)
        self.padded_ids: dict[str, np.ndarray] = {}  # of the splits that were asked for
        info |= {name: hparams[name] for name in ("vocabulary_size", "max_length")}
        if isinstance(self.input, NgramInput):
            info["ngrams"] = self.input.ngrams
        if self.further or isinstance(self.input, NgramInput):
            info["vocabulary_size"] = FIRST + len(self.input.vocabulary)
        if hparams["class_weights"] == "balanced":
            labels = self.splits["train"]["labels"][self.rows]
            info["loss_weights"] = balanced_weights(labels, info["num_classes"])
        self.replacements: list[int] = metadata.get("replaced", [])
        return info

    def use_words(self, words: Sequence[str]) -> None:
        """Take words into the vocabulary behind those of the training texts; after `setup`."""
        self.further = [*words][: self.hparams["vector_words"]]
        self.setup()

    @property
    def notes(self) -> list[str]:
        """What the lecture prints of texts, uneven loss weights, empty texts and bad bytes."""
        lines = [*super().notes, self.describe_vocabulary(), self.describe_lengths()]
        weights = self.info.get("loss_weights", [])
        if any(abs(weight - 1) > 0.05 for weight in weights):
            pairs = zip(self.info["classes"], weights, strict=True)
            shares = ", ".join(f"{name} {weight:.3g}" for name, weight in pairs)
            lines.append(f"weights   {shares}: of the classes in the training loss")
        sizes = [np.diff(arrays["ends"], prepend=0) for arrays in self.splits.values()]
        if empty := int((np.concatenate(sizes) == 0).sum()):
            lines.append(f"empty     {empty} text(s) without a word: rows of padding")
        if counts := self.replacements:
            lines.append(f"replaced  {sum(counts)} bad bytes in {len(counts)} text(s)")
        return lines

    def describe_vocabulary(self) -> str:
        """How many words the vocabulary holds, and the share of each split that it does not."""
        size = len(self.input.vocabulary)
        distinct = np.count_nonzero(np.bincount(self.words("train")))
        unknown = {split: self.table[self.words(split)] == UNKNOWN for split in NAMES}
        shares = ", ".join(f"{u.sum() / max(len(u), 1):.1%} of {s}" for s, u in unknown.items())
        return f"words     {size:,} known, {distinct:,} in the training texts; unknown: {shares}"

    def describe_lengths(self) -> str:
        """How long the training texts are, and the shape of each split once padded."""
        sizes = np.diff(self.splits["train"]["ends"], prepend=0)[self.rows]
        samples, length = self.info["samples"], self.hparams["max_length"]
        shapes = ", ".join(f"{split} ({count}, {length})" for split, count in samples.items())
        lengths = f"{int(np.median(sizes)):,} words in the median, {sizes.max():,} at most"
        return f"lengths   {lengths}; padded: {shapes}"

    def fit_input(self) -> TextInput:
        """An input whose vocabulary are the most frequent words of the training texts in use."""
        hparams = self.hparams
        indices = frequent(self.words("train"), self.lexicon, hparams["vocabulary_size"] - FIRST)
        names = ("max_length", "padding", "truncating", "tokenizer")
        own = {name: hparams[name] for name in names}
        vocabulary = [*dict.fromkeys([*(self.lexicon[i] for i in indices), *self.further])]
        if hparams["ngrams"] is None:
            return TextInput(vocabulary=vocabulary, **own)
        more = {"ngrams": hparams["ngrams"], "grams": "counted_2_5"}
        return NgramInput(**more, vocabulary=vocabulary, **own)

    def words(self, split: str) -> np.ndarray:
        """The words of the texts that are used, all in a row, as numbers of the lexicon: (W,)."""
        arrays = self.splits[split]
        ends, words = arrays["ends"], arrays["words"]
        if split != "train" or len(self.rows) == len(ends):
            return words
        sizes = np.diff(ends, prepend=0)
        return words[spans((ends - sizes)[self.rows], sizes[self.rows])]

    def texts(self, split: str) -> list[np.ndarray]:
        """The texts of a split that are used, each as numbers of the lexicon."""
        arrays = self.splits[split]
        texts = np.split(arrays["words"], arrays["ends"][:-1])
        return [texts[i] for i in self.rows] if split == "train" else texts

    def tensors(self, split: str) -> tuple[Tensor, ...]:
        """Padded ids (N, T), int32, with those of n-grams behind them, and labels (N,)."""
        arrays = self.splits[split]
        if split not in self.padded_ids:
            ids = self.input.pad_flat(self.table[arrays["words"]], arrays["ends"])
            if isinstance(self.input, NgramInput):
                ids = np.concatenate([ids, self.padded_ngrams(split)], 1)
            self.padded_ids[split] = ids
        return torch.from_numpy(self.padded_ids[split]), torch.from_numpy(arrays["labels"])

    def padded_ngrams(self, split: str) -> np.ndarray:
        """The ids of the n-grams of the texts that are used (N, G), int32; none of others."""
        texts = np.split(self.splits[split]["words"], self.splits[split]["ends"][:-1])
        used = range(len(texts)) if split != "train" else {*self.rows.tolist()}
        return self.input.pad_ngrams(
            [self.lexicon[i] for i in text] if n in used else [] for n, text in enumerate(texts)
        )

    def lengths(self, split: str) -> Tensor | None:
        """The words of each row, where buckets are wanted."""
        if not self.hparams["buckets"]:
            return None
        lengths = np.diff(self.splits[split]["ends"], prepend=0)
        return torch.from_numpy(lengths.clip(max=self.hparams["max_length"]))

    def arrays(self, split: str) -> tuple[list[str], np.ndarray]:
        """The texts of a split, all their words, and labels, for what is no neural network."""
        labels = self.splits[split]["labels"]
        texts = [" ".join(self.lexicon[i] for i in text) for text in self.texts(split)]
        return texts, labels[self.rows] if split == "train" else labels

    def batch(self, tensors: tuple[Tensor, ...], key: Key | None) -> tuple[Tensor, Tensor]:
        """Word ids (B, T) and labels (B,)."""
        return tensors[0].long(), tensors[1]
