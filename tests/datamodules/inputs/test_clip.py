"""Raw clips become batches, and videos that are broken are named (S50, S51)."""

import sys

import av
import numpy as np
import pytest
import torch

from datamodules.inputs.clip import ClipInput, fold, tiles, unfold
from datamodules.inputs.video_file import decode, pick
from tests.data import missing, refused
from tests.tiny.video_folder import pictures, video


def read(raw, frames=4, size=16, channels=3, rate=None):
    return decode(raw, size, channels, frames, rate)


def rising(count, size=16):
    """Frames (count, size, size, 3), each of one grey, from dark to bright."""
    levels = np.linspace(20, 230, count)[:, None, None, None]
    return np.broadcast_to(levels, (count, size, size, 3)).astype(np.uint8)


def greys(clip):
    """The mean of each frame."""
    return clip.reshape(len(clip), -1).mean(1)


def an_input(**changes):
    own = {"image_size": 4, "channels": 1, "frames": 5, "rate": None, "unfold": False}
    return ClipInput(**{**own, "mean": [0.5], "std": [0.25], **changes})


# Which frames are taken (S50)


@pytest.mark.parametrize(("count", "frames", "wanted"), [
    (10, 10, list(range(10))), (10, 5, [1, 3, 5, 7, 9]), (9, 3, [1, 4, 7]), (100, 1, [50]),
    (2, 4, [0, 0, 1, 1]), (1, 3, [0, 0, 0]),
])  # fmt: skip
def test_without_a_rate_frames_are_spread_evenly_over_the_clip(count, frames, wanted):
    assert pick(np.arange(count) / 25, frames, None).tolist() == wanted


@pytest.mark.parametrize(("count", "fps", "frames", "rate", "wanted"), [
    (9, 10, 3, 10, [3, 4, 5]), (9, 10, 3, 5, [2, 4, 6]), (30, 30, 4, 10, [10, 13, 16, 19]),
    # too short, the last is held; seen more often than there are frames
    (5, 10, 5, 10, [0, 1, 2, 3, 4]),
    (3, 10, 5, 10, [0, 1, 2, 2, 2]), (3, 5, 4, 10, [0, 0, 1, 2]),
])  # fmt: skip
def test_with_a_rate_a_window_about_the_middle_is_taken(count, fps, frames, rate, wanted):
    found = pick(7.0 + np.arange(count) / fps, frames, rate).tolist()
    assert found == wanted or fps < rate  # halfway between two either will do
    assert abs(np.array(found) - wanted).max() <= (fps < rate)


def test_times_rounded_to_milliseconds_change_nothing():
    times = np.arange(61) / 30
    assert pick(times.round(3), 8, 15).tolist() == pick(times, 8, 15).tolist()


# Raw clips (S50)


