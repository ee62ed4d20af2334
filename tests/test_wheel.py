"""The wheel, in an environment of its own, from another directory."""

import filecmp
import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.test_ninth_topic import OWN_COMMANDS, RUN, write_package
from tests.tiny import video_folder
from zoo.figures.raster import wav

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """A fresh environment with the wheel in it; torch and the rest are borrowed from this one."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder / "dist"]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    subprocess.run([sys.executable, "-m", "venv", folder / "env"], check=True)
    python = folder / "env" / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, *(folder / "dist").glob("*.whl")], check=True)
    (site,) = (folder / "env").glob("lib/python*/site-packages")
    # A path line, not an import of our own site: an editable zoo would hide the wheel.
    (site / "borrowed.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return python


def run(python, folder, *arguments):
    """What a program prints in a folder."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "ZOO_DATA")}
    environment["HF_HUB_OFFLINE"] = "1"
    more = {"cwd": folder, "env": environment, "capture_output": True, "text": True}
    done = subprocess.run([str(python), *arguments], **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_wheel_lists_trains_and_imports_from_another_directory(python, tmp_path):
    zoo = python.parent / "zoo"
    assert "image_cnn_2017" in run(zoo, tmp_path, "list")
    run(zoo, tmp_path, "train", "trainer=smoke", "name=a")
    assert (tmp_path / "runs/image_cnn/a/report.html").exists()
    loaded = "import zoo; print(zoo.__file__, zoo.load('runs/image_cnn/a').classes)"
    said = run(python, tmp_path, "-c", f"{loaded}; print(zoo.list_data())")
    assert str(python.parent.parent) in said
    assert "image_folder" in said


PREDICTED = """
import json, sys
from zoo.commands.main import main

for name, raw in json.loads(sys.argv[1]).items():
    assert main(["predict", name, raw, "--jsonl"]) == 0, name
"""


@pytest.mark.slow
def test_the_weights_of_the_wheel_answer_what_people_have(python, tmp_path):
    """A picture, a sentence, a video, a sound, an analogy and a prompt, without any data."""
    random = np.random.default_rng(0)
    Image.fromarray(random.integers(0, 255, (60, 40, 3)).astype(np.uint8)).save(tmp_path / "a.png")
    video_folder.video(tmp_path / "a.mp4", random.integers(0, 255, (12, 32, 32, 3)).astype("u1"))
    (tmp_path / "a.wav").write_bytes(wav(random.uniform(-0.5, 0.5, 8000), 8000))
    asked = {
        "image_cnn": "a.png", "text_cnn": "a wonderful film", "video_conv3d.drone_video": "a.mp4",
        "sound_classifier": "a.wav", "cbow": "king - man + woman", "char_rnn": "ROMEO:",
    }  # fmt: skip
    printed = run(python, tmp_path, "-c", PREDICTED, json.dumps(asked))
    answers = [json.loads(line)["answer"] for line in printed.splitlines()]
    assert len(answers) == len(asked)
    assert all(answers)
    assert answers[-1]["text"]


@pytest.mark.slow
def test_the_weights_of_the_wheel_are_those_that_are_scored(python):
    """By tests/test_released.py."""
    (theirs,) = python.parent.parent.glob("lib/python*/site-packages/zoo/weights")
    names = sorted(path.name for path in (ROOT / "zoo" / "weights").iterdir())
    assert sorted(path.name for path in theirs.iterdir()) == names
    assert filecmp.cmpfiles(theirs, ROOT / "zoo" / "weights", names, shallow=False)[0] == names


@pytest.mark.slow
def test_a_package_beside_the_wheel_does_all_that_its_page_says(python, tmp_path):
    """docs/ninth_topic.md, outside the zoo: installed, and no file of the zoo is changed."""
    write_package(tmp_path / "project")
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    build = [*install, "--no-build-isolation", tmp_path / "project"]
    subprocess.run(build, check=True, capture_output=True)
    printed = run(python, tmp_path, "-c", RUN, *OWN_COMMANDS)
    assert printed.count("mixer") > len(OWN_COMMANDS)
    assert (tmp_path / "a.pt2").exists()
    code = "import zoo; print(type(zoo.load('runs/mixer/b')).__module__)"
    assert run(python, tmp_path, "-c", code) == "mixers\n"
    subprocess.run([python, "-m", "pip", "uninstall", "-qy", "mixers"], check=True)
