"""`zoo predict`: what people have, for every kind of model; what cannot be read is named."""

import csv
import io
import json
import re
import shutil
import subprocess
import sys
import wave

import numpy as np
import pytest
from PIL import Image

import zoo
from tests.tiny import video_folder
from zoo.catalog.compose import compose
from zoo.nn.text_classifier import strongest


@pytest.fixture
def trained(trained, tiny):
    """The folders of smoke runs, by their model's name: what they answer means nothing."""

    def run(name):
        data = compose([f"experiment={name}"])["choices"]["data"]
        unjudged = {"evaluator": None, "monitor": "val/loss"} if name == "gan" else {}
        return str(trained(name, trainer="smoke", data=dict(tiny(data)), **unjudged).folder)

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
    out = command.ran("predict", *words, "--json")
    return [(one["input"], one["answer"]) for one in json.loads(out)]


def test_files_and_folders_of_pictures_are_answered_in_order(trained, place, command):
    """Of a folder all pictures below it, and no other files; as the model answers them."""
    found = answers(command, trained("image_cnn"), "photos/b.jpg", "photos")
    names = [name for name, _ in found]
    assert names == ["photos/b.jpg", "photos/a.png", "photos/b.jpg", "photos/deep/c.PNG"]
    assert found[0][1] == found[2][1]
    assert sum(found[0][1]["probabilities"].values()) == pytest.approx(1)
    (answer,) = zoo.load(trained("image_cnn")).predict("photos/a.png")
    assert found[1][1]["label"] == answer["label"]
    assert found[1][1]["probabilities"] == pytest.approx(answer["probabilities"])


def test_predict_finds_what_training_finds_and_says_what_it_passes_over(trained, place, command):
    """Through links, and whatever the ending; what programs leave behind is nothing."""
    for name in ("photos/.x.png", "photos/@eaDir/a.png", "photos/c", "photos/caf\udce9.jpg"):
        (place / name).parent.mkdir(exist_ok=True)
        shutil.copy(place / "photos" / "a.png", place / name)
    (place / "link").symlink_to("photos")
    code, out, err = command("predict", trained("image_cnn"), "link", "--csv")
    names = [row["input"] for row in csv.DictReader(io.StringIO(out))]
    assert names == [f"link/{n}" for n in ("a.png", "b.jpg", "c", "caf\\udce9.jpg", "deep/c.PNG")]
    assert (code, err) == (0, "zoo: link: passed over: 1 .txt\n")


@pytest.mark.parametrize(("model", "inputs", "key"), [
    ("text_cnn", ["the film was not good at all", "review.txt"], "label"),
    ("video_conv3d", ["clip.mp4", "frames"], "label"), ("sound_classifier", ["sound.wav"], "label"),
    ("char_rnn", ["def ", "import "], "text"), ("wavenet", ["sound.wav"], "level"),
])  # fmt: skip
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
    out = command.ran("predict", trained("autoencoder"), "photos", "-o", "out.png")
    assert out == "picture   out.png\n"
    with Image.open("out.png") as sheet:
        assert sheet.width / sheet.height == pytest.approx(3 / 2, rel=0.05)


