"""`zoo predict`: what people have, for every kind of model; what cannot be read is named."""

import csv
import io
import json
import sys
import wave

import numpy as np
import pytest
from PIL import Image

import zoo
from tests.tiny import video_folder

SMOKE = {"trainer": "smoke", "baseline": None}


@pytest.fixture(scope="module")
def trained(tmp_path_factory, cache):
    """Smoke runs, by their model's name: what they answer means nothing."""
    runs = {}

    def run(name, **more):
        if name not in runs:
            with pytest.MonkeyPatch.context() as patch:
                patch.chdir(tmp_path_factory.mktemp("runs"))
                patch.setenv("ZOO_CACHE", str(cache))
                runs[name] = str(zoo.train(name, **SMOKE, name="a", **more).folder)
        return runs[name]

    return run


@pytest.fixture
def place(tmp_path):
    """A folder with something of every kind."""
    random = np.random.default_rng(0)
    (tmp_path / "photos" / "deep").mkdir(parents=True)
    for name, size in (("a.png", (40, 30, 3)), ("b.jpg", (20, 60, 3)), ("deep/c.PNG", (28, 28))):
        pixels = random.integers(0, 255, size).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / name)
    (tmp_path / "photos" / "notes.txt").write_text("not a picture")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    (tmp_path / "review.txt").write_text("the film was good")
    clip = random.integers(0, 255, (12, 20, 24, 3)).astype(np.uint8)
    video_folder.video(tmp_path / "clip.mp4", clip)
    video_folder.pictures(tmp_path / "frames", clip)
    with wave.open(str(tmp_path / "sound.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(random.integers(-9000, 9000, 6000).astype("<i2").tobytes())
    return tmp_path


def answers(command, *words):
    code, out, err = command("predict", *words, "--json")
    assert code == 0, err
    return [(one["input"], one["answer"]) for one in json.loads(out)]


def test_files_and_folders_of_pictures_are_answered_in_order(trained, place, command):
    """Of a folder all pictures below it, and no other files."""
    found = answers(command, trained("image_cnn"), "photos/b.jpg", "photos")
    names = [name for name, _ in found]
    assert names == ["photos/b.jpg", "photos/a.png", "photos/b.jpg", "photos/deep/c.PNG"]
    assert found[0][1] == found[2][1]
    assert sum(found[0][1]["probabilities"].values()) == pytest.approx(1)


def test_the_command_answers_as_the_model_does(trained, place, command):
    (found,) = answers(command, trained("image_cnn"), "photos/a.png")
    (answer,) = zoo.load(trained("image_cnn")).predict("photos/a.png")
    assert found[1]["label"] == answer["label"]
    assert found[1]["probabilities"] == pytest.approx(answer["probabilities"])


@pytest.mark.parametrize(
    ("model", "inputs", "key"),
    [
        ("text_cnn", ["the film was not good at all", "review.txt"], "label"),
        ("video_conv3d", ["clip.mp4", "frames"], "label"),
        ("sound_classifier", ["sound.wav"], "label"),
        ("char_rnn", ["def ", "import "], "text"),
        ("wavenet", ["sound.wav"], "level"),
    ],
)
def test_every_kind_of_input_is_answered(model, inputs, key, trained, place, command):
    found = answers(command, trained(model), *inputs)
    assert [name for name, _ in found] == inputs
    assert all(key in answer for _, answer in found)


def test_word_vectors_answer_words_sums_and_gaps(trained, command):
    """S64."""
    found = answers(command, trained("cbow"), "list", "files - file + class", "a _ of strings")
    assert all(len(answer) == 10 for _, answer in found)
    model = zoo.load(trained("cbow"))
    assert [w for w, _ in found[1][1]] == [w for w, _ in model.analogy("file", "files", "class")]
    assert [w for w, _ in found[0][1]] == [w for w, _ in model.most_similar("list")]


def test_pictures_that_come_out_are_written_below_those_that_went_in(trained, place, command):
    code, out, _ = command("predict", trained("autoencoder"), "photos", "-o", "out.png")
    assert (code, out) == (0, "picture   out.png\n")
    with Image.open("out.png") as sheet:
        assert sheet.width / sheet.height == pytest.approx(3 / 2, rel=0.05)


def test_a_gan_draws_from_seeds(trained, command):
    code, out, _ = command("predict", trained("gan"), "0", "1", "2", "0", "-o", "out.png")
    assert (code, out) == (0, "picture   out.png\n")
    one, other, _, again = zoo.load(trained("gan")).predict([0, 1, 2, "0"])
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
    assert "got 'x'" in command("predict", trained("gan"), "x")[2]


def test_standard_input_is_a_text_a_line_or_a_file(trained, place, command, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("the film was good\n\nthe film was bad\n"))
    found = answers(command, trained("text_cnn"), "-")
    assert [name for name, _ in found] == ["the film was good", "the film was bad"]
    data = (place / "photos" / "a.png").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    (given,) = answers(command, trained("image_cnn"), "-")
    (file,) = answers(command, trained("image_cnn"), "photos/a.png")
    assert given == ("-", file[1])


def test_a_table_and_csv_have_a_row_for_each(trained, place, command):
    code, out, _ = command("predict", trained("image_cnn"), "photos", "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert [row["input"] for row in rows] == ["photos/a.png", "photos/b.jpg", "photos/deep/c.PNG"]
    assert rows[0]["probability"].endswith(" %")
    code, out, _ = command("predict", trained("image_cnn"), "photos")
    assert all(row["label"] in out and row["input"] in out for row in rows)


def test_what_cannot_be_read_is_named_and_nothing_else_is_lost(trained, place, command):
    words = ["predict", trained("image_cnn"), "photos/a.png", "broken.png", "none.png", "--json"]
    code, out, err = command(*words)
    assert code == 2
    assert [one["input"] for one in json.loads(out)] == ["photos/a.png"]
    assert "broken.png is " in err
    assert "(and 1 more)" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["photos/a.png", "--json", "--csv"], "not allowed with argument"),
        (["nothing.png"], "nothing.png: there is no such picture"),
        (["empty"], "empty: no inputs for"),
        (["-o", "page.png"], "give a name that ends in .html"),
    ],
)
def test_a_mistake_is_one_line(words, said, trained, place, command):
    (place / "empty").mkdir()
    code, out, err = command("predict", trained("image_cnn"), *words)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_a_text_of_unknown_or_no_words_is_answered_or_refused(trained, command):
    assert answers(command, trained("text_cnn"), "qwxz qqq")
    code, _, err = command("predict", trained("text_cnn"), "...")
    assert (code, err) == (2, "zoo: this text has no words\n")


