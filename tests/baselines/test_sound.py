"""The baselines of sound: a table of triples, and log-mel pictures (S89)."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from datamodules.inputs.sound import SoundInput
from datamodules.utilities.windows import cut
from tests.data import arrays_of, opened
from zoo.baselines.sound import LogMelLogistic, MarkovModel, Triples, log_mel, triples
from zoo.nn.mel import mel_filters


def data_of(train, test):
    """What a baseline sees of a datamodule."""
    return arrays_of((train, None), (test, None), levels=4)


def noise(*shape, levels=4, seed=0):
    return np.random.default_rng(seed).integers(0, levels, shape, np.uint8)


def test_each_sample_is_scored_with_the_two_before_it_up_to_the_padding():
    """The first sample is not scored; a run of silence (level 2) at the end is padding."""
    of = triples(np.array([[3, 2, 1, 0], [1, 3, 2, 2], [2, 2, 2, 2]]), levels=4)
    assert of.sound.tolist() == [0, 0, 0, 1]
    assert of.older.tolist() == [2, 3, 2, 2]  # silence stands before the first
    assert (of.newer.tolist(), of.sample.tolist()) == ([3, 2, 1, 1], [2, 1, 0, 3])


def test_probabilities_of_every_next_sample_sum_to_one():
    model = MarkovModel(coarse=2).fit(data_of(noise(5, 30), None))
    for older, newer in noise(10, 2, seed=1):
        same = np.zeros(4, np.int64)
        asked = Triples(same + older, same + newer, np.arange(4), same)
        assert model.probabilities(asked).sum() == pytest.approx(1)


def test_a_context_falls_back_by_witten_and_bells_rule():
    """By hand: 1 followed 3, 1 once; 3 twice among the 3 scored; then the formula, bottom up."""
    model = MarkovModel(coarse=1).fit(data_of(np.array([[3, 1, 3, 3]]), None))
    asked = triples(np.array([[3, 1, 3]]), 4)
    none = (2 + 2 / 4) / (3 + 2)  # of 1, 3, 3: two distinct
    one = (1 + 1 * none) / (1 + 1)  # 1 was followed by 3, once
    assert model.probabilities(asked)[-1] == pytest.approx((1 + 1 * one) / (1 + 1))


def test_noise_costs_its_entropy_and_a_rule_of_two_samples_nearly_nothing():
    """x(t) = x(t-2) + x(t-1) mod 4 cannot be told from one sample, and can from two."""
    rule = noise(50, 60)
    for t in range(2, 60):
        rule[:, t] = (rule[:, t - 1] + rule[:, t - 2]) % 4
    for ids, low, high in ((rule, 0, 0.3), (noise(50, 600, seed=1), 1.98, 2.02)):
        model = MarkovModel(coarse=1).fit(data_of(ids[:40], None))
        assert low < model.score(data_of(None, ids[40:]))["test/bits_per_sample"] < high


def test_mel_filters_are_triangles_even_in_mel():
    """1000 Hz is 1000 mel; between the first and the last corner neighbours sum to one."""
    filters = mel_filters(16_000, 4096, 20)
    hertz = np.fft.rfftfreq(4096, 1 / 16_000)
    peaks = 2595 * np.log10(1 + hertz[filters.argmax(1)] / 700)
    np.testing.assert_allclose(np.diff(peaks), np.diff(peaks).mean(), rtol=0.05)
    assert 2595 * np.log10(1 + 1000 / 700) == pytest.approx(1000, abs=0.1)
    inside = (hertz > hertz[filters[0].argmax()]) & (hertz < hertz[filters[-1].argmax()])
    np.testing.assert_allclose(filters.sum(0)[inside], 1)


def test_a_tone_is_in_the_band_of_its_pitch():
    bands = log_mel(np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000)[None], 8000, 256, 40)
    centre = mel_filters(8000, 256, 40)[:, 32].argmax()  # bin 32 of 31.25 Hz
    assert bands.shape == (1, 61, 40)
    assert log_mel(np.zeros((2, 100)), 8000, 256, 10).shape == (2, 1, 10)  # filled up
    assert (abs(bands[0].argmax(1) - centre) <= 1).all()


def test_pitches_are_told_apart_by_their_spectrum():
    data = opened("plucked_strings", limit=128)
    model = LogMelLogistic(window=256, bands=40, parts=1, C=1.0, max_iter=100)
    assert model.fit(data).score(data)["test/accuracy"] > 0.8


def test_loudness_and_time_are_extract_features_part_by_part():
    one = SoundInput(sample_rate=4000, levels=256, length=2000)
    ids = one([np.concatenate([np.zeros(1000), noise(1000, levels=200) / 400])]).numpy()
    data = SimpleNamespace(arrays=lambda _: (ids.astype(np.uint8), np.zeros(1)), input=one)
    model = LogMelLogistic(window=64, bands=8, parts=2, C=1.0, max_iter=9)
    described, _ = model.extract_features(data, "")
    assert described.shape == (1, 2 * 2 * 8)
    assert (described[0, :8] < described[0, 16:24] - 2).all()  # silence first, then noise


def test_sounds_with_windows_are_scored_by_their_means():
    """Bits of a window, of a sound, of all; spectra the same way."""
    sounds = [torch.from_numpy(noise(length, seed=length)) for length in (30, 90)]
    windows = cut(sounds, 30)
    model = MarkovModel(coarse=2).fit(data_of(windows, None))
    one_by_one = [
        model.score(data_of(None, window[None].numpy()))["test/bits_per_sample"]
        for window in windows.inputs
    ]
    wanted = np.mean([one_by_one[0], np.mean(one_by_one[1:])])
    assert model.score(data_of(None, windows))["test/bits_per_sample"] == pytest.approx(wanted)
    data = SimpleNamespace(
        arrays=lambda _: (windows, np.zeros(2)),
        input=SoundInput(sample_rate=100, levels=4, length=30, windows="spread"),
    )
    mel = LogMelLogistic(window=16, bands=4, parts=1, C=1.0, max_iter=9)
    each = mel.moments(windows.inputs, data).numpy()
    wanted = np.stack([each[0], each[1:].mean(0)])
    np.testing.assert_allclose(mel.extract_features(data, "")[0], wanted)
