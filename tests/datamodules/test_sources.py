import csv
import gzip
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from datamodules import sources
from datamodules.sources import Rows, Source
from tests import hub
from tests.tiny import cifar10, fashion_mnist, mnist

ROOT = Path(__file__).resolve().parents[2]


def read(folder):
    return sources.open_source(folder, folder.parent / "scratch")


# Where data are looked for


def test_what_the_user_names_comes_before_the_shared_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_DATA", str(tmp_path))
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mine").mkdir()
    assert sources.locate("mnist", str(tmp_path / "mine"), "hub/mnist") == tmp_path / "mine"


def test_the_shared_folder_comes_before_the_hub(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_DATA", str(tmp_path))
    (tmp_path / "mnist").mkdir()
    assert sources.locate("mnist", None, "hub/mnist") == tmp_path / "mnist"
    assert sources.locate("cifar10", None, "hub/cifar10") == "hub/cifar10"


def test_a_source_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        sources.locate("mnist", str(tmp_path / "nowhere"), "hub/mnist")


def test_without_any_place_to_look_the_error_says_what_to_give():
    with pytest.raises(FileNotFoundError, match=r"data\.source=PATH"):
        sources.locate("pets", None, None)


def test_without_a_network_one_error_names_the_ways_out(tmp_path, monkeypatch):
    asked = []

    def refuse(server, timeout):
        asked.append((server, timeout))
        raise OSError("no route")

    monkeypatch.setattr("socket.create_connection", refuse)
    monkeypatch.setattr(sources, "getproxies", dict)
    with pytest.raises(FileNotFoundError) as error:
        sources.open_source("ylecun/mnist", tmp_path)
    assert asked == [(("huggingface.co", 443), 2)]
    for way in ("ylecun/mnist", "connect", "data.source=FOLDER", "$ZOO_DATA", "data=digits"):
        assert way in str(error.value)


def test_behind_a_proxy_the_proxy_is_probed(tmp_path, monkeypatch):
    asked = []

    def refuse(server, timeout):
        asked.append(server)
        raise OSError("no route")

    monkeypatch.setattr("socket.create_connection", refuse)
    monkeypatch.setattr(sources, "getproxies", lambda: {"https": "http://proxy.example:3128"})
    with pytest.raises(FileNotFoundError):
        sources.open_source("ylecun/mnist", tmp_path)
    assert asked == [("proxy.example", 3128)]


# Layouts


def test_hub_layout_gives_names_labels_and_undecoded_bytes(tmp_path):
    cifar10.write(tmp_path / "data")
    source = read(tmp_path / "data")
    assert source.classes == cifar10.CLASSES
    assert {split: len(rows.labels) for split, rows in source.splits.items()} == {
        "train": 50,
        "test": 20,
    }
    assert source.splits["train"].labels.tolist() == [i % 10 for i in range(50)]
    assert source.splits["train"].raws[49][:2] == b"\xff\xd8"


def test_hub_layout_without_pictures_is_refused(tmp_path):
    import datasets

    (tmp_path / "data").mkdir()
    features = datasets.Features({"text": datasets.Value("string")})
    rows = datasets.Dataset.from_dict({"text": ["a", "b"]}, features)
    rows.to_parquet(tmp_path / "data" / "train.parquet")
    with pytest.raises(ValueError, match="no Image column: found text"):
        read(tmp_path / "data")


def test_a_label_outside_the_classes_is_named_with_its_row(tmp_path):
    import datasets

    (tmp_path / "data").mkdir()
    picture = {"bytes": hub.encoded(np.zeros((4, 4), np.uint8), "PNG"), "path": None}
    rows = {"image": [picture] * 3, "label": [0, 1, -1]}
    table = datasets.Dataset.from_dict(rows, hub.features("image", mnist.DIGITS))
    table.to_parquet(tmp_path / "data" / "train.parquet")
    with pytest.raises(ValueError, match="row 2 of train has the label -1"):
        read(tmp_path / "data")


def test_idx_files_give_the_arrays_that_were_written(tmp_path):
    pixels = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    for split in ("train", "t10k"):
        (tmp_path / f"{split}-images-idx3-ubyte.gz").write_bytes(fashion_mnist.idx(pixels))
        labels = fashion_mnist.idx(np.array([1, 0], np.uint8))
        (tmp_path / f"{split}-labels-idx1-ubyte.gz").write_bytes(labels)
    source = read(tmp_path)
    assert list(source.splits) == ["test", "train"]
    assert source.classes == ["0", "1"]
    np.testing.assert_array_equal(source.splits["train"].raws, pixels)


def test_an_idx_file_may_be_unzipped(tmp_path):
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    (tmp_path / "a-ubyte").write_bytes(gzip.decompress(fashion_mnist.idx(pixels)))
    np.testing.assert_array_equal(sources.read_idx(tmp_path / "a-ubyte"), pixels)


def damage(name):
    whole = fashion_mnist.idx(np.zeros((2, 3, 4), np.uint8))
    plain = gzip.decompress(whole)
    return {
        "cut short or damaged": whole[:-12],
        "damaged": b"no gzip at all",
        "no IDX file": gzip.compress(b"\0\0\x0d\x03" + plain[4:]),  # floats
        "it starts with": gzip.compress(b"\0\0\x08\x03\0\0"),  # half a header
        "holds 23 bytes, its header says 24": gzip.compress(plain[:-1]),
        "holds 25 bytes": gzip.compress(plain + b"\0"),
        "b''": gzip.compress(b""),
    }[name]


@pytest.mark.parametrize(
    "message",
    [
        "cut short or damaged",
        "damaged",
        "no IDX file",
        "it starts with",
        "holds 23 bytes, its header says 24",
        "holds 25 bytes",
        "b''",
    ],
)
def test_a_damaged_idx_file_is_named(tmp_path, message):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(damage(message))
    with pytest.raises(ValueError, match=message) as error:
        sources.read_idx(path)
    assert str(path) in str(error.value)


def test_idx_pictures_without_labels_are_refused(tmp_path):
    pixels = fashion_mnist.idx(np.zeros((2, 3, 4), np.uint8))
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(pixels)
    with pytest.raises(FileNotFoundError, match="no labels file"):
        read(tmp_path)


def test_idx_pictures_with_too_few_labels_are_refused(tmp_path):
    pixels = fashion_mnist.idx(np.zeros((2, 3, 4), np.uint8))
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(pixels)
    labels = fashion_mnist.idx(np.zeros(1, np.uint8))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(labels)
    with pytest.raises(ValueError, match=r"\(2, 3, 4\).*\(1,\)"):
        read(tmp_path)


def test_classes_are_the_folders_in_alphanumeric_order(class_folders):  # S29
    source = read(class_folders({"dog": 2, "cat": 3, "Bird": 1, "10": 1, "9": 1}))
    assert source.classes == ["10", "9", "Bird", "cat", "dog"]
    rows = source.splits["all"]
    assert [raw.parent.name for raw in rows.raws] == [source.classes[i] for i in rows.labels]
    assert rows.labels.tolist() == [0, 1, 2, 3, 3, 3, 4, 4]


def test_splits_of_ones_own_are_found(class_folders):
    counts = {"train/a": 2, "train/b": 2, "Valid/a": 1, "test/b": 3}
    source = read(class_folders(counts))
    assert {split: len(rows.labels) for split, rows in source.splits.items()} == {
        "train": 4,
        "val": 1,
        "test": 3,
    }
    assert source.splits["test"].labels.tolist() == [1, 1, 1]


def test_a_class_may_be_called_train(class_folders):
    assert read(class_folders({"train": 2, "bus": 2})).classes == ["bus", "train"]


def test_hidden_files_and_other_files_are_no_pictures(class_folders):
    folder = class_folders({"a": 2, "b": 2, ".git": 1})
    (folder / "a" / "._0.png").write_bytes(b"left by a Mac")
    (folder / "a" / ".cache").mkdir()
    (folder / "a" / ".cache" / "x.png").write_bytes(b"")
    (folder / "a" / "notes.txt").write_text("hello")
    (folder / "docs").mkdir()
    source = read(folder)
    assert source.classes == ["a", "b"]
    assert len(source.splits["all"].labels) == 4


def test_one_class_is_not_enough(class_folders):
    with pytest.raises(ValueError, match=r"1 class\(es\) \['cat'\]"):
        read(class_folders({"cat": 3}))


def test_an_empty_folder_says_how_to_fill_it(tmp_path):
    (tmp_path / "pets").mkdir()
    with pytest.raises(ValueError, match="one folder a class"):
        read(tmp_path / "pets")


def test_a_file_in_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "pets.zip").write_bytes(b"PK\x03\x04\xff\xfe")
    with pytest.raises(ValueError, match=r"pets\.zip is a file: a folder, or a csv"):
        read(tmp_path / "pets.zip")


