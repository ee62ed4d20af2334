"""Dense layers on flattened pixels (S05)."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.neural_network import MLPClassifier
from torch import nn

import zoo
from tests.data import seeded


def dense(model):
    return [layer for layer in model.modules() if isinstance(layer, nn.Linear)]


@pytest.fixture
def model():
    return seeded("image_mlp", image_size=8, widths=[16, 12], dropout=0.5)


def test_it_is_scikit_learns_perceptron(model):
    """With scikit-learn's fitted weights both give the same probabilities."""
    random = np.random.default_rng(0)
    pixels, labels = random.normal(size=(60, 64)), np.arange(60) % 10
    other = MLPClassifier((16, 12), max_iter=1, batch_size=20)
    for _ in range(5):
        other.partial_fit(pixels, labels, classes=np.arange(10))
    with torch.no_grad():
        for layer, weights, bias in zip(dense(model), other.coefs_, other.intercepts_, strict=True):
            layer.weight.copy_(torch.from_numpy(weights.T))
            layer.bias.copy_(torch.from_numpy(bias))
    images = torch.from_numpy(pixels).float().view(60, 1, 8, 8)
    ours = model(images).softmax(1).detach().numpy()
    np.testing.assert_allclose(ours, other.predict_proba(pixels), atol=1e-5)


def test_it_does_not_know_which_pixels_are_neighbours(model):
    """Shuffled pixels, the first layer's weights shuffled alike: the same, but while it trains."""
    images, order = torch.randn(5, 1, 8, 8), torch.randperm(64)
    before = model(images)
    dense(model)[0].weight.data = dense(model)[0].weight.data[:, order]
    shuffled = images.flatten(1)[:, order].view(5, 1, 8, 8)
    torch.testing.assert_close(model(shuffled), before)
    assert not torch.allclose(model(images), before)
    assert not torch.equal(model.train()(images), model(images))  # dropout


def test_without_hidden_layers_it_is_logistic_regression():
    """S05: 28 x 28 = 784 features."""
    model, images = zoo.create_model("image_mlp", widths=[]), torch.randn(3, 1, 28, 28)
    weight, bias = model.head.weight, model.head.bias
    assert sum(p.numel() for p in model.parameters()) == 785 * 10
    torch.testing.assert_close(model(images), F.linear(images.flatten(1), weight, bias))


def test_its_figures_show_what_the_first_units_look_for():
    model = zoo.create_model("image_mlp", channels=3, image_size=6, widths=[5])
    shown = model.eval().figures((torch.randn(8, 3, 6, 6), torch.arange(8)))
    assert np.shape(shown["What the first units look for"].images) == (5, 6, 6, 3)
