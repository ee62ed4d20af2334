"""`make` hands on to `zoo train` what it was given, and installs only what is not installed."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BOOTSTRAP = """
import os, shutil, sys

os.makedirs(".venv/bin", exist_ok=True)
shutil.copy("python.tmpl", ".venv/bin/python")
print("installed", *sys.argv[1:])
"""
PRINT_ARGUMENTS = f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n"


@pytest.fixture
def clone(tmp_path):
    """A fresh clone in a path with a space, as far as make sees it; its bootstrap makes a .venv
    whose python prints its arguments, and counts its calls."""
    clone = tmp_path / "a clone"
    (clone / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", clone)
    (clone / "pyproject.toml").touch()
    (clone / "python.tmpl").write_text(PRINT_ARGUMENTS)
    (clone / "python.tmpl").chmod(0o755)
    (clone / "scripts" / "bootstrap.py").write_text(BOOTSTRAP)
    return clone


def make(folder, *arguments):
    """Run make as from a shell, not as from the make that runs these tests."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    more = {"env": clean | {"PYTHON": sys.executable}, "capture_output": True, "text": True}
    return subprocess.run(["make", *arguments], cwd=folder, **more)


def train(folder, *arguments):
    """What `make train` calls python with."""
    ended = make(folder, "train", *arguments)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


def test_words_arrive_and_flags_and_quoted_ones_through_args(clone):
    assert train(clone) == ["-m", "zoo", "train"]
    words = ["+a.b=c", "a=[1,2]", "experiment=gan"]
    assert sorted(train(clone, *words)[3:]) == words
    flags = "ARGS=-m seed=0,1 data.source='my  own' 'model={a: 1}'"
    assert train(clone, flags)[3:] == ["-m", "seed=0,1", "data.source=my  own", "model={a: 1}"]
    assert set(train(clone, f"PYTHON={sys.executable}", "ARGS=-m", "a=1,2")[3:]) == {"-m", "a=1,2"}


@pytest.mark.parametrize(("first", "said"), [("train", ""), ("install", " dev")])
def test_the_second_call_installs_nothing_also_after_a_developers_install(clone, first, said):
    assert f"installed{said}\n" in make(clone, first).stdout
    assert "installed" not in make(clone, "train").stdout


def test_a_changed_pyproject_installs_again(clone):
    make(clone, "install")
    later = (clone / ".venv/installed-dev").stat().st_mtime + 2
    os.utime(clone / "pyproject.toml", (later, later))
    assert "installed dev\n" in make(clone, "test").stdout


def test_a_failed_install_is_tried_again(clone):
    bootstrap = clone / "scripts" / "bootstrap.py"
    works = bootstrap.read_text()
    bootstrap.write_text("raise SystemExit(2)")
    assert make(clone, "train").returncode == 2
    bootstrap.write_text(works)
    assert "installed\n" in make(clone, "train").stdout


@pytest.mark.parametrize(("data", "second"), [("", "slow"), ("/data", "slow or real")])
def test_the_two_halves_of_the_tests_overlap_nowhere_and_run_once(clone, data, second, monkeypatch):
    monkeypatch.setenv("ZOO_DATA", data)
    output = make(clone, "check", "test-all").stdout
    marks = [json.loads(line)[-1] for line in output.splitlines() if '"pytest"' in line]
    assert marks == ["not slow and not real", second]


def test_lint_changes_nothing(clone):
    output = make(clone, "lint").stdout
    assert '["-m", "ruff", "format", "--check"]' in output
    assert "--fix" not in output


def test_help_is_the_default_and_lists_every_target(clone):
    (phony,) = re.findall(r"^\.PHONY: (.*)", (clone / "Makefile").read_text(), re.MULTILINE)
    lines = make(clone).stdout.splitlines()
    assert sorted(line.split()[0] for line in lines) == sorted(phony.split())