@pytest.mark.parametrize("ending", ["mp4", "avi", "mkv", "mov", "m4v", "mpg"])
def test_a_video_comes_back_frame_by_frame(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    codec, rate = ("mpeg1video", 25) if ending == "mpg" else ("mpeg4", 10)
    video(path, rising(8, 32), codec, rate)
    np.testing.assert_allclose(read(path, 8), rising(8), atol=4)


def test_a_path_bytes_an_array_and_a_folder_are_the_same(tmp_path):
    video(tmp_path / "a.mp4", rising(8))
    whole = read(tmp_path / "a.mp4", 8)
    pictures(tmp_path / "a", whole)
    raws = [str(tmp_path / "a.mp4"), (tmp_path / "a.mp4").read_bytes(), whole, tmp_path / "a"]
    for raw in [*raws, torch.from_numpy(whole), whole / 255]:
        np.testing.assert_array_equal(read(raw), read(tmp_path / "a.mp4"))


def test_frames_of_a_folder_are_in_the_order_of_their_names(tmp_path):
    pictures(tmp_path / "a", rising(5))
    for name in ("notes.txt", "._001.png", ".hidden.png"):
        (tmp_path / "a" / name).write_text("no frame")
    np.testing.assert_array_equal(greys(read(tmp_path / "a", 5)), greys(rising(5)))


def test_frames_are_cropped_to_a_square_about_their_centre():
    clip = np.zeros((3, 8, 24, 3), np.uint8)
    clip[:, :, 8:16] = 200
    assert (read(clip, size=8) == 200).all()


def test_grey_is_one_channel():
    assert read(rising(4), channels=1).shape == (4, 16, 16, 1)
    np.testing.assert_allclose(greys(read(rising(4), channels=1)), greys(rising(4)), atol=1)


def test_the_rate_is_that_of_the_clock_not_of_the_frames(tmp_path):
    """S50: a video of 20 frames a second seen at 5: each fourth frame."""
    video(tmp_path / "a.mp4", rising(20), rate=20)
    found = greys(read(tmp_path / "a.mp4", 4, rate=5))
    np.testing.assert_allclose(found, greys(rising(20))[[3, 7, 11, 15]], atol=8)


def test_a_video_that_a_phone_turned_is_turned_back(tmp_path):
    upright = rising(4, 32)
    upright[:, :8] = 255  # a bright bar at the top
    video(tmp_path / "a.mp4", np.ascontiguousarray(np.rot90(upright, -1, (1, 2))), turn=90)
    found = read(tmp_path / "a.mp4", size=32)
    np.testing.assert_allclose(found.mean((2, 3)), upright.mean((2, 3)), atol=12)


# Batches and back


def test_a_batch_is_channels_frames_rows_columns():
    clips = np.random.default_rng(0).integers(0, 256, (2, 5, 4, 4, 3), np.uint8)
    batch = an_input(channels=3, mean=[0.1, 0.2, 0.3], std=[0.5, 0.5, 0.5])(clips)
    assert batch.shape == (2, 3, 5, 4, 4)
    assert batch[1, 2, 3, 0, 1] == pytest.approx((clips[1, 3, 0, 1, 2] / 255 - 0.3) / 0.5, abs=1e-6)


@pytest.mark.parametrize("unfolded", [False, True])
def test_a_batch_is_restored_exactly(unfolded):
    clips = np.random.default_rng(0).integers(0, 256, (3, 5, 4, 4, 1), np.uint8)
    one = an_input(unfold=unfolded)
    np.testing.assert_array_equal(one.restore(one(clips)), clips)


def test_a_list_is_many_clips_and_an_array_may_be_one():
    one = an_input()
    assert one(np.zeros((7, 9, 9), np.uint8)).shape == (1, 1, 5, 4, 4)
    assert one([np.zeros((7, 9, 9), np.uint8), rising(3)]).shape == (2, 1, 5, 4, 4)
    refused("the list is empty", one, [])


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 3), (0, 4, 4), (2, 3, 4, 4, 3, 1)])
def test_a_wrong_layout_is_named(shape):
    refused(r"\(T, H, W\) or \(T, H, W, C\) is wanted", read, np.zeros(shape, np.uint8))


# Unfolded (S51)


def test_frames_are_tiled_in_reading_order():
    """S51, by hand: five frames of 2 x 2 in two rows of three."""
    clip = torch.arange(1.0, 6)[None, None, :, None, None].expand(1, 1, 5, 2, 2)
    rows = [[1, 1, 2, 2, 3, 3]] * 2 + [[4, 4, 5, 5, 0, 0]] * 2
    assert unfold(clip)[0, 0].tolist() == rows


def test_pixels_keep_their_places_in_their_tile():
    clips = torch.randn(2, 3, 10, 5, 7)
    picture = unfold(clips)
    assert picture.shape == (2, 3, 15, 28)
    assert torch.equal(picture[:, :, 5:10, 14:21], clips[:, :, 6])
    assert torch.equal(fold(picture, 10), clips)


def test_the_picture_has_about_as_many_rows_as_columns():
    wanted = {1: (1, 1), 4: (2, 2), 5: (2, 3), 10: (3, 4), 16: (4, 4)}
    assert {frames: tiles(frames) for frames in wanted} == wanted


# What is broken (reliability.md, row 19)


