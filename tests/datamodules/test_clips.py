"""Clips in memory: moving digits, whose labels only time tells, and one's own videos (S50, S51)."""

import os
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from datamodules import clips as module
from datamodules.bundled.digits import digits as mnist_digits
from datamodules.bundled.moving_digits import DIRECTIONS, SIDE, moving_digits, shift_images
from datamodules.clips import reorder_frames
from datamodules.sources import layouts
from datamodules.sources.files import CLIPS
from datamodules.sources.rows import Rows, Source
from tests.data import opened, refused
from tests.tiny.video_folder import pictures, video


@pytest.fixture(scope="module")
def digits():
    """Eight different digits (8, 28, 28) and their labels."""
    rows = mnist_digits().splits["all"]
    return rows.raws[:4800:600], rows.labels[:4800:600]


@pytest.fixture
def few(monkeypatch, digits):
    """Moving digits made from the eight; each 8 times."""
    rows = Rows(*(np.repeat(each, 8, 0) for each in digits))
    found = Source({"all": rows}, [str(i) for i in range(10)])
    monkeypatch.setattr("datamodules.bundled.moving_digits.digits", lambda: found)


def shift(frame, x, y):
    return np.roll(frame, (y, x), (-2, -1))


# Moving digits (S50, S52)


def test_a_digit_lies_where_it_is_moved_to(digits):
    picture = digits[0][:1]
    (clip,) = shift_images(picture, np.array([[[0, 0], [3, 0], [0, 28], [33, -2]]]))
    np.testing.assert_array_equal(clip[0, 1:29, 1:29], picture[0])
    assert clip[0].sum() == picture[0].sum()
    for frame, way in zip(clip[1:], ((3, 0), (0, 28), (3, -2)), strict=True):
        np.testing.assert_array_equal(frame, shift(clip[0], *way))


@pytest.mark.parametrize(
    ("direction", "axis", "sign"), [("right", 0, 1), ("left", 0, -1), ("down", 1, 1), ("up", 1, -1)]
)
def test_a_clip_moves_the_way_its_label_says(few, direction, axis, sign):
    """Each frame is the one before it, moved by the step; mostly to the named side."""
    source = moving_digits("direction")
    rows = source.splits["all"]
    step = DIRECTIONS[direction]
    assert sign * step[axis] == 9
    assert abs(step[1 - axis]) == 3
    mine = rows.raws[rows.labels == source.classes.index(direction)]
    assert len(mine) == 16
    np.testing.assert_array_equal(mine[:, 1:], shift(mine[:, :-1], *step))


def test_all_four_directions_show_the_same_frames_in_other_orders(digits):
    """So neither a frame nor the set of frames tells the direction: only the next one does."""
    steps = np.array(list(DIRECTIONS.values()))[:, None]
    clips = shift_images(digits[0][[0] * 4], (5, 17) + np.arange(10)[:, None] * steps)
    sets = [Counter(frame.tobytes() for frame in clip) for clip in clips]
    assert sets[0] == sets[1] == sets[2] == sets[3]
    assert len(sets[0]) == 10
    assert len({clip[1].tobytes() for clip in clips}) == 4


def test_starts_are_uniform_and_directions_balanced():
    random, count = np.random.default_rng(0), 5000
    direction = random.permutation(np.arange(count) % 4)
    starts = random.integers(0, SIDE, (count, 1, 2))[:, 0]
    found = moving_digits("direction").splits["all"]
    assert np.bincount(found.labels).tolist() == [1250] * 4
    np.testing.assert_array_equal(found.labels, direction)
    canvas = np.pad(mnist_digits().splits["all"].raws[:8], ((0, 0), (1, 1), (1, 1)))
    for frame, picture, start in zip(found.raws[:8, 0], canvas, starts, strict=False):
        np.testing.assert_array_equal(frame, shift(picture, *start))


def test_no_digit_is_in_two_splits():
    data = opened("moving_digits", label="digit", limit=1000)
    firsts = [np.sort(data.arrays(split)[0][:, 0].reshape(-1, SIDE**2)) for split in data.splits]
    seen = [{pixels.tobytes() for pixels in first} for first in firsts]  # without their places
    assert sum(map(len, seen)) == len(set.union(*seen)) > 1000


def test_a_digit_keeps_its_label(few, digits):
    source = moving_digits("digit")
    np.testing.assert_array_equal(source.splits["all"].labels, np.repeat(digits[1], 8))
    assert source.classes == [str(i) for i in range(10)]


