"""Which layers are looked at, and what is taken from them (S43)."""

import numpy as np
import pytest
import torch
from torch import nn

import zoo
from datamodules.inputs.image import ImageInput
from zoo.figures.raster import filters
from zoo.nn.feature_maps import convolutions, displayed_layers, feature_maps


def test_maps_are_seen_after_the_first_activation_that_follows_a_convolution():
    """Nothing activates the second before the dense layer; what stands between is the first's."""
    pair = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), nn.BatchNorm2d(2), nn.GELU(), nn.ReLU(),
        nn.Conv2d(2, 3, 1), nn.Flatten(), nn.Linear(12, 4), nn.ReLU(),
    )  # fmt: skip
    assert displayed_layers(pair) == {"0": "3", "5": "5"}
    transposed = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ConvTranspose2d(1, 1, 1), nn.ReLU())
    assert displayed_layers(transposed) == {"0": "0"}


@pytest.mark.parametrize("name", ["image_cnn", "image_cnn_2017", "autoencoder"])
def test_the_maps_are_what_the_layers_give_for_the_first_picture(name):
    """Each convolution has its own, by the oracle of `model.features`."""
    pixels = np.random.default_rng(0).integers(0, 256, (2, 28, 28, 1), dtype=np.uint8)
    model = zoo.create_model(name)
    model.input = ImageInput.fit(pixels)
    found = feature_maps(model, model.preprocess(pixels))
    shown = displayed_layers(model)
    assert found.keys() == shown.keys() == convolutions(model).keys()
    wanted = model.features(list(pixels), layers=list(shown.values()))
    for name, layer in shown.items():
        np.testing.assert_allclose(found[name], wanted[layer][0].numpy(), atol=1e-4)


def test_a_model_that_looks_at_a_mirror_image_too_shows_the_picture_itself():
    images = torch.rand(1, 1, 28, 28)
    plain, mirrors = (zoo.create_model("image_cnn", flip_tta=both) for both in (False, True))
    mirrors.load_state_dict(plain.state_dict())
    found, wanted = (feature_maps(model, images) for model in (mirrors, plain))
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0)


def test_the_report_shows_filters_and_maps_of_the_first_test_picture():
    model = zoo.create_model("image_cnn_2017").eval()
    images, labels = torch.randn(3, 1, 28, 28), torch.tensor([0, 1, 2])
    figures = model.figures((images, labels))
    wanted = filters(next(iter(convolutions(model).values())).weight.detach().numpy())
    np.testing.assert_array_equal(figures["First-layer filters"].images, wanted.images)
    alone = model.figures((images[:1], labels[:1]))["Feature maps"]
    captions = figures["Feature maps"].captions
    assert len(captions) == len(convolutions(model))
    assert "16 most active of 64 maps" in captions[-1]
    for here, there in zip(figures["Feature maps"].images, alone.images, strict=True):
        assert np.abs(here.astype(int) - there).max() <= 1  # a batch of one is summed otherwise
