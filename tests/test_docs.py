"""Every command and every block of Python in the pages runs; every number in them was measured."""

import re
import shlex
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.catalog import registry
from zoo.catalog.compose import compose
from zoo.catalog.parsing import sweep_jobs
from zoo.config import run_config
from zoo.training import reproduce

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
LECTURE = (ROOT / "docs" / "lecture.md").read_text()
PAGE_NAMES = (
    "run.md", "data.md", "weights.md", "python.md", "lightning.md", "images.md", "text.md",
    "words.md", "hydra.md", "trainer.md", "loggers.md",
)  # fmt: skip
PAGES = [(ROOT / "docs" / name).read_text() for name in PAGE_NAMES]


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def commands():
    """The commands of the shell blocks and of the lecture's table, without their comments."""
    shell = [block for page in (README, *PAGES) for block in blocks(page, "sh")]
    lines = [line.split("#")[0].strip() for block in shell for line in block.splitlines()]
    lines += re.findall(r"`(zoo [^`]+)`", README + LECTURE)
    return list(dict.fromkeys(line for line in lines if line and "NAME" not in line))


USERS = {"pets": "image_folder", "clips": "video_folder", "sounds": "audio_folder"}  # of one's own
FETCHED = {name: name for name in ("mnist", "cifar10", "wikipedia_2015")}  # sought in $ZOO_DATA


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Data of one's own, and what is downloaded, in miniature."""
    folder = tmp_path_factory.mktemp("made")
    for below, names in ((".", USERS), ("data", FETCHED), (".", {"jpeg": "fashion_mnist"})):
        for place, name in names.items():
            import_module(f"tests.tiny.{name}").write(folder / below / place)
    import_module("tests.tiny.labelled_text").write(folder)
    (folder / "said.csv").rename(folder / "reviews.csv")
    Image.fromarray(np.full((28, 28), 9, np.uint8)).save(folder / "digit.png")
    texts = [page.read_text() for page in (ROOT / "LICENSE", ROOT / "README.md")]
    (folder / "book.txt").write_text("\n\n".join(texts))
    return folder


@pytest.fixture
def place(made, tmp_path, monkeypatch):
    """A working directory in which all that lies."""
    for one in made.iterdir():
        (tmp_path / one.name).symlink_to(one)
    monkeypatch.setenv("ZOO_DATA", str(made / "data"))


SMALL = ["trainer=smoke", "data.limit=64"]
TOLD = ("experiment=", "name=", "seed=", "trainer", "model.optimizer", "+baseline", "~baseline",
        "baseline", "data.train_samples", "hydra", "callbacks", "debug", "logger")  # fmt: skip


def trainings(run):
    """Those that train: to be run here, or of a run that tests/catalog/test_catalog.py does.

    What is a part of another command is done with that.
    """

    def known(line):
        words = [word for word in shlex.split(line)[2:] if word != "-m"]
        return all(word.startswith(TOLD) for word in words)

    lines = [line for line in commands() if line.startswith("zoo train") and known(line) != run]
    words = [{*shlex.split(line)} for line in lines]
    return [line for line, own in zip(lines, words, strict=True) if not any(map(own.__lt__, words))]


def test_every_experiment_of_the_pages_is_there():
    named = re.findall(r"experiment=(\w+)", README + LECTURE)
    assert {*named} <= {*registry.names("experiment")}


def jobs_of(line):
    """The overrides of each job, without those that are for Hydra."""
    words = [word for word in shlex.split(line)[2:] if not word.startswith("hydra")]
    overrides = [word for word in words if word != "-m"]
    return sweep_jobs(overrides) if "-m" in words else [overrides]


@pytest.mark.parametrize("line", trainings(run=True))
def test_a_training_command_of_the_pages_runs(line, place, command):
    """With trainer=smoke on little data, whitening on few pixels; of a sweep the first job."""
    words = jobs_of(line)[0]
    of_words = {"data=words", "experiment=cbow"} & {*words}
    small = ["data.image_size=12"] if "zca" in line else []
    small += (
        ["data.batch_size=1000", "data.vocabulary_size=99"] if of_words else ["data.batch_size=8"]
    )
    command.ran("train", *words, *SMALL, *small)


