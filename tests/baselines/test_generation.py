"""What needs no network: a Gaussian a class in the space of principal components (S87)."""

import numpy as np
import pytest

from tests.data import opened
from tests.metrics.test_frechet import Judge, corners
from zoo.baselines.generation import PCAGaussian


class Data:
    """Pictures whose class is their bright corner."""

    def arrays(self, split):
        labels = np.arange({"train": 200, "test": 40}[split]) % 4
        return corners(labels), labels


def test_what_it_draws_has_the_moments_of_its_class():
    """With all components: mean and covariance of the pixels are those of the training pictures."""
    pixels, labels = Data().arrays("train")
    drawn = PCAGaussian(components=64).fit(Data()).draw(np.full(4000, 2)) / 255
    wanted = pixels[labels == 2] / 255
    np.testing.assert_allclose(drawn.mean(0), wanted.mean(0), atol=0.02)
    np.testing.assert_allclose(drawn.std(0), wanted.std(0), atol=0.02)


def test_it_draws_the_class_that_is_asked_for():
    labels = np.array([3, 1, 0, 2, 3])
    drawn = PCAGaussian(components=5).fit(Data()).draw(labels)
    assert (drawn.dtype, drawn.shape) == (np.uint8, (5, 8, 8, 1))
    assert Judge()(Judge().input(drawn)).argmax(1).tolist() == labels.tolist()


def test_it_is_scored_by_a_classifier_and_not_without():
    model = PCAGaussian(components=8).fit(Data())
    assert model.score(Data()) == {}
    found = model.score(Data(), Judge())
    distances = {"test/frechet", "test/kernel_distance"}
    assert set(found) == distances | {"test/coverage", "test/class_accuracy"}
    assert found["test/coverage"] == found["test/class_accuracy"] == 1
    assert 0 < found["test/frechet"] < 4


@pytest.mark.parametrize("samples", [10, 20])
def test_few_pictures_are_enough_to_fit(samples):
    """One or two a class, and fewer than components."""
    data = opened("digits", limit=40, batch_size=2, train_samples=samples)
    assert PCAGaussian(components=64).fit(data).draw(np.arange(10)).shape == (10, 28, 28, 1)
