"""Every command and every block of Python in the pages runs; every number in them was measured."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.tiny import (
    audio_folder,
    cifar10,
    fashion_mnist,
    image_folder,
    labelled_text,
    mnist,
    video_folder,
    wikipedia_2015,
)

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
LECTURE = (ROOT / "docs" / "lecture.md").read_text()
PAGE_NAMES = ("images.md", "text.md", "words.md")
PAGES = [(ROOT / "docs" / name).read_text() for name in PAGE_NAMES]


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def commands():
    """The commands of the shell blocks and of the lecture's table, without their comments."""
    shell = [block for page in (README, *PAGES) for block in blocks(page, "sh")]
    lines = [line.split("#")[0].strip() for block in shell for line in block.splitlines()]
    lines += re.findall(r"`(zoo [^`]+)`", README + LECTURE)
    return list(dict.fromkeys(line for line in lines if line and "NAME" not in line))


USERS = {"pets": image_folder, "clips": video_folder, "sounds": audio_folder}  # of one's own
FETCHED = {
    "mnist": mnist,
    "cifar10": cifar10,
    "wikipedia_2015": wikipedia_2015,
}  # looked for in $ZOO_DATA


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working directory with data of one's own, and what is downloaded, in miniature."""
    for name, tiny in USERS.items():
        tiny.write(tmp_path / name)
    for name, tiny in FETCHED.items():
        tiny.write(tmp_path / "data" / name)
    fashion_mnist.write(tmp_path / "jpeg")
    labelled_text.write(tmp_path)
    (tmp_path / "said.csv").rename(tmp_path / "reviews.csv")
    Image.fromarray(np.full((28, 28), 9, np.uint8)).save(tmp_path / "digit.png")
    texts = [page.read_text() for page in (ROOT / "LICENSE", ROOT / "README.md")]
    (tmp_path / "book.txt").write_text("\n\n".join(texts))
    monkeypatch.setenv("ZOO_DATA", str(tmp_path / "data"))
    return tmp_path


SMALL = ["trainer=smoke", "data.limit=64"]


def trainings():
    """Those that train; tests/catalog/test_catalog.py runs a bare `zoo train experiment=NAME`."""
    lines = [line for line in commands() if line.startswith("zoo train")]
    return [line for line in lines if not re.fullmatch(r"zoo train experiment=\w+", line)]


def test_every_experiment_of_the_pages_is_there():
    from zoo.catalog import registry

    named = re.findall(r"experiment=(\w+)", README + LECTURE)
    assert set(named) <= set(registry.names("experiment"))


@pytest.mark.parametrize("line", trainings())
def test_a_training_command_of_the_pages_runs(line, place, command):
    """With trainer=smoke on little data; a sweep is checked job by job and its first job is run."""
    from zoo.catalog.compose import sweep_jobs

    arguments = [word for word in shlex.split(line)[2:] if word != "trainer=smoke"]
    if arguments[:1] == ["-m"]:
        arguments = sweep_jobs(arguments[1:])[0]
    arguments = [
        a if not a.startswith("data.train_samples") else "data.train_samples=20" for a in arguments
    ]
    of_words = {"data=words", "experiment=cbow"} & {*arguments}
    size = 1000 if of_words else 8  # words, or samples
    code, _, err = command("train", *arguments, *SMALL, f"data.batch_size={size}")
    assert code == 0, err


AT_ONCE = ("zoo list", "zoo show", "zoo draw", "zoo predict", "zoo test", "zoo export")


@pytest.mark.parametrize("line", [line for line in commands() if line.startswith(AT_ONCE)])
def test_a_command_of_the_pages_that_is_done_at_once_runs(line, place, command):
    code, out, err = command(*shlex.split(line)[1:])
    assert code == 0, err
    assert out


@pytest.mark.parametrize("line", [line for line in commands() if line.startswith("zoo sample")])
def test_a_sampling_command_of_the_pages_runs(line, place, command):
    """From the released weights."""
    code, _, err = command(*shlex.split(line)[1:])
    assert code == 0, err


def test_every_other_command_of_the_pages_is_known():
    """CI runs make train and make test; the others have tests of their own.

    Those are in tests/training/ (reproduce), tests/pages/ (lecture, curves).
    """
    from zoo.training import reproduce

    tested = ("zoo train", "zoo sample", *AT_ONCE)
    rest = [line for line in commands() if not line.startswith(tested)]
    assert set(rest) <= {
        "make train",
        "make test",
        "make lecture",
        "make bench",
        "zoo curves",  # tests/pages/test_learning_curves.py
        "zoo curves data=fashion_mnist --samples 300,1000,3000 --seeds 0,1",
        "python -m scripts.jpeg fashion_mnist jpeg --quality 75",  # tests/test_scripts.py
        "zoo lecture",
        *(f"zoo reproduce {name}" for name in reproduce.proven()),
        "zoo reproduce --all",
    }
    ci = (ROOT / ".ci" / "run").read_text()
    assert "make train" in ci
    assert re.search(r"^make .*test-all", ci, re.MULTILINE)


@pytest.mark.parametrize("page", [README, *PAGES], ids=["README", *PAGE_NAMES])
def test_the_python_of_the_pages_runs(page, place):
    for block in blocks(page, "python"):
        exec(compile(block, "a page", "exec"), {})


def test_the_error_in_the_readme_is_what_is_said(command):
    (block,) = blocks(README, "console")
    asked, answer = block.splitlines()
    code, _, err = command(*shlex.split(asked.removeprefix("$ zoo ")))
    assert (code, err.strip()) == (2, answer)


def test_the_tables_are_those_that_the_measured_figures_make():
    from zoo.training import reproduce

    figures = reproduce.committed()
    assert (ROOT / "docs" / "results.md").read_text() == reproduce.page(figures)
    assert reproduce.with_table(README, figures) == README
    assert set(figures) == set(reproduce.proven())


def test_the_parameters_that_the_lecture_page_names_are_counted():
    import zoo

    for channels, size, said in ((3, 32, "1,250,858"), (1, 28, "889,834")):
        model = zoo.create_model("image_cnn_2017", channels=channels, image_size=size)
        assert f"{sum(p.numel() for p in model.parameters()):,}" == said
        assert said in LECTURE
