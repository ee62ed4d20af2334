"""How near generated pictures are: the distance against closed forms, and what a judge counts."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from zoo.metrics import frechet


class Judge(torch.nn.Module):
    """Its features are the means of the four corners; the brightest corner is the class."""

    device = torch.device("cpu")
    hparams = {"num_classes": 4}  # noqa: RUF012

    def input(self, pixels):
        return torch.from_numpy(pixels).permute(0, 3, 1, 2).float()

    def forward_features(self, images):
        return torch.nn.functional.adaptive_avg_pool2d(images, 2).flatten(1)

    def forward(self, images):
        return self.forward_features(images)


def corners(labels, value=200):
    pixels = np.random.default_rng(len(labels)).integers(0, 50, (len(labels), 8, 8, 1), np.uint8)
    for picture, label in zip(pixels, labels, strict=True):
        picture[label // 2 * 4 :][:4, label % 2 * 4 :][:, :4] += np.uint8(value)
    return pixels


def test_the_distance_is_heusels_formula_with_scipys_root():
    random = np.random.default_rng(1)
    a, b = (random.normal(size=(80, 5)) @ random.normal(size=(5, 5)) + i for i in (0, 1))
    first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    shift = ((a.mean(0) - b.mean(0)) ** 2).sum()
    wanted = shift + np.trace(first + second - 2 * np.real(sqrtm(first @ second)))
    assert frechet.distance(a, b) == pytest.approx(wanted, rel=1e-6)


def test_the_distance_is_symmetric_and_zero_to_itself_even_with_fewer_samples_than_features():
    random = np.random.default_rng(2)
    a, b = random.normal(size=(10, 30)), random.normal(size=(12, 30))
    assert frechet.distance(a, a) == pytest.approx(0, abs=1e-4)
    assert frechet.distance(a, b) == pytest.approx(frechet.distance(b, a), rel=1e-4)
    assert frechet.distance(a, b) > 0


def test_the_kernel_distance_is_the_mean_over_pairs_and_zero_for_one_distribution(monkeypatch):
    """Binkowski et al., equation 4, with the kernel (x y / F + 1)^3, written out."""
    random = np.random.default_rng(3)
    a, b, c = (random.normal(size=(40, 3)) + shift for shift in (0, 0.5, 0))

    def mean(x, y, same):
        kernel = (x @ y.T / 3 + 1) ** 3
        return kernel[~np.eye(40, dtype=bool)].mean() if same else kernel.mean()

    wanted = mean(a, a, True) + mean(b, b, True) - 2 * mean(a, b, False)
    assert frechet.kernel_distance(a, b) == pytest.approx(wanted, rel=1e-9)
    assert abs(frechet.kernel_distance(a, c)) < wanted / 4
    monkeypatch.setattr(frechet, "BLOCK", 20)
    halves = [frechet.kernel_distance(a[i : i + 20], b[i : i + 20]) for i in (0, 20)]
    assert frechet.kernel_distance(a, b) == pytest.approx(np.mean(halves), rel=1e-9)


def test_distances_use_up_no_random_numbers():
    torch.manual_seed(0)
    before, real = torch.get_rng_state(), corners(np.arange(40) % 4)
    frechet.scores(Judge(), real, real[::-1].copy())
    assert torch.equal(torch.get_rng_state(), before)


def test_features_are_standardised_by_the_real_ones():
    """Pictures twice as bright are as far from each other; one that never varies is no infinity."""
    labels = np.arange(40) % 4
    real, drawn = corners(labels, 60), corners(labels[::-1], 70)
    once, twice = (frechet.scores(Judge(), real * n, drawn * n)["frechet"] for n in (1, 2))
    assert twice == pytest.approx(once, rel=1e-6)
    assert np.isfinite(frechet.scores(Judge(), np.zeros_like(real), drawn)["frechet"])


def test_a_class_counts_as_drawn_from_a_quarter_of_its_fair_part_on():
    """A fair part is 27."""
    counts = {(60, 36, 6, 6): 0.5, (60, 35, 7, 6): 0.75, (8, 0, 0, 0): 0.25}
    assert {c: frechet.coverage(np.repeat([0, 1, 2, 3], c), 4) for c in counts} == counts


def test_the_accuracy_of_classes_is_the_share_that_is_as_asked():
    asked = np.arange(40) % 4
    drawn = corners(np.where(np.arange(40) < 10, 0, asked))
    found = frechet.scores(Judge(), corners(asked), drawn, asked)
    assert found["class_accuracy"] == pytest.approx((30 + 3) / 40)  # 0, 4, 8 were 0 anyway
    assert "class_accuracy" not in frechet.scores(Judge(), drawn, drawn)


def test_more_than_asked_are_taken_evenly():
    data = SimpleNamespace(arrays=lambda split: (np.arange(100), np.arange(100)))
    assert list(frechet.real(data, "test", 4)[0]) == [0, 33, 66, 99]
    assert len(frechet.real(data, "test")[0]) == 100
