"""docs/ninth_topic.md: its files, written into a copy of the project, are a topic."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "ninth_topic.md").read_text()
FILES = re.findall(r"^`(\S+)`\n\n```\w+\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = re.search(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[1].splitlines()


def do(folder, *words):
    """Run Python in a folder; its output."""
    done = subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_ninth_topic_needs_no_change_to_existing_python(tmp_path):
    for part in ("zoo", "datamodules", "conf", "tests"):
        shutil.copytree(ROOT / part, tmp_path / part)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name, text in FILES:
        assert not (ROOT / name).exists()
        (tmp_path / name).write_text(text)
    for line in COMMANDS:
        words = shlex.split(line)
        assert words[0] == "zoo"
        assert "mixer" in do(tmp_path, "-m", "zoo", *words[1:])
    contracts = [
        "tests/test_mixer.py",
        "tests/catalog/test_catalog.py",
        "tests/test_architecture.py",
    ]
    do(tmp_path, "-m", "pytest", "-q", "-k", "mixer or down", *contracts)
