"""Pictures of every format and mode that Pillow reads, deep ones by their range (S02, S03)."""

import io
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from datamodules.inputs import picture_file
from datamodules.inputs.picture_file import decode, open_picture
from tests.data import memory_limit, refused
from tests.datamodules.inputs.test_image import crafted_png

GREY = np.array([[0, 100], [4095, 7]])
TAGS = {"bits": 258, "photometric": 262, "low": 340, "high": 341}


def tiff(values, **tags):
    """A TIFF of grey as its specification says, little-endian; tags by TAGS."""
    kind = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    data = values.tobytes()
    entries = {
        256: values.shape[1], 257: values.shape[0], 258: values.itemsize * 8, 259: 1, 262: 1,
        273: 8, 277: 1, 278: values.shape[0], 279: len(data), 339: kind,
        **{TAGS[name]: value for name, value in tags.items()},
    }  # fmt: skip
    directory = struct.pack("<H", len(entries))
    for tag, value in sorted(entries.items()):
        is_real = isinstance(value, float)
        directory += struct.pack("<HHI", tag, 11 if is_real else 4, 1)
        directory += struct.pack("<f" if is_real else "<I", value)
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + directory + bytes(4)


def grey(raw, size=2):
    """The levels of a picture of grey."""
    pixels = decode(raw, size, 3)
    assert (pixels == pixels[..., :1]).all()
    return pixels[..., 0].tolist()


# Formats


@pytest.mark.parametrize(("kind", "ending"), [
    ("PNG", ".apng"), ("JPEG", ".jfif"), ("JPEG", ".jpe"), ("MPO", ".mpo"), ("AVIF", ".avif"),
    ("JPEG2000", ".jp2"), ("PPM", ".pnm"), ("WEBP", ".webp"), ("TIFF", ".tif"),
])  # fmt: skip
def test_every_format_is_read_whatever_its_ending(tmp_path, encoded, kind, ending):
    assert ending in picture_file.SUFFIXES
    pixels = np.full((8, 8, 3), (200, 100, 50), np.uint8)
    for name in (f"a{ending}", "a", "a.txt"):
        (tmp_path / name).write_bytes(encoded(pixels, kind))
        assert picture_file.recognises(tmp_path / name)
        assert np.abs(decode(tmp_path / name, 8, 3).astype(int) - pixels).max() <= 3


@pytest.mark.parametrize("kind", ["ICO", "TGA", "EPS", "PCX", "PDF"])
def test_formats_outside_the_list_are_not_opened(tmp_path, encoded, kind):
    (tmp_path / "a.png").write_bytes(encoded(np.zeros((16, 16, 3), np.uint8), kind))
    assert not picture_file.recognises(tmp_path / "a.png")
    refused(r"a\.png is no picture of a known kind \(PNG, JPEG", decode, tmp_path / "a.png", 8, 3)


def test_heic_says_what_reads_it_and_is_read_where_a_package_does(monkeypatch):
    raw = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    refused("HEIC, which needs the package pillow-heif", decode, raw, 8, 3)

    class Plugin(Image.Image):
        format = "HEIF"

    def opened(file, name):
        picture = Plugin()
        picture.im, picture._mode, picture._size = Image.new("L", (8, 8), 77).im, "L", (8, 8)
        return picture

    monkeypatch.setitem(Image.OPEN, "HEIF", (opened, lambda start: start[4:12] == b"ftypheic"))
    assert (decode(raw, 8, 1) == 77).all()


def test_a_tiff_of_a_rare_kind_is_called_that():
    refused("TIFF of a rare kind, or damaged", decode, tiff(GREY.astype("<f8")), 2, 3)


# Levels


@pytest.mark.parametrize("divisor", [1, 2.0, 4095.0])
def test_floats_are_shown_as_they_are_or_between_the_limits_that_the_file_states(divisor):
    values = (GREY / 4095).astype("<f4")
    wanted = np.round(GREY / 4095 * 255).tolist()
    assert grey(tiff(values)) == wanted
    assert grey(Image.fromarray(values)) == wanted
    wider = ((GREY - 100) / divisor).astype("<f4")
    refused(r"in floats: \[0, 1\] is wanted, or the tags SMin", decode, tiff(wider), 2, 3)
    assert grey(tiff(wider, low=-100 / divisor, high=3995 / divisor)) == wanted


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused(value):
    values = np.array([[0, 1], [0.5, value]], "<f4")
    for raw in (tiff(values), tiff(values, low=0.0, high=2.0), Image.fromarray(values)):
        message = refused("has values that are not finite", decode, raw, 2, 3)
        assert "\n" not in message


