"""A number for each picture, in its unit: by how many degrees a digit is turned (S06)."""

import numpy as np
import pytest
import torch

import zoo
from tests.data import learned, opened, refused, seeded
from zoo.figures.kinds import Grid


@pytest.fixture
def model():
    return seeded("image_regressor", widths=[8, 16])


def test_its_layers_are_those_of_the_classifier(model):
    """With the same weights both see the same in a picture."""
    classifier = zoo.create_model("image_cnn", widths=[8, 16]).eval()
    own = {k: v for k, v in model.state_dict().items() if not k.startswith("head.")}
    classifier.load_state_dict(own, strict=False)
    images = torch.randn(3, 1, 28, 28)
    torch.testing.assert_close(model.forward_features(images), classifier.forward_features(images))
    assert model.head.out_features == 1


def test_a_value_is_the_last_layers_number_brought_to_the_unit(model):
    """S06: targets are standardised for learning; 34.6482 and -0.1572 are set by the data."""
    images = torch.randn(3, 1, 28, 28)
    number = model.head(model.forward_features(images)).squeeze(1)
    torch.testing.assert_close(model(images), number * 34.6482 - 0.1572)
    assert model.postprocess(torch.tensor([12.5])) == [{"value": 12.5, "unit": "degrees"}]


def test_the_loss_is_of_standardised_targets_and_the_error_in_degrees(model, monkeypatch):
    values = torch.tensor([10.0, -20.0])
    monkeypatch.setattr(model, "forward", lambda images: values)
    found = model.scores((torch.zeros(2, 1, 28, 28), torch.tensor([13.0, 20.0])), "val")
    torch.testing.assert_close(found["mae"], torch.tensor([3.0, 40.0]))
    torch.testing.assert_close(found["loss"], torch.tensor([9.0, 1600.0]) / 34.6482**2)


def test_classes_and_values_are_not_mixed_up(model):
    """A classifier is not given angles, nor this model classes, and both say what to take."""
    classes, values = ((torch.zeros(2, 1, 28, 28), torch.tensor(x)) for x in ([1, 2], [1.0, 2.0]))
    refused("the data have classes.*data=turned_digits", model.scores, classes, "train")
    classifier = zoo.create_model("image_cnn")
    refused("the data have values.*model=image_regressor", classifier.scores, values, "train")


def test_its_figures_show_answers_beside_truths_and_the_worst_of_them(model):
    images, angles = torch.randn(3, 1, 28, 28), torch.tensor([-30.0, 50.0, 10.0])
    shown = model.figures((images, angles))
    answered = shown["Answers beside the truth"].lines["answered"]
    assert answered[0] == [-30, 10, 50]
    np.testing.assert_allclose(answered[1], model(images).detach()[[0, 2, 1]], rtol=1e-5)
    assert shown["Errors"].rows[0][1] == f"{(29.8428 + 50.1572 + 10.1572) / 3:.2f}"
    assert "Worst mistakes" not in shown  # without an input nothing can be drawn
    model.input = opened("turned_digits", limit=64).input
    assert isinstance(model.figures((images, angles))["Worst mistakes"], Grid)


def test_it_overfits_a_batch():
    torch.manual_seed(0)
    model = zoo.create_model("image_regressor")
    images, angles = torch.randn(16, 1, 28, 28), torch.linspace(-60, 60, 16)
    learned(model, 60, 3e-3, lambda: model.scores((images, angles), "train")["loss"].mean())
    assert model.scores((images, angles), "train")["mae"].mean() < 3
