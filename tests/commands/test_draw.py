"""`zoo draw`: what the pictures show, what is said beside them, and what is refused."""

import io
import re
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest
import torch
from PIL import Image

import zoo
from datamodules.transforms.augment import Augment, Options
from datamodules.utilities.draws import Key
from tests.data import opened
from zoo.demos import augment, convolution
from zoo.demos.picture import read
from zoo.figures.raster import GAP
from zoo.nn import feature_maps

WIDE, HIGH = 40, 30


@pytest.fixture
def colour(tmp_path):
    """my.png: as many colours as pixels."""
    pixels = np.random.default_rng(0).integers(0, 256, (HIGH, WIDE, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "my.png")
    return pixels


def tiles(path, columns, rows=1):
    """The pictures of a sheet, shrunk to their own pixels."""
    sheet = np.asarray(Image.open(path))[:, :, :3]
    high, wide = (sheet.shape[0] + GAP) // rows, (sheet.shape[1] + GAP) // columns
    scale = (wide - GAP) // WIDE
    strips = [sheet[y * high : (y + 1) * high - GAP : scale] for y in range(rows)]
    places = range(0, columns * wide, wide)
    return [strip[:, x : x + wide - GAP : scale] for strip in strips for x in places]


def test_a_filter_stands_beside_its_picture(command, colour):
    """S41."""
    out = command.ran("draw", "filter", "my.png", "--kernel", "emboss", "-o", "seen.png")
    assert out.splitlines()[-1] == "picture   seen.png"
    before, after = tiles("seen.png", columns=2)
    assert (before == colour).all()
    wanted = convolution.responses(colour, convolution.kernels("emboss"), "same")[0] + 128
    assert (after == wanted.clip(0, 255)).all()


@pytest.mark.parametrize("pair", [
    ([], ["--kernel", "4 0 0; 0 0 0; 0 0 -4"]),
    (["--kernel", "1 2 3; 4 5 6; 7 8 -36"], ["--kernel", "-36 8 7; 6 5 4; 3 2 1", "--flip"]),
])  # fmt: skip
def test_a_kernel_draws_the_same_by_name_and_numbers_and_flipped_twice(pair, command, colour):
    """S41: cross-correlation against convolution."""
    drawn = set()
    for arguments in pair:
        out, flipped = command.ran("draw", "filter", "my.png", *arguments), "--flip" in arguments
        assert ("(convolution)" in out, "(cross-correlation)" in out) == (flipped, not flipped)
        drawn.add(Path("filter.png").read_bytes())
    assert len(drawn) == 1


def test_the_sum_is_written_out_for_the_pixel_that_is_asked_for(command, colour):
    """S41: the products, their sum, and the level that stands in the picture."""
    _, out, _ = command("draw", "filter", "my.png", "--at", "10,20")
    assert "at row 10, column 20" in out
    after = tiles("filter.png", columns=2)[1]
    for channel, name in enumerate(("red", "green", "blue")):
        block = out.split(f"  {name}\n")[1]
        sum_of = 4 * int(colour[9, 19, channel]) - 4 * int(colour[11, 21, channel])
        assert block.split("= ")[1].split()[0] == str(sum_of)
        assert block.split("shown as ")[1].split()[0] == str(after[10, 20, channel])
        assert f"( 4 x {colour[9, 19, channel]:>3})" in block.split("=")[0]


@pytest.mark.parametrize(
    ("border", "edge", "size"), [("same", 2, "30 x 40"), ("valid", 0, "26 x 36")]
)
def test_size_and_middle_are_written_out(border, edge, size, command, colour):
    """S42."""
    out = command.ran("draw", "filter", "my.png", "--kernel", "blur", "--border", border)
    assert f"(30 + 2 x {edge} - 5 + 1) x (40 + 2 x {edge} - 5 + 1) = {size} pixels" in out
    assert "row 15, column 20" in out


def test_sobel_writes_both_directions_and_the_magnitude(command, colour):
    _, out, _ = command("draw", "filter", "my.png", "--kernel", "sobel")
    after = tiles("filter.png", columns=2)[1]
    for channel, found in enumerate(re.findall(r"sqrt\((.*)\) = (.*)\n.*shown as (\d+)", out)):
        across, down = map(float, re.findall(r"\((\S+)\)\^2", found[0]))
        assert float(found[1]) == pytest.approx(np.hypot(across, down), abs=0.06)
        assert int(found[2]) == after[15, 20, channel]


def test_the_planes_are_tinted_and_sum_to_the_picture_exactly(command, colour):
    """S03."""
    out = command.ran("draw", "planes", "my.png")
    assert "100% of its values" in out
    for name, plane in zip(("red", "green", "blue"), np.moveaxis(colour, 2, 0), strict=True):
        assert f"{name:<9} {plane.min()} to {plane.max()}, mean {plane.mean():.1f}\n" in out
    *parts, whole = tiles("planes.png", columns=2, rows=2)
    for channel, part in enumerate(parts):
        assert (part[:, :, channel] == colour[:, :, channel]).all()
        assert not np.delete(part, channel, axis=2).any()
    assert (whole == colour).all()


def test_a_grey_picture_stays_grey(command, colour, tmp_path):
    Image.fromarray(colour[:, :, 0]).save(tmp_path / "grey.png")
    _, out, _ = command("draw", "filter", "grey.png", "--kernel", "blur")
    assert all(one in out for one in ("30 x 40 x 1", "  grey\n"))
    after = tiles("filter.png", columns=2)[1]
    assert (after == after[:, :, :1]).all()
    command("draw", "planes", "grey.png")
    *parts, whole = tiles("planes.png", columns=2, rows=2)
    assert all((part.max(axis=2) == colour[:, :, 0]).all() for part in parts)
    assert (whole == colour[:, :, :1]).all()


def saved(image, kind, **options):
    image.save(file := io.BytesIO(), kind, **options)
    return file.getvalue()


def test_a_picture_is_turned_by_exif_lies_on_white_and_is_scaled_down_where_large(tmp_path, colour):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    clear = Image.fromarray(np.zeros((2, 3, 4), np.uint8))
    (tmp_path / "clear.png").write_bytes(saved(clear, "PNG", exif=exif))
    found, name = read("clear.png", 512)
    assert found.tolist() == np.full((3, 2, 1), 255).tolist()
    assert name.startswith("clear.png: 3 x 2 x 1")
    Image.new("RGB", (2000, 500), "red").save(tmp_path / "large.png")
    assert read("large.png", 512)[0].shape == (128, 512, 3)
    assert (read("my.png", 512)[0] == colour).all()


def test_the_variants_are_those_of_training_after_the_picture_itself(command, colour):
    """S30: the sheet is Augment's own work, by its key."""
    asked = ["rotation_range=30", "horizontal_flip=true", "fill_mode=constant", "cval=0.5"]
    words = ["draw", "augment", "my.png", "--count", "5", *asked, "--seed", "3"]
    assert " ".join(asked) in command.ran(*words)
    first, *rest = tiles("augment.png", columns=3, rows=2)
    assert (first == colour).all()
    options = dict(rotation_range=30, horizontal_flip=True, fill_mode="constant", cval=0.5)
    images = torch.from_numpy(colour).permute(2, 0, 1).float().div(255).expand(5, -1, -1, -1)
    wanted = Augment(options)(images, Key(seed=3, epoch=0, batch=0, size=5, start=0, stop=5))
    assert (np.stack(rest) == wanted.mul(255).round().permute(0, 2, 3, 1).numpy()).all()


def test_without_options_lively_ones_are_taken_and_printed(command, colour):
    _, out, _ = command("draw", "augment", "my.png", "--count", "3")
    assert all(one in out for one in ("rotation_range=20 ", "horizontal_flip=true"))
    picture, *variants = tiles("augment.png", columns=2, rows=2)
    assert len({tile.tobytes() for tile in (picture, *variants)}) == 4
    written = [f"{key}={value}" for key, value in augment.DEFAULTS.items()]
    assert augment.parse_options(written) == augment.DEFAULTS


def test_the_first_word_is_an_option_unless_there_is_such_a_picture(command, colour, tmp_path):
    words = ["draw", "augment", "zoom_range=0.5", "--count", "1"]
    assert "scikit-learn" in command.ran(*words)
    (tmp_path / "my.png").rename(tmp_path / "zoom_range=0.5")
    out = command.ran(*words)
    assert all(one in out for one in ("zoom_range=0.5: 30 x 40 x 3", "horizontal_flip=true"))


def test_every_option_of_augmentation_is_taken(command, colour):
    """S30: whatever `Options` names, without a list beside it."""
    for name, kind in get_type_hints(Options).items():
        value = get_args(kind)[0] if get_origin(kind) is Literal else "true" if kind is bool else 0
        words = ["draw", "augment", "my.png", f"{name}={value}", "--count", "1"]
        assert words[3] in command.ran(*words)


def test_a_variant_beyond_white_is_white_and_not_black(monkeypatch):
    monkeypatch.setattr(Augment, "__call__", lambda self, images, key: images + 0.5)
    assert (augment.variants(np.full((2, 2, 1), 200, np.uint8), {}, count=1, seed=0) == 255).all()


def test_a_data_sets_picture_is_varied_as_its_training_does(command):
    """S30: enlarged with its pixels to be seen."""
    out = command.ran("draw", "augment", "--data", "digits", "--count", "3")
    data = opened("digits")
    first = data.arrays("train")[0][0]
    own = data.hparams["augment"]
    assert " ".join(f"{key}={value}" for key, value in own.items()) in out
    sheet = np.asarray(Image.open("augment.png"))[:, :, 0]
    side = (sheet.shape[0] - GAP) // 2
    assert side == 28 * (512 // 28)
    assert (sheet[:side:18, :side:18] == first[:, :, 0]).all()
    varied = augment.variants(first, own, count=3, seed=0)
    assert (sheet[-side::18, -side::18] == varied[2, :, :, 0]).all()
    words = ["draw", "augment", "--data", "digits", "horizontal_flip=true", "--count", "1"]
    assert "options   horizontal_flip=true\n" in command.ran(*words)  # in the place of its own


def test_maps_show_the_filters_and_each_convolution_of_a_trained_network(command):
    """S43: on a test picture of the data that it learned from."""
    out = command.ran("draw", "maps", "image_cnn_2017.digits", "-o", "seen.png")
    convolutions = feature_maps.convolutions(zoo.load("image_cnn_2017.digits"))
    assert out.startswith("input     a test picture of digits\nfilters   ")
    assert re.findall(r"maps      (\S+):", out) == list(convolutions)
    sheet = np.asarray(Image.open("seen.png"))
    assert sheet.shape[1] > 500
    assert sheet.shape[0] > 100 * len(convolutions)
    assert out.endswith("picture   seen.png\n")


def test_maps_are_drawn_of_a_picture_of_yours_in_the_networks_size(command, colour, tmp_path):
    assert "input     my.png\n" in command.ran("draw", "maps", "image_cnn_2017", "my.png")
    yours = (tmp_path / "maps.png").read_bytes()
    command.ran("draw", "maps", "image_cnn_2017")
    assert (tmp_path / "maps.png").read_bytes() != yours
    assert np.asarray(Image.open(tmp_path / "maps.png")).shape[1] > 400


@pytest.mark.slow
def test_of_a_clip_the_first_frame_is_followed(command):
    _, out, _ = command("draw", "maps", "video_recurrent")
    assert out.count("maps ") == 3
    assert np.asarray(Image.open("maps.png")).shape[1] > 8 * 64


@pytest.mark.parametrize(("line", "said"), [
    ("", "required: what"), ("fliter", "'filter', 'planes', 'augment', 'maps'"),
    ("filter gone.png", "gone.png: there is no such picture"),
    ("planes text.png", "text.png is no picture"), ("augment cut.png", "cut.png is damaged"),
    ("filter my.png --kernel 1,2", "'1,2'"), ("filter my.png --kernel nan", "outside"),
    ("filter my.png --border reflect", "'same', 'valid'"),
    ("filter my.png --at 3", "'3' is not ROW,COLUMN"), ("filter my.png --at 30,0", "rows 0 to 29"),
    ("filter my.png --border valid --at 0,0", "rows 1 to 28"),
    ("filter my.png --bordr valid", "--bordr"), ("filter my.png second.png", "second.png"),
    ("planes my.png --kernel blur", "--kernel"), ("planes my.png -o my.png", "the picture itself"),
    ("planes my.png -o x.jpg", "ends in .png"), ("planes my.png -o gone/x.png", "no folder gone"),
    ("augment my.png rotatin_range=3", "did you mean 'rotation_range'?"),
    ("augment my.png rotation_range=300", "less than or equal to 180"),
    ("augment my.png rotation_range=nan", "rotation_range is nan"),
    ("augment my.png rotation_range=1,2", "rotation_range is '1,2'"),
    ("augment my.png rotation_range", "write key=value"),
    ("augment my.png horizontal_flip=3", "valid boolean"),
    ("augment my.png fill_mode=wrapp", "fill_mode is 'wrapp': it should be 'nearest'"),
    ("augment my.png --count 0", "1 to 99"), ("augment my.png --count many", "'many'"),
    ("augment my.png --seed -1", "0 or more"), ("augment --data digts", "did you mean 'digits'?"),
    ("augment --data negated_reviews", "holds no pictures"),
    ("augment my.png --data digits", "give one of them"), ("augment --data cifar10", "$ZOO_DATA"),
    ("maps text_cnn.negated_reviews", "has no 2-D convolution"),
    ("maps gan.digits", "does not look at pictures"),
    ("maps image_cnn_2016.digits", "did you mean 'image_cnn_2017.digits'?"),
    ("maps image_cnn_2017.digits gone.png", "gone.png: there is no such picture"),
])  # fmt: skip
def test_what_is_wrong_is_one_line_and_exit_code_2(line, said, command, colour, tmp_path):
    """S41 and rows 1-3, 11 and 15 of the errors that a person can make."""
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "cut.png").write_bytes((tmp_path / "my.png").read_bytes()[:500])
    before = sorted(tmp_path.iterdir())
    assert said in command.refused("draw", *line.split())
    assert sorted(tmp_path.iterdir()) == before
