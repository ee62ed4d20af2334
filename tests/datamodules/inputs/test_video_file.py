"""Clips in every container that PyAV reads, animations, and AVIs with empty packets (S50)."""

import io
import struct

import av
import numpy as np
import pytest
from av.stream import Disposition
from PIL import Image

from datamodules.inputs import video_file
from datamodules.inputs.video_file import read_video
from tests.data import refused
from tests.tiny.video_folder import video


def levels(raw):
    """The mean of each frame, and their times."""

    def mean(frame):
        return np.asarray(frame if isinstance(frame, np.ndarray) else frame.convert("RGB")).mean()

    return read_video(raw, mean)


def film(file, clip, codec="mpeg4", rate=10, form=None, pixels="yuv420p", times=None, **tags):
    """Write frames (T, H, W, 3 or 4), uint8, as a video, shown at these times."""
    with av.open(file, "w", format=form) as container:
        container.metadata.update(tags)
        size = {"height": clip.shape[1], "width": clip.shape[2]}
        stream = container.add_stream(codec, rate=rate, pix_fmt=pixels, **size)
        stream.bit_rate = 2_000_000
        for frame, time in zip(clip, times or range(len(clip)), strict=True):
            picture = av.VideoFrame.from_ndarray(frame, "rgba" if clip.shape[3] == 4 else "rgb24")
            picture.pts = time
            container.mux(stream.encode(picture))
        container.mux(stream.encode())


def rising(count, height=32, width=32):
    greys = np.linspace(20, 230, count)[:, None, None, None]
    return np.broadcast_to(greys, (count, height, width, 3)).astype(np.uint8)


@pytest.mark.parametrize(("ending", "codec"), [
    ("mpeg", "mpeg1video"), ("vob", "mpeg2video"), ("wmv", "wmv2"), ("asf", "msmpeg4v3"),
    ("ts", "mpeg2video"), ("mts", "mpeg2video"), ("flv", "flv1"), ("3gp", "mpeg4"),
    ("webm", "libvpx"), ("ogv", "libvpx"), ("avi", "mjpeg"),
])  # fmt: skip
def test_every_container_is_read_and_recognised(tmp_path, ending, codec):
    form = {"mts": "mpegts", "wmv": "asf", "vob": "dvd"}.get(ending)
    clip, path = rising(8), tmp_path / "clip"
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    film(tmp_path / f"a.{ending}", clip, codec, 25, form, pixels)
    path.write_bytes((tmp_path / f"a.{ending}").read_bytes())
    assert f".{ending}" in video_file.SUFFIXES
    assert video_file.recognises(path)
    greys, times = levels(path)
    np.testing.assert_allclose(greys, clip.mean((1, 2, 3)), atol=6)
    np.testing.assert_allclose(np.diff(times), 1 / 25, atol=0.002)


# Animations


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_an_animation_is_a_clip_with_the_times_of_its_frames(tmp_path, kind):
    frames, path = [Image.new("RGB", (8, 6), (v, v, v)) for v in (0, 100, 200)], tmp_path / "clip"
    more = {"save_all": True, "append_images": frames[1:], "duration": [40, 500, 60]}
    frames[0].save(path, kind, **more, **({"lossless": True} if kind == "WEBP" else {}))
    assert video_file.recognises(path)
    for raw in (path, path.read_bytes()):
        greys, times = levels(raw)
        assert greys == [0, 100, 200]
        np.testing.assert_allclose(times, [0, 0.04, 0.54])
    assert video_file.decode(path, 4, 1, 3, None).mean((1, 2, 3)).tolist() == [0, 100, 200]


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_a_still_one_has_one_frame_and_is_no_video(tmp_path, kind):
    Image.new("RGB", (8, 6), (9, 9, 9)).save(tmp_path / "still", kind, lossless=True)
    assert levels(tmp_path / "still") == ([9], [0])
    assert not video_file.recognises(tmp_path / "still")