def test_the_last_frame_follows_or_does_not(few):
    source = moving_digits("next_frame")
    assert source.classes == ["follows", "does not"]
    rows = source.splits["all"]
    assert np.bincount(rows.labels).tolist() == [32, 32]
    for clip, label in zip(rows.raws, rows.labels, strict=True):
        (step,) = [s for s in DIRECTIONS.values() if (shift(clip[0], *s) == clip[1]).all()]
        (last,) = [s for s in DIRECTIONS.values() if (shift(clip[8], *s) == clip[9]).all()]
        np.testing.assert_array_equal(clip[1:9], shift(clip[:8], *step))
        assert (last != step) == label


def test_clips_of_ones_own_have_their_own_labels(tiny):
    with pytest.raises(ValueError, match=r"data\.label is 'digit': only moving digits have it"):
        opened("video_folder", **tiny("video_folder"), label="digit")
    refused(r"data\.label is None", opened, "moving_digits", label=None, limit=16)


# Controls


def test_shuffled_clips_hold_the_same_frames_each_in_an_order_of_its_own():
    clips = np.arange(40 * 10).reshape(40, 10, 1, 1, 1)
    mixed = reorder_frames(clips, "shuffled")
    np.testing.assert_array_equal(np.sort(mixed, 1), clips)
    assert len({tuple(order) for order in (mixed - clips[:, :1])[..., 0, 0, 0].tolist()}) == 40
    np.testing.assert_array_equal(reorder_frames(clips, "shuffled"), mixed)


def test_a_still_clip_is_its_first_frame_again_and_again():
    clips = np.arange(4 * 10).reshape(4, 10, 1, 1, 1)
    np.testing.assert_array_equal(reorder_frames(clips, "first"), clips[:, [0] * 10])
    assert reorder_frames(clips, "forward") is clips


def test_the_control_data_differ_from_the_data_in_their_order_only():
    names = ("moving_digits", "moving_digits_shuffled", "moving_digits_still")
    plain, mixed, still = (opened(name, limit=16, batch_size=8) for name in names)
    for split in ("train", "val", "test"):
        clips, labels = plain.arrays(split)
        np.testing.assert_array_equal(mixed.arrays(split)[0], reorder_frames(clips, "shuffled"))
        np.testing.assert_array_equal(still.arrays(split)[0], reorder_frames(clips, "first"))
        np.testing.assert_array_equal(mixed.arrays(split)[1], labels)


# Batches (S50, S51)


def test_an_unfolded_batch_is_pictures_that_an_image_model_takes():
    plain, tiled = (
        opened("moving_digits", limit=16, batch_size=8, unfold=u) for u in (False, True)
    )
    clips, pictures = plain.samples("val", 8)[0], tiled.samples("val", 8)[0]
    assert pictures.shape == (8, 1, 90, 120)
    assert torch.equal(pictures[:, :, 30:60, 60:90], clips[:, :, 6])
    np.testing.assert_array_equal(tiled.input.restore(pictures), plain.input.restore(clips))


def test_all_frames_of_a_clip_are_augmented_alike():
    data = opened("moving_digits", limit=32, batch_size=32, order="first")
    data.augment.options.update(width_shift_range=0.3, channel_shift_range=0.2)
    data.hparams["augment"] = data.augment.options
    batch = next(iter(data.batches("train", shuffle=True)))
    plain, clips = data.batch(batch.tensors, None)[0], data.batch(batch.tensors, batch.key)[0]
    assert not torch.allclose(clips, plain)
    torch.testing.assert_close(clips, clips[:, :, :1].expand_as(clips))


def test_moments_are_those_of_the_training_clips():
    data = opened("moving_digits", limit=64, train_samples=16, batch_size=8)
    clips, labels = data.arrays("train")
    assert len(labels) == data.info["samples"]["train"] == 16
    np.testing.assert_allclose(data.input.mean, [(clips / 255).mean()], atol=1e-6)
    np.testing.assert_allclose(data.input.std, [(clips / 255).std()], atol=1e-6)


# One's own clips (S50)


