"""Raw sound to mu-law ids and back (S89; reliability row 22)."""

import io
import math
import struct
import sys
from unittest.mock import patch

import numpy as np
import pytest
import soundfile
import torch

from datamodules.inputs.sound import SoundInput, decode, encode


@pytest.fixture
def one():
    return SoundInput(sample_rate=8000, levels=256, length=800)


def tone(rate, seconds=0.1, pitch=440):
    return 0.5 * np.sin(2 * np.pi * pitch * np.arange(round(rate * seconds)) / rate)


def file_of(wave, rate=8000, subtype="PCM_16", kind="WAV"):
    soundfile.write(file := io.BytesIO(), wave, rate, subtype, format=kind)
    return file.getvalue()


# --- mu-law ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("amplitude", "pressed"), [
    (0.0, 0.0), (1.0, 1.0), (-1.0, -1.0), (0.5, math.log(128.5) / math.log(256)),
])  # fmt: skip
def test_mu_law_is_the_formula_of_the_paper(amplitude, pressed):
    """Section 2.2: sign(x) ln(1 + 255 |x|) / ln(256), then 256 even steps."""
    (level,) = encode(np.array([amplitude]), 256)
    assert abs(level - (pressed + 1) / 2 * 255) <= 0.5


@pytest.mark.parametrize("levels", [4, 16, 64, 128, 256])
def test_each_level_comes_back_from_its_amplitude(levels):
    ids = np.arange(levels)
    np.testing.assert_array_equal(encode(decode(ids, levels), levels), ids)


def test_the_inverse_is_off_by_half_a_step_at_most():
    wave = np.linspace(-1, 1, 10_001)
    back = decode(encode(wave, 256), 256)
    step = (1 + 255 * np.abs(wave)) * math.log(256) / 255 * 2 / 255  # one level, by the derivative
    assert (np.abs(back - wave) <= 0.51 * step + 1e-7).all()


def test_silence_is_the_middle_level_and_louder_is_higher():
    assert encode(np.zeros(1), 256)[0] == 128
    assert (np.diff(encode(np.linspace(-1, 1, 999), 256).astype(int)) >= 0).all()


# --- what can be read -----------------------------------------------------------------------------


def test_two_channels_are_mixed(one):
    wave = tone(8000)
    both = np.stack([wave, -wave / 2], 1)
    assert torch.equal(one(file_of(both, subtype="FLOAT")), one(file_of(wave / 4, subtype="FLOAT")))
    assert torch.equal(one(both), one(wave / 4))


@pytest.mark.parametrize("rate", [4000, 11_025, 16_000, 44_100, 48_000])
def test_another_rate_is_resampled(one, rate):
    (read,) = one.restore(one(file_of(tone(rate), rate)))
    inside = slice(100, 600)  # the ends of a sound ring
    assert np.abs(read - tone(8000))[inside].max() < 0.03


def test_what_the_rate_cannot_hold_is_filtered_out(one):
    (read,) = one.restore(one(file_of(tone(16_000, pitch=6000), 16_000)))
    assert np.abs(read[100:700]).max() < 0.02


def test_sounds_are_cut_or_end_in_silence(one):
    long, short = one([tone(8000, 0.2), tone(8000, 0.05)])
    assert (len(long), len(short)) == (800, 800)
    assert (short[400:] == 128).all()
    assert torch.equal(long[:400], short[:400])


def test_no_more_of_a_long_file_is_read_than_is_kept(one, tmp_path):
    path = tmp_path / "long.wav"
    soundfile.write(path, np.zeros(800_000), 8000)
    original = soundfile.SoundFile.read
    with patch.object(soundfile.SoundFile, "read", autospec=True, side_effect=original) as read:
        one(path)
    assert read.call_args_list[0].args[1] < 1000


def test_arrays_of_integers_are_divided_by_their_range(one):
    wave = tone(8000)
    sixteen = np.round(wave * 32768).astype(np.int16)
    eight = np.round(wave * 128 + 128).astype(np.uint8)
    assert (one(sixteen) - one(wave)).abs().max() <= 1
    assert np.abs(one.restore(one(eight))[0] - wave).max() < 0.03


def test_a_batch_comes_back_exactly(one):
    ids = torch.randint(256, (3, 800))
    assert torch.equal(one(one.restore(ids)), ids)


# --- what cannot ----------------------------------------------------------------------------------


def refused(one, raw, said, tmp_path):
    """Bytes are refused with a reason, and a file also with its name."""
    path = tmp_path / "bad.wav"
    path.write_bytes(raw)
    for given in (raw, path, str(path)):
        with pytest.raises(ValueError, match=said) as error:
            one(given)
        assert "\n" not in str(error.value)
        assert ("bad.wav" in str(error.value)) == (given is not raw)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(one, tmp_path, value):
    wave = tone(8000)
    wave[7] = value
    refused(one, file_of(wave, subtype="FLOAT"), "not finite", tmp_path)
    with pytest.raises(ValueError, match="not finite"):
        one(wave)


@pytest.mark.parametrize("raw", [b"", b"RIFF", b"<html></html>", file_of(np.zeros(9))[:30]])
def test_what_is_no_sound_file_or_of_no_seconds_is_refused(one, tmp_path, raw):
    refused(one, raw, "is no sound file, or damaged", tmp_path)
    refused(one, file_of(np.zeros(0)), "has no samples: it lasts 0 s", tmp_path)


@pytest.mark.parametrize("claimed", [0, 20, 2**31, 2**32 - 1])
def test_a_wrong_length_in_the_header_does_no_harm(one, tmp_path, claimed):
    """It is read as far as there are samples, or refused; never filled with what is not there."""
    wave = tone(8000)
    raw = bytearray(file_of(wave))
    assert raw[36:40] == b"data"
    raw[40:44] = struct.pack("<I", claimed)
    try:
        (ids,) = one(bytes(raw))
    except ValueError as error:
        assert "has no samples" in str(error)  # noqa: PT017 (either is right)
    else:
        there = min(claimed // 2, 800)
        assert torch.equal(ids[:there], one(file_of(wave))[0][:there])
        assert (ids[there:] == 128).all()


def test_a_missing_file_is_named(one):
    with pytest.raises(FileNotFoundError, match=r"gone\.wav: there is no such sound"):
        one("gone.wav")


@pytest.mark.parametrize(("raw", "said"), [
    (np.zeros((2, 800)), r"\(2, 800\): \(T,\) or \(T, channels\) is wanted"),
    (np.zeros((800, 0)), r"\(800, 0\): \(T,\) or"),
    (np.full(800, 20_000.0), "reaches 20000"), (torch.zeros(0), "has no samples"),
    (object(), "is no sound"),
    ([], "the list is empty"),
])  # fmt: skip
def test_another_layout_is_an_error_that_says_what_is_wanted(one, raw, said):
    with pytest.raises(ValueError, match=said):
        one(raw)


def test_without_soundfile_the_message_says_what_to_install(one, monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "lightning-zoo\[audio\]"'):
        one("a.wav")
    assert one(tone(8000)).shape == (1, 800)  # arrays need none
