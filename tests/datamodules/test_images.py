import re
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from PIL import Image
from pytorch_lightning.plugins import Precision

from datamodules import images as module
from datamodules.inputs.image import ImageInput
from datamodules.loading import labelled
from datamodules.sources import layouts
from tests.data import opened, refused

TINY = ["mnist", "fashion_mnist", "cifar10", "image_folder"]


@pytest.fixture
def small(tiny):
    """Open a data set of the catalog on its miniature."""
    return lambda name, **overrides: opened(name, **tiny(name), **overrides)


# What a datamodule promises


@pytest.mark.parametrize("name", TINY)
def test_batches_and_arrays_agree(small, name):
    data = small(name)
    info = data.info
    size, channels = info["image_size"], info["channels"]
    pixels, labels = data.arrays("train")
    assert (pixels.shape, pixels.dtype) == ((len(labels), size, size, channels), np.uint8)
    assert info["samples"] == {split: len(data.arrays(split)[1]) for split in data.splits}
    batches = list(data.train_dataloader())
    assert len(batches) == len(labels) // 8
    for batch in batches:
        x, y = data.on_after_batch_transfer(batch, 0)
        assert (x.shape, x.dtype) == ((8, channels, size, size), torch.float32)
        assert (y.shape, y.dtype) == ((8,), torch.int64)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10"])
def test_the_official_test_split_stays_whole(small, name):  # S04, S45
    data = small(name)
    assert data.info["samples"] == {"train": 45, "val": 5, "test": 20}
    assert data.arrays("test")[1].tolist() == [i % 10 for i in range(20)]
    assert data.info["bundled"] is False


@pytest.mark.parametrize(("name", "axis"), [("mnist", 2), ("fashion_mnist", 1)])
def test_pixels_and_labels_belong_together(small, name, axis):
    for split in ("train", "val", "test"):
        pixels, labels = small(name).arrays(split)
        bright = (pixels[..., 0] == 255).all(3 - axis)  # the column or row that marks the class
        assert [int(np.flatnonzero(row)[0]) for row in bright] == [2 * i + 4 for i in labels]


def test_a_whole_batch_shows_every_class(class_folders):
    data = opened("image_folder", source=str(class_folders({"a": 40, "b": 20, "c": 20})))
    images, labels = data.samples("train", 8)
    assert images.shape == (8, 1, 8, 8)
    assert np.bincount(labels).tolist() == [4, 2, 2]
    pixels, wanted = data.arrays("train")
    np.testing.assert_array_equal(data.input.restore(images)[-1], pixels[wanted == 2][-1])


def test_statistics_are_those_of_the_training_pictures_in_use(small):  # S06
    data = small("mnist", train_samples=20)
    pixels, labels = data.arrays("train")
    assert len(labels) == data.info["samples"]["train"] == 20
    assert data.info["samples"]["val"] == 5
    np.testing.assert_allclose(data.input.mean, [(pixels / 255).mean()], atol=1e-6)
    seen = torch.cat([batch.tensors[1] for batch in data.batches("train", shuffle=True)])
    assert len(seen) == 16  # two batches of 8
    everything = {picture.tobytes() for picture in small("mnist").arrays("train")[0]}
    assert {picture.tobytes() for picture in pixels} <= everything


def test_only_training_batches_are_augmented(small):
    data = small("cifar10")
    batch = next(iter(data.batches("train", shuffle=True)))
    plain = data.input.normalise(data.input.scale(batch.tensors[0]))
    data.trainer = SimpleNamespace(training=False, precision_plugin=Precision())
    assert torch.equal(data.on_after_batch_transfer(batch, 0)[0], plain)
    data.trainer.training = True
    augmented = data.on_after_batch_transfer(batch, 0)[0]
    assert not torch.allclose(augmented, plain)
    assert torch.equal(data.on_after_batch_transfer(batch, 0)[0], augmented)


def test_ranks_read_disjoint_parts_of_a_batch(small):
    data = small("mnist")
    pictures = []
    for rank, world in ((0, 2), (1, 2), (0, 1)):
        data.trainer = SimpleNamespace(global_rank=rank, world_size=world)
        pictures.append(next(iter(data.batches("train", shuffle=True))).tensors[0])
    assert torch.equal(torch.cat(pictures[:2]), pictures[2])


# What is decoded, and when


def test_a_second_start_decodes_nothing(small, monkeypatch, own_cache):
    first = small("image_folder")
    for place, name in ((module, "decode"), (module, "open_picture"), (labelled, "open_source")):
        monkeypatch.setattr(place, name, None)
    second = small("image_folder")
    assert second.info == first.info
    np.testing.assert_array_equal(second.arrays("train")[0], first.arrays("train")[0])


