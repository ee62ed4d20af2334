import math

import numpy as np
import pytest
import torch

from datamodules.transforms.augment import Augment, AugmentParameters
from datamodules.transforms.warp import FILLS
from datamodules.utilities.draws import Key, make_generator

ALL = {
    "rotation_range": 30.0, "width_shift_range": 0.2, "height_shift_range": 0.2,
    "shear_degrees": 10.0, "zoom_range": 0.2, "horizontal_flip": True, "vertical_flip": True,
    "channel_shift_range": 0.1, "crop_padding": 2, "erasing": 0.5,
}  # fmt: skip
KEY = Key(seed=0, epoch=0, batch=0, size=6, start=0, stop=6)


@pytest.fixture
def images():
    pixels = torch.rand(6, 3, 12, 12, generator=make_generator(0))
    return pixels.to(memory_format=torch.channels_last)


def draws(count=6, **values):
    """Parameters that change nothing but what is given."""
    still = dict.fromkeys(AugmentParameters._fields, 0.0) | {"zoom_x": 1.0, "zoom_y": 1.0} | values
    alike = {name: torch.full((count,), value) for name, value in still.items()}
    return AugmentParameters(**{**alike, "channel_shift": alike["channel_shift"][:, None]})


def shifted(images, rows, columns, fill):
    """Each result [r, c] shows the source [r + rows, c + columns], padded as numpy pads."""
    height, width = images.shape[2:]
    reach = ((0, 0), (0, 0), (abs(rows),) * 2, (abs(columns),) * 2)
    wide = np.pad(images.numpy(), reach, mode=fill)
    top, left = abs(rows) + rows, abs(columns) + columns
    return torch.from_numpy(wide[:, :, top : top + height, left : left + width])


@pytest.mark.parametrize(("rows", "columns"), [(0, 3), (2, 0), (-4, 1), (-1, -5)])
def test_tiles_repeat_the_whole_picture(images, rows, columns):
    """S21: a mode that Keras has not; for the others see test_keras_parity.py."""
    options = {"width_shift_range": 0.5, "fill_mode": "tile"}
    moved = Augment(options).apply(images, draws(shift_x=float(columns), shift_y=float(rows)))
    torch.testing.assert_close(moved, shifted(images, rows, columns, "wrap"), atol=2e-6, rtol=0)


def test_a_picture_that_is_not_square_turns_about_its_centre():
    """S15: where Keras takes one side for the other; all else is in test_keras_parity.py."""
    images = torch.rand(2, 3, 12, 20)
    turned = Augment({"rotation_range": 90}).apply(images, draws(2, rotation=math.pi / 2))
    wanted = torch.rot90(images[..., 4:16], 1, (2, 3))
    torch.testing.assert_close(turned[..., 4:16], wanted, atol=5e-6, rtol=0)


def test_half_of_the_pictures_are_flipped():
    flips = Augment({"horizontal_flip": True}).draw(4000, (8, 8), KEY.generator()).flip_x
    assert set(flips.tolist()) == {0, 1}
    assert abs(flips.mean() - 0.5) < 0.03


def test_zooms_may_be_a_range_of_their_own():  # S19
    found = Augment({"zoom_range": [0.5, 0.8]}).draw(4000, (8, 8), KEY.generator())
    assert 0.5 <= found.zoom_x.min() < 0.51
    assert 0.79 < found.zoom_y.max() <= 0.8


@pytest.mark.parametrize("flip", [0.0, 1.0])
def test_a_crop_moves_whole_pixels_exactly(images, flip):
    options = {"crop_padding": 4, "horizontal_flip": True, "fill_mode": "reflect"}
    found = Augment(options).apply(images, draws(crop_x=2.0, crop_y=-3.0, flip_x=flip))
    wanted = shifted(images, -3, 2, "symmetric")
    assert torch.equal(found, wanted.flip(3) if flip else wanted)


def test_crops_are_whole_numbers_up_to_the_padding():
    found = Augment({"crop_padding": 2}).draw(500, (8, 8), KEY.generator())
    assert set(found.crop_x.tolist()) == set(found.crop_y.tolist()) == {-2, -1, 0, 1, 2}
    assert not torch.equal(found.crop_x, found.crop_y)


def test_a_rectangle_of_some_pictures_is_erased():
    boxes = Augment({"erasing": 0.3}).boxes(4000, (32, 32), KEY.generator())
    shares = boxes.float().mean((1, 2, 3))
    assert abs((shares > 0).float().mean() - 0.3) < 0.03
    assert 0.015 < shares[shares > 0].min() <= shares.max() < 0.36
    rows, columns = boxes.any(3), boxes.any(2)
    assert torch.equal(rows[:, :, :, None] & columns[:, :, None, :], boxes)  # each is a rectangle
    assert boxes.any(0).all()  # they reach the corners