def table(path, *rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


@pytest.mark.parametrize("by_folder", [True, False])
def test_a_csv_names_files_beside_it(class_folders, by_folder):
    folder = class_folders({"pictures": 3})
    rows = [(f"pictures/{i}.png", "odd" if i % 2 else "even") for i in range(3)]
    path = table(folder / "labels.csv", ("file", "label"), *rows)
    source = read(folder if by_folder else path)
    assert source.classes == ["even", "odd"]
    assert source.splits["all"].labels.tolist() == [0, 1, 0]
    assert source.splits["all"].raws[2] == folder / "pictures" / "2.png"


def test_a_csv_may_give_splits(tmp_path):
    rows = [("a.png", "x", "train"), ("b.png", "y", "training"), ("c.png", "x", "Validation")]
    source = read(table(tmp_path / "a.csv", ("file", "label", "split"), *rows))
    assert {split: len(rows.labels) for split, rows in source.splits.items()} == {
        "train": 2,
        "val": 1,
    }


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("name", "class"), ("a.png", "x")], r"columns \['name', 'class'\]"),
        ([("file", "label"), ("a.png", "x"), ("b.png",)], "line 3 of .* no label"),
        ([("file", "label"), ("", "x")], "line 2 of .* no file"),
        ([("file", "label", "split"), ("a.png", "x", "trian")], "split 'trian'"),
        ([("file", "label", "split"), ("a", "x", "train"), ("b", "y", "")], "split ''"),
        ([], r"columns \[\]"),
    ],
)
def test_a_csv_with_a_mistake_says_where(tmp_path, rows, message):
    with pytest.raises(ValueError, match=message):
        read(table(tmp_path / "a.csv", *rows))


