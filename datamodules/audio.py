"""Sounds with one label each, in memory as mu-law ids.

    data/birds/crow/1.wav  data/birds/owl/7.flac     one folder a class
    data/birds/{train,val,test}/crow/1.wav           with splits of its own
    data/birds/labels.csv                            file,label[,split]
    data/birds/1.wav                                 no classes: one for all, enough for WaveNet
    hub layout (parquet)                             see layouts.py

A batch is ids (B, T), int64 in [0, levels), and labels (B,). A sound that is shorter than T ends
in digital silence, the level levels // 2.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from datamodules.inputs.sound import SoundInput, resampled
from datamodules.loading.arrays import About, Arrays
from datamodules.loading.labelled import Labelled
from datamodules.sources import tables
from datamodules.sources.layouts import SOUNDS, Rows, Source
from datamodules.utilities.draws import Key

Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(gt=0, lt=1)]

RATE = 4000  # of the plucked strings, in samples per second
FINE = 16_000  # the rate that they are made at
SCALE = {
    "C3": 130.81, "D3": 146.83, "E3": 164.81, "F3": 174.61,
    "G3": 196.00, "A3": 220.00, "B3": 246.94, "C4": 261.63,
}  # in hertz  # fmt: skip


class Sounds(Labelled):
    """One sound classification data set, or sounds to model.

    Args:
        name: what it is called: its folder in $ZOO_DATA and in the cache.
        source: a folder or csv of the user's; None looks by name.
        hub: id on the hub, or None.
        about: what a card says of the data.
        sample_rate: samples per second that all are brought to.
        levels: of amplitude, mu-law.
        seconds: that each is cut or filled up to.
        validation, test: shares that become splits where the data set has none of its own.
        batch_size: the global batch, over all devices.
        train_samples: train on so many only: stratified, seeded, nested.
        limit: take at most so many of each split, before decoding.
        broken: what to do about a sound that cannot be read: stop, or skip and count it.
        seed: of order; the splits have a seed of their own.
    """

    EMBEDDED: ClassVar[Mapping[str, Callable[[], Any]]] = {
        "plucked_strings": lambda: plucked_strings()
    }
    ARRAYS: ClassVar = ("ids", "labels")
    DECIDES: ClassVar = (
        "sample_rate", "levels", "seconds", "validation", "test", "limit", "broken",
    )  # fmt: skip
    KIND: ClassVar = SOUNDS
    INPUT: ClassVar = SoundInput

    def __init__(
        self,
        *,
        name: str,
        source: str | None,
        hub: str | None,
        about: About,
        sample_rate: Annotated[int, Field(ge=1000, le=192_000)],
        levels: Annotated[int, Field(ge=4, le=256, multiple_of=2)],
        seconds: Annotated[float, Field(gt=0, le=60)],
        validation: Share,
        test: Share,
        batch_size: Positive,
        train_samples: Positive | None,
        limit: Positive | None,
        broken: Literal["error", "skip"],
        seed: Annotated[int, Field(ge=0)],
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        self.input = SoundInput(
            sample_rate=sample_rate, levels=levels, length=max(round(seconds * sample_rate), 2)
        )

    def adopt(self, given: Any, facts: Mapping[str, Any], classes: list[str] | None = None) -> None:
        super().adopt(given, facts, classes)
        self.input = given
        self.hparams["seconds"] = given.length / given.sample_rate

    def found(self, location: Path | str, scratch: Path) -> Source:
        """The rows, not decoded yet; sounds that lie in no class folder are of one class."""
        if self.embedded or isinstance(location, str) or location.is_file():
            return super().found(location, scratch)
        loose = sorted(f for f in location.iterdir() if f.suffix.lower() in SOUNDS.suffixes)
        if not loose or tables.found(location):
            return super().found(location, scratch)
        return Source({"all": Rows(loose, np.zeros(len(loose), np.int64))}, [location.name])

    def decode(self, rows: Rows, split: str, shared: None, skipped: list[str]) -> Arrays:
        """Mu-law ids (N, T), uint8, and labels (N,)."""
        ids = np.empty((len(rows.labels), self.input.length), np.uint8)
        kept: list[int] = []
        for i, sound in self.readable(rows, split, self.input.decode, skipped):
            ids[len(kept)] = sound
            kept.append(i)
        return {"ids": ids[: len(kept)], "labels": rows.labels[kept]}

    def fit(self, known: dict[str, Any]) -> dict[str, Any]:
        return {**super().fit(known), "levels": self.hparams["levels"]}

    def arrays(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Ids (N, T), uint8, and labels (N,) of a split, for what is no neural network."""
        ids, labels = self.splits[split]["ids"], self.splits[split]["labels"]
        return (ids[self.rows], labels[self.rows]) if split == "train" else (ids, labels)

    def batch(self, tensors: tuple[Tensor, ...], key: Key | None) -> tuple[Tensor, Tensor]:
        """Ids (B, T), int64, and labels (B,)."""
        ids, labels = tensors
        return ids.to(torch.int64), labels


