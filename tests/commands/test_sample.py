"""`zoo sample`: whose weights are taken, options from a model's signature, what is written."""

import io
import json
import os
import wave
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from zoo.figures.kinds import Audio, Grid


class Writer:
    """A stand-in for a model that writes."""

    def sample(
        self, *, prompt: str = "a", count: int = 2, heat: float = 1.0, loud: bool = False,
        label: str | None = None, seed: int = 0,
    ) -> Iterator[str]:  # fmt: skip
        """Write."""
        yield from (f"{prompt} {count} {heat} {loud} {label} {seed}", "!")


class Painter:
    def sample(self, *, count: int = 2, seed: int = 0) -> Grid:
        """Paint."""
        return Grid([np.full((8, 8), 40 * i, np.uint8) for i in range(count)])


class Singer:
    def sample(self, *, count: int = 2) -> Audio:
        """Sing."""
        return Audio([np.full(100, 0.5)] * count, 1000)


@pytest.fixture
def finished(tmp_path, monkeypatch):
    """Make a finished run whose weights are a stand-in."""
    models = {}
    opened = lambda path: models[(path if path.is_dir() else path.parent).name]  # noqa: E731
    monkeypatch.setattr("zoo.pretrained.load.load", opened)

    def make(model, name, *, experiment="digits_writer", smoke=False, when=1):
        folder = tmp_path / "runs" / experiment / name
        folder.mkdir(parents=True)
        results = {"experiment": experiment, "model": experiment.split("_")[-1], "smoke": smoke}
        (folder / "results.json").write_text(json.dumps(results))
        os.utime(folder / "results.json", (when, when))
        (folder / "weights.safetensors").touch()
        models[name] = model
        return folder

    return make


def test_the_newest_finished_run_that_is_no_smoke_run_is_taken_and_named(finished, command):
    finished(None, "old", when=1)
    finished(Writer(), "new", when=2)
    finished(None, "smoke", when=3, smoke=True)
    finished(None, "other", when=3, experiment="other")
    for name in ("digits_writer", "writer"):
        written = "a 2 1.0 False None 0!\n"
        assert command("sample", name) == (0, written, "weights   runs/digits_writer/new\n")


def test_a_runs_folder_may_be_given(finished, command):
    folder = str(finished(Writer(), "a", smoke=True))
    assert command.ran("sample", folder, "--seed", "3") == "a 2 1.0 False None 3!\n"


def test_options_come_from_the_signature(finished, command):
    finished(Writer(), "a")
    given = ["--prompt=-b c", "--count", "5", "--heat", "0.5", "--loud", "--label", "x"]
    assert command("sample", "writer", *given)[1] == "-b c 5 0.5 True x 0!\n"
    assert "False" in command("sample", "writer", "--no-loud")[1]


@pytest.mark.parametrize(("words", "said"), [
    (["--temperature", "1"], "writer takes no --temperature: it takes --prompt, --count, "),
    (["--coun", "1"], "writer takes no --coun: it takes --prompt, --count, "),
    (["--count", "many"], "argument --count: invalid int value: 'many'"),
    (["word"], "writer takes no word: it takes"),
])  # fmt: skip
def test_a_wrong_option_is_one_line(words, said, finished, command):
    finished(Writer(), "a")
    assert said in command.failed("sample", "writer", *words)


def test_without_weights_it_says_how_to_make_them(command, monkeypatch):
    monkeypatch.setattr("zoo.pretrained.store.released", dict)
    line = command.refused("sample", "char_rnn", "--seed", "1")
    assert "`zoo train experiment=char_rnn` makes them" in line


def test_a_model_that_generates_nothing_and_an_unknown_name_are_one_line(finished, command):
    finished(object(), "a")
    assert "writer generates nothing: object has no method" in command.failed("sample", "writer")
    line = command.failed("sample", "image_cn")
    assert "no weights, model or run named 'image_cn': did you mean 'image_cnn'?" in line


def test_pictures_become_one_sheet(finished, command, tmp_path):
    finished(Painter(), "a")
    assert command.ran("sample", "writer", "--count", "3") == "picture   writer.png\n"
    with Image.open(tmp_path / "writer.png") as sheet:
        assert sheet.width > 2.9 * sheet.height


def test_sounds_become_one_wave_with_silence_between(finished, command, tmp_path):
    finished(Singer(), "a")
    assert command.ran("sample", "writer", "-o", "song.wav") == "sound     song.wav\n"
    with wave.open(io.BytesIO((tmp_path / "song.wav").read_bytes())) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (1000, 100 + 250 + 100)


def test_text_may_go_to_a_file(finished, command, tmp_path):
    finished(Writer(), "a")
    assert command("sample", "writer", "-o", "a.txt")[1] == "text      a.txt\n"
    assert (tmp_path / "a.txt").read_text() == "a 2 1.0 False None 0!"


@pytest.mark.parametrize(("output", "said"), [
    ("a.jpg", "give a name that ends in .png"), ("no/a.png", "there is no folder no"),
])  # fmt: skip
def test_a_file_that_cannot_be_written_is_refused_before_sampling(output, said, finished, command):
    class Slow:
        def sample(self) -> Grid:
            pytest.fail("sampled")

    finished(Slow(), "a")
    assert said in command.failed("sample", "writer", "--output", output)