def test_two_tables_in_a_folder_are_not_guessed_between(tmp_path):
    (tmp_path / "pets").mkdir()
    for name in ("test", "train"):
        table(tmp_path / "pets" / f"{name}.csv", ("file", "label"), ("a.png", "x"))
    with pytest.raises(ValueError, match=r"several tables \(test\.csv, train\.csv\)"):
        read(tmp_path / "pets")


# Splits and subsets


def labelled(labels):
    labels = np.asarray(labels)
    return Rows(list(range(len(labels))), labels)


def test_an_official_test_split_stays_whole_and_validation_is_carved_from_train():
    train, test = labelled([0, 1] * 50), labelled([0, 1] * 10)
    divided = sources.divide(Source({"train": train, "test": test}, ["a", "b"]), 0.1, 0.5, 0)
    assert divided.splits["test"] is test
    assert len(divided.splits["val"].labels) == 10
    both = [*divided.splits["train"].raws, *divided.splits["val"].raws]
    assert sorted(both) == list(range(100))


def test_carved_splits_are_disjoint_stratified_and_seeded():
    source = Source({"all": labelled([0] * 60 + [1] * 40)}, ["a", "b"])
    one, same, other = (sources.divide(source, 0.25, 0.2, seed).splits for seed in (0, 0, 1))
    raws = [raw for rows in one.values() for raw in rows.raws]
    assert sorted(raws) == list(range(100))
    counts = {split: np.bincount(rows.labels).tolist() for split, rows in one.items()}
    assert counts == {"train": [36, 24], "val": [12, 8], "test": [12, 8]}
    assert one["test"].raws == same["test"].raws != other["test"].raws


def test_a_split_that_would_be_empty_is_refused():
    with pytest.raises(ValueError, match="train split is empty"):
        sources.divide(Source({"all": labelled([0])}, ["a", "b"]), 0.1, 0.2, 0)
    with pytest.raises(ValueError, match="no training split: found test"):
        sources.divide(Source({"test": labelled([0])}, ["a", "b"]), 0.1, 0.2, 0)


