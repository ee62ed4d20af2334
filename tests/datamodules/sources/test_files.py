"""The one finder: links, litter, endings; frames of clips; what is passed over."""

import os

import numpy as np
import pytest
from PIL import Image

from datamodules.sources import files
from datamodules.sources.files import CLIPS, PICTURES, SOUNDS, TEXTS, find_files
from tests.data import refused
from tests.tiny import video_folder

LITTER = [
    ".hidden.png", "._0.png", ".ipynb_checkpoints/0.png", "@eaDir/0.png", "__MACOSX/0.png",
    "Thumbs.db", "desktop.ini", "deep/.git/0.png", "$RECYCLE.BIN/0.png", "lost+found/0.png",
]  # fmt: skip


def names(root, kind=PICTURES):
    return [path.relative_to(root).as_posix() for path in find_files(root, kind).samples]


def passed_over(root, kind=PICTURES):
    return find_files(root, kind).passed_over()


def put(path, content=b"no picture"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_what_programs_leave_behind_is_not_there(class_folders):
    root = class_folders({"deep": 1})
    for name in LITTER:
        put(root / name, (root / "deep" / "0.png").read_bytes())
    assert names(root) == ["deep/0.png"]
    assert passed_over(root) == []


def test_a_folder_called_like_a_picture_is_a_folder(class_folders):
    assert names(class_folders({"cat.jpg": 1, "a/Thumbs.png": 1})) == [
        "a/Thumbs.png/0.png", "cat.jpg/0.png",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["0.jpg", "0", "0.PNG", "0.dat", "0.0", "caf\udce9"])
def test_pictures_are_known_by_their_ending_or_by_what_is_in_them(class_folders, name):
    root = class_folders({"a": 2})
    (root / "a" / "0.png").rename(root / "a" / name)
    assert names(root) == sorted([f"a/{name}", "a/1.png"])


def test_what_is_of_another_kind_is_counted_by_its_ending(class_folders):
    root = class_folders({"a": 1})
    for name in ("x.txt", "y.TXT", "b/z.txt", "l.json", "README", "raw.raw", "k\udce9.x\udce9"):
        put(root / "a" / name)
    put(root / "a" / "damaged.png")  # who decodes it says so
    assert names(root) == ["a/0.png", "a/damaged.png"]
    (line,) = passed_over(root)
    assert line.startswith("3 .txt, ")
    rest = {"1 .json", "1 without an ending", "1 .raw", r"1 .x\udce9"}
    assert {*line.split(", ")} == {"3 .txt", *rest}
    for i in range(20):
        put(root / f"0.e{i}")
    assert passed_over(root)[0].endswith("17 endings more")


@pytest.mark.parametrize(("kind", "name"), [(SOUNDS, "0"), (SOUNDS, "0.dat"), (CLIPS, "0.clip")])
def test_sounds_and_clips_are_known_by_what_is_in_them(tmp_path, kind, name):
    if kind is CLIPS:
        video_folder.video(tmp_path / "0.mp4", np.zeros((4, 16, 16, 3), np.uint8))
        (tmp_path / "0.mp4").rename(tmp_path / name)
    else:
        import soundfile

        soundfile.write(tmp_path / name, np.zeros(100), 8000, format="WAV")
    put(tmp_path / "notes.txt")
    assert names(tmp_path, kind) == [name]
    assert passed_over(tmp_path, kind) == ["1 .txt"]


def test_texts_are_known_by_their_ending_alone(tmp_path):
    for name in ("a.txt", "b.TXT", "c.md", "d"):
        put(tmp_path / name, b"words")
    assert names(tmp_path, TEXTS) == ["a.txt", "b.TXT"]
    assert passed_over(tmp_path, TEXTS) == ["1 .md, 1 without an ending"]


# Links


def test_links_are_followed_each_folder_is_read_once_and_loops_end(class_folders):
    root = class_folders({"in/a": 1, "out/b": 1, "out/c/d": 1})
    (root / "in" / "b").symlink_to("../out/b")
    (root / "in" / "0.png").symlink_to("../out/b/0.png")
    (root / "in" / "all").symlink_to("../out", target_is_directory=True)
    (root / "out" / "back").symlink_to(root / "in")  # a loop
    (root / "in" / "self").symlink_to(".")
    (root / "in" / "round").symlink_to("round")  # leads to itself: no folder
    assert names(root / "in") == ["0.png", "a/0.png", "all/b/0.png", "all/c/d/0.png"]
    endings, links = passed_over(root / "in")
    assert endings == "1 without an ending"
    assert links.startswith("3 link(s) to folders above or read already (")


def test_a_link_upwards_brings_no_other_class(class_folders):
    root = class_folders({"a": 1, "b": 1})
    (root / "a" / "up").symlink_to("..")
    assert names(root / "a") == ["0.png"]
    assert passed_over(root / "a") == [f"1 link(s) to folders above or read already ({root}/a/up)"]


def test_a_web_of_links_ends(class_folders):
    """Of ten folders, each with links to all others, there are millions of paths."""
    root = class_folders({str(i): 1 for i in range(10)})
    for i in range(10):
        for j in range(10):
            (root / str(i) / f"to{j}").symlink_to(f"../{j}")
    assert len(names(root)) == 10


def test_a_folder_that_may_not_be_listed_is_named(class_folders, monkeypatch):
    root, scandir = class_folders({"a": 1, "b": 1}), os.scandir

    def deny(path):
        if str(path).endswith("b"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", deny)
    refused(r"pets/b cannot be read: Permission denied", find_files, root, PICTURES)


# Clips


def test_a_folder_of_pictures_is_a_clip_and_loose_ones_are_passed_over(class_folders):
    root = class_folders({"1.mp4": 3, "deep/2": 2}, name="run")
    put(root / "loose.png")
    for name in ("a.txt", "b.txt"):
        put(root / "deep" / "2" / name)
    assert names(root, CLIPS) == ["1.mp4", "deep/2"]
    assert passed_over(root, CLIPS) == ["2 .txt, 1 .png"]


def test_moving_gifs_are_clips_and_still_ones_are_frames(tmp_path):
    def gif(path, frames):
        path.parent.mkdir(exist_ok=True)
        first, *rest = [Image.new("L", (8, 8), 60 * i) for i in range(frames)]
        first.save(path, save_all=True, append_images=rest)

    for place, frames in (("a.gif", 3), ("part/b.gif", 3), ("c/0.gif", 1), ("c/1.gif", 1)):
        gif(tmp_path / place, frames)
    gif(tmp_path / "still.gif", 1)
    assert names(tmp_path, CLIPS) == ["a.gif", "c", "part/b.gif"]
    assert passed_over(tmp_path, CLIPS) == ["1 .gif"]


def test_every_kind_has_endings_of_its_own_to_be_known_by():
    assert len({kind.suffixes for kind in files.KINDS}) == len(files.KINDS)