def test_frames_of_a_gif_without_durations_are_a_tenth_of_a_second_long(tmp_path):
    frames = [Image.new("L", (4, 4), v) for v in (0, 255)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert levels(tmp_path / "a.gif")[1] == [0, 0.1]


def test_a_cut_or_an_oversized_animation_is_refused(tmp_path, monkeypatch):
    noise = np.random.default_rng(0).integers(0, 256, (5, 32, 32), np.uint8)
    frames = [Image.fromarray(frame) for frame in noise]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    data = (tmp_path / "a.gif").read_bytes()
    refused("is damaged or no video", levels, data[: len(data) // 2])
    monkeypatch.setenv("ZOO_MAX_MEGAPIXELS", "0.001")
    refused(r"is too large \(32 x 32 pixels\)", levels, data)


# AVI


def avi(path, replace):
    """An AVI of 30 noisy frames, each chunk of which is replaced."""
    noise = np.random.default_rng(0).integers(0, 99, (30, 32, 32, 3), np.uint8)
    video(path, noise)
    data = path.read_bytes()
    start, place, body = data.index(b"movi"), data.index(b"movi") + 4, b"movi"
    (size,) = struct.unpack("<I", data[start - 4 : start])
    while place < start + size:
        name, length = struct.unpack("<4sI", data[place : place + 8])
        chunk = replace(len(body), data[place + 8 : place + 8 + length])
        body += struct.pack("<4sI", name, len(chunk)) + chunk + b"\0" * (len(chunk) % 2)
        place += 8 + length + length % 2
    rest = data[12 : start - 8] + struct.pack("<4sI", b"LIST", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(rest)) + b"AVI " + rest


NOTHING_CODED = b"\0\0\1\xb6\x50\x9f"  # MPEG-4 part 2: a P-VOP that is not coded


@pytest.mark.parametrize("empty", [b"", NOTHING_CODED])
@pytest.mark.parametrize("dropped", [{1, 4, 9}, {27, 28, 29}, set(range(1, 30))])
def test_an_avi_with_dropped_frames_is_whole(tmp_path, empty, dropped):
    numbers = iter(range(30))
    data = avi(tmp_path / "a.avi", lambda _, chunk: empty if next(numbers) in dropped else chunk)
    wanted = [i / 10 for i in range(30) if i not in dropped]
    times = levels(data)[1]  # of what is not coded at the end, the decoder shows the last again
    np.testing.assert_allclose(times[: len(wanted)], wanted)
    assert set(times[len(wanted) :]) <= {2.9}
    refused(r"is cut short: \d+ of 30 frames are there", levels, data[: len(data) - 100])


def test_an_avi_whose_end_was_never_downloaded_is_cut_short(tmp_path):
    data = avi(tmp_path / "a.avi", lambda _, chunk: chunk)
    half = len(data) // 2
    refused("is cut short", levels, data[:half] + bytes(len(data) - half))


def test_frames_that_are_not_evenly_spaced_keep_their_times(tmp_path):
    film(tmp_path / "a.mp4", rising(4, 16, 16), rate=100, times=[0, 3, 50, 51])
    np.testing.assert_allclose(levels(tmp_path / "a.mp4")[1], [0, 0.03, 0.5, 0.51])


# Streams and pixels


def test_the_cover_of_a_film_is_not_the_film(tmp_path):
    with av.open(tmp_path / "a.mp4", "w") as container:
        cover = container.add_stream("mjpeg", width=16, height=16, pix_fmt="yuvj420p")
        cover.disposition = Disposition.attached_pic
        film = container.add_stream("mpeg4", rate=10, width=16, height=16)
        container.mux(cover.encode(av.VideoFrame(16, 16, "yuvj420p")))
        for frame in rising(5, 16, 16):
            container.mux(film.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        container.mux([*cover.encode(), *film.encode()])
    assert len(levels(tmp_path / "a.mp4")[0]) == 5


@pytest.mark.parametrize(("codec", "form", "size"), [
    ("ffv1", "yuv420p10le", (18, 34)), ("ffv1", "bgr0", (17, 33)), ("png", "rgb24", (1, 7)),
    ("ffv1", "gray", (9, 5)), ("ffv1", "gray16le", (9, 5)),
])  # fmt: skip
def test_odd_sizes_ten_bits_and_grey_are_read(codec, form, size):
    memory = io.BytesIO()
    film(memory, rising(3, *size), codec, 10, "mov" if codec == "png" else "matroska", form)
    images, _ = read_video(memory.getvalue(), lambda frame: frame)
    assert images[0].shape == (*size, 3)
    np.testing.assert_allclose([image.mean() for image in images], [20, 125, 230], atol=3)


def test_transparent_frames_lie_on_white(tmp_path):
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:4, :, 3] = 255
    film(tmp_path / "a.mov", pixels[None], "png", pixels="rgba")
    found = video_file.decode(tmp_path / "a.mov", 8, 3, 1, None)[0]
    assert (found[:4].max(), found[4:].min()) == (0, 255)


def test_names_in_another_alphabet_than_utf_8_do_no_harm(tmp_path):
    path = tmp_path / "a.avi"
    film(path, rising(1, 16, 16), title="TITLE")
    path.write_bytes(path.read_bytes().replace(b"TITLE", b"Stra\xdfe"[:5]))
    assert len(levels(path)[0]) == 1