def test_a_gan_draws_from_seeds(trained, command):
    out = command.ran("predict", trained("gan"), "0", "1", "2", "0", "-o", "out.png")
    assert out == "picture   out.png\n"
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
    out = command.ran("predict", trained("image_cnn"), "photos", "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["input"] for row in rows] == ["photos/a.png", "photos/b.jpg", "photos/deep/c.PNG"]
    assert rows[0]["probability"].endswith(" %")
    out = command.ran("predict", trained("image_cnn"), "photos")
    assert all(row["label"] in out and row["input"] in out for row in rows)


def test_what_cannot_be_read_is_named_and_nothing_else_is_lost(trained, place, command):
    words = ["predict", trained("image_cnn"), "photos/a.png", "broken.png", "none.png", "--json"]
    code, out, err = command(*words)
    assert (code, [one["input"] for one in json.loads(out)]) == (2, ["photos/a.png"])
    assert [err.count(one) for one in ("broken.png is ", "(and 1 more)", "\n")] == [1, 1, 1]


@pytest.mark.parametrize("model", ["image_cnn", "text_cnn", "video_unfolded", "sound_classifier"])
def test_without_input_eight_examples_stand_beside_the_truth(model, trained, command, tmp_path):
    out = command.ran("predict", trained(model))
    assert out.splitlines()[-1] == "page      a.html"
    page, data = (tmp_path / "a.html").read_text(), zoo.load(trained(model)).card["choices"]["data"]
    assert all(one in page for one in ("8 examples of", "The truth, and the answer", data))
    assert "truth" in out


@pytest.mark.parametrize("model", ["autoencoder", "char_rnn", "cbow", "gan", "wavenet"])
def test_without_input_other_models_show_what_they_do(model, trained, command, tmp_path):
    code, out, err = command("predict", trained(model))
    assert (code, out) == (0, "page      a.html\n"), err
    assert "<figure" in (tmp_path / "a.html").read_text()


def test_data_that_are_not_here_are_replaced_by_bundled_ones(trained, command, monkeypatch):
    """image_cnn.mnist on a machine without MNIST shows digits, and says so."""
    from zoo.pages import examples

    monkeypatch.setattr(examples, "is_here", lambda section: section["name"] == "elsewhere")
    code, _, err = command("predict", trained("image_cnn"))
    assert code == 0, err
    assert "digits is not here (set ZOO_DATA): these are digits" in err


def test_many_inputs_show_a_bar(monkeypatch, trained, place, command):
    monkeypatch.setattr("zoo.commands.predict.AT_ONCE", 1)
    monkeypatch.setattr("zoo.commands._progress.AT_ONCE", 1)
    monkeypatch.setattr("zoo.commands._progress.MANY", 2)
    code, out, err = command("predict", trained("image_cnn"), "photos", "--csv")
    assert (code, out.count("\n")) == (0, 4)
    assert "predicting" in err


# Words that pushed an answer


def test_the_words_that_pushed_are_shown_with_their_sign(trained, command):
    """Readable without colours; the answer and the numbers are the model's own."""
    text = "the film was not good at all"
    code, out, err = command("predict", trained("text_cnn"), "--explain", text)
    assert (code, err) == (0, "")
    (wanted,) = zoo.load(trained("text_cnn")).explain(text)
    assert f"answer    {wanted['label']}, {100 * wanted['probability']:.1f} %" in out
    assert f"words     {text}" in out
    assert f"strongest {strongest(wanted['words'])}\n" in out
    ((_, found),) = answers(command, trained("text_cnn"), "--explain", text)
    assert [word for word, _ in found["words"]] == text.split()
    assert [push for _, push in found["words"]] == pytest.approx([p for _, p in wanted["words"]])


def test_words_for_the_answer_are_green_and_those_against_it_red():
    from zoo.commands._answers import tint_words

    words = tint_words([("not", 2.0), ("the", 0.01), ("good", -0.9), ("film", 1.2)])
    assert str(words) == "not the good film "
    styles = {words.plain[span.start : span.end]: span.style for span in words.spans}
    assert styles == {"not": "bold green", "good": "red", "film": "bold green"}


@pytest.mark.parametrize(("model", "words", "said"), [
    ("image_cnn", ["photos/a.png", "--json", "--csv"], "not allowed with argument"),
    ("image_cnn", ["nothing.png"], "nothing.png: there is no such picture"),
    ("image_cnn", ["empty"], "empty: no inputs for"),
    ("image_cnn", ["-o", "page.png"], "give a name that ends in .html"),
    ("image_cnn", ["--explain", "photos/a.png"], "--explain: ImageCNN cannot say"),
    ("char_rnn", ["--explain", "def "], "--explain: CharRNN cannot say"),
    ("image_cnn", ["--lines", "review.txt"], "--lines: ImageCNN takes no texts"),
    ("image_cnn", ["--whole", "photos/a.png"], "--whole: ImageCNN does not read texts"),
    ("text_cnn", ["--explain", "--whole", "review.txt"], "leave out --whole"),
    ("text_cnn", ["--lines", "reveiw.txt"], "reveiw.txt: there is no such file"),
    ("text_cnn", ["--explain"], "need an INPUT"),
    ("sound_classifier", ["--windows"], "need an INPUT"),
    ("image_cnn", ["--windows", "photos/a.png"], "--windows: ImageCNN has none with a time"),
    ("video_conv3d", ["--windows", "clip.mp4"], "--windows: VideoConv3D has none with a time"),
    ("wavenet", ["--windows", "sound.wav"], "--windows: WaveNet has none with a time"),
])  # fmt: skip
def test_a_mistake_is_one_line(model, words, said, trained, place, command):
    (place / "empty").mkdir()
    assert said in command.refused("predict", trained(model), *words)


# Texts without an end (S71)

LINES = b"the film was good\n\nbad\0\n\xff worse\n...\nnot bad \xe2\x98\xba\r\nlast"
READ = ["the film was good", "...", "not bad \u263a", "last"]


def test_a_line_for_each_window_says_its_seconds(trained, place, command):
    """S89. A sound of 0.75 s in windows of a tenth."""
    words = [trained("sound_classifier"), "--windows", "sound.wav"]
    found = answers(command, *words)
    assert len(found) == 8
    assert [name for name, _ in found][::7] == ["sound.wav 0.0-0.1 s", "sound.wav 0.7-0.8 s"]
    windows = zoo.load(words[0]).predict_windows("sound.wav")
    assert [answer["label"] for _, answer in found] == [window["label"] for window in windows]
    assert found[-1][1]["end"] == pytest.approx(0.75)
    assert " begin " not in command.ran("predict", *words)


@pytest.mark.parametrize("how", ["--json", "--jsonl", "--csv"])
def test_lines_are_answered_in_order_and_broken_ones_are_named(how, trained, place, command):
    (place / "many.txt").write_bytes(LINES)
    code, out, err = command("predict", trained("text_cnn"), "many.txt", "--lines", how)
    array = out if how == "--json" else f"[{','.join(out.splitlines())}]"
    rows = csv.DictReader(io.StringIO(out)) if how == "--csv" else json.loads(array)
    assert (code, [row["input"] for row in rows]) == (2, READ)
    named = [line.removeprefix("zoo: many.txt, ") for line in err.splitlines()]
    assert named[0].startswith("line 3: byte 3 is NUL")
    assert named[1].startswith("line 4: byte 0 is 0xff")
    assert re.fullmatch(r"line 3: .*\(and 1 more\)", named[2])


def test_standard_input_and_lines_are_answered_alike(trained, place, command, monkeypatch):
    (place / "many.txt").write_bytes(LINES)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LINES)))
    code, out, err = command("predict", trained("text_cnn"), "-", "--jsonl")
    assert (code, "zoo: line 3: byte 3 is NUL" in err) == (2, True)
    assert command("predict", trained("text_cnn"), "many.txt", "--lines", "--jsonl")[1] == out


