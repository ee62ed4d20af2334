"""Centring, scaling and whitening, fitted on pictures and kept with the weights (S10-S14, S27)."""

import numpy as np
import pytest
import torch

import zoo
from datamodules.inputs.image import ImageInput
from datamodules.transforms import standardise
from tests.data import opened, refused


@pytest.fixture(scope="module")
def pixels():
    """Grey pictures whose neighbours are alike, (N, 6, 6, 1), uint8."""
    random = np.random.default_rng(0)
    noise = random.normal(size=(1500, 6, 6, 1)).cumsum(1).cumsum(2) / 8
    return (127 + 40 * noise).clip(0, 255).astype(np.uint8)


def normalised(fitted, pixels):
    return fitted.normalise(fitted.scale(torch.from_numpy(pixels)))


def test_whitened_pixels_are_uncorrelated_and_of_deviation_one(pixels):
    """S14."""
    found = normalised(ImageInput.fit(pixels, "zca"), pixels).flatten(1).double()
    covariance = found.T @ found / len(found)
    torch.testing.assert_close(covariance, torch.eye(36).double(), atol=5e-3, rtol=0)


def test_a_matrix_that_does_not_fit_is_refused_before_it_is_made():
    with pytest.raises(ValueError, match=r"150,528 x 150,528, .* GiB are free: data.image_size="):
        standardise.whitening_matrix(iter(()), (3, 224, 224), 1e-6)


def test_what_is_not_fitted_is_an_error():
    """S10: Keras only warns."""
    whiten = {"zca_whitening": True}
    bare = ImageInput(image_size=6, channels=1, mean=[0.0], std=[1.0], steps=whiten)
    refused("not fitted", bare.normalise, torch.zeros(1, 1, 6, 6))


def test_whitening_and_the_deviation_exclude_each_other(pixels):
    with pytest.raises(ValueError, match="exclude each other"):
        ImageInput.fit(pixels, {"zca_whitening": True, "featurewise_std_normalization": True})


def test_a_deviation_implies_centring_and_both_are_those_of_rescaled_pictures(pixels):
    """S12; S25: of pictures as they are used, where Keras 1 took them before."""
    for options in ({}, {"rescale": 7.0}):
        steps = {**options, "featurewise_std_normalization": True}
        found = normalised(ImageInput.fit(pixels, steps), pixels)
        assert found.mean().abs() < 1e-4
        assert abs(found.std() - 1) < 1e-3


def test_a_grey_picture_is_centred_by_its_own_mean_and_does_not_vanish(pixels):
    """S11: Keras 1 takes the mean over the channels."""
    found = normalised(ImageInput.fit(pixels, "sample"), pixels)
    assert found.mean((1, 2, 3)).abs().max() < 1e-5
    assert (found.std((1, 2, 3), correction=0) - 1).abs().max() < 1e-3


def test_statistics_may_be_taken_of_augmented_passes():
    """S27: shifted pictures with a dark fill are darker."""
    augment = {"width_shift_range": 0.9, "fill_mode": "constant", "cval": 1.0}
    steps = ({"featurewise_center": True}, {"featurewise_center": True, "fit_rounds": 2})
    plain, moved = (opened("digits", limit=300, augment=augment, scaling=each) for each in steps)
    assert moved.input.mean[0] > plain.input.mean[0] + 0.1


def test_a_run_keeps_its_whitening_with_the_weights(tmp_path):
    data = {"scaling": "zca", "image_size": 12}
    run = zoo.train("image_cnn_2017", trainer="smoke", name="white", data=data)
    fitted, loaded = run.model.input, zoo.load(run.folder).input
    assert loaded.zca.shape == (144, 144)
    digit = np.random.default_rng(0).integers(0, 256, (12, 12), dtype=np.uint8)
    torch.testing.assert_close(loaded(digit), fitted(digit))


@pytest.mark.parametrize("scaling", ["zca", "sample", {"rescale": 2.0}])
def test_pictures_of_a_standardised_batch_can_be_shown(pixels, scaling):
    fitted = ImageInput.fit(pixels, scaling)
    shown = fitted.restore(normalised(fitted, pixels[:50]))
    assert shown.shape == (50, 6, 6, 1)
    correlation = np.corrcoef(shown.ravel(), pixels[:50].ravel())[0, 1]
    assert correlation > (0.99 if scaling == {"rescale": 2.0} else 0.3)
