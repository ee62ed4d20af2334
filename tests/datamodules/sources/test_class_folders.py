"""Class folders and splits as people have them; what is not clear is refused."""

import os

import numpy as np
import pytest
import soundfile

from datamodules.sources.class_folders import read
from datamodules.sources.files import CLIPS, PICTURES, TEXTS
from datamodules.sources.split_folders import split_of
from tests.data import refused


def counts(source):
    return {
        split: np.bincount(rows.labels, minlength=len(source.classes)).tolist()
        for split, rows in source.splits.items()
    }


def test_class_folders_may_be_links(class_folders, tmp_path):
    class_folders({"apple": 3, "pear": 2}, name="elsewhere")
    (tmp_path / "fruit").mkdir()
    for name in ("apple", "pear"):
        (tmp_path / "fruit" / name).symlink_to(f"../elsewhere/{name}")
    source = read(tmp_path / "fruit", PICTURES)
    assert (source.classes, counts(source)) == (["apple", "pear"], {"all": [3, 2]})
    assert source.splits["all"].raws[3] == tmp_path / "fruit" / "pear" / "0.png"


# Names of splits

PAIRS = {
    "training_set test_set": ("train", "test"), "seg_train seg_test": ("train", "test"),
    "Training Testing": ("train", "test"), "train dev": ("train", "val"),
    "train valid": ("train", "val"), "train_images val_images": ("train", "val"),
    "Train VALIDATION": ("train", "val"), "TrainImages TestImages": ("train", "test"),
    "trainset testset": ("train", "test"), "train2017 val2017": ("train", "val"),
    "asl_alphabet_train asl_alphabet_test": ("train", "test"), "val test": ("val", "test"),
}  # fmt: skip


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("pair", PAIRS)
def test_usual_names_are_splits(class_folders, tmp_path, pair, linked):
    one, other = pair.split()
    root = class_folders({f"{one}/a": 2, f"{one}/b": 1, f"{other}/a": 1, f"{other}/b": 2})
    if linked:
        root = tmp_path / "links"
        root.mkdir()
        for name in (one, other):
            (root / name).symlink_to(f"../pets/{name}")
    source = read(root, PICTURES)
    first, second = PAIRS[pair]
    assert (source.classes, counts(source)) == (["a", "b"], {first: [2, 1], second: [1, 2]})


def test_a_folder_that_holds_one_folder_is_passed_through(class_folders):
    """The Intel scenes: unpacked twice, with pictures to predict beside the splits."""
    parts = [f"archive/seg_{split}/seg_{split}" for split in ("train", "test")]
    scenes = {f"{part}/{name}": 1 for part in parts for name in "ab"}
    root = class_folders({**scenes, "archive/seg_pred/x": 5})
    source = read(root, PICTURES)
    assert counts(source) == {"test": [1, 1], "train": [1, 1]}
    assert source.passed_over == [f"the folder {root}/archive/seg_pred (5 .png)"]


@pytest.mark.parametrize(("places", "classes"), [
    ({"car": 1, "train": 1, "bus": 1}, ["bus", "car", "train"]),
    ({"control": 1, "test": 1}, ["control", "test"]),
    ({"steam train/a": 1, "steam train/b": 1, "car": 1}, ["car", "steam train"]),
    ({"cat/images": 2, "dog/images": 2}, ["cat", "dog"]),
    ({"PetImages/Cat": 1, "PetImages/Dog": 1}, ["Cat", "Dog"]),
])  # fmt: skip
def test_what_only_looks_like_splits_are_classes(class_folders, places, classes):
    source = read(class_folders(places), PICTURES)
    assert (source.classes, [*source.splits]) == (classes, ["all"])


def test_a_class_of_clips_may_be_called_train(class_folders):
    places = {f"{name}/{i}": 2 for name in ("bus", "train") for i in range(3)}
    source = read(class_folders(places), CLIPS)
    assert (source.classes, counts(source)) == (["bus", "train"], {"all": [3, 3]})


