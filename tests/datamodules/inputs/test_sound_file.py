"""Sounds in every format that libsndfile and PyAV read, and headers that lie (S89)."""

import io
import struct

import av
import numpy as np
import pytest
from av.stream import Disposition

from datamodules.inputs import sound_file, video_file
from tests.data import memory_limit, refused
from tests.datamodules.inputs.test_sound import file_of, tone
from tests.tiny.video_folder import video

WAVE = tone(16_000, 0.5, 440)


def contained(form, codec, rate=16_000, cover=False):
    """Half a second of 440 Hz as PyAV writes it."""
    memory = io.BytesIO()
    with av.open(memory, "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        if codec == "wmav2":
            stream.bit_rate = 64_000
        if cover:
            picture = container.add_stream("mjpeg", width=16, height=16, pix_fmt="yuvj420p")
            picture.disposition = Disposition.attached_pic
            container.mux(picture.encode(av.VideoFrame(16, 16, "yuvj420p")))
        wave = tone(rate, 0.5, 440).astype(np.float32)[None]
        frame = av.AudioFrame.from_ndarray(wave, "fltp", "mono")
        frame.rate = rate
        container.mux([*stream.encode(frame), *stream.encode()])
    return memory.getvalue()


def pitch(wave, rate=8000):
    """Of the strongest tone, in Hz."""
    return np.abs(np.fft.rfft(wave * np.hanning(len(wave)))).argmax() * rate / len(wave)


@pytest.mark.parametrize(("kind", "subtype", "error"), [
    ("WAV", "PCM_U8", 0.01), ("WAV", "PCM_16", 0.001), ("WAV", "PCM_24", 0.001),
    ("WAV", "PCM_32", 0.001), ("WAV", "FLOAT", 0.001), ("FLAC", "PCM_16", 0.001),
    ("OGG", "VORBIS", 0.1), ("WAV", "DOUBLE", 0.001), ("WAV", "ULAW", 0.02), ("WAV", "ALAW", 0.02),
    ("WAV", "IMA_ADPCM", 0.02), ("WAV", "MS_ADPCM", 0.02), ("AIFF", "PCM_16", 0.001),
    ("AU", "PCM_16", 0.001), ("CAF", "ALAC_16", 0.001), ("W64", "PCM_16", 0.001),
    ("RF64", "PCM_24", 0.001), ("NIST", "PCM_16", 0.001), ("MP3", "MPEG_LAYER_III", 0.06),
    ("OGG", "OPUS", 0.03),
])  # fmt: skip
def test_what_libsndfile_reads_is_read(tmp_path, kind, subtype, error):
    """Reliability row 22: of every width."""
    path = tmp_path / "sound"
    path.write_bytes(file_of(WAVE, 16_000, subtype, kind))
    assert sound_file.recognises(path)
    read = sound_file.read(path, 8000, 4000)
    assert np.abs(read[200:3800] - tone(8000, 0.5, 440)[200:3800]).max() < error


@pytest.mark.parametrize(("form", "codec", "rate"), [
    ("ipod", "aac", 16_000), ("adts", "aac", 16_000), ("matroska", "libopus", 48_000),
    ("asf", "wmav2", 44_100), ("amr", "libopencore_amrnb", 8000), ("mov", "pcm_s16le", 16_000),
    ("mpegts", "aac", 48_000), ("matroska", "ac3", 48_000),
])  # fmt: skip
def test_what_only_pyav_reads_is_read(tmp_path, form, codec, rate):
    path = tmp_path / "sound"
    path.write_bytes(contained(form, codec, rate))
    assert sound_file.recognises(path)
    for raw in (path, path.read_bytes()):
        read = sound_file.read(raw, 8000, 3200)
        assert abs(pitch(read[:3200]) - 440) < 3
        assert read[800:2400].std() == pytest.approx(0.5 / 2**0.5, abs=0.05)


def test_a_cover_makes_no_video_of_a_song_and_a_video_is_no_sound(tmp_path):
    song, clip = tmp_path / "song.m4a", tmp_path / "clip.mp4"
    song.write_bytes(contained("mp4", "aac", cover=True))
    video(clip, np.zeros((5, 16, 16, 3), np.uint8))
    assert (sound_file.recognises(song), video_file.recognises(song)) == (True, False)
    assert (sound_file.recognises(clip), video_file.recognises(clip)) == (False, True)


def test_a_flac_from_a_pipe_is_read_to_its_end():
    raw = bytearray(file_of(WAVE, 16_000, kind="FLAC"))
    whole = sound_file.read(bytes(raw), 16_000, None)
    raw[21:26] = bytes([raw[21] & 0xF0, 0, 0, 0, 0])  # 36 bits: how many samples
    np.testing.assert_array_equal(sound_file.read(bytes(raw), 16_000, None), whole)


def header(rate=16_000, channels=1, size=None):
    data = (WAVE * 32767).astype("<i2").tobytes()
    head = struct.pack("<IHHIIHH", 16, 1, channels, rate, rate * 2 & 0xFFFFFFFF, 2, 16)
    size = len(data) if size is None else size
    body = b"WAVEfmt " + head + b"data" + struct.pack("<I", size) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(("lie", "said"), [
    ({"rate": 2**31 - 1, "channels": 1024, "size": 2**32 - 1}, "has 2,147,483,647 samples a sec"),
    ({"rate": 1}, "has 1 samples a second: 100 to 768,000 are read"),
    ({"rate": 0}, "is no sound file, or damaged"), ({"channels": 0}, "Channel count is zero"),
    ({"rate": 2**32 - 1}, "is no sound file, or damaged"),
])  # fmt: skip
def test_a_header_that_lies_is_one_line_and_asks_for_no_memory(tmp_path, lie, said):
    (tmp_path / "bad.wav").write_bytes(header(**lie))
    for raw in (header(**lie), tmp_path / "bad.wav"):
        with memory_limit(64):
            message = refused(said, sound_file.read, raw, 8000, 8000)
        assert "\n" not in message
        assert " at 0x" not in message


def test_a_thousand_channels_a_rate_without_a_divisor_and_a_cut_are_read():
    with memory_limit(300):
        assert len(sound_file.read(header(channels=1024), 8000, 800)) == 4
        assert 80 < len(sound_file.read(header(rate=767_999), 8000, 800)) < 90
    cut = sound_file.read(header()[: 44 + 2000], 16_000, 8000)  # 1000 samples
    np.testing.assert_allclose(cut, WAVE[:1000], atol=1e-4)


def test_all_of_a_sound_is_read_unless_it_is_too_long(monkeypatch):
    assert len(sound_file.read(header(), 8000, None)) == 4000
    monkeypatch.setattr(sound_file, "LONGEST", 8000)
    refused("lasts longer than 0 minutes: cut it", sound_file.read, header(), 8000, None)
    monkeypatch.setattr(sound_file, "BLOCK", 100)
    part = sound_file.read(header(), 16_000, 7000)[:7000]
    np.testing.assert_allclose(part, WAVE[:7000], atol=1e-4)