@pytest.mark.parametrize("kind", ["<u2", "<i4", "<u4", "<i2"])
@pytest.mark.parametrize(("factor", "top"), [(1 / 17, 255), (1, 4095), (7, 65535)])
def test_whole_numbers_are_of_8_12_or_16_bits(kind, factor, top):
    """The fewest that hold the largest of them: floor(value / top * 255)."""
    values = np.minimum(GREY * factor, top).astype(kind)
    wanted = (values.astype(int) * 255 // top).tolist()
    assert grey(tiff(values)) == wanted
    if kind == "<u2":
        file = io.BytesIO()
        Image.fromarray(values).save(file, "PNG")
        assert grey(file.getvalue()) == grey(Image.fromarray(values)) == wanted
        assert grey(b"P5 2 2 65535\n" + values.astype(">u2").tobytes()) == wanted


def test_what_a_file_states_of_its_numbers_is_believed():
    small = GREY // 64  # 0 to 63
    wanted = np.round(small / 4095 * 255).astype(int)
    limits, values = {"low": 0, "high": 4095}, small.astype("<u2")
    assert grey(tiff(values, **limits)) == wanted.tolist()
    assert grey(tiff(values, **limits, photometric=0)) == (255 - wanted).tolist()
    stated = b"P5 2 2 4095\n" + small.astype(">u2").tobytes()
    assert grey(stated) == (small * 255 // 4095).tolist()
    packed = np.frombuffer(b"\x00\x03\xff\x00\x10\x20", np.uint8).reshape(2, 3)  # 12 bits each
    assert grey(tiff(packed, bits=12).replace(struct.pack("<HHII", 256, 4, 1, 3),
                                              struct.pack("<HHII", 256, 4, 1, 2))) == [
        [0, 63], [0, 1]]  # fmt: skip


@pytest.mark.parametrize("values", [GREY - 5, GREY * 100_000])
def test_whole_numbers_without_a_range_are_refused(values):
    raw = tiff(values.astype("<i4"))
    refused(r"in whole numbers: \[0, 65535\] is wanted, or the tags SMin", decode, raw, 2, 3)
    limits = {"low": float(values.min()), "high": float(values.max())}
    assert grey(tiff(values.astype("<i4"), **limits)) == np.round(GREY / 4095 * 255).tolist()


def test_sixteen_bits_a_colour_keep_their_upper_byte_or_are_refused():
    def raw(*colour):
        return crafted_png(1, 1, zlib.compress(b"\0" + struct.pack(">3H", *colour)), bits=16)

    assert decode(raw(65535, 4096, 0), 1, 3).ravel().tolist() == [255, 16, 0]
    refused("has 16 bits a colour and none above 4095", decode, raw(4095, 300, 0), 1, 3)


def test_a_grey_level_that_is_transparent_is_white(encoded):
    picture = Image.fromarray((GREY * 16).astype(np.uint16))
    levels = grey(encoded(picture, transparency=1600))
    assert levels == [[0, 255], [254, 0]]


def test_lab_is_the_colour_of_its_formula(encoded):
    """CIE 1976, white D50; sRGB by the Bradford-adapted matrix of its profile."""
    values = np.array([[(255, 0, 0), (128, 0, 0)], [(137, 40, 30), (0, 0, 0)]], float)
    light, a, b = values[..., 0] * 100 / 255, values[..., 1], values[..., 2]
    f = np.stack([(light + 16) / 116 + a / 500, (light + 16) / 116, (light + 16) / 116 - b / 200])
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    xyz *= np.array([0.9642, 1, 0.8249])[:, None, None]
    matrix = [[3.1339, -1.6169, -0.4906], [-0.9788, 1.9161, 0.0335], [0.0719, -0.229, 1.4052]]
    linear = np.einsum("ij,jhw->hwi", matrix, xyz).clip(0, 1)
    srgb = np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)
    picture = Image.frombytes("LAB", (2, 2), values.astype(np.int16).astype(np.uint8).tobytes())
    for raw in (picture, encoded(picture, "TIFF")):
        np.testing.assert_allclose(decode(raw, 2, 3), srgb * 255, atol=3)


@pytest.mark.parametrize("mode", ["La", "RGBa", "PA", "HSV", "YCbCr", "CMYK", "RGBX", "1", "I;16B"])
def test_every_mode_of_pillow_becomes_grey_and_colour(mode):
    picture = Image.new(mode, (4, 4))
    assert decode(picture, 4, 1).shape == (4, 4, 1)
    assert decode(picture, 4, 3).shape == (4, 4, 3)


@pytest.mark.parametrize("raw", [Image.new("RGB", (0, 5)), np.zeros((0, 4, 3), np.uint8)])
def test_nothing_is_no_picture(raw):
    refused("has no pixels", decode, raw, 4, 3)


@pytest.mark.parametrize("raw", [None, 3, "a\0b", "a" * 5000, object(), np.array([["a"]])])
def test_whatever_is_no_picture_is_one_line(raw):
    assert "\n" not in refused(r"is no picture|is damaged", decode, raw, 4, 3)


# Size


def test_the_bound_is_a_setting(monkeypatch, encoded):
    picture = Image.new("1", (5001, 5000))
    refused(r"too large \(5001 x 5000 pixels\): at most 25,000,000 .* ZOO_MAX_MEGAPIXELS to more",
            decode, encoded(picture), 8, 1)  # fmt: skip
    monkeypatch.setenv("ZOO_MAX_MEGAPIXELS", "25.1")
    assert (decode(encoded(picture), 8, 1) == 0).all()
    for wrong in ("", "-1", "many", "nan", "inf"):
        monkeypatch.setenv("ZOO_MAX_MEGAPIXELS", wrong)
        said = "ZOO_MAX_MEGAPIXELS is .*: a positive number is wanted"
        refused(said, decode, encoded(picture), 8, 1)


def slopes(width, height):
    """Grey that rises to the right, with its upper half inverted."""
    row = np.linspace(0, 255, width).astype(np.uint8)
    return Image.fromarray(np.repeat([255 - row, row], height // 2, 0))


def test_a_jpeg_above_25_megapixels_is_decoded_at_half_its_size_and_no_other(encoded):
    for side, decoded in ((5000, 5000), (5200, 2600)):
        raw = encoded(slopes(side, side), "JPEG", quality=95)
        with open_picture(raw) as picture:
            assert picture.size == (decoded, decoded)
        wanted = decode(slopes(520, 520), 16, 1).astype(int)
        assert np.abs(decode(raw, 16, 1) - wanted).max() <= 2


def jpeg_header(raw, width, height):
    place = raw.index(b"\xff\xc0" if b"\xff\xc0" in raw else b"\xff\xc2") + 5
    return raw[:place] + struct.pack(">HH", height, width) + raw[place + 4 :]


@pytest.mark.parametrize(("progressive", "side", "said"), [
    (False, 20_000, None), (False, 20_001, "is too large"), (False, 65_000, "is too large"),
    (True, 10_000, None), (True, 10_001, "is too large"),
])  # fmt: skip
def test_a_jpeg_may_claim_sixteen_times_as_much_and_a_progressive_one_four(
    encoded, progressive, side, said
):
    raw = encoded(Image.new("L", (64, 64)), "JPEG", progressive=progressive)
    claimed = jpeg_header(raw, side, side)  # what is missing is grey
    with memory_limit(500):
        if said:
            refused(said, decode, claimed, 8, 1)
        else:
            assert decode(claimed, 8, 1)[4, 4] == 128


@pytest.mark.slow
def test_a_hundred_megapixels_take_less_than_100_mebibytes(tmp_path):
    slopes(12_000, 8400).convert("RGB").save(tmp_path / "a.jpg", quality=90)
    code = """
import resource, sys
from datamodules.inputs.picture_file import decode
from PIL import Image
Image.new("RGB", (8, 8)).save("b.jpg")
decode("b.jpg", 64, 3)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
decode("a.jpg", 64, 3)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    command = [sys.executable, "-c", code]
    grown = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert int(grown.stdout) < 100 << 10  # KiB; all of it would be 403 MB