def test_subsets_are_nested_seeded_and_keep_the_proportions():  # S07
    labels = np.random.default_rng(0).permutation([0] * 700 + [1] * 200 + [2] * 100)
    subsets = [sources.first(labels, count, seed=0) for count in (10, 50, 51, 400, 1000)]
    for small, large in pairwise(subsets):
        assert set(small) < set(large)
    for subset in subsets:
        wanted = np.array([0.7, 0.2, 0.1]) * len(subset)
        assert np.abs(np.bincount(labels[subset], minlength=3) - wanted).max() <= 2
    assert not np.array_equal(subsets[1], sources.first(labels, 50, seed=1))


def test_a_subset_larger_than_the_data_is_all_of_them():
    labels = np.array([0, 1, 1])
    assert sources.first(labels, 5, seed=0).tolist() == [0, 1, 2]
    assert sources.first(labels, None, seed=0).tolist() == [0, 1, 2]


# The cache


def note(part):
    (part / "made").write_text("once")


def test_what_was_prepared_is_not_prepared_again(own_cache):
    calls = []
    for _ in range(2):
        folder = sources.cached("pets", "key", lambda part: (calls.append(1), note(part)))
    assert len(calls) == 1
    assert (folder / "made").read_text() == "once"


def test_a_failed_build_leaves_nothing(own_cache):
    def fail(part):
        note(part)
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        sources.cached("pets", "key", fail)
    assert not list(own_cache.glob("pets-key*/"))


def test_what_a_killed_build_left_is_swept(own_cache):
    (own_cache / "pets-key.part").mkdir(parents=True)
    note(own_cache / "pets-key.part")
    seen = []
    sources.cached("pets", "key", lambda part: seen.extend(part.iterdir()))
    assert seen == []  # the leftovers were swept
    assert not (own_cache / "pets-key.part").exists()


def test_a_cache_that_cannot_be_written_is_one_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(ValueError, match=r"cannot write to the cache folder .*set ZOO_CACHE"):
        sources.cached("pets", "key", note)


def test_the_fingerprint_follows_the_files_and_the_preprocessing(class_folders):
    folder = class_folders({"a": 2, "b": 2})
    before = sources.fingerprint(folder, size=8)
    assert sources.fingerprint(folder, size=8) == before
    assert sources.fingerprint(folder, size=9) != before
    os.utime(folder / "a" / "0.png", ns=(1, 1))
    assert sources.fingerprint(folder, size=8) != before


def test_the_fingerprint_of_a_csv_follows_the_files_it_names(class_folders):
    folder = class_folders({"a": 2})
    path = table(folder / "labels.csv", ("file", "label"), ("a/0.png", "x"), ("a/1.png", "y"))
    before = sources.fingerprint(path)
    os.utime(folder / "a" / "0.png", ns=(1, 1))
    assert sources.fingerprint(path) != before


PREPARE = """
import sys, time
from pathlib import Path
from datamodules import sources

def build(part):
    with open(sys.argv[1], "a") as file:
        file.write("built\\n")
    (part / "half").write_text("x")
    time.sleep(float(sys.argv[2]))
    (part / "whole").write_text("x")

print(sources.cached("pets", "key", build))
"""


def prepare(log, seconds):
    return subprocess.Popen(
        [sys.executable, "-c", PREPARE, str(log), str(seconds)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for(path):
    for _ in range(600):
        if path.exists():
            return
        time.sleep(0.05)
    raise TimeoutError(path)


@pytest.mark.slow
def test_two_processes_at_once_prepare_once(own_cache, tmp_path):
    both = [prepare(tmp_path / "log", 2) for _ in range(2)]
    outputs = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert (tmp_path / "log").read_text() == "built\n"
    assert "waiting for another process to prepare pets-key" in "".join(outputs)
    assert (own_cache / "pets-key" / "whole").exists()


@pytest.mark.slow
def test_after_a_kill_in_the_middle_the_next_start_prepares_anew(own_cache, tmp_path):
    killed = prepare(tmp_path / "log", 60)
    wait_for(own_cache / "pets-key.part" / "half")
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert not (own_cache / "pets-key").exists()
    again = prepare(tmp_path / "log", 0)
    again.communicate(timeout=60)
    assert again.returncode == 0
    assert (own_cache / "pets-key" / "whole").exists()
    assert not (own_cache / "pets-key.part").exists()
