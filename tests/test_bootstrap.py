"""The script that `make` calls on a fresh clone refuses in one line and leaves no half."""

import ast
import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "bootstrap.py"


@pytest.fixture
def bootstrap(tmp_path, monkeypatch):
    """The script as a module, at home in an empty folder; `calls` holds its commands, and those
    that name a word of `broken` fail."""
    spec = importlib.util.spec_from_file_location("bootstrap", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.ROOT, module.VENV = tmp_path, tmp_path / ".venv"
    module.calls, module.broken = [], set()

    def call(command, **_):
        module.calls.append(command)
        return int(bool(module.broken & set(command)))

    monkeypatch.setattr(module.subprocess, "call", call)
    return module


def test_python_3_6_can_read_it():
    ast.parse(SCRIPT.read_text(), feature_version=(3, 6))


def test_an_old_python_is_told_which_to_use(bootstrap, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 18))
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: name == "python3.11")
    with pytest.raises(SystemExit, match=r"^error: .* this is 3\.9\.18: add PYTHON=python3\.11$"):
        bootstrap.main()
    assert not bootstrap.calls


def test_a_first_install_makes_an_environment_and_ends_finished(bootstrap, capsys):
    bootstrap.main("dev")
    assert "7 GB" in capsys.readouterr().out
    assert bootstrap.calls[0][1:3] == ("-m", "venv")
    assert bootstrap.calls[1][-2:] == ("-e", ".[dev]")
    assert list(bootstrap.VENV.iterdir()) == []


def test_a_second_install_keeps_the_environment(bootstrap):
    bootstrap.VENV.mkdir()
    (bootstrap.VENV / "precious").touch()
    bootstrap.broken = {"pip"}
    with pytest.raises(SystemExit, match=r"^error: installing ended with code 1, see above"):
        bootstrap.main()
    assert [call[-2:] for call in bootstrap.calls] == [("-e", ".")]
    assert (bootstrap.VENV / "precious").exists()


@pytest.mark.parametrize("broken", ["venv", "pip"])
def test_a_first_install_that_was_broken_off_is_begun_anew(bootstrap, broken):
    bootstrap.broken = {broken}
    with pytest.raises(SystemExit):
        bootstrap.main()
    (bootstrap.VENV / "half-written").touch()
    bootstrap.broken = set()
    bootstrap.main()
    assert list(bootstrap.VENV.iterdir()) == []


def test_a_second_one_waits_for_the_first(bootstrap, monkeypatch):
    def install(extra):
        with SCRIPT.open() as file, pytest.raises(BlockingIOError):
            bootstrap.fcntl.flock(file, bootstrap.fcntl.LOCK_EX | bootstrap.fcntl.LOCK_NB)

    monkeypatch.setattr(bootstrap, "install", install)
    bootstrap.main()


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), KeyboardInterrupt()])
def test_what_stops_it_is_one_line(bootstrap, monkeypatch, error):
    def stop():
        raise error

    monkeypatch.setattr(bootstrap, "create", stop)
    with pytest.raises(SystemExit, match=r"^error: .*(Permission denied|interrupted)"):
        bootstrap.main()
