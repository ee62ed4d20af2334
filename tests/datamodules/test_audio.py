"""Labelled sounds: the bundled strings, one's own folder, the hub's layout (S89)."""

import numpy as np
import pytest
import soundfile
import torch

import zoo
from datamodules.bundled.plucked_strings import RATE, SCALE, plucked_strings
from datamodules.utilities.windows import one_window
from tests.data import opened
from tests.tiny.audio_folder import tone


def sounds(folder, counts):
    """Write folders of so many sounds; of "." in the folder itself."""
    for number, (place, count) in enumerate(counts.items()):
        (folder / place).mkdir(parents=True)
        for i in range(count):
            wave = tone(300 * number + i + 300, 0.1, 8000)
            soundfile.write(folder / place / f"{i}.wav", wave, 8000)
    return folder


# --- plucked strings ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def strings():
    return plucked_strings(count=64)


def test_a_string_sounds_at_its_pitch_and_the_multiples_of_it(strings):
    """The spectrum's energy lies within 5 % of harmonics of the class's pitch."""
    rows = strings.splits["all"]
    power = np.abs(np.fft.rfft(rows.raws * np.hanning(rows.raws.shape[1]))) ** 2
    hertz = np.fft.rfftfreq(rows.raws.shape[1], 1 / RATE)
    pitches = np.array(list(SCALE.values()))[rows.labels]
    ratio = hertz / pitches[:, None]  # (N, F)
    near = (np.abs(ratio - ratio.round()) < 0.05 * ratio.round().clip(1)) & (ratio > 0.5)
    assert ((power * near).sum(1) / power.sum(1)).min() > 0.9


def test_a_string_dies_away_after_its_pluck_near_or_far_in_a_room(strings):
    waves = strings.splits["all"].raws
    assert waves[:, :2].std() == pytest.approx(5e-4, rel=0.1)  # what is heard before the pluck
    levels = np.abs(waves).max(1)
    assert (levels.min(), levels.max()) == pytest.approx((0.3, 0.9), abs=0.03)
    parts = [waves[:, a : a + 500].std(1) for a in (100, 800, 1500)]
    assert (np.diff(parts, axis=0) < 0).mean(1).min() > 0.95
    assert np.abs(waves[:, 0]).max() < 0.1 * np.abs(waves).max(1).min()


def test_strings_are_the_same_at_each_making_and_differ_among_themselves(strings):
    waves = strings.splits["all"].raws
    np.testing.assert_array_equal(plucked_strings(count=64).splits["all"].raws, waves)
    alike = np.corrcoef(waves[strings.splits["all"].labels == 0])
    assert np.abs(alike[~np.eye(len(alike), dtype=bool)]).max() < 0.95


def test_embedded_strings_need_no_source_and_no_soundfile(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "soundfile", None)
    data = opened("plucked_strings", limit=64)
    assert data.info["bundled"]
    assert data.info["classes"] == list(SCALE)
    assert data.info["samples"] == {"train": 64, "val": 64, "test": 64}
    ids, labels = data.samples("train", 16)
    assert (ids.shape, ids.dtype, labels.shape) == ((16, 2000), torch.int64, (16,))
    assert np.bincount(labels).tolist() == [2] * 8


# --- what a datamodule promises -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["audio_folder", "free_spoken_digit"])
def test_batches_and_arrays_agree(name, tiny):
    data = opened(name, **tiny(name), windows="one")
    ids, labels = data.arrays("train")
    assert (ids.shape, ids.dtype) == ((len(labels), data.input.length), np.uint8)
    batch, wanted = data.on_after_batch_transfer(next(iter(data.train_dataloader())), 0)
    assert (batch.shape, batch.dtype) == ((8, data.input.length), torch.int64)
    assert 0 <= wanted.min() <= wanted.max() < data.info["num_classes"]
    rows = {row.tobytes() for row in ids}
    assert {row.numpy().astype(np.uint8).tobytes() for row in batch} <= rows


def test_sounds_and_labels_belong_together(tiny):
    data = opened("free_spoken_digit", **{**tiny("free_spoken_digit"), "seconds": 1.0})
    assert data.info["samples"] == {"train": 45, "val": 5, "test": 20}
    for split in data.splits:
        ids, labels = data.arrays(split)
        for wave, label in zip(data.input.restore(torch.from_numpy(ids)), labels, strict=True):
            loudest = np.abs(np.fft.rfft(wave)).argmax()  # one second: bins of 1 Hz
            assert abs(loudest - 200 * (label + 1)) <= 10


# --- one's own sounds -----------------------------------------------------------------------------


def test_sounds_without_classes_are_of_one(tmp_path):
    """WaveNet learns from a folder of sounds as it is."""
    data = opened("audio_folder", source=str(sounds(tmp_path / "birds", {".": 20})), batch_size=4)
    assert data.info["classes"] == ["birds"]
    assert sum(data.info["samples"].values()) == 20
    windows, labels = data.samples("train", 2)
    logits = zoo.create_model("wavenet", num_classes=1)(windows.inputs, labels)
    assert logits.shape[:2] == (2, 256)


def test_sounds_without_classes_cannot_be_classified(tmp_path, command):
    sounds(tmp_path / "birds", {".": 20})
    line = command.failed("train", "data=audio_folder", "data.source=birds")
    assert line.startswith("zoo: model.num_classes is 1: it should be greater")


# --- the real data --------------------------------------------------------------------------------


@pytest.mark.real
def test_the_spoken_digits_are_the_official_ones():
    data = opened("free_spoken_digit")
    assert data.info["samples"] == {"train": 2430, "val": 270, "test": 300}
    ids, labels = data.arrays("test")
    assert np.bincount(labels).tolist() == [30] * 10
    assert ids.shape == (300, 8000)
    assert ((ids != 128).sum(1) > 1000).all()  # each lasts 0.14 s or more


def test_only_training_batches_are_augmented():
    """With windows, too, of which another is drawn first."""
    options = {"shift_range": 0.5, "gain_db": 6.0}
    for windows in ("one", "spread"):
        data = opened("plucked_strings", limit=64, seconds=0.2, windows=windows, augment=options)
        plain = opened("plucked_strings", limit=64, seconds=0.2, windows=windows)
        (tensors, key), *_ = data.batches("train", shuffle=True)
        found, wanted = data.batch(tensors, key)[0], plain.batch(tensors, key)[0]
        assert not torch.equal(found, wanted)
        assert torch.equal(found, data.augment(wanted, key))
        judged = (one_window(one.batch(tensors, None)[0]) for one in (data, plain))
        assert torch.equal(*judged)