@pytest.mark.parametrize(("places", "said"), [
    ({f"{site}/{name}": 1 for site in "xy" for name in "ab"},
     r"pets/x and .*pets/y hold folders of the same names \(a, b\): call splits train, val and"),
    ({"x/a": 1, "x/b": 1, "x/c": 1, "y/b": 1, "y/c": 1}, r"same names \(b, c\)"),
    ({"train": 1, "test": 1}, "test, train in .*pets are splits, but hold no classes: put one"),
    ({"train/a": 1, "training/a": 1}, "train and .*training are both the train split"),
    ({"train/a": 1, "train/b": 1, "bus": 1}, "train has folders in it, and beside it lie bus: is"),
    ({"train/a": 1, "train/b": 1, "val/images": 1}, "val/images: the training split has no class"),
])  # fmt: skip
def test_what_is_not_clear_is_refused_with_what_to_do(class_folders, places, said):
    refused(said, read, class_folders(places), PICTURES)


def test_pictures_without_classes_are_no_test_split(class_folders):
    """As Kaggle has them."""
    root = class_folders({"train/a": 2, "train/b": 2, "test1": 5})
    source = read(root, PICTURES)
    assert counts(source) == {"train": [2, 2]}
    assert source.passed_over == [f"the folder {root}/test1 (5 .png)"]


def test_a_split_is_known_by_its_words():
    assert split_of("train_test") == (None, ())
    assert split_of("Validation-Set") == ("val", ())
    assert split_of("ILSVRC2012_img_val") == ("val", ("ilsvrc",))
    assert split_of("training wheels") == ("train", ("wheels",))


# What is no sample


def test_loose_files_are_passed_over_and_named(class_folders):
    root = class_folders({"train/a": 1, "train/b": 1, "test/a": 1, "test/b": 1})
    os.link(root / "train" / "a" / "0.png", root / "train" / "loose.png")
    for name in ("README.md", "train/a/notes.txt"):
        (root / name).write_text("hello")
    assert read(root, PICTURES).passed_over == [
        "1 .txt",
        f"1 .png beside the folders of {root}/train",
        f"1 .md beside the folders of {root}",
    ]


@pytest.mark.parametrize(("content", "said"), [
    (None, r"pets/cat has no pictures in it: each folder beside it is a class; remove it"),
    ("notes.txt", r"pets/cat has no pictures in it, only 1 \.txt: each"),
    ("Thumbs.db", "pets/cat has no pictures in it: each"),
])  # fmt: skip
def test_a_class_that_vanishes_is_named(class_folders, content, said):
    root = class_folders({"cat": 0, "dog": 2, "cow": 2})
    if content:
        (root / "cat" / content).write_text("hello")
    refused(said, read, root, PICTURES)


def test_a_class_of_loose_frames_is_named(class_folders):
    root = class_folders({"run": 3, "walk/1": 2})
    refused("run has no videos in it, only 3 .png", read, root, CLIPS)


def test_a_link_to_nothing_may_have_been_a_class(class_folders):
    root = class_folders({"cat": 1, "dog": 1})
    (root / "cow").symlink_to("nowhere")
    refused("pets/cow is a link to nothing", read, root, PICTURES)


def test_reviews_without_labels_are_named(tmp_path):
    for place in ("train/pos", "train/neg", "train/unsup", "test/pos", "test/neg"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "0_3.txt").write_text("a film")
    (tmp_path / "train" / "urls_pos.txt").write_text("http://")
    source = read(tmp_path, TEXTS)
    assert (source.classes, counts(source)) == (["neg", "pos"], {"train": [1, 1], "test": [1, 1]})
    assert source.passed_over == [
        f"1 .txt beside the folders of {tmp_path}/train",
        f"the folder {tmp_path}/train/unsup (1 .txt)",
    ]


def test_one_loose_sound_beside_class_folders_is_passed_over(tmp_path):
    import zoo

    for place in ("yes/0.wav", "no/0.wav", "noise.wav"):
        (tmp_path / "in" / place).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / "in" / place, np.zeros(50), 8000)
    data = zoo.create_data("audio_folder", source=str(tmp_path / "in"))
    source = data.read_source(tmp_path / "in", tmp_path / "scratch")
    assert source.classes == ["no", "yes"]
    assert source.passed_over == [f"1 .wav beside the folders of {tmp_path}/in"]