def plucked_strings(count: int = 1280, seconds: float = 0.5) -> Source:
    """Strings of eight pitches, plucked anywhere, hard or softly, bright or dull, near or far.

    Karplus & Strong 1983 (Computer Music Journal 7(2)): a loop of one period that averages
    neighbours. Made four times finer than kept, so that the pitch is not one of whole samples.
    """
    random = np.random.default_rng(1983)
    labels = np.arange(count) % len(SCALE)
    pitch = np.array(list(SCALE.values()))[labels] * 2 ** random.uniform(-0.01, 0.01, count)
    waves = plucked(FINE / pitch, round(seconds * FINE), random)
    late = random.integers(FINE // 500, FINE // 50, count)  # the pluck comes after 2 to 20 ms
    for wave, start in zip(waves, late, strict=True):
        wave[start:] = wave[: len(wave) - start].copy()
        wave[:start] = 0
    kept = np.stack([resampled(wave, FINE, RATE) for wave in waves])
    loudness = random.uniform(0.3, 0.9, (count, 1)) / np.abs(kept).max(1, keepdims=True)
    kept = kept * loudness + random.normal(0, 5e-4, kept.shape)  # and the noise of a room
    rows = Rows(kept.astype(np.float32), labels.astype(np.int64))
    return Source({"all": rows}, list(SCALE))


def plucked(periods: np.ndarray, length: int, random: np.random.Generator) -> np.ndarray:
    """Strings (N, length) of periods (N,), in samples: y(t) = decay (y(t-P) + y(t-P-1)) / 2.

    The burst that excites a string passes a filter for how hard it is plucked and a comb for where
    (Jaffe & Smith 1983, Computer Music Journal 7(2)).
    """
    count, past = len(periods), int(periods.max()) + 3
    soft, decay = random.uniform(0.85, 0.95, count), random.uniform(0.980, 0.998, count)
    burst = random.uniform(-1, 1, (count, 2 * past))
    for t in range(1, 2 * past):
        burst[:, t] = (1 - soft) * burst[:, t] + soft * burst[:, t - 1]
    place = np.maximum(random.uniform(0.1, 0.5, count) * periods, 1).astype(int)
    rows, delay = np.arange(count), periods - 0.5  # the average is late by half a sample
    whole, share = delay.astype(int), delay % 1
    y = np.zeros((count, past + length))
    y[:, :past] = burst[:, past:] - burst[rows[:, None], np.arange(past, 2 * past) - place[:, None]]
    last = np.arange(past) >= (past - whole)[:, None]
    y[:, :past] -= y[:, :past].mean(1, where=last, keepdims=True)  # a string has no mode of 0 Hz
    for t in range(past, past + length):
        near, far, farther = (y[rows, t - whole - k] for k in range(3))
        y[:, t] = decay / 2 * ((1 - share) * (near + far) + share * (far + farther))
    return y[:, past:]