@pytest.mark.parametrize("line", trainings(run=False))
def test_a_training_command_of_the_pages_is_a_recipe_of_the_catalog(line, monkeypatch):
    """Each job of a sweep, on a machine with the devices; launchers are tests/training/'s."""
    monkeypatch.setattr(run_config, "_check_devices", lambda trainer: None)
    for job in jobs_of(line):
        assert compose(job)["choices"]["experiment"] in zoo.list_experiments()


AT_ONCE = (
    "zoo list", "zoo show", "zoo draw", "zoo predict", "zoo test", "zoo export", "zoo completion",
)  # fmt: skip
DONE = [line for line in commands() if line.startswith((*AT_ONCE, "zoo sample"))]


@pytest.mark.parametrize("line", DONE)
def test_a_command_of_the_pages_that_is_done_at_once_runs(line, place, command):
    """By released weights; of a sampled sound the first tenth."""
    out = command.ran(*shlex.split(line.replace("--seconds 1", "--seconds 0.1"))[1:])
    assert out or line.startswith("zoo sample")


def test_a_search_of_the_pages_runs(place, command):
    """In no time, so that the first candidate is the result; and what comes after it."""
    own = (ROOT / "docs" / "own_data.md").read_text()
    shell = "".join(block for page in (README, own) for block in blocks(page, "sh"))
    lines = [line for line in shell.splitlines() if re.match("zoo auto|zoo .*runs/auto", line)]
    assert len(lines) == 5
    for line in lines:
        words = shlex.split(line.split("#")[0])[1:]
        assert command.ran(*words, *["minutes=0.01"] * (words[0] == "auto"))


def test_every_other_command_of_the_pages_is_known():
    """CI runs make train and make test; the others have tests of their own.

    Those are in tests/training/ (reproduce), tests/pages/ (lecture, curves, compare) and
    tests/test_scripts.py.
    """
    rest = {line for line in commands() if not line.startswith("zoo train")} - {*DONE}
    known = (
        r"make (train|test|lecture|bench)|zoo (lecture|curves|compare .*|reproduce --all|auto .*)"
    )
    curves = "zoo curves data=fashion_mnist --samples 300,1000,3000 --seeds 0,1"
    jpeg = "python -m scripts.jpeg fashion_mnist jpeg --quality 75"
    proven = [f"zoo reproduce {name}" for name in reproduce.names_with_target()]
    assert {line for line in rest if not re.fullmatch(known, line)} <= {curves, jpeg, *proven}
    ci = (ROOT / ".ci" / "run").read_text()
    assert "make train" in ci
    assert re.search(r"^make .*test-all", ci, re.MULTILINE)


@pytest.mark.filterwarnings("ignore:.*many workers")  # that a loader could have
@pytest.mark.parametrize("page", [README, *PAGES], ids=["README", *PAGE_NAMES])
def test_the_python_of_the_pages_runs(page, place, monkeypatch):
    """On 200 samples of each data set; an estimator takes two steps."""
    monkeypatch.setattr(zoo, "create_data", partial(zoo.create_data, limit=200))
    monkeypatch.setattr(zoo, "Estimator", partial(zoo.Estimator, trainer__max_steps=2))
    for block in blocks(page, "python"):
        exec(compile(block, "a page", "exec"), {})


@pytest.mark.parametrize("name", ["run.md", "hydra.md"])
def test_the_error_of_the_pages_is_what_is_said(name, command):
    (block,) = blocks(PAGES[PAGE_NAMES.index(name)], "console")
    asked, answer = block.splitlines()
    code, _, err = command(*shlex.split(asked.removeprefix("$ zoo ")))
    assert (code, err.strip()) == (2, answer)


def test_the_tables_are_those_that_the_measured_figures_make():
    figures = reproduce.read_figures()
    assert (ROOT / "docs" / "results.md").read_text() == reproduce.page(figures)
    assert reproduce.with_table(README, figures) == README
    assert set(figures) == set(reproduce.names_with_target())


def test_the_parameters_that_the_lecture_page_names_are_counted():
    for channels, size, said in ((3, 32, "1,250,858"), (1, 28, "889,834")):
        model = zoo.create_model("image_cnn_2017", channels=channels, image_size=size)
        assert f"{sum(p.numel() for p in model.parameters()):,}" == said
        assert said in LECTURE
