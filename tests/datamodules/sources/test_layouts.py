"""Data sets as people have them: every layout is written in miniature and read back."""

import csv
import gzip
from itertools import product
from pathlib import Path
from unittest.mock import Mock

import datasets
import numpy as np
import pytest

from datamodules.sources import files, idx, layouts, parquet
from tests.data import missing, refused
from tests.hub import encoded, features
from tests.tiny import cifar10, fashion_mnist, mnist


def read(folder):
    return layouts.open_source(folder, folder.parent / "scratch", files.PICTURES)


def counts(source):
    return {split: len(rows.labels) for split, rows in source.splits.items()}


# Without a network


@pytest.mark.parametrize(("proxies", "server"), [
    ({}, ("huggingface.co", 443)), ({"https": "http://a.proxy:3128"}, ("a.proxy", 3128)),
])  # fmt: skip
def test_without_a_network_one_error_names_the_ways_out(tmp_path, monkeypatch, proxies, server):
    monkeypatch.setattr("socket.create_connection", connect := Mock(side_effect=OSError))
    monkeypatch.setattr(parquet, "getproxies", lambda: proxies)
    with pytest.raises(FileNotFoundError) as error:
        layouts.open_source("ylecun/mnist", tmp_path, files.PICTURES)
    connect.assert_called_once_with(server, timeout=2)
    for way in ("ylecun/mnist", "connect", "data.source=PATH", "$ZOO_DATA", "data=digits"):
        assert way in str(error.value)


# Layouts


def test_hub_layout_gives_names_labels_and_undecoded_bytes(tiny, tmp_path):
    source = layouts.open_source(Path(tiny("cifar10")["source"]), tmp_path, files.PICTURES)
    assert source.classes == cifar10.CLASSES
    assert counts(source) == {"train": 50, "test": 20}
    assert source.splits["train"].labels.tolist() == [i % 10 for i in range(50)]
    assert source.splits["train"].raws[49][:2] == b"\xff\xd8"


def test_hub_layout_without_pictures_is_refused(tmp_path):
    plain = datasets.Features({"text": datasets.Value("string")})
    rows = datasets.Dataset.from_dict({"text": ["a", "b"]}, plain)
    rows.to_parquet(tmp_path / "data" / "train.parquet")
    refused("no Image column: found text", read, tmp_path / "data")


def test_a_label_outside_the_classes_is_named_with_its_row(tmp_path):
    picture = {"bytes": encoded(np.zeros((4, 4), np.uint8), "PNG"), "path": None}
    rows = {"image": [picture] * 3, "label": [0, 1, -1]}
    table = datasets.Dataset.from_dict(rows, features("image", mnist.DIGITS))
    table.to_parquet(tmp_path / "data" / "train.parquet")
    refused("row 2 of train has the label -1", read, tmp_path / "data")


def test_idx_files_give_the_arrays_that_were_written_and_may_be_unzipped(tmp_path):
    pixels = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    parts = {"images-idx3": pixels, "labels-idx1": np.array([1, 0], np.uint8)}
    for split, (part, array) in product(("train", "t10k"), parts.items()):
        (tmp_path / f"{split}-{part}-ubyte.gz").write_bytes(fashion_mnist.idx(array))
    source = read(tmp_path)
    assert list(source.splits) == ["test", "train"]
    assert source.classes == ["0", "1"]
    np.testing.assert_array_equal(source.splits["train"].raws, pixels)
    (tmp_path / "a-ubyte").write_bytes(gzip.decompress(fashion_mnist.idx(pixels)))
    np.testing.assert_array_equal(idx.read(tmp_path / "a-ubyte"), pixels)


WHOLE = fashion_mnist.idx(np.zeros((2, 3, 4), np.uint8))
PLAIN = gzip.decompress(WHOLE)
DAMAGED = {
    "cut short or damaged": WHOLE[:-12],
    "damaged": b"no gzip at all",
    "no IDX file": gzip.compress(b"\0\0\x0d\x03" + PLAIN[4:]),  # floats
    "it starts with": gzip.compress(b"\0\0\x08\x03\0\0"),  # half a header
    "holds 23 bytes, its header says 24": gzip.compress(PLAIN[:-1]),
    "holds 25 bytes": gzip.compress(PLAIN + b"\0"),
    "b''": gzip.compress(b""),
}


@pytest.mark.parametrize("message", DAMAGED)
def test_a_damaged_idx_file_is_named(tmp_path, message):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(DAMAGED[message])
    with pytest.raises(ValueError, match=message) as error:
        idx.read(path)
    assert str(path) in str(error.value)


def test_idx_pictures_without_labels_or_with_too_few_are_refused(tmp_path):
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(WHOLE)
    missing("no labels file", read, tmp_path)
    labels = fashion_mnist.idx(np.zeros(1, np.uint8))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(labels)
    refused(r"\(2, 3, 4\).*\(1,\)", read, tmp_path)


def test_classes_are_the_folders_in_alphanumeric_order(class_folders):  # S29
    source = read(class_folders({"dog": 2, "cat": 3, "Bird": 1, "10": 1, "9": 1}))
    assert source.classes == ["10", "9", "Bird", "cat", "dog"]
    rows = source.splits["all"]
    assert [raw.parent.name for raw in rows.raws] == [source.classes[i] for i in rows.labels]
    assert rows.labels.tolist() == [0, 1, 2, 3, 3, 3, 4, 4]


def test_one_class_is_not_enough(class_folders):
    refused(r"1 class\(es\) \['cat'\]", read, class_folders({"cat": 3}))


@pytest.mark.parametrize(("kind", "said"), [
    (files.PICTURES, "one folder a class"), (files.CLIPS, r"no videos in .*cat/1\.mp4"),
    (files.SOUNDS, "no sounds in .*one folder a class"),
])  # fmt: skip
def test_an_empty_folder_says_how_to_fill_it(tmp_path, kind, said):
    (tmp_path / "in" / "cat").mkdir(parents=True)
    refused(said, layouts.open_source, tmp_path / "in", tmp_path / "scratch", kind)


def test_a_file_in_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "pets.zip").write_bytes(b"PK\x03\x04\xff\xfe")
    refused(r"pets\.zip is a file: a folder, or a \.csv", read, tmp_path / "pets.zip")


def table(path, *rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    for row in rows:
        (path.parent / row[0]).touch()
    return path


def test_a_csv_may_give_splits(tmp_path):
    rows = [("a.png", "x", "train"), ("b.png", "y", "training"), ("c.png", "x", "Validation")]
    source = read(table(tmp_path / "a.csv", ("file", "label", "split"), *rows))
    assert counts(source) == {"train": 2, "val": 1}


@pytest.mark.parametrize(("rows", "message"), [
    ([("name", "class"), ("a.png", "x")], "columns name, class: .*data.file_column=NAME"),
    ([("file", "label"), ("a.png", "x"), ("b.png",)], "line 3 of .* no label"),
    ([("file", "label"), ("", "x")], "line 2 of .* no file"),
    ([("file", "label", "split"), ("a.png", "x", "trian")], "split 'trian'"),
    ([("file", "label", "split"), ("a", "x", "train"), ("b", "y", "")], "split ''"),
    ([], "a.csv is empty"),
])  # fmt: skip
def test_a_csv_with_a_mistake_says_where(tmp_path, rows, message):
    refused(message, read, table(tmp_path / "a.csv", *rows))
