"""What cannot be read, small batches, and what a run says of its classes."""

import numpy as np
import pytest
import soundfile
from PIL import Image

import zoo
from tests.data import missing, opened, refused
from tests.tiny import video_folder

FOLDERS = {"image_folder": ".png", "audio_folder": ".wav", "video_folder": ".mp4"}
FILES = {**FOLDERS, "labelled_text": ".txt"}


def write(path, number):
    """A sample of the kind that its ending says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((16, 16), 4 * number, np.uint8)
    if path.suffix == ".png":
        Image.fromarray(pixels).save(path)
    elif path.suffix == ".wav":
        soundfile.write(path, np.full(99, number / 99), 8000)
    elif path.suffix == ".mp4":
        video_folder.video(path, np.stack([pixels] * 3)[..., None].repeat(3, 3))
    else:
        path.write_text(f"text of number {number}")


@pytest.fixture
def folder(tmp_path):
    """Of each kind of data: two classes of ten."""

    def make(data):
        for number in range(20):
            write(tmp_path / "in" / "ab"[number % 2] / f"{number}{FILES[data]}", number)
        return tmp_path / "in"

    return make


@pytest.mark.parametrize("data", FILES)
def test_whatever_cannot_be_read_is_skipped(data, folder):
    """A link to nothing, and a file that is none of its kind; in a table a missing one."""
    source, suffix = folder(data), FILES[data]
    if data != "labelled_text":
        names = sorted(f"{path.parent.name}/{path.name}" for path in source.rglob(f"*{suffix}"))
        lines = [f"{name},{name[0]}" for name in [*names, f"a/none{suffix}", "b"]]
        (source / "labels.csv").write_text("\n".join(["file,label", *lines]))
    (source / "a" / f"0{suffix}").unlink()
    (source / "a" / f"0{suffix}").symlink_to("nowhere")
    (source / "b" / f"1{suffix}").write_bytes(b"\xff\0 no such thing")
    known = opened(data, source=str(source), batch_size=2, broken="skip").info
    assert sum(known["samples"].values()) == 18
    for name in ("a/0", "b/1", *([] if data == "labelled_text" else ["a/none"])):
        assert sum(f"{name}{suffix}" in reason for reason in known["skipped"]) == 1
    with pytest.raises((FileNotFoundError, ValueError), match=r"data\.broken=skip"):
        opened(data, source=str(source), batch_size=2)


def test_a_file_without_permission_is_skipped_or_named(folder, monkeypatch):
    from datamodules import texts

    source, read = folder("labelled_text"), texts.words_of

    def deny(raw, **options):
        if raw.name == "4.txt":
            raise PermissionError(13, "Permission denied", str(raw))
        return read(raw, **options)

    monkeypatch.setattr(texts, "words_of", deny)
    known = opened("labelled_text", source=str(source), batch_size=2, broken="skip").info
    assert known["skipped"] == [f"{source}/a/4.txt cannot be read: Permission denied"]
    said = "a/4.txt cannot be read: Permission denied; "
    missing(said, opened, "labelled_text", source=str(source))


@pytest.mark.parametrize("data", ["image_folder", "audio_folder"])
def test_a_class_of_which_nothing_can_be_read_is_named(data, folder):
    source = folder(data)
    for path in (source / "b").iterdir():
        path.write_bytes(b"<html>")
    said = refused("none of the .* of the class 'b' in the training", opened, data,
                   source=str(source), broken="skip")  # fmt: skip
    assert f"{source}/b/" in said
    assert "7 " in said  # of ten


def test_names_that_are_no_utf8_are_refused_as_classes_and_read_as_files(folder):
    source = folder("image_folder")
    (source / "a" / "0.png").rename(source / "a" / "caf\udce9.png")
    (source / "b" / "1.png").rename(source / "b" / "caf\udce9.png")
    (source / "b" / "caf\udce9.png").write_bytes(b"no picture")
    info = opened("image_folder", source=str(source), batch_size=2, broken="skip").info
    assert sum(info["samples"].values()) == 19
    assert info["skipped"][0].startswith(f"{source}/b/caf\\udce9.png is no picture")
    (source / "a").rename(source / "\udce9")
    refused(r"the class '\\\\udce9' is not UTF-8", opened, "image_folder", source=str(source))


def test_names_may_have_any_signs(folder, tmp_path):
    source = folder("image_folder")
    (source / "a").rename(source / "[red] a=b, c* {d}")
    source.rename(tmp_path / "in [1], x=y?")
    data = opened("image_folder", source=str(tmp_path / "in [1], x=y?"), batch_size=2)
    assert data.info["classes"] == ["[red] a=b, c* {d}", "b"]
    assert data.notes == ["classes   2: [red] a=b, c* {d} 7, b 7"]


# What a run says


def test_many_classes_are_shortened(folder, tmp_path):
    for number in range(60):
        write(tmp_path / "in" / f"c{number % 30:02}" / f"{number}.png", number)
    (note,) = opened("image_folder", source=str(tmp_path / "in"), batch_size=2).notes
    assert note.startswith("classes   30: c00 1, c01 ")
    assert note.endswith(" and 10 more; 1 to 2 training samples each")


def test_what_is_passed_over_is_in_the_info_but_not_in_the_digest(folder):
    source = folder("image_folder")
    before = opened("image_folder", source=str(source), batch_size=2).info
    (source / "a" / "notes.txt").touch()
    after = opened("image_folder", source=str(source), batch_size=2).info
    assert (before["passed_over"], after["passed_over"]) == ([], ["1 .txt"])
    assert before["digest"] == after["digest"]


@pytest.mark.parametrize(("world", "size"), [(1, 14), (4, 12), (14, 14), (15, 32)])
def test_a_batch_is_no_larger_than_the_training_split(folder, world, size):
    """And divides by the devices; where not even one sample each is there, training says so."""
    data = zoo.create_data("image_folder", source=str(folder("image_folder")), batch_size=32)
    data.setup("fit")
    assert data.info["samples"]["train"] == 14
    line = data.shrink_batch(world)
    assert data.hparams["batch_size"] == size
    said = f"{size}: data.batch_size is 32, the training samples are 14"
    assert line == (said if size < 32 else None)


@pytest.mark.slow
def test_a_run_of_few_samples_says_so_and_writes_what_it_did(folder, capsys):
    source = folder("image_folder")
    (source / "a" / "notes.txt").touch()
    run = zoo.train("image_cnn", trainer="smoke", baseline=None, data="image_folder",
                    **{"data.source": str(source), "model.widths": [4, 8]})  # fmt: skip
    err = capsys.readouterr().err
    for line in ("batch     14: data.batch_size is 32, the training samples are 14",
                 "classes   2: a 7, b 7", "note      passed over: 1 .txt"):  # fmt: skip
        assert err.count(line) == 1
    assert run.config["data"]["batch_size"] == 14
    assert run.composed["data"]["batch_size"] == 32
