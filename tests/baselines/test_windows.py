"""Windows of a sample, and a classifier of what was said of them (S69)."""

from contextlib import nullcontext
from unittest import SkipTest

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.data import opened, refused
from zoo.baselines.pixels import PixelWindows
from zoo.baselines.text import LogCountRatio
from zoo.baselines.windows import StackedWindows, cut, summary

PATCHES = {"window": 14, "stride": 7, "folds": 3, "random_state": 0}
SENTENCE = "This film is the worst film I have ever watched"


@parametrize_with_checks([StackedWindows()])
def test_it_is_an_estimator_of_scikit_learn(estimator, check):
    """Of arrays of other libraries the check says that scipy is not set to take them."""
    with pytest.raises(SkipTest) if "array_api" in str(check) else nullcontext():
        check(estimator)


def test_the_slides_sentence_gives_its_windows_and_a_stride_leaves_out_no_word():
    windows, owners = cut([SENTENCE, "too short"], StackedWindows().window, stride=1)
    assert windows[:2] == ["This film is the", "film is the worst"]
    assert (windows[-2:], owners.tolist()) == (["I have ever watched", "too short"], [0] * 7 + [1])
    assert cut(["a b c d e f g"], window=3, stride=3)[0] == ["a b c", "d e f", "e f g"]


def test_a_picture_gives_its_patches():
    pictures = np.arange(2 * 4 * 4).reshape(2, 4, 4)
    windows, owners = cut(pictures, window=2, stride=2)
    assert (windows[1].tolist(), owners.tolist()) == ([2, 3, 6, 7], [0, 0, 0, 0, 1, 1, 1, 1])
    coloured, _ = cut(np.stack([pictures, -pictures], 3), window=2, stride=2)
    assert sorted(coloured[1]) == [-7, -6, -3, -2, 2, 3, 6, 7]


def test_a_summary_is_what_was_counted_by_hand():
    told = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.5, 0.5]])
    made = summary(told, np.array([0, 0, 0, 1]))
    odds = np.log(told / (1 - told))
    assert made.shape == (2, 9 * 2 + 1)
    np.testing.assert_allclose(made[0, :2], odds[:3].mean(0))
    np.testing.assert_allclose(made[0, 2:4], odds[:3].min(0))
    np.testing.assert_allclose(made[0, 14:16], odds[:3].max(0))
    np.testing.assert_allclose(made[0, 8:10], np.median(odds[:3], 0))
    np.testing.assert_allclose(made[0, 16:18], [2 / 3, 1 / 3])
    np.testing.assert_allclose(made[:, -1], np.log([3, 1]))


class Parrot(ClassifierMixin, BaseEstimator):
    """Sure of what it was trained on, and undecided about all else."""

    def fit(self, X, y):
        self.classes_, self.known_ = np.unique(y), set(X)
        return self

    def predict_proba(self, X):
        sure = np.array([float(one in self.known_) for one in X])
        return np.stack([1 - sure, sure], 1) * 0.5 + 0.25


class Listener(LogisticRegression):
    """Keeps what it was trained on."""

    heard: list = []  # noqa: RUF012

    def fit(self, X, y):
        self.heard.append(X)
        return super().fit(X, y)


def test_windows_of_a_sample_are_never_in_two_folds():
    """The last classifier hears nothing from one that had seen a window of the same text."""
    texts = [" ".join([f"word{i}"] * 9) for i in range(20)]
    labels = np.arange(20) % 2
    Listener.heard.clear()
    fitted = StackedWindows(Parrot(), Listener(), window=3).fit(texts, labels)
    assert np.ptp(Listener.heard[0], axis=0).max() == 0  # all are strange to it
    told, _ = fitted._window_outputs(texts)
    assert (told[:, 1] == 0.75).all()  # what was trained on all knows them all


def test_order_that_no_bag_of_words_sees_is_learned():
    words = np.random.default_rng(0).permuted(np.tile(np.arange(8), (200, 1)), axis=1)
    texts = [" ".join(f"w{i}" for i in row) for row in words]
    labels = np.array(["w1 w0" in text or "w0 w1" in text for text in texts])
    fitted = StackedWindows(window=3).fit(texts[:150], labels[:150])
    assert fitted.score(texts[150:], labels[150:]) >= 0.9


def test_patches_stand_beside_a_network_on_pictures_as_they_are_kept():
    """S69: uint8 (N, H, W, C); the patches' own vote is reported, too."""
    data = opened("digits", limit=400)
    found = PixelWindows(trees=10, **PATCHES).fit(data).score(data)
    assert found["test/accuracy"] > 0.6
    assert 0.3 < found["test/vote_accuracy"] <= 1


def test_words_that_speak_for_a_class_weigh_what_the_paper_says():
    """Wang & Manning 2012, equation 2, by hand (S68)."""
    features = csr_matrix([[1, 1, 0], [1, 0, 0], [0, 1, 1]])
    fitted = LogCountRatio().fit(features, np.array([1, 1, 0]))
    p, q = np.array([3, 2, 1]) / 6, np.array([1, 2, 2]) / 5
    np.testing.assert_allclose(fitted.ratios_, np.log(p / q))
    assert fitted.transform(features).toarray()[2, 0] == 0


def test_a_text_without_a_word_is_one_empty_window():
    texts = ["a b", "c d", " ", ""] * 4
    fitted = StackedWindows(folds=2).fit(texts, [0, 1, 0, 1] * 4)
    shares = fitted.predict_proba(["", " ", "a b", "c d"])
    assert np.isfinite(shares).all()
    np.testing.assert_array_equal(shares[0], shares[1])
    assert fitted.predict(["a b", "c d"]).tolist() == [0, 1]


@pytest.mark.parametrize(("texts", "labels", "message"), [
    (["a b", "c d"], [0, 0], "y has 1 class: two or more are needed"),
    (["a b", "c d", "e f"], [0, 0, 1], "a class has one sample"),
])  # fmt: skip
def test_what_cannot_be_learned_from_is_refused(texts, labels, message):
    refused(message, StackedWindows().fit, texts, labels)
