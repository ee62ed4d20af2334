"""Baselines for sound: a table of what follows two samples, and the spectrum over time.

Shapes: N sounds, T samples, S samples that are scored, Q amplitude levels, F frames, M bands.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field
from sklearn.base import BaseEstimator
from torch import Tensor

from datamodules.utilities.windows import Windows
from zoo.baselines.characters import fall_back
from zoo.baselines.classifier import LogisticBaseline
from zoo.config.types import Positive, PositiveFloat
from zoo.nn.mel import mel_filters


@dataclass(frozen=True)
class Triples:
    """Each sample (S,) that is scored, the two before it, and the number of its sound."""

    older: np.ndarray
    newer: np.ndarray
    sample: np.ndarray
    sound: np.ndarray


class MarkovModel(BaseEstimator):
    """The distribution of a sample given the two before it, from counts.

    A longer context falls back on a shorter one by Witten & Bell's rule (Chen & Goodman 1998,
    section 2.4): where d distinct samples were seen after a context n times,
    p(x | context) = (count(x) + d p(x | shorter)) / (n + d). The contexts are, from short to long:
    none, the sample before, and the two before, of which `coarse` neighbouring levels count as one,
    for 65,536 pairs of levels are more than a small data set can fill.

    Args:
        coarse: levels that count as one in the longest context.
    """

    title = "order-2 table of amplitudes"

    def __init__(self, *, coarse: Positive) -> None:
        self.coarse = coarse

    def fit(self, datamodule: Any) -> "MarkovModel":
        """Count on the training sounds."""
        self.levels_: int = datamodule.info["levels"]
        training = triples(windows_of(datamodule, "train")[0], self.levels_)
        self.tables_ = [np.unique(pairs, return_counts=True) for pairs in self._pairs(training)]
        return self

    def score(self, datamodule: Any) -> dict[str, float]:
        """Bits a sample on the test sounds: of each sound or window, of each sound, their mean."""
        ids, owners = windows_of(datamodule, "test")
        scored = triples(ids, self.levels_)
        bits = -np.log2(self.probabilities(scored))
        lengths = np.bincount(scored.sound)
        means = np.bincount(scored.sound, bits) / np.maximum(lengths, 1)
        real, owners = lengths > 0, owners[: len(lengths)]
        sounds, counts = np.bincount(owners[real], means[real]), np.bincount(owners[real])
        return {"test/bits_per_sample": float((sounds[counts > 0] / counts[counts > 0]).mean())}

    def probabilities(self, scored: Triples) -> np.ndarray:
        """The probability (S,) of each sample given the two before it."""
        shares = np.full(len(scored.sample), 1 / self.levels_)
        for pairs, table in zip(self._pairs(scored), self.tables_, strict=True):
            shares = fall_back(shares, *table, pairs, self.levels_)
        return shares

    def _pairs(self, of: Triples) -> Iterator[np.ndarray]:
        """The context of each sample times Q, and the sample (S,); contexts from short to long."""
        yield of.sample
        yield of.newer * self.levels_ + of.sample
        coarse = of.older // self.coarse * self.levels_ + of.newer // self.coarse
        yield coarse * self.levels_ + of.sample


def windows_of(datamodule: Any, split: str) -> tuple[np.ndarray, np.ndarray]:
    """The sounds of a split, or all their windows, (S, T), and which sound each is of (S,)."""
    ids = datamodule.arrays(split)[0]
    if isinstance(ids, Windows):
        return ids.inputs.numpy(), np.repeat(np.arange(len(ids)), ids.counts.numpy())
    return ids, np.arange(len(ids))


def triples(ids: np.ndarray, levels: int) -> Triples:
    """What `WaveNet` is scored on: of ids (N, T) the second to the last that is not padding."""
    silence = levels // 2
    real = np.flip(np.cumsum(np.flip(ids != silence, 1), 1), 1)[:, 1:] > 0
    padded = np.pad(ids.astype(np.int64), ((0, 0), (1, 0)), constant_values=silence)
    older, newer, sample = padded[:, :-2], padded[:, 1:-1], padded[:, 2:]  # (N, T - 1)
    return Triples(older[real], newer[real], sample[real], np.nonzero(real)[0])


class LogMelLogistic(LogisticBaseline):
    """Logistic regression on a log-mel spectrogram, by its mean and deviation over `parts` of time.

    Args:
        window: of a frame, in samples; frames overlap by half.
        bands: triangular filters between 0 Hz and half the sample rate.
        parts: equal parts of time, each with features of its own.
        C: inverse strength of the L2 penalty.
        max_iter: iterations of L-BFGS at most.
    """

    title = "log-mel + logistic regression"
    TAKES = ("sample_rate",)  # of the data's config, besides the data

    def __init__(
        self,
        *,
        window: Annotated[int, Field(ge=16)],
        bands: Positive,
        parts: Positive,
        C: PositiveFloat,
        max_iter: Positive,
    ) -> None:
        self.window, self.bands, self.parts = window, bands, parts
        self.C, self.max_iter = C, max_iter

    def extract_features(self, datamodule: Any, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Mean and deviation of each band in each part of time (N, parts * 2 M), and labels.

        Of sounds with windows they are means over these.
        """
        ids, labels = datamodule.arrays(split)
        if isinstance(ids, Windows):
            sounds = [part.mean(self.moments(part.inputs, datamodule)) for part in ids.split(256)]
            return torch.cat(sounds).numpy(), labels
        return self.moments(torch.from_numpy(ids), datamodule).numpy(), labels

    def moments(self, ids: Tensor, datamodule: Any) -> Tensor:
        """The features (N, parts * 2 M) of sounds (N, T), or of windows."""
        waves = np.stack(datamodule.input.restore(ids))
        bands = log_mel(waves, datamodule.input.sample_rate, self.window, self.bands)
        parts = np.array_split(bands, self.parts, axis=1)
        features = [moment(part, axis=1) for part in parts for moment in (np.mean, np.std)]
        return torch.from_numpy(np.concatenate(features, axis=1))


def log_mel(waves: np.ndarray, rate: int, window: int, bands: int) -> np.ndarray:
    """The log-mel spectrogram (N, F, M) of waves (N, T), in nats of power.

    Frames overlap by half and pass a Hann window; sounds shorter than one are filled with silence.
    """
    waves = np.pad(waves, ((0, 0), (0, max(window - waves.shape[1], 0))))
    frames = np.lib.stride_tricks.sliding_window_view(waves, window, axis=1)[:, :: window // 2]
    power = np.abs(np.fft.rfft(frames * np.hanning(window))) ** 2  # (N, F, window / 2 + 1)
    return np.log(power @ mel_filters(rate, window, bands).T + 1e-6)
