"""Running text, character by character, in streams that go on from batch to batch.

    data/mine.txt           one file, UTF-8
    data/mine/*.txt         or a folder: its files in the order of their names, one after another

The text is cut into `batch_size` streams of equal length, and each stream into chunks of `length`
characters. Batch i holds chunk i of every stream, so that row b of batch i + 1 goes on where row b
of batch i stopped:

    text    a b c d e f g h i j k l      two streams, chunks of 3
    batch 0     a b c       g h i        inputs; the targets are b c d and h i j
    batch 1     d e f       j k l

A batch is inputs (B, T) and targets (B, T), ids, int64: each target is the character after its
input. Targets of 0 are padding, which stands only at the ends of streams that are evaluated: there
each character of a split but the first is a target exactly once.
"""

import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from typing_extensions import Unpack

from datamodules.bundled.python_source import SOURCE_CODE, modules
from datamodules.inputs.characters import PADDING, CharacterInput
from datamodules.loading.arrays import DataArguments, InMemory, Positive
from datamodules.loading.batches import Batches, ModelBatches
from datamodules.sources.files import TEXTS, passed_over
from datamodules.sources.rows import NAMES
from datamodules.sources.text_file import read
from datamodules.utilities.draws import Key


class Characters(InMemory):
    """One text as streams of characters.

    Args, besides `DataArguments`:
        hub: None: running text is not looked for there.
        length: characters in a chunk: as far as gradients reach back.
        batch_size: streams, over all devices.
        validation, test: shares of the text. One's own text ends in them, test last; of the
            bundled text they are whole files.
        train_samples, limit: the first so many chunks.
        seed: not used: the order is that of the text.
    """

    BUNDLED: ClassVar[Mapping[str, Callable[[], Any]]] = {"python_source": lambda: modules()}
    ARRAYS: ClassVar = ("inputs", "targets")
    INPUT: ClassVar = CharacterInput
    ARRAY_ARGUMENTS: ClassVar = ("validation", "test")

    def __init__(
        self,
        *,
        hub: None,
        length: Positive,
        batch_size: Positive,
        **shared: Unpack[DataArguments],
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)

    def origin(self) -> str:
        """The text differs by the version of Python."""
        return f"{super().origin()} of Python {platform.python_version()}"

    def array_arguments(self) -> dict[str, Any]:
        alphabet = {"characters": self.model_input.characters} if self.model_input else {}
        return {**super().array_arguments(), **alphabet}

    def build(self, location: Path | str, part: Path) -> dict[str, Any]:
        """Write the ids of each split; the alphabet is that of the training split."""
        shares = self.hparams["validation"], self.hparams["test"]
        if self.bundled:
            texts = by_files(self.BUNDLED[self.hparams["name"]](), *shares)
            encoder = self.model_input or CharacterInput(characters=SOURCE_CODE)
        else:
            texts = by_place(read(Path(location)), *shares)
            encoder = self.model_input or CharacterInput.fit(texts["train"])
        small = np.uint8 if encoder.vocabulary_size <= 256 else np.int32
        for split, text in texts.items():
            np.save(part / f"{split}_ids.npy", encoder.encode(text).astype(small))
        beside = [] if self.bundled else passed_over(location, TEXTS)
        return {"characters": encoder.characters, "passed_over": beside}

    def fit(self, metadata: dict[str, Any]) -> dict[str, Any]:
        self.input = self.model_input or CharacterInput(characters=metadata["characters"])
        streams, length = self.hparams["batch_size"], self.hparams["length"]
        self.chunks = {
            split: chunks(self.arrays(split), streams, length, drop=split == "train")
            for split in NAMES
        }
        samples = {split: len(inputs) for split, (inputs, _) in self.chunks.items()}
        size, beside = self.input.vocabulary_size, metadata["passed_over"]
        return {"vocabulary_size": size, "samples": samples, "passed_over": beside}

    def arrays(self, split: str) -> np.ndarray:
        """The ids (N,) of a split; each but the first is to be predicted."""
        hparams, ids = self.hparams, self.splits[split]["ids"]
        limits = [hparams["limit"], hparams["train_samples"] if split == "train" else None]
        most = [count * hparams["length"] + 1 for count in limits if count is not None]
        return ids[: min([len(ids), *most])]

    def tensors(self, split: str) -> tuple[Tensor, ...]:
        return tuple(torch.from_numpy(array) for array in self.chunks[split])

    def batch(self, tensors: tuple[Tensor, ...], key: Key | None) -> tuple[Tensor, Tensor]:
        """Inputs and targets (B, T)."""
        inputs, targets = tensors
        return inputs.long(), targets.long()

    def train_dataloader(self) -> Batches | ModelBatches:
        """The chunks in the order of the text, in each epoch."""
        return self.loader("train")


def chunks(ids: np.ndarray, streams: int, length: int, drop: bool) -> tuple[np.ndarray, np.ndarray]:
    """Arrange ids (N,) as inputs and targets (chunks * streams, length), chunk by chunk.

    Args:
        drop: leave out the end of the text, so that all chunks are full; otherwise streams end
            in padding.

    Raises:
        ValueError: not one chunk, or to be evaluated, not one character to predict.
    """
    count = len(ids) - 1  # characters that have one before them
    if count < (streams * length if drop else 1):
        raise ValueError(
            f"a text of {len(ids):,} characters is too short: {streams} streams in chunks of "
            f"{length} need {streams * length + 1:,}; lower data.batch_size or data.length"
        )
    each = count // (streams * length) * length if drop else -(-count // streams)  # in a stream
    steps = np.arange(-(-each // length))[:, None, None] * length + np.arange(length)
    places = np.arange(streams)[:, None] * each + steps  # (chunks, streams, length)
    inside = (steps < each) & (places < count)
    inputs, targets = ids[places.clip(max=count)], ids[(places + 1).clip(max=count)]
    return inputs.reshape(-1, length), np.where(inside, targets, PADDING).reshape(-1, length)


def by_files(texts: list[str], validation: float, test: float) -> dict[str, str]:
    """Whole files for each split: in a seeded order the first are `test`, the next `val`."""
    order = np.random.default_rng(0).permutation(len(texts))
    ends = np.cumsum([len(texts[i]) for i in order])
    cuts = np.searchsorted(ends, ends[-1] * np.array([test, test + validation])) + 1
    parts = np.split(order, cuts)
    return {
        split: "".join(texts[i] for i in sorted(part))
        for split, part in zip(("test", "val", "train"), parts, strict=True)
    }


def by_place(text: str, validation: float, test: float) -> dict[str, str]:
    """One text in three pieces: training, then validation, then test."""
    cuts = [round(len(text) * share) for share in (1 - test - validation, 1 - test)]
    return {
        split: text[start:stop]
        for split, start, stop in zip(NAMES, [0, *cuts], [*cuts, len(text)], strict=True)
    }
