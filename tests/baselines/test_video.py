"""Histograms of colour and of change, without a network, beside the video models."""

import numpy as np
import pytest
import torch

from datamodules.bundled.moving_digits import moving_digits
from datamodules.clips import reorder_frames
from datamodules.utilities.windows import cut
from tests.data import arrays_of
from zoo.baselines.video import MotionHistograms, features, histogram


def score(clips, labels, bins, grid):
    """The accuracy on the clips at odd places of a model that learned from the others."""
    data = arrays_of((clips[::2], labels[::2]), (clips[1::2], labels[1::2]))
    model = MotionHistograms(bins=bins, grid=grid, C=1.0, max_iter=200)
    return model.fit(data).score(data)["test/accuracy"]


def test_the_features_of_a_clip_by_hand():
    clip = np.zeros((2, 4, 4, 1), np.uint8)
    clip[1, :2, :2] = 200  # a corner lights up
    wanted = [28 / 32, 0, 0, 4 / 32, *[12 / 16, 0, 0, 4 / 16], *[200, 0, 0, 0]]
    np.testing.assert_allclose(features(clip[None], bins=4, grid=2), [wanted])
    blue = np.zeros((3, 4, 4, 3), np.uint8)  # colours are counted apart
    blue[..., 2] = 255
    assert features(blue[None], bins=2, grid=1)[0].tolist() == [1, 0, 1, 0, 0, 1, 1, 0, 0]
    frame = np.full((1, 1, 4, 4, 1), 9, np.uint8)  # which has no changes
    assert features(frame, bins=2, grid=2).tolist() == [[1, 0, 0, 0, 0, 0, 0, 0]]
    assert histogram(np.array([0, 63, 64, 255], np.uint8), 4).tolist() == [0.5, 0.25, 0, 0.25]


def test_a_clip_backwards_has_the_same_features():
    """Changes have no sign, so no direction is given away."""
    clips = np.random.default_rng(0).integers(0, 256, (3, 6, 8, 8, 1), np.uint8)
    np.testing.assert_allclose(features(clips, 8, 4), features(clips[:, ::-1], 8, 4))


def test_it_tells_what_moves_from_what_is_still():
    clips = np.random.default_rng(0).integers(0, 40, (80, 6, 8, 8, 1), np.uint8)
    labels = np.arange(80) // 2 % 2
    clips[labels == 1] = reorder_frames(clips[labels == 1], "first")
    assert score(clips, labels, bins=4, grid=2) == 1.0


@pytest.mark.slow
def test_it_cannot_tell_the_direction_of_motion():
    rows = moving_digits("direction").splits["all"]
    found = score(rows.raws[:3000, ..., None], rows.labels[:3000], bins=16, grid=4)
    assert abs(found - 0.25) < 0.05


def test_the_features_of_a_clip_with_windows_are_their_mean():
    clips = np.random.default_rng(0).integers(0, 255, (9, 4, 4, 1)).astype(np.uint8)
    windows = cut([torch.from_numpy(clips[:3]), torch.from_numpy(clips[3:])], 3)
    data = arrays_of(None, (windows, np.arange(2)))
    model = MotionHistograms(bins=4, grid=2, C=1.0, max_iter=9)
    each = features(clips.reshape(3, 3, 4, 4, 1), bins=4, grid=2)
    wanted = np.stack([each[0], each[1:].mean(0)])
    np.testing.assert_allclose(model.extract_features(data, "test")[0], wanted)