def whole(path):
    """The bytes of a faultless video of 30 frames."""
    noise = np.random.default_rng(0).integers(0, 99, (30, 32, 32, 3), np.uint8)
    video(path, noise + rising(30, 32) // 2)
    return path.read_bytes()


@pytest.mark.parametrize("tenth", range(10))
@pytest.mark.parametrize("ending", ["mp4", "avi"])
def test_a_cut_video_is_an_error(tmp_path, ending, tenth):
    data = whole(tmp_path / f"whole.{ending}")
    (tmp_path / f"cut.{ending}").write_bytes(data[: len(data) * (2 * tenth + 1) // 20])
    with pytest.raises(ValueError, match=rf"cut\.{ending} (is damaged|is cut short|has no video)"):
        read(tmp_path / f"cut.{ending}")


def test_a_matroska_file_is_read_as_far_as_it_goes(tmp_path):
    """It is made for streaming: nothing in it says how much should follow."""
    data = whole(tmp_path / "a.mkv")
    np.testing.assert_array_equal(read(data[: len(data) // 2], 1, 32)[0].shape, (32, 32, 3))


def test_without_its_index_an_mp4_is_an_error(tmp_path):
    (tmp_path / "a.mp4").write_bytes(whole(tmp_path / "b.mp4").replace(b"moov", b"junk"))
    refused(r"a\.mp4 is damaged or no video", read, tmp_path / "a.mp4")


def test_sound_alone_is_no_video(tmp_path):
    with av.open(tmp_path / "a.mp4", "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.rate = 8000
        container.mux([*stream.encode(frame), *stream.encode()])
    refused(r"a\.mp4 has no video in it: found audio", read, tmp_path / "a.mp4")


def test_a_video_without_frames_is_an_error(tmp_path):
    video(tmp_path / "a.avi", rising(1, 32)[:0])
    refused(r"a\.avi has no frames that can be read", read, tmp_path / "a.avi")


def test_a_wrong_duration_in_the_header_is_not_believed(tmp_path):
    data = bytearray(whole(tmp_path / "a.mp4"))
    place = data.index(b"mvhd") + 20  # version, flags, two dates, units a second
    data[place : place + 4] = (2**31 - 1).to_bytes(4, "big")
    np.testing.assert_array_equal(read(bytes(data), 8, 32), read(tmp_path / "a.mp4", 8, 32))


@pytest.mark.parametrize("data", [b"", b"\0" * 5000, b"no video " * 99, b"#EXTM3U\n/etc/passwd\n"])
def test_what_is_no_video_is_an_error(tmp_path, data):
    (tmp_path / "a.mp4").write_bytes(data)
    refused(r"a\.mp4 is damaged or no video", read, tmp_path / "a.mp4")


def test_a_picture_is_no_video(encoded):
    refused("is damaged or no video", read, encoded(np.zeros((8, 8, 3), np.uint8)))


def test_a_missing_video_and_an_empty_folder_are_named(tmp_path):
    missing(r"gone\.mp4: there is no such video", read, tmp_path / "gone.mp4")
    refused("has no pictures in it", read, tmp_path)
    (tmp_path / "1.png").write_text("no picture")
    refused(r"1\.png is no picture", read, tmp_path)


def test_too_many_frames_or_pixels_are_refused(tmp_path, monkeypatch):
    video(tmp_path / "a.mp4", rising(8))
    monkeypatch.setattr("datamodules.inputs.video_file.MAX_FRAMES", 7)
    refused(r"a\.mp4 has more than 7 frames", read, tmp_path / "a.mp4")
    monkeypatch.setenv("ZOO_MAX_MEGAPIXELS", "0.0001")
    refused(r"a\.mp4 is too large \(16 x 16 pixels\)", read, tmp_path / "a.mp4")


def test_without_the_package_av_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    (tmp_path / "a.mp4").touch()
    with pytest.raises(ModuleNotFoundError, match=r'pip install "lightning-zoo\[video\]"'):
        read(tmp_path / "a.mp4")
    pictures(tmp_path / "a", rising(4))
    assert read(tmp_path / "a").shape == (4, 16, 16, 3)