@pytest.mark.parametrize("how", ["--json", "--jsonl", "--csv", "--explain"])
def test_answers_come_before_the_last_line(how, trained, command, monkeypatch, capsys):
    """After a thousand lines no more than one batch of them is waiting."""
    written = []

    def texts():
        for _ in range(1000 if how != "--explain" else 20):
            yield "the film was good\n"
        written.append(capsys.readouterr().out.count("good"))

    monkeypatch.setattr(sys, "stdin", texts())
    command.ran("predict", trained("text_cnn"), "-", how)
    assert written[0] >= (900 if how != "--explain" else 19)


def test_a_long_table_is_printed_in_parts(trained, command, monkeypatch):
    monkeypatch.setattr("zoo.commands._answers.ROWS", 2)
    monkeypatch.setattr(sys, "stdin", io.StringIO("good\nbad\nfunny\n"))
    _, out, _ = command("predict", trained("text_cnn"), "-")
    assert out.count("probability") == 2
    assert all(word in out for word in ("good", "bad", "funny"))


@pytest.mark.parametrize("source", ["book.txt", "-"])
def test_a_whole_book_is_answered_as_the_model_does(source, trained, place, command, monkeypatch):
    book = "good bad\nnot film\n" * 1000
    (place / "book.txt").write_text(book)
    monkeypatch.setattr(sys, "stdin", io.StringIO(book))
    ((name, found),) = answers(command, trained("text_cnn"), source, "--whole")
    wanted = zoo.load(trained("text_cnn")).predict_file(io.StringIO(book))
    assert (name, found["windows"]) == (source, wanted["windows"])
    assert found["probabilities"] == pytest.approx(wanted["probabilities"], abs=1e-5)


def test_a_text_file_that_cannot_be_read_is_named_and_stops_no_other(trained, place, command):
    """Of a whole book with its line."""
    (place / "broken.txt").write_bytes(b"\xff")
    (place / "book.txt").write_bytes(b"good\nbad \xff\n")
    (place / "empty.txt").write_bytes(b"...\n")
    for words, said in (
        (["broken.txt"], "zoo: broken.txt: byte 0 is 0xff"),
        (["book.txt", "empty.txt", "--whole"], "zoo: book.txt: line 2: byte 4 is 0xff"),
    ):
        code, out, err = command("predict", trained("text_cnn"), "review.txt", *words, "--jsonl")
        assert (code, json.loads(out)["input"]) == (2, "review.txt")
        assert said in err


PEAKS = """
import resource, sys
import torch
from zoo.commands.main import main
from zoo.text_cnn import TextCNN

TextCNN.forward_features = lambda self, ids: torch.zeros(len(ids), self.head.in_features)
for name in ("small.txt", "huge.txt"):
    assert main(["predict", "text_cnn.imdb", name, sys.argv[1], "--csv"]) == 0
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)  # MB
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["--lines", "--whole"])
def test_a_file_of_60_megabytes_needs_no_more_memory_than_one_of_three(how, place):
    """S71. Of --whole the words are all in one line. The network, which sees a window, is idle."""
    text = "a fine film that nobody I know will ever forget " * 200
    for name, copies in (("small", 300), ("huge", 6_000)):  # of 10 kB
        with (place / f"{name}.txt").open("w") as file:
            file.writelines(text + ("\n" if how == "--lines" else "") for _ in range(copies))
    words = [sys.executable, "-c", PEAKS, how]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.count("\n") == 2 + (6_300 if how == "--lines" else 2)
    small, huge = map(int, filter(str.isdigit, done.stderr.splitlines()))
    assert huge - small < 40
