"""What is unlike the training data: the distance against scipy's, and what is no digit."""

import string

import numpy as np
import pytest
import torch
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont
from scipy.spatial.distance import mahalanobis
from sklearn.datasets import load_sample_images

import zoo
from tests.data import opened
from zoo.metrics import novelty
from zoo.metrics.novelty import NoveltyDetector, roots


def clouds(count, width, classes=3, seed=0):
    """Features (N, F) whose roots lie normally about the mean of their class, and labels (N,)."""
    random = torch.Generator().manual_seed(seed)
    mixing = torch.randn(width, width, generator=torch.Generator().manual_seed(7))
    means = 4 * torch.randn(classes, width, generator=torch.Generator().manual_seed(8))
    labels = torch.arange(count) % classes
    x = means[labels] + torch.randn(count, width, generator=random) @ mixing / width**0.5
    return x * x.abs(), labels


def fitted(count=600, width=12):
    return NoveltyDetector.fit(*clouds(count, width), clouds(200, width, seed=1)[0])


# The score


@pytest.mark.parametrize(("count", "width"), [(900, 5), (900, 12), (900, 60), (50, 100)])
def test_the_distance_is_scipys_to_the_nearest_class_by_the_shrunk_covariance(count, width):
    features, labels = clouds(count, width)
    found = NoveltyDetector.fit(features, labels, features)
    x = roots(features).double().numpy()
    means = np.stack([x[labels == k].mean(0) for k in range(3)])
    covariance = np.cov((x - means[labels]).T, bias=True)
    mean = np.eye(width) * np.trace(covariance) / width
    share = novelty.SHRINKAGE
    inverse = np.linalg.inv((1 - share) * covariance + share * mean)
    asked = clouds(40, width, seed=2)[0] * 3
    wanted = [min(mahalanobis(v, m, inverse) for m in means) for v in roots(asked).double().numpy()]
    np.testing.assert_allclose(found.score(asked) * found.threshold, wanted, rtol=0.01)


def test_what_the_kept_directions_leave_has_one_deviation():
    """Two directions of deviations 3 and 2, and 98 of 0.1, of which at most 64 are kept."""
    random = torch.Generator().manual_seed(0)
    scale = torch.tensor([3.0, 2.0] + [0.1] * 98)
    x = torch.randn(20_000, 100, generator=random) * scale
    found = NoveltyDetector.fit(x * x.abs(), torch.zeros(20_000), x[:100] * x[:100].abs())
    assert found.directions.shape == (100, novelty.DIRECTIONS)
    share = novelty.SHRINKAGE
    shrunk = ((1 - share) * scale**2 + share * (scale**2).mean()).sqrt()
    wanted = (x[:50] / shrunk).norm(dim=1)
    asked = x[:50] * x[:50].abs()
    torch.testing.assert_close(found.score(asked) * found.threshold, wanted, rtol=0.05, atol=0)


def test_one_in_a_hundred_held_samples_is_above_1_and_of_few_none():
    held = clouds(2000, 12, seed=1)[0]
    found = NoveltyDetector.fit(*clouds(600, 12), held)
    assert (found.score(held) > 1.001).float().mean() == pytest.approx(0.01, abs=0.002)
    assert (found.score(clouds(5000, 12, seed=2)[0]) > 1).float().mean() < 0.03
    few = NoveltyDetector.fit(*clouds(600, 12), held[:20]).score(held[:20])
    assert few.max() == pytest.approx(1, abs=1e-3)


def test_features_near_zero_are_not_near_the_means():
    """Silence and constant pictures make all features small: without the roots they are missed."""
    features = torch.randn(2000, 60, generator=torch.Generator().manual_seed(0)).exp()
    found = NoveltyDetector.fit(features[:1000], torch.zeros(1000), features[1000:])
    assert found.score(torch.zeros(1, 60)) > 1.1
    plain, at_zero = ((x - features.mean(0)) / features.std(0) for x in (features, 0))
    assert at_zero.norm() < plain.norm(dim=1).median()


# What travels in a weights file


def test_half_precision_changes_no_score():
    """Of tensors none, and of features hardly one."""
    found, asked = fitted(width=200), clouds(100, 200, seed=2)[0]
    for tensors in (found.tensors(), {n: t.float() for n, t in found.tensors().items()}):
        again = NoveltyDetector(**{name: tensor.half() for name, tensor in tensors.items()})
        torch.testing.assert_close(again.score(asked), found.score(asked), rtol=0, atol=0)
    torch.testing.assert_close(found.score(asked.half()), found.score(asked), rtol=0.01, atol=0)


