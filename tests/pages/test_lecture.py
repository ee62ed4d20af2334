"""The lecture: its page shows what its runs made, and the docs say what it runs."""

import os
import re
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import SimpleNamespace

import pytest

import zoo
from zoo.catalog.compose import compose
from zoo.commands.main import main
from zoo.pages import lecture
from zoo.pages.lecture import Slide

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_in_the_docs_is_made_of_the_slides_of_which_every_model_has_one():
    """After a change of conf/lecture.yaml: `zoo lecture --list > docs/lecture.md`."""
    assert (ROOT / "docs" / "lecture.md").read_text() == lecture.markdown()
    assert set(zoo.list_models()) <= {slide.experiment for slide in lecture.slides() if slide.shows}


def test_what_is_run_needs_no_download():
    for slide in lecture.slides():
        if slide.shows and slide.experiment:
            data = zoo.create_data(compose([slide.command.split()[-1]])["choices"]["data"])
            assert data.bundled, slide


SOME = [
    Slide("5", "Planes", "zoo draw planes", "three of them", ["picture"]),
    Slide("6", "Not run", "zoo train data=mnist", "only named"),
    Slide("7", "A <network>", "zoo train experiment=image_cnn", "its answers", ["Per class"]),
]


@pytest.fixture
def here(monkeypatch):
    """Each command in this process, which has imported all; one that fails has its own."""

    def run(words, stdout, stderr, env):
        assert (words[:3], env["OMP_NUM_THREADS"]) == ([sys.executable, "-m", "zoo"], "1")
        with redirect_stdout(stdout), redirect_stderr(stderr):
            return SimpleNamespace(returncode=main(words[3:]))

    monkeypatch.setattr(lecture, "subprocess", SimpleNamespace(run=run))
    monkeypatch.setattr(lecture, "_workers", lambda: (1, 1))


def test_there_are_as_many_commands_at_a_time_as_cores(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert lecture._workers() == (len(os.sched_getaffinity(0)),) * 2
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert lecture._workers()[0] == 1


def test_the_page_shows_pictures_of_what_was_run(monkeypatch, command, here, tmp_path):
    monkeypatch.setattr(lecture, "slides", lambda: SOME)
    page = Path(command.ran("lecture", "trainer=smoke").split()[-1]).read_text()
    assert (page.count("<section>"), page.count("data:image/png")) == (4, 1)
    said = ("<figcaption>Per class</figcaption>", "A &lt;network&gt;", "Confusion matrix")
    assert [one in page for one in said] == [True, True, False]
    assert len(list(tmp_path.glob("runs/image_cnn/*/results.json"))) == 1


def test_a_wrong_override_is_one_line_before_any_work(command, tmp_path):
    assert "did you mean 'smoke'" in command.refused("lecture", "trainer=smok")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_command_is_a_process_and_one_that_fails_is_named_with_its_last_words(
    monkeypatch, command
):
    broken = "zoo train experiment=image_cnn data=image_folder data.source=nowhere"
    monkeypatch.setattr(lecture, "slides", lambda: [Slide("1", "Broken", broken, "", ["x"])])
    code, _, err = command("lecture", "trainer=smoke")
    assert code == 1
    assert f"`{broken}` ended with exit code 2" in err
    assert "data.source is 'nowhere': there is no such folder" in err.splitlines()[-1]


@pytest.mark.slow
def test_the_whole_lecture_runs(command, here):
    page = Path(command.ran("lecture", "trainer=smoke").split()[-1]).read_text()
    for slide in lecture.slides():
        assert f"Slide {slide.slides}:" in page or f"Slides {slide.slides}:" in page
    for slide, section in zip(lecture.slides(), re.split(r"<section>", page)[2:], strict=True):
        assert bool(slide.shows) == ("<figure" in section), slide
