"""Synthesised plucked strings."""

import numpy as np

from datamodules.inputs.sound_file import resample
from datamodules.sources.rows import Rows, Source

RATE = 4000  # of the plucked strings, in samples per second
FINE = 16_000  # the rate that they are made at
SCALE = {
    "C3": 130.81, "D3": 146.83, "E3": 164.81, "F3": 174.61,
    "G3": 196.00, "A3": 220.00, "B3": 246.94, "C4": 261.63,
}  # in hertz  # fmt: skip


def plucked_strings(count: int = 1280, seconds: float = 0.5) -> Source:
    """Strings of eight pitches, plucked anywhere, hard or softly, bright or dull, near or far.

    Karplus & Strong 1983 (Computer Music Journal 7(2)): a loop of one period that averages
    neighbours. Made four times finer than kept, so that the pitch is not one of whole samples.
    """
    random = np.random.default_rng(1983)
    labels = np.arange(count) % len(SCALE)
    pitch = np.array(list(SCALE.values()))[labels] * 2 ** random.uniform(-0.01, 0.01, count)
    waves = pluck_strings(FINE / pitch, round(seconds * FINE), random)
    late = random.integers(FINE // 500, FINE // 50, count)  # the pluck comes after 2 to 20 ms
    for wave, start in zip(waves, late, strict=True):
        wave[start:] = wave[: len(wave) - start].copy()
        wave[:start] = 0
    strings = np.stack([resample(wave, FINE, RATE) for wave in waves])
    loudness = random.uniform(0.3, 0.9, (count, 1)) / np.abs(strings).max(1, keepdims=True)
    strings = strings * loudness + random.normal(0, 5e-4, strings.shape)  # and the noise of a room
    rows = Rows(strings.astype(np.float32), labels.astype(np.int64))
    return Source({"all": rows}, list(SCALE))


def pluck_strings(periods: np.ndarray, length: int, random: np.random.Generator) -> np.ndarray:
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
    samples, fraction = delay.astype(int), delay % 1
    y = np.zeros((count, past + length))
    y[:, :past] = burst[:, past:] - burst[rows[:, None], np.arange(past, 2 * past) - place[:, None]]
    last = np.arange(past) >= (past - samples)[:, None]
    y[:, :past] -= y[:, :past].mean(1, where=last, keepdims=True)  # a string has no mode of 0 Hz
    for t in range(past, past + length):
        near, far, farther = (y[rows, t - samples - k] for k in range(3))
        y[:, t] = decay / 2 * ((1 - fraction) * (near + far) + fraction * (far + farther))
    return y[:, past:]
