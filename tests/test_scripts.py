"""Scripts beside the zoo: JPEG on a data set, the numbers that a change changes, the picture."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoo
from scripts import jpeg, net, readme_picture
from tests.tiny import fashion_mnist

COMMITTED = Path(__file__).resolve().parent.parent / "docs" / "zoo.png"


def test_a_data_set_after_jpeg_is_read_again_with_its_labels(tmp_path):
    source = fashion_mnist.write(tmp_path / "fashion")["source"]
    change = jpeg.write("fashion_mnist", tmp_path / "jpeg", 75, source=source)
    before, after = (
        zoo.create_data("fashion_mnist", source=str(tmp_path / name), batch_size=8)
        for name in ("fashion", "jpeg")
    )
    before.setup("fit"), after.setup("fit")
    assert after.facts["samples"] == before.facts["samples"]
    (pixels, labels), (lossy, same) = before.arrays("test"), after.arrays("test")
    np.testing.assert_array_equal(labels, same)
    assert 0 < np.abs(lossy.astype(int) - pixels).mean() < 40
    assert change > 0


def test_a_picture_is_what_its_jpeg_shows():
    picture = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=40)
    np.testing.assert_array_equal(jpeg.compressed(picture, 40), np.asarray(Image.open(file)))


def test_a_net_names_what_is_other_gone_and_new():
    before = {name: {"weights": "1", "scores": "2"} for name in ("equal", "gone", "other")}
    after = {**before, "other": {"weights": "1", "scores": "3"}, "new": {}}
    del after["gone"]
    said = ["gone: is gone", "new: is new", "other: other scores"]
    assert list(net.differences(before, after)) == said


def test_a_net_knows_the_data_of_every_experiment():
    found = {name: net.data_of(name) for name in zoo.list_experiments()}
    assert set(found.values()) <= set(zoo.list_data())
    assert (found["image_cnn"], found["mnist_gan"]) == ("digits", "mnist")


def test_a_sheet_has_each_picture_at_its_place_in_full_range():
    pictures = [np.full((2, 2), 7.0), np.array([[3.0, 5.0], [3.0, 5.0]])]
    (left, right) = np.split(readme_picture.sheet(pictures, columns=2, gap=1), 2, axis=1)
    assert left.shape == right.shape == (4, 4)
    assert np.isnan(left[0]).all()
    np.testing.assert_array_equal(right[1:3, 1:3], [[0, 1], [0, 1]])


@pytest.mark.slow
def test_the_picture_of_readme_is_drawn(tmp_path):
    readme_picture.main(tmp_path / "zoo.png")
    with Image.open(tmp_path / "zoo.png") as drawn, Image.open(COMMITTED) as committed:
        assert drawn.size == committed.size
