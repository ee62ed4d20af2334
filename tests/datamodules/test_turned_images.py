"""Pictures whose target is the angle that they were turned by (S06)."""

import numpy as np
import pytest
import torch
from scipy.ndimage import rotate

from datamodules.turned_images import turn_images
from tests import data as data_set
from tests.tiny import image_folder


def opened(**overrides):
    return data_set.opened("turned_digits", **overrides)


@pytest.fixture(scope="module")
def data():
    return opened()


def test_a_positive_angle_turns_counter_clockwise():
    """A bar that points right points up after 90 degrees; what comes in from outside is black."""
    bar = np.zeros((3, 9, 9, 1), np.uint8)
    bar[:, 4, 5:] = 200
    up, down, tilted = turn_images(bar, np.array([90.0, -90.0, 45.0]))[..., 0]
    np.testing.assert_array_equal(up[:4, 4], [200] * 4)
    np.testing.assert_array_equal(down[5:, 4], [200] * 4)
    assert up.sum() == down.sum() == 800
    assert tilted[2, 6] > 100  # one up, one right
    assert turn_images(np.full((1, 9, 9, 1), 255, np.uint8), np.array([45.0]))[0, 0, 0, 0] == 0


def test_each_digit_is_turned_by_the_angle_that_stands_beside_it(data):
    """Turned back, a picture is nearly the digit that it was."""
    pixels, angles = data.arrays("test")
    originals = data_set.opened("digits").arrays("test")[0]
    for i in range(0, 1000, 50):
        again = rotate(originals[i, ..., 0].astype(float), angles[i], reshape=False, order=1)
        np.testing.assert_allclose(pixels[i, ..., 0], again, atol=0.51)
    assert abs(np.corrcoef(angles, originals.mean((1, 2, 3)))[0, 1]) < 0.1


def test_angles_are_uniform_in_sixty_degrees_either_way(data):
    angles = np.concatenate([data.arrays(split)[1] for split in ("train", "val", "test")])
    assert (len(angles), angles.dtype) == (5000, np.float32)
    assert np.abs(angles).max() <= 60
    counts = np.histogram(angles, 12, (-60, 60))[0]
    assert 300 < counts.min() <= counts.max() < 530  # of 417


def test_the_facts_are_of_what_is_measured_and_fitted_on_training_pictures_only(data):
    """S06: no part of the data may change them, for they stand in the model's file."""
    info, (_, angles) = data.info, data.arrays("train")
    assert info["unit"] == "degrees"
    assert info["target_mean"] == pytest.approx(angles.mean(), abs=1e-3)
    assert info["target_std"] == pytest.approx(angles.std(), abs=1e-3)
    assert not {"classes", "num_classes"} & info.keys()
    few = opened(limit=64, train_samples=20).info
    assert few["samples"] == {"train": 20, "val": 64, "test": 64}
    assert (few["target_mean"], few["target_std"]) == (info["target_mean"], info["target_std"])


def test_neither_angles_nor_splits_depend_on_the_seed_of_the_run(data):
    np.testing.assert_array_equal(opened(seed=5).arrays("val")[1], data.arrays("val")[1])


def test_a_batch_is_images_and_angles(data):
    images, angles = data.on_after_batch_transfer(next(iter(data.train_dataloader())), 0)
    assert (images.shape, angles.shape) == ((64, 1, 28, 28), (64,))
    assert (images.dtype, angles.dtype) == (torch.float32, torch.float32)
    X, y = next(data.flow("val", shuffle=False))
    np.testing.assert_array_equal(y, data.arrays("val")[1][:64])
    assert (X.shape, y.dtype) == ((64, 28, 28, 1), np.float32)


def test_parts_keep_the_digits_in_proportion():
    data = opened(limit=100)
    counts = np.bincount(data.splits["train"]["labels"], minlength=10)
    assert 8 <= counts.min() <= counts.max() <= 12


@pytest.mark.parametrize(("name", "value"), [
    ("rotation_range", 10), ("shear_degrees", 5), ("vertical_flip", True), ("mixup", 0.2),
])  # fmt: skip
def test_augmentation_that_would_change_the_angle_is_refused(name, value):
    """The trap: a picture turned once more has another angle."""
    with pytest.raises(ValueError, match=f"data.augment.{name} is .*would change the angle"):
        opened(limit=64, augment={name: value})


def test_a_picture_that_is_skipped_takes_its_angle_with_it(tmp_path):
    image_folder.write(tmp_path / "pets")
    own = {"source": str(tmp_path / "pets"), "image_size": 24, "channels": 3, "batch_size": 8}
    whole = opened(**own)
    (tmp_path / "pets" / "bright" / "8.jpg").write_bytes(b"damaged")
    part = opened(**own, broken="skip")
    assert len(part.info["skipped"]) == 1
    assert sum(part.info["samples"].values()) == 59
    for split in whole.splits:
        pixels, angles = whole.arrays(split)
        fewer, still = part.arrays(split)
        np.testing.assert_array_equal(fewer, pixels[np.isin(angles, still)])
