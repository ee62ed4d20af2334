"""Principal components and the median filter against what they are by definition (S80, S81)."""

import numpy as np
import pytest
import torch
from scipy.ndimage import median_filter

from zoo.baselines.autoencoder import MedianFilter, PCAReconstruction
from zoo.nn.noise import psnr, seeded, spoil


class Pictures:
    """A datamodule with random pictures: 60 to train on, 20 to test on."""

    def arrays(self, split):
        random = np.random.default_rng(len(split))
        count = 60 if split == "train" else 20
        return random.integers(0, 256, (count, 6, 5, 1), np.uint8), np.zeros(count, np.int64)


def test_principal_components_are_the_first_right_singular_vectors():
    """S80: mean + projection on the first k of them, clipped, is what PCA draws."""
    train, test = (Pictures().arrays(s)[0].reshape(-1, 30) / 255 for s in ("train", "test"))
    mean = train.mean(0)
    basis = np.linalg.svd(train - mean, full_matrices=False)[2][:4]  # (4, 30)
    drawn = (mean + (test - mean) @ basis.T @ basis).clip(0, 1)
    found = PCAReconstruction(code_size=4).fit(Pictures()).score(Pictures())
    assert found == pytest.approx({"test/mse": np.square(drawn - test).mean()}, rel=1e-4)
    assert PCAReconstruction(code_size=30).fit(Pictures()).score(Pictures())["test/mse"] < 1e-9


def test_a_lone_white_pixel_is_gone_an_edge_stays_and_channels_do_not_mix():
    """S81: what a median of 3 x 3 does, worked out by hand."""
    image = np.zeros((1, 1, 6, 6), np.float32)
    image[0, 0, :, 3:] = 1  # an edge
    wanted = image.copy()
    image[0, 0, 1, 1] = 1  # alone
    model = MedianFilter(size=3, noise={"kind": "mask", "amount": 0.1})
    np.testing.assert_array_equal(model.restore(image), wanted)
    images = np.random.default_rng(0).random((2, 3, 7, 8)).astype(np.float32)
    planes = [median_filter(plane, 3) for plane in images.reshape(-1, 7, 8)]
    np.testing.assert_array_equal(model.restore(images).reshape(-1, 7, 8), planes)


def test_the_median_filter_is_judged_on_noise_of_the_models_kind():
    """S81: a filter of one pixel changes nothing, so that its score is the noise's own."""
    noise = {"kind": "gaussian", "amount": 0.4}
    clean = torch.from_numpy(Pictures().arrays("test")[0]).permute(0, 3, 1, 2) / 255
    errors = (spoil(clean, noise, seeded(0)) - clean).square().mean((1, 2, 3))
    found = MedianFilter(size=1, noise=noise).fit(Pictures()).score(Pictures())
    wanted = {"test/mse": float(errors.mean()), "test/psnr": float(psnr(errors).mean())}
    assert found == pytest.approx(wanted)