@pytest.mark.parametrize("model", ["image_cnn", "text_cnn", "video_unfolded", "sound_classifier"])
def test_without_input_eight_examples_stand_beside_the_truth(model, trained, command, tmp_path):
    code, out, err = command("predict", trained(model))
    assert code == 0, err
    assert out.splitlines()[-1] == "page      a.html"
    page = (tmp_path / "a.html").read_text()
    assert "8 examples of" in page
    assert "The truth, and the answer" in page
    assert "truth" in out
    assert zoo.load(trained(model)).card["choices"]["data"] in page


@pytest.mark.parametrize("model", ["autoencoder", "char_rnn", "cbow", "gan", "wavenet"])
def test_without_input_other_models_show_what_they_do(model, trained, command, tmp_path):
    code, out, err = command("predict", trained(model))
    assert (code, out) == (0, "page      a.html\n"), err
    assert "<figure" in (tmp_path / "a.html").read_text()


def test_data_that_are_not_here_are_replaced_by_embedded_ones(trained, command, monkeypatch):
    """image_cnn.mnist on a machine without MNIST shows digits, and says so."""
    from zoo.pages import examples

    monkeypatch.setattr(examples, "here", lambda section: section["name"] == "elsewhere")
    code, _, err = command("predict", trained("image_cnn"))
    assert code == 0, err
    assert "digits is not here (set ZOO_DATA): these are digits" in err


def test_many_inputs_show_a_bar(monkeypatch, trained, place, command):
    from zoo.commands import predict

    monkeypatch.setattr(predict, "AT_ONCE", 1)
    monkeypatch.setattr(predict, "MANY", 2)
    code, out, err = command("predict", trained("image_cnn"), "photos", "--csv")
    assert code == 0
    assert "predicting" in err
    assert out.count("\n") == 4
