"""NumPy batches of any image datamodule, for learning outside the network (S26, S28, S31)."""

from itertools import chain, islice
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

import zoo
from datamodules.loading import numpy_stream as module
from tests import data as data_set
from tests.data import refused


def opened(**overrides):
    return data_set.opened("digits", **{"limit": 60, "batch_size": 16, **overrides})


@pytest.fixture(scope="module")
def data():
    return opened(augment={"rotation_range": 15, "width_shift_range": 0.1})


def equal(one, other):
    """Whether two lists of batches (X, y) are the same."""
    pairs = zip([*chain(*one)], [*chain(*other)], strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def test_a_batch_is_images_as_the_network_sees_them_and_labels(data):
    """S26: NHWC by default, NCHW when asked."""
    batch = data.on_after_batch_transfer(next(iter(data.val_dataloader())), 0)
    images, labels = next(data.flow("val", shuffle=False, layout="NCHW"))
    np.testing.assert_array_equal(images, batch[0].numpy())
    np.testing.assert_array_equal(labels, batch[1].numpy())
    assert (images.dtype, labels.dtype) == (np.float32, np.int64)
    last = next(data.flow("val", shuffle=False))[0]
    np.testing.assert_array_equal(last, images.transpose(0, 2, 3, 1))
    assert last.flags.c_contiguous


def test_each_sample_is_given_once_an_epoch_the_rest_in_an_incomplete_batch(data):
    """60 = 3 x 16 + 12; training drops the 12, `flow` must not."""
    batches = list(data.flow(epochs=2))
    assert [len(y) for _, y in batches] == [16, 16, 16, 12] * 2
    pixels, _ = data.arrays("train")
    first, second = (np.concatenate([x for x, _ in part]) for part in (batches[:4], batches[4:]))
    given = sorted(picture.tobytes() for picture in first)
    assert given == sorted(picture.tobytes() for picture in second)
    assert len(set(given)) == len({picture.tobytes() for picture in pixels})
    assert not np.array_equal(first, second)  # in another order


def test_a_batch_is_a_function_of_seed_epoch_and_number(data):
    """S28: reproducible by seed."""
    one, same = (list(islice(data.flow(augment=True, seed=3), 9)) for _ in range(2))
    assert [len(y) for _, y in one] == [16, 16, 16, 12] * 2 + [16]  # it has no end
    assert equal(one, same)
    assert not equal(one, list(islice(data.flow(augment=True, seed=4), 9)))
    assert not np.array_equal(one[0][0], one[4][0])  # the first of the next epoch
    own = list(data.flow(augment=True, epochs=1))
    assert equal(own, list(data.flow(augment=True, epochs=1, seed=data.hparams["seed"])))


def test_it_gives_what_training_gives(data):
    """The same order and the same draws, batch for batch, as Lightning's loop takes."""
    loader = data.batches("train", shuffle=True)
    loader.set_epoch(1)
    keyed = [data.batch(batch.tensors, batch.key) for batch in loader]
    assert len(keyed) == 3
    assert equal(keyed, list(data.flow(augment=True, epochs=2, layout="NCHW"))[4:7])


def test_only_what_is_asked_for_is_augmented(data):
    plain, moved = (next(data.flow(augment=a, shuffle=False))[0] for a in (False, True))
    pixels = data.input.restore(tensor(plain))
    np.testing.assert_array_equal(pixels, data.arrays("train")[0][:16])
    assert not np.allclose(plain, moved)


def tensor(images):
    return torch.from_numpy(images).permute(0, 3, 1, 2)


def test_of_a_mixed_picture_the_label_is_that_of_its_larger_part():
    """partial_fit takes one class a picture."""
    data = opened(augment={"mixup": 1.0})
    first = next(iter(data.batches("train", shuffle=True)))
    shares = data.batch(first.tensors, first.key)[1]
    assert shares.shape == (16, 10)
    images, labels = next(data.flow(augment=True))
    assert (images.shape, labels.dtype) == ((16, 28, 28, 1), np.int64)
    np.testing.assert_array_equal(labels, shares.argmax(1))


def test_data_that_are_not_open_yet_are_opened():
    data = zoo.create_data("digits", limit=60)
    assert next(data.flow(batch_size=5))[0].shape == (5, 28, 28, 1)


def test_a_run_on_two_devices_changes_nothing(data, monkeypatch):
    """It is not Lightning that asks: each process gets the whole batch."""
    monkeypatch.setattr(data, "trainer", SimpleNamespace(global_rank=1, world_size=2))
    assert len(next(iter(data.batches("train", shuffle=True))).tensors[1]) == 8
    assert len(next(data.flow())[1]) == 16


@pytest.mark.parametrize(("wrong", "said"), [
    ({"split": "training"}, "split is 'training': it must be one of train, val, test"),
    ({"layout": "CHWN"}, "layout is 'CHWN': it must be one of NHWC, NCHW"),
    ({"epochs": 0}, "epochs is 0: it must be 1 or more"),
    ({"batch_size": -4}, "batch_size is -4: it must be 1 or more"),
])  # fmt: skip
def test_what_cannot_be_done_is_said_before_the_first_batch(data, wrong, said):
    refused(said, data.flow, **wrong)


def test_a_sheet_of_each_batch_is_saved(data, tmp_path):
    """S28: as Keras' save_to_dir; 16 pictures of 28 pixels are 4 x 4 with gaps of 2."""
    batches = list(data.flow(augment=True, epochs=1, sheets=tmp_path / "sheets"))
    names = sorted(path.name for path in (tmp_path / "sheets").iterdir())
    assert names == [f"train-000-{i:05d}.png" for i in range(4)]
    sheet = np.asarray(Image.open(tmp_path / "sheets" / names[0]))
    assert sheet.shape == (4 * 28 + 3 * 2,) * 2
    fifth = data.input.restore(tensor(batches[0][0]))[5, :, :, 0]
    np.testing.assert_array_equal(sheet[30:58, 30:58], fifth)


def test_a_sheet_of_colour_pictures_keeps_their_colours(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 5, 6, 3), np.uint8)
    module.save_sheet(pixels, tmp_path / "a" / "sheet.png")
    sheet = np.asarray(Image.open(tmp_path / "a" / "sheet.png"))
    assert sheet.shape == (2 * 5 + 2, 2 * 6 + 2, 3)
    np.testing.assert_array_equal(sheet[7:, :6], pixels[2])
    assert not sheet[7:, 8:].any()