def test_a_batch_may_be_of_one_sample_or_of_thousands():
    found, asked = fitted(), clouds(2500, 12, seed=2)[0]
    whole = found.score(asked)
    assert whole.shape == (2500,)
    torch.testing.assert_close(found.score(asked[-1:]), whole[-1:])


# Degenerate data


def sound(features, labels, held):
    found = NoveltyDetector.fit(features, labels, held)
    again = NoveltyDetector(**found.tensors())
    for asked in (features, held, features + 1, features * 0, features * 1e6):
        scores = again.score(asked)
        assert (scores.isfinite() & (scores >= 0)).all()
    assert all(tensor.isfinite().all() for tensor in found.tensors().values())
    assert found.score(held).max() <= 1.001
    return found


def test_a_feature_that_never_varies_counts_when_it_does():
    features, labels = clouds(600, 12)
    features[:, 3] = 2.0
    found = sound(features, labels, features[:90])
    usual = features[:1].clone()
    usual[0, 3] = 40.0
    assert found.score(usual) > 1.5 * found.score(features[:1])


@pytest.mark.parametrize("value", [0.0, 1e-6, 7.0, 1e5])
def test_features_that_are_all_constant(value):
    features = torch.full((30, 8), value)
    found = sound(features, torch.arange(30) % 2, features[:5])
    assert (found.score(features) <= 1).all()
    assert found.score(features + 1 + value).min() > 1


@pytest.mark.parametrize("count", [1, 2, 30])
def test_fewer_samples_than_features(count):
    sound(*clouds(count, 128, classes=2), clouds(20, 128, classes=2, seed=1)[0])


def test_a_class_with_one_sample_and_one_with_none():
    features, labels = clouds(100, 12, classes=2)
    labels = torch.cat([torch.tensor([2]), labels[1:] * 4])
    assert sound(features, labels, clouds(50, 12, classes=2, seed=1)[0]).means.shape == (3, 12)


@pytest.mark.parametrize("scale", [1e-4, 1e4])
def test_the_size_of_features_does_not_matter(scale):
    features, labels = clouds(300, 12)
    held, asked = clouds(200, 12, seed=1)[0], clouds(50, 12, seed=2)[0] * 2
    wanted = NoveltyDetector.fit(features, labels, held).score(asked)
    found = NoveltyDetector.fit(features * scale, labels, held * scale)
    torch.testing.assert_close(found.score(asked * scale), wanted, rtol=0.02, atol=0)


# A model that has learned digits


def letters(count):
    """White letters on black that look like no digit, (28, 28) each."""
    face = font_manager.findfont("DejaVu Sans")
    chosen = [letter for letter in string.ascii_letters if letter not in "BGIOSZbgiloqsz"]
    for i in range(count):
        picture, font = Image.new("L", (84, 84)), ImageFont.truetype(face, 50 + i % 3 * 8)
        place, letter = (42, 42), chosen[i % len(chosen)]
        ImageDraw.Draw(picture).text(place, letter, 255, font=font, anchor="mm")
        yield picture


def patches(count):
    """Squares of scikit-learn's two photographs."""
    images, random = load_sample_images().images, np.random.default_rng(0)
    corners = zip(random.integers(0, 300, count), random.integers(0, 500, count), strict=True)
    return [images[i % 2][y : y + 120, x : x + 120] for i, (y, x) in enumerate(corners)]


@pytest.fixture(scope="module")
def digits():
    """A released network, what is novel to it by 2,000 digits, and digits that it has not seen."""
    data, model = opened("digits", train_samples=2000), zoo.load("image_cnn.digits")
    (train, labels), (held, _) = (data.samples(split, 2000) for split in ("train", "val"))
    features = model.forward_features
    with torch.inference_mode():
        found = NoveltyDetector.fit(features(train), labels, features(held))
    return model, data.input, found, data.arrays("test")[0][:2000]


def share(digits, raws):
    """How many of raw pictures are flagged."""
    model, given, found = digits[:3]
    with torch.inference_mode():
        return (found.score(model.forward_features(given(list(raws)))) > 1).float().mean()


def test_photographs_noise_even_pictures_and_letters_are_flagged_and_digits_hardly_ever(digits):
    """A digit in black on white is brought to what the model saw."""
    random = np.random.default_rng(0)
    of_digits = share(digits, digits[3])
    assert of_digits < 0.04
    assert share(digits, 255 - digits[3][:200]) < 0.05
    assert share(digits, patches(50)) > 0.9
    assert share(digits, random.integers(0, 256, (50, 28, 28, 1), np.uint8)) > 0.9
    assert share(digits, [np.full((28, 28), level, np.uint8) for level in range(0, 256, 5)]) > 0.9
    assert share(digits, letters(100)) > 5 * max(of_digits, 0.02)
