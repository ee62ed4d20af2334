import os
import shutil
import sys
from itertools import pairwise
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen

import numpy as np
import pytest

from datamodules.sources.locate import fingerprint, locate
from datamodules.sources.rows import Rows, Source
from datamodules.sources.splits import divide, first
from datamodules.utilities import cache
from tests.data import missing, refused

ROOT = Path(__file__).resolve().parents[3]


# Where data are looked for


def test_the_users_place_comes_before_the_shared_folder_and_that_before_the_hub(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("ZOO_DATA", str(tmp_path))
    for name in ("mnist", "mine"):
        (tmp_path / name).mkdir()
    assert locate("mnist", str(tmp_path / "mine"), "hub/mnist") == tmp_path / "mine"
    assert locate("mnist", None, "hub/mnist") == tmp_path / "mnist"
    assert locate("cifar10", None, "hub/cifar10") == "hub/cifar10"


def test_a_source_that_is_not_there_is_named_and_without_any_the_error_says_what_to_give(tmp_path):
    missing("nowhere", locate, "mnist", str(tmp_path / "nowhere"), "hub/mnist")
    missing(r"data\.source=PATH", locate, "pets", None, None)


def test_a_source_whose_name_is_no_utf8_is_refused_before_training(tmp_path):
    (tmp_path / "caf\udce9").mkdir()
    refused(r"caf\\udce9, whose name is not UTF-8", locate, "a", str(tmp_path / "caf\udce9"), None)


# Splits and subsets


def labelled(labels):
    labels = np.asarray(labels)
    return Rows(list(range(len(labels))), labels)


def test_an_official_test_split_stays_whole_and_validation_is_carved_from_train():
    train, test = labelled([0, 1] * 50), labelled([0, 1] * 10)
    divided = divide(Source({"train": train, "test": test}, ["a", "b"]), 0.1, 0.5, 0)
    assert divided.splits["test"] is test
    assert len(divided.splits["val"].labels) == 10
    both = [*divided.splits["train"].raws, *divided.splits["val"].raws]
    assert sorted(both) == list(range(100))


def test_carved_splits_are_disjoint_stratified_and_seeded():
    source = Source({"all": labelled([0] * 60 + [1] * 40)}, ["a", "b"])
    one, same, other = (divide(source, 0.25, 0.2, seed).splits for seed in (0, 0, 1))
    raws = [raw for rows in one.values() for raw in rows.raws]
    assert sorted(raws) == list(range(100))
    counts = {split: np.bincount(rows.labels).tolist() for split, rows in one.items()}
    assert counts == {"train": [36, 24], "val": [12, 8], "test": [12, 8]}
    assert one["test"].raws == same["test"].raws != other["test"].raws


def test_a_split_that_would_be_empty_is_refused():
    refused("3 together", divide, Source({"all": labelled([0])}, ["a", "b"]), 0.1, 0.2, 0)
    with pytest.raises(ValueError, match="no training split: found test"):
        divide(Source({"test": labelled([0])}, ["a", "b"]), 0.1, 0.2, 0)


@pytest.mark.parametrize("per_class", [2, 3])
def test_of_the_smallest_data_each_split_has_some_and_training_each_class(per_class):
    for seed in range(20):
        rows = labelled([i for i in range(2) for _ in range(per_class)])
        splits = divide(Source({"all": rows}, ["a", "b"]), 0.1, 0.2, seed).splits
        assert {*splits["train"].labels.tolist()} == {0, 1}
        assert [len(splits[name].labels) for name in ("val", "test")] == [1, 1]


def test_a_class_of_one_sample_is_trained_on_and_carved_splits_shrink_for_it():
    source = Source({"all": labelled([0, 1, 2, 3, 4, 4, 4])}, list("abcde"))
    splits = divide(source, 0.5, 0.5, 0).splits
    assert [len(splits[name].labels) for name in ("train", "val", "test")] == [5, 1, 1]
    few = Source({"all": labelled([0, 1, 1])}, ["a", "b"])
    refused("^3 samples of 2 class.* too few: .*, 4 together", divide, few, 0.1, 0.2, 0)


def test_subsets_are_nested_seeded_and_keep_the_proportions():  # S07
    labels = np.random.default_rng(0).permutation([0] * 700 + [1] * 200 + [2] * 100)
    subsets = [first(labels, count, seed=0) for count in (10, 50, 51, 400, 1000)]
    for small, large in pairwise(subsets):
        assert set(small) < set(large)
    for subset in subsets:
        wanted = np.array([0.7, 0.2, 0.1]) * len(subset)
        assert np.abs(np.bincount(labels[subset], minlength=3) - wanted).max() <= 2
    assert not np.array_equal(subsets[1], first(labels, 50, seed=1))


def test_a_subset_larger_than_the_data_is_all_of_them():
    labels = np.array([0, 1, 1])
    for count in (5, None):
        assert first(labels, count, seed=0).tolist() == [0, 1, 2]


# The cache


def note(part):
    (part / "made").write_text("once")


def test_what_was_prepared_is_not_prepared_again(own_cache):
    calls = []
    for _ in range(2):
        folder = cache.cached("pets", "key", lambda part: (calls.append(1), note(part)))
    assert len(calls) == 1
    assert (folder / "made").read_text() == "once"


def test_a_failed_build_leaves_nothing(own_cache):
    with pytest.raises(ZeroDivisionError):
        cache.cached("pets", "key", lambda part: note(part) or 1 / 0)
    assert not list(own_cache.glob("pets-key*/"))


def test_what_a_killed_build_left_is_swept(own_cache):
    (own_cache / "pets-key.part").mkdir(parents=True)
    (own_cache / "pets-key.lock").touch()
    note(own_cache / "pets-key.part")
    seen = []
    cache.cached("pets", "key", lambda part: seen.extend(part.iterdir()))
    assert seen == []  # the leftovers were swept
    assert not (own_cache / "pets-key.part").exists()


def test_a_cache_that_cannot_be_written_is_one_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "file" / "cache"))
    refused(r"cannot write to the cache folder .*set ZOO_CACHE", cache.cached, "pets", "key", note)


