"""Keras' ImageDataGenerator and ours: the same parameters in, the same picture out (S10-S25).

Levels are in [0, 1]. A place within SEAM of where a mode jumps (the edge of `constant`, the seam of
`wrap`) may fall on either side of it in float32; so few pixels may differ.
"""

import math
import warnings

import numpy as np
import pytest
import torch

from datamodules.inputs.image import ImageInput
from datamodules.transforms.augment import Augment, matrices
from datamodules.transforms.warp import in_torch
from datamodules.utilities.draws import Key

LEVELS, SEAM = 1e-4, 1e-3  # largest difference of a pixel; share of pixels that may be at a jump
FILLS = ["nearest", "constant", "reflect", "wrap"]
GEOMETRY = {
    "rotation_range": 40.0, "width_shift_range": 0.3, "height_shift_range": 0.3,
    "shear_degrees": 20.0, "zoom_range": [0.7, 1.4], "channel_shift_range": 0.2,
    "horizontal_flip": True, "vertical_flip": True,
}  # fmt: skip
KEY = Key(seed=0, epoch=0, batch=0, size=24, start=0, stop=24)


@pytest.fixture
def generator(keras):
    return keras.src.legacy.preprocessing.image.ImageDataGenerator


@pytest.fixture(scope="module")
def pixels():
    """Coloured noise with some structure, (N, H, W, C), uint8; one picture is constant."""
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (24, 20, 20, 3))
    noise[:, 4:12, 6:14] //= 3
    noise[0] = 77
    return noise.astype(np.uint8)


def keras_picture(generator, picture, draws, i, **options):
    """One picture (H, W, C) in [0, 1] as Keras transforms it by our parameters.

    Its `tx` moves along the width, though the class draws it from `height_shift_range`.
    """
    d = {name: values[i].tolist() for name, values in draws._asdict().items()}
    parameters = {
        "theta": math.degrees(d["rotation"]), "shear": math.degrees(d["shear"]),
        "tx": d["shift_x"], "ty": d["shift_y"], "zx": d["zoom_x"], "zy": d["zoom_y"],
        "flip_horizontal": bool(d["flip_x"]), "flip_vertical": bool(d["flip_y"]),
        "channel_shift_intensity": d["channel_shift"][0] or None,
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of scipy.ndimage.interpolation
        return generator(**options).apply_transform(picture.astype(np.float32), parameters)


def assert_same(ours, theirs):
    difference = np.abs(ours.numpy().transpose(0, 2, 3, 1) - np.stack(theirs))
    assert (difference > LEVELS).mean() <= SEAM
    assert np.median(difference) < 1e-6


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("name", [*GEOMETRY, "all"])
def test_a_picture_is_moved_as_keras_moves_it(generator, pixels, name, fill):
    """S15-S24: each option alone, and all of them composed, in each fill mode."""
    options = GEOMETRY if name == "all" else {name: GEOMETRY[name]}
    augment = Augment({**options, "fill_mode": fill, "cval": 0.4})
    draws = augment.draw(24, (20, 20), KEY.generator(), 1)
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    alike = draws._replace(channel_shift=draws.channel_shift.expand(-1, 3))
    wanted = [
        keras_picture(generator, picture / 255, draws, i, fill_mode=fill, cval=0.4)
        for i, picture in enumerate(pixels)
    ]
    assert_same(augment.apply(images, alike), wanted)


def test_each_channel_has_a_shift_of_its_own_and_keeps_to_the_pictures_range(pixels):
    """S20, as Keras 1 drew it: against its formula."""
    augment = Augment({"channel_shift_range": 0.3})
    draws = augment.draw(24, (20, 20), KEY.generator(), 3)
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    low, high = images.amin((1, 2, 3), True), images.amax((1, 2, 3), True)
    wanted = (images + draws.channel_shift[:, :, None, None]).clamp(low, high)
    torch.testing.assert_close(augment.apply(images, draws), wanted, atol=1e-6, rtol=0)
    assert draws.channel_shift.std(1).min() > 0


CENTRED, WHITE = {"featurewise_center": True}, {"featurewise_center": True, "zca_whitening": True}
SCALED = {**CENTRED, "featurewise_std_normalization": True}
ALONE = {"samplewise_center": True}
STANDARD = [
    {"rescale": 3.0}, ALONE, {**ALONE, "samplewise_std_normalization": True}, CENTRED, SCALED,
    {**WHITE, "zca_epsilon": 1e-3}, {**WHITE, "zca_epsilon": 0.5}, {"rescale": 2.0, **SCALED},
]  # fmt: skip


@pytest.mark.parametrize("options", STANDARD)
def test_pictures_are_standardised_as_keras_does(generator, pixels, options):
    """S10-S14, S25."""
    small = pixels[:, ::2, ::2]
    theirs = generator(**options)
    theirs.fit(small / 255)
    wanted = [theirs.standardize(picture.astype(np.float32) / 255) for picture in small]
    ours = ImageInput.fit(small, options)
    wanted = torch.from_numpy(np.stack(wanted)).permute(0, 3, 1, 2).float()
    found = ours.normalise(ours.scale(torch.from_numpy(small)))
    assert found[0].abs().max() < 10  # the constant picture does not blow up
    torch.testing.assert_close(found[1:], wanted[1:], atol=2e-3, rtol=1e-3)


@pytest.mark.parametrize("fill", [*FILLS, "tile"])
@pytest.mark.parametrize("channels", [1, 2, 3, 7])
@pytest.mark.parametrize("kind", [torch.uint8, torch.float32])
def test_the_compiled_kernel_and_pytorch_agree(fill, channels, kind):
    """S33: what a GPU computes is what the CPU does."""
    random = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (24, channels, 9, 14), generator=random, dtype=torch.uint8)
    images = images if kind == torch.uint8 else images / 255
    augment = Augment({**GEOMETRY, "fill_mode": fill, "cval": 0.3, "width_shift_range": 0.9})
    draws = augment.draw(24, (9, 14), random, channels)
    ours = augment.apply(images, draws)
    wanted = in_torch(images, matrices(draws), fill, 0.3, draws.channel_shift)
    assert ((ours - wanted).abs() > LEVELS).float().mean() <= SEAM