def test_videos_and_folders_of_pictures_are_clips(tiny):
    data = opened("video_folder", **tiny("video_folder"), validation=0.2, test=0.2)
    assert data.info["classes"] == ["brighter", "darker"]
    assert data.info["samples"] == {"train": 26, "val": 6, "test": 8}
    for split in data.splits:
        clips, labels = data.arrays(split)
        assert clips.shape[1:] == (4, 16, 16, 3)
        rise = clips[:, -1].mean((1, 2, 3)) - clips[:, 0].mean((1, 2, 3))
        np.testing.assert_array_equal(rise < 0, labels == 1)


def test_a_table_without_folders_finds_its_clips_in_class_folders(tiny):
    data = opened("drone_video", **tiny("drone_video"))
    assert data.info["classes"] == ["airplane", "bird", "drone", "helicopter"]
    assert data.info["samples"]["test"] == 8
    clips, labels = data.arrays("train")
    np.testing.assert_allclose(clips.mean((1, 2, 3, 4)), 40 + 50 * labels, atol=6)


@pytest.fixture
def folder(tmp_path):
    """Ten clips a class; levels tell which they are."""
    for label, name in enumerate(("a", "b")):
        (tmp_path / "in" / name).mkdir(parents=True)
        for i in range(10):
            clip = np.full((5, 16, 16, 3), 100 * label + 10 * i, np.uint8)
            video(tmp_path / "in" / name / f"{i}.mp4", clip)
    return tmp_path / "in"


SMALL = {"frames": 4, "image_size": 8, "channels": 1, "batch_size": 4}


def test_a_csv_names_videos_and_folders(folder):
    pictures(folder / "a" / "pictures", np.zeros((5, 16, 16, 3), np.uint8))
    lines = [f"{name}/{i}.mp4,{name}ll" for name in "ab" for i in range(10)]
    (folder / "clips.csv").write_text("\n".join(["file,label", *lines, "a/pictures,all"]))
    data = opened("video_folder", source=str(folder), **SMALL)
    assert data.info["classes"] == ["all", "bll"]
    assert sum(data.info["samples"].values()) == 21


def test_a_column_of_videos_in_the_hubs_layout_is_read(folder, tmp_path):
    import datasets

    rows = [(folder / name / f"{i}.mp4").read_bytes() for name in "ab" for i in range(10)]
    videos = [{"bytes": row, "path": None} for row in rows]
    kinds = {"video": datasets.Video(), "label": datasets.ClassLabel(names=["a", "b"])}
    columns = {"video": videos, "label": [0] * 10 + [1] * 10}
    table = datasets.Dataset.from_dict(columns, datasets.Features(kinds))
    table.to_parquet(tmp_path / "hub/data/train-00000-of-00001.parquet")
    data = opened("video_folder", source=str(tmp_path / "hub"), **SMALL)
    clips, labels = data.arrays("train")
    np.testing.assert_array_equal(clips.mean((1, 2, 3, 4)) > 97, labels)


def test_a_changed_frame_of_a_folder_is_read_anew(folder):
    for i in range(3):
        pictures(folder / "a" / f"p{i}", np.full((5, 16, 16, 3), 3, np.uint8))
    first = opened("video_folder", source=str(folder), **SMALL).info["digest"]
    pictures(folder.parent / "other", np.full((1, 16, 16, 3), 200, np.uint8))
    shutil.copy(folder.parent / "other/000.png", folder / "a/p0/000.png")
    assert opened("video_folder", source=str(folder), **SMALL).info["digest"] != first


def test_clips_that_do_not_fit_in_memory_are_refused_with_advice(folder, monkeypatch):
    monkeypatch.setattr(module, "MEMORY", 1000)
    with pytest.raises(ValueError, match=r"would take 0\.0 GiB of memory: lower data\.image_size"):
        opened("video_folder", source=str(folder), **SMALL)


# The real data


@pytest.mark.real
def test_the_real_clips_are_found_whole_and_read(tmp_path):
    """All 280 are found; of each split 12 are decoded."""
    folder = Path(os.environ["ZOO_DATA"]) / "drone_video"
    splits = layouts.open_source(folder, tmp_path, CLIPS).splits
    assert {name: len(rows.labels) for name, rows in splits.items()} == {"train": 224, "test": 56}
    data = opened("drone_video", frames=4, image_size=16, limit=12)
    assert data.info["classes"] == ["airplane", "bird", "drone", "helicopter"]
    assert data.info["samples"] == {"train": 12, "val": 12, "test": 12}
    assert data.info["skipped"] == []