@pytest.mark.parametrize("of", [".", "labels.csv"])
def test_the_fingerprint_follows_the_preprocessing_and_the_files_that_are_there_or_named(
    class_folders, of
):
    folder = class_folders({"a": 2, "b": 2})
    (folder / "labels.csv").write_text("file,label\na/0.png,x\na/1.png,y\n")
    before = fingerprint(folder / of, size=8)
    assert fingerprint(folder / of, size=8) == before != fingerprint(folder / of, size=9)
    os.utime(folder / "a" / "0.png", ns=(1, 1))
    assert fingerprint(folder / of, size=8) != before


def swap(folder):
    """A class gets the name of another one."""
    for old, new in (("a", "c"), ("b", "a"), ("c", "b")):
        (folder / old).rename(folder / new)


def lead_elsewhere(folder):
    (folder / "link").unlink()
    (folder / "link").symlink_to("b")


def lead_out(folder):
    copy = folder.parent / "copy"
    shutil.copytree(folder / "a", copy)
    (folder / "a").rename(folder.parent / "away")
    (folder / "a").symlink_to(copy)


def add_a_class(folder):
    (folder / "c").mkdir()


@pytest.mark.parametrize("change", [swap, lead_elsewhere, lead_out, add_a_class])
def test_whatever_changes_what_is_read_changes_the_fingerprint(class_folders, change):
    """Though each file has the size and the time of all others."""
    folder = class_folders({"a": 2, "b": 2})
    (folder / "link").symlink_to("a")
    for path in folder.rglob("*.png"):
        path.write_bytes(b"of one size")
        os.utime(path, ns=(1, 1))
    before = fingerprint(folder)
    change(folder)
    assert fingerprint(folder) != before


@pytest.mark.parametrize("name", ["0.png", "clip"])
def test_the_fingerprint_follows_files_elsewhere(class_folders, tmp_path, name):
    folder = class_folders({"clip": 2}, name="elsewhere")
    (folder / "clip" / "0.png").rename(folder / "0.png")
    (tmp_path / "labels.csv").write_text(f"file,label\n{folder / name},x\n")
    before = fingerprint(tmp_path / "labels.csv")
    for path in folder.rglob("*.png"):
        os.utime(path, ns=(1, 1))
    assert fingerprint(tmp_path / "labels.csv") != before


def test_two_folders_behind_links_have_two_fingerprints_and_litter_changes_none(
    class_folders, tmp_path
):
    for name in ("one", "two"):
        class_folders({"a": 1, "b": 1}, name=name)
        (tmp_path / f"to_{name}" / "pets").mkdir(parents=True)
        for part in "ab":
            (tmp_path / f"to_{name}" / "pets" / part).symlink_to(tmp_path / name / part)
    one, two = (fingerprint(tmp_path / f"to_{name}" / "pets") for name in ("one", "two"))
    assert one != two
    (tmp_path / "one" / "a" / "Thumbs.db").touch()
    assert fingerprint(tmp_path / "to_one" / "pets") == one


def test_a_fingerprint_of_nothing_is_refused(tmp_path):
    (tmp_path / "pets" / "cat").mkdir(parents=True)
    (tmp_path / "pets" / ".DS_Store").touch()
    missing("pets has no files in it", fingerprint, tmp_path / "pets")


PREPARE = """
import sys, time
from datamodules.utilities.cache import cached

def build(part):
    with open(sys.argv[1], "a") as file:
        file.write("built\\n")
    (part / "half").write_text("x")
    time.sleep(float(sys.argv[2]))
    (part / "whole").write_text("x")

print(cached("pets", "key", build))
"""


def prepare(log, seconds):
    told = [sys.executable, "-c", PREPARE, str(log), str(seconds)]
    return Popen(told, cwd=ROOT, stdout=PIPE, stderr=STDOUT, text=True)


@pytest.mark.slow
def test_two_processes_at_once_prepare_once(own_cache, tmp_path):
    both = [prepare(tmp_path / "log", 2) for _ in range(2)]
    outputs = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert (tmp_path / "log").read_text() == "built\n"
    assert "waiting for another process to prepare pets-key" in "".join(outputs)
    assert (own_cache / "pets-key" / "whole").exists()
