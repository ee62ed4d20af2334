"""Sounds without a network: mean, deviation and change of log bands, in parts of time.

Shapes: N sounds, T samples, F frames, M bands, P parts.
"""

from typing import Any

import numpy as np
import torch
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from datamodules.utilities.windows import Windows
from zoo.baselines.sound import log_mel
from zoo.baselines.stateless import Stateless
from zoo.baselines.strong import BlockScaler, StrongBaseline, forest, kernel_machines
from zoo.metrics.choice import Candidate

CHUNK = 256  # sounds or windows at a time
FRAME = 0.032  # seconds of a frame; frames overlap by half
PARTS = (1, 4)  # of time, each with features of its own: without an order, and with one


class LogBands(Stateless):
    """What a log-mel spectrogram is like in each part of time.

    Of each band the mean, the deviation, and the mean size of the change from frame to frame.

    Args:
        amplitudes: in [-1, 1], of each level (L,).
        sample_rate: samples a second.
        parts: equal parts of time.
        bands: triangular filters between 0 Hz and half the sample rate.
    """

    def __init__(
        self, amplitudes: np.ndarray, sample_rate: int, parts: int = 1, bands: int = 40
    ) -> None:
        self.amplitudes, self.sample_rate = amplitudes, sample_rate
        self.parts, self.bands = parts, bands

    def compute(self, X: Any) -> np.ndarray:
        """Map ids (N, T) to (N, P * 3 M); of `Windows` to the mean of each sound's."""
        return over_windows(self._of_one_length, X)

    def _of_one_length(self, ids: np.ndarray) -> np.ndarray:
        frame = max(round(FRAME * self.sample_rate), 16)
        bands = log_mel(self.amplitudes[ids], self.sample_rate, frame, self.bands)  # (N, F, M)
        return moments(bands, self.parts)


def amplitudes_of(sound_input: Any) -> np.ndarray:
    """The amplitude in [-1, 1] of each level (L,) of a sound's input."""
    waves: list[np.ndarray] = sound_input.restore(torch.arange(sound_input.levels)[None])
    return waves[0]


def moments(bands: np.ndarray, parts: int) -> np.ndarray:
    """Mean, deviation and mean change of (N, F, M) in parts of F: (N, P * 3 M)."""
    edges = np.linspace(0, bands.shape[1], parts + 1)
    rows = []
    for begin, end in zip(edges[:-1].astype(int), np.ceil(edges[1:]).astype(int), strict=True):
        part = bands[:, begin : max(end, begin + 1)]
        change = np.abs(np.diff(part, axis=1, append=part[:, -1:])).mean(1)
        rows += [part.mean(1), part.std(1), change]
    return np.concatenate(rows, axis=1)


def over_windows(function: Any, X: Any) -> np.ndarray:
    """Rows of features (N, F) of samples (N, ...), some at a time; of `Windows` their means."""
    if isinstance(X, Windows):
        rows = torch.from_numpy(over_windows(function, X.inputs.numpy()))
        return X.mean(rows).numpy()
    return np.concatenate([function(X[i : i + CHUNK]) for i in range(0, len(X), CHUNK)])


class StrongSounds(StrongBaseline):
    """Log bands under a kernel machine, or a forest."""

    TAKES = ("sample_rate",)  # of the data's config, besides the data

    def candidates(self, samples: Any, datamodule: Any) -> dict[str, Candidate]:
        machines = kernel_machines(len(samples), self.random_state)
        candidates: dict[str, Candidate] = {}
        amplitudes = amplitudes_of(datamodule.input)
        for parts in PARTS:
            bands = LogBands(amplitudes, datamodule.input.sample_rate, parts)
            scaled = make_pipeline(bands, StandardScaler(), BlockScaler())
            what = "log bands" if parts == 1 else f"log bands in {parts} parts"
            suffix = "" if parts == 1 else f"_{parts}_parts"
            candidates[f"rbf_svm{suffix}"] = f"{what}, RBF-SVM", scaled, machines
            candidates[f"forest{suffix}"] = f"{what}, forest", bands, [forest(self.random_state)]
        return {**candidates, **self.network_candidates(len(samples))}
