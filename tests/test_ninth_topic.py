"""docs/ninth_topic.md: its files, written into a copy of the project, are a topic."""

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.data import python

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "ninth_topic.md").read_text()
INSIDE, OUTSIDE = PAGE.split("\n## ")[:2]
FILES, OWN_FILES = (
    re.findall(r"^`(\S+)`\n\n```\w+\n(.*?)^```", part, re.MULTILINE | re.DOTALL)
    for part in (INSIDE, OUTSIDE)
)
COMMANDS, OWN_COMMANDS = (
    re.search(r"^```sh\n(.*?)^```", part, re.MULTILINE | re.DOTALL)[1].splitlines()
    for part in (INSIDE, OUTSIDE)
)
END = "--- end of a command ---"
RUN = f"""
import shlex, sys
from zoo.commands.main import main

for line in sys.argv[1:]:
    zoo, *words = shlex.split(line)
    assert (zoo, main(words)) == ("zoo", 0), line
    print("{END}")
"""


def write_package(folder):
    """The project of a package of one's own, as the page says: the same files, elsewhere."""
    moved = {"zoo/mixer.py": "mixers/__init__.py"}
    texts = {
        moved.get(name, f"mixers/{name}"): text.replace("zoo.mixer.Mixer", "mixers.Mixer")
        for name, text in FILES
        if not name.startswith("tests/")
    }
    for name, text in {**texts, **dict(OWN_FILES)}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.mark.slow
def test_a_ninth_topic_needs_no_change_to_existing_python(tmp_path):
    for part in ("zoo", "datamodules", "conf", "tests"):
        shutil.copytree(ROOT / part, tmp_path / part)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs/ninth_topic.md", tmp_path / "docs")
    for name, text in FILES:
        assert not (ROOT / name).exists()
        (tmp_path / name).write_text(text)
    said = python("-c", RUN, *COMMANDS, cwd=tmp_path).split(END)
    assert len(said) == len(COMMANDS) + 1
    assert all("mixer" in one for one in said[:-1])
    contracts = ["tests/test_mixer.py", "tests/catalog", "tests/test_architecture.py"]
    python("-m", "pytest", "-q", "-k", "mixer or down", *contracts, cwd=tmp_path)


@pytest.mark.slow
def test_the_contract_tests_hold_for_a_package_of_ones_own(tmp_path):
    write_package(tmp_path)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "ZOO_PACKAGES": "mixers", "PYTHONPATH": path}
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "mixer", "tests/catalog"]
    assert " passed" in python(*words, cwd=ROOT, env=environment)