def test_a_prepared_hub_data_set_needs_no_connection(tiny, tmp_path, monkeypatch, own_cache):
    local = layouts.open_source(Path(tiny("mnist")["source"]), tmp_path, layouts.PICTURES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(labelled, "open_source", lambda *_: local)
        before = opened("mnist", batch_size=8)
    monkeypatch.setattr("socket.create_connection", None)
    assert opened("mnist", batch_size=8).info == before.info


def test_a_limit_decodes_no_more_than_it_keeps(class_folders, monkeypatch):
    monkeypatch.setattr(module, "decode", decoded := Mock(wraps=module.decode))
    folder = str(class_folders({"a": 60, "b": 30}))
    data = opened("image_folder", source=folder, limit=9, batch_size=3)
    assert data.info["samples"] == {"train": 9, "val": 7, "test": 9}
    assert decoded.call_count == 25
    assert np.bincount(data.arrays("train")[1]).tolist() == [6, 3]


# One's own pictures


def test_size_and_channels_are_found_or_chosen(class_folders, small):
    folder = str(class_folders({"a": 8, "b": 8}, size=10))
    data = opened("image_folder", source=folder)
    assert (data.info["image_size"], data.info["channels"]) == (10, 1)
    chosen = opened("image_folder", source=folder, image_size=6, channels=3)
    assert chosen.arrays("train")[0].shape[1:] == (6, 6, 3)
    large = opened("image_folder", source=str(class_folders({"a": 8, "b": 8}, 100, "large")))
    assert large.info["image_size"] == 64
    assert small("image_folder").info["channels"] == 3


def test_a_picture_that_was_too_large_is_read_once_the_bound_is_raised(
    class_folders, encoded, monkeypatch
):
    folder = class_folders({"a": 20, "b": 20})
    (folder / "a" / "large.png").write_bytes(encoded(np.zeros((80, 80), np.uint8)))
    monkeypatch.setenv("ZOO_MAX_MEGAPIXELS", "0.0063")
    data = opened("image_folder", source=str(folder), broken="skip")
    assert sum(data.info["samples"].values()) == 40
    assert "large.png is too large (80 x 80 pixels)" in data.info["skipped"][0]
    monkeypatch.setenv("ZOO_MAX_MEGAPIXELS", "0.0064")
    data = opened("image_folder", source=str(folder), broken="skip")
    assert (sum(data.info["samples"].values()), data.info["skipped"]) == (41, [])


def test_pages_and_frames_after_the_first_are_counted_and_named(class_folders):
    folder = class_folders({"a": 20, "b": 20})
    pages = [Image.new("L", (8, 8), level) for level in (0, 100, 200)]
    for name in ("a/scan.tif", "a/moves.gif", "b/moves.webp"):
        pages[0].save(folder / name, save_all=True, append_images=pages[1:])
    pages[0].save(folder / "b" / "still.tif")
    lines = opened("image_folder", source=str(folder)).info["skipped"]
    counts = [re.match(r"all but the first page or frame of (\d) pictures of", x)[1] for x in lines]
    assert sum(map(int, counts)) == 3
    assert sorted(re.findall(r"\w+\.\w+(?=,|$)", ", ".join(lines))) == [
        "moves.gif", "moves.webp", "scan.tif",
    ]  # fmt: skip


def test_a_broken_row_of_a_table_is_named(tmp_path):
    import datasets

    from tests import hub
    from tests.tiny import mnist

    picture = {"bytes": hub.encoded(np.zeros((28, 28), np.uint8), "PNG"), "path": None}
    rows = [picture, {"bytes": b"nothing", "path": None}, picture]
    (tmp_path / "data").mkdir()
    for split, count in {"train": 3, "validation": 1, "test": 1}.items():
        columns = {"image": rows[:count], "label": range(count)}
        table = datasets.Dataset.from_dict(columns, hub.features("image", mnist.DIGITS))
        table.to_parquet(tmp_path / "data" / f"{split}.parquet")
    refused("row 1 of train: a picture", opened, "mnist", source=str(tmp_path / "data"))


def test_a_split_of_broken_pictures_only_is_refused(class_folders):
    folder = class_folders({"train/a": 9, "train/b": 9, "val/a": 2, "test/a": 1})
    (folder / "test" / "a" / "0.png").write_text("no picture")
    with pytest.raises(ValueError, match=r"none of the pictures of test can be read.*0\.png"):
        opened("image_folder", source=str(folder), broken="skip")


# The real data


@pytest.mark.real
@pytest.mark.parametrize(("name", "train", "classes", "mean", "std"), [
    ("mnist", 60_000, "0123456789", [0.1307], [0.3081]),
    ("fashion_mnist", 60_000, None, [0.2860], [0.3530]),
    ("cifar10", 50_000, None, [0.4913, 0.4821, 0.4465], [0.2470, 0.2435, 0.2616]),
])  # fmt: skip
def test_the_real_data_are_the_official_ones(name, train, classes, mean, std):  # S04, S45
    data = opened(name)
    samples = data.info["samples"]
    assert samples == {"train": train * 9 // 10, "val": train // 10, "test": 10_000}
    assert len(data.info["classes"]) == 10
    assert classes in (None, "".join(data.info["classes"]))
    both = zip(data.arrays("train"), data.arrays("val"), strict=True)
    pixels, labels = map(np.concatenate, both)
    assert (pixels.min(), pixels.max()) == (0, 255)
    whole = ImageInput.fit(pixels)
    np.testing.assert_allclose(whole.mean, mean, atol=1e-4)
    np.testing.assert_allclose(whole.std, std, atol=5e-3 if name == "cifar10" else 1e-4)
    np.testing.assert_array_less(np.abs(np.bincount(labels) / train - 0.1), 0.02)
    tests = np.bincount(data.arrays("test")[1])
    if name == "mnist":
        assert data.arrays("test")[1][:8].tolist() == [7, 2, 1, 0, 4, 1, 4, 9]
        assert tests.tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    else:
        assert tests.tolist() == [1000] * 10