def test_what_is_erased_is_cval_and_the_rest_stays(images):
    found = Augment({"erasing": 1.0, "cval": 0.25})(images, KEY)
    changed = found != images
    assert changed.any((1, 2, 3)).all()
    assert (found[changed] == 0.25).all()


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_a_mixed_picture_is_as_much_of_each_as_its_label_says(name):
    """Pairs of black zeros and white ones: the mean of a picture is the share of ones."""
    labels = torch.arange(400) % 2
    images = labels.float()[:, None, None, None].expand(-1, 3, 16, 16).clone()
    mixed, shares = Augment({name: 1.0}).mix(images, labels, 2, KEY._replace(size=400, stop=400))
    torch.testing.assert_close(shares.sum(1), torch.ones(400))
    torch.testing.assert_close(mixed.mean((1, 2, 3)), shares[:, 1], atol=1e-5, rtol=0)
    mine = shares.gather(1, labels[:, None])[:, 0]
    assert abs(mine.mean() - 0.5) < 0.05  # Beta(1, 1) is uniform
    assert mine.std() > 0.2
    assert ((mixed == 0) | (mixed == 1)).all() == (name == "cutmix")


def test_mixing_is_a_function_of_the_key_and_of_no_rank():
    images, labels = torch.rand(8, 1, 6, 6), torch.arange(8) % 3
    key = KEY._replace(size=8, stop=8)
    augment = Augment({"mixup": 0.4, "cutmix": 1.0})
    whole = augment.mix(images, labels, 3, key)
    for mine in (slice(0, 4), slice(4, 8)):
        own = key._replace(start=mine.start, stop=mine.stop)
        part = augment.mix(images[mine], labels[mine], 3, own)
        torch.testing.assert_close(part, tuple(one[mine] for one in whole))


def test_without_mixing_labels_stay_as_they_are(images):
    given = images, torch.arange(6)
    assert Augment(ALL).mix(*given, 6, KEY) == given


def test_the_draws_keep_to_their_ranges():
    parameters = Augment(ALL).draw(5000, (20, 40), KEY.generator())
    turns = {"rotation": math.radians(30), "shear": math.radians(10)}
    for name, limit in {**turns, "shift_x": 8, "shift_y": 4}.items():
        values = getattr(parameters, name)
        assert 0.99 * limit < values.abs().max() <= limit
        assert abs(values.mean()) < 0.05 * limit
    for zoom in (parameters.zoom_x, parameters.zoom_y):
        assert 0.8 <= zoom.min() < 0.81 < 1.19 < zoom.max() <= 1.2
    assert not torch.equal(parameters.zoom_x, parameters.zoom_y)


def test_pictures_batches_epochs_and_seeds_differ(images):  # S33
    same = images[:1].expand(6, -1, -1, -1)
    changes = ({}, {"batch": 1}, {"epoch": 1}, {"seed": 1})
    results = [Augment(ALL)(same, KEY._replace(**change)) for change in changes]
    pictures = torch.cat(results).flatten(1)
    different = torch.cdist(pictures, pictures) > 1e-3
    assert (different | torch.eye(24, dtype=torch.bool)).all()


@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_the_result_is_a_function_of_the_key_and_of_no_rank(images, world_size):
    whole = Augment(ALL)(images, KEY)
    torch.manual_seed(99)
    share = 6 // world_size
    for rank in range(world_size):
        mine = slice(rank * share, (rank + 1) * share)
        part = Augment(ALL)(images[mine], KEY._replace(start=mine.start, stop=mine.stop))
        torch.testing.assert_close(part, whole[mine])


def test_without_options_nothing_changes(images):
    still = {"rotation_range": 0.0, "horizontal_flip": False}
    for options in ({}, {"fill_mode": "constant", "cval": 0.3}, still):
        assert Augment(options)(images, KEY) is images


@pytest.mark.parametrize("options", [ALL, {"horizontal_flip": True}])
@pytest.mark.parametrize("fill", FILLS)
def test_type_and_memory_layout_stay(images, options, fill):
    result = Augment({**options, "fill_mode": fill})(images, KEY)
    assert result.dtype == images.dtype
    assert result.is_contiguous(memory_format=torch.channels_last)
    assert 0 <= result.min() <= result.max() <= 1 + 1e-6


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_device_does_not_matter(images):  # S33
    on_cpu = Augment(ALL)(images, KEY)
    torch.testing.assert_close(Augment(ALL)(images.cuda(), KEY).cpu(), on_cpu, atol=1e-4, rtol=0)
