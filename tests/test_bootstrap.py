"""The script that `make` calls on a fresh clone refuses in one line and leaves no half."""

import ast
import collections
import fcntl
import importlib.util
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "bootstrap.py"
OFFLINE = "WARNING: Retrying after connection broken by 'NewConnectionError(...)'"
NO_MATCH = "ERROR: No matching distribution found for hatchling"


@pytest.fixture
def bootstrap(tmp_path, monkeypatch):
    """The script as a module, at home in an empty folder with a large disk."""
    spec = importlib.util.spec_from_file_location("bootstrap", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "__file__", str(tmp_path / "bootstrap.py"))
    give_disk(module, monkeypatch, gigabytes=100)
    return module


def give_disk(module, monkeypatch, gigabytes):
    usage = collections.namedtuple("usage", "free")(gigabytes * 1e9)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: usage)


def give_commands(module, monkeypatch, pip_stderr="", venv_stderr=""):
    """Stand in for venv and pip, each failing when it is given something to say."""
    calls = []

    def run(*command):
        calls.append(command)
        stderr = pip_stderr if "pip" in command else venv_stderr
        return subprocess.CompletedProcess(command, 1 if stderr else 0, stderr=stderr)

    monkeypatch.setattr(module, "run", run)
    return calls


def refusal(capsys, call, *args):
    """What a call that must exit 2 says last, in one line."""
    with pytest.raises(SystemExit) as stopped:
        call(*args)
    assert stopped.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("error: ")
    return last


def test_the_oldest_python_3_can_read_it():
    ast.parse(SCRIPT.read_text(), feature_version=(3, 6))


def test_an_old_python_is_told_which_to_use(bootstrap, monkeypatch, capsys):
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 9, 18))
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: name == "python3.11")
    line = refusal(capsys, bootstrap.main)
    assert "is 3.9.18" in line
    assert "PYTHON=python3.11" in line


def test_a_python_without_ensurepip_is_told_what_to_install(bootstrap, monkeypatch, capsys):
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda name: None)
    assert "apt install python3-venv" in refusal(capsys, bootstrap.main)


def test_a_small_disk_is_refused_before_anything_is_made(bootstrap, monkeypatch, capsys):
    monkeypatch.setattr(bootstrap.sys, "platform", "linux")
    give_disk(bootstrap, monkeypatch, gigabytes=5)
    assert "5.0 GB free" in refusal(capsys, bootstrap.main)
    assert not bootstrap.VENV.exists()


def test_a_small_disk_suffices_where_torch_is_installed(bootstrap, monkeypatch):
    give_disk(bootstrap, monkeypatch, gigabytes=5)
    (bootstrap.VENV / "lib/python3.12/site-packages/torch").mkdir(parents=True)
    bootstrap.check_disk()


def test_a_first_install_says_its_cost_and_ends_finished(bootstrap, monkeypatch, capsys):
    calls = give_commands(bootstrap, monkeypatch)
    bootstrap.main("dev")
    assert "7 GB" in capsys.readouterr().out
    assert calls[0][1:3] == ("-m", "venv")
    assert calls[1][-2:] == ("-e", ".[dev]")
    assert list(bootstrap.VENV.iterdir()) == []


def test_a_second_install_keeps_the_environment(bootstrap, monkeypatch, capsys):
    bootstrap.VENV.mkdir()
    (bootstrap.VENV / "precious").touch()
    calls = give_commands(bootstrap, monkeypatch)
    bootstrap.main()
    assert [call[-2:] for call in calls] == [("-e", ".")]
    assert (bootstrap.VENV / "precious").exists()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("pip_says", "we_say"),
    [
        (f"{OFFLINE}\n{NO_MATCH}\n", "could not reach its index"),
        ("ERROR: Could not install packages: [Errno 28] No space left on device", "disk"),
        ("/venv/bin/python: No module named pip", "ensurepip"),
        (f"noise\n{NO_MATCH}\nnoise", "No matching distribution found for hatchling"),
        ("killed", "pip ended with 1"),
    ],
)
def test_a_failing_pip_is_explained_in_one_line(bootstrap, monkeypatch, capsys, pip_says, we_say):
    give_commands(bootstrap, monkeypatch, pip_stderr=pip_says)
    assert we_say in refusal(capsys, bootstrap.main)


def test_a_failed_first_install_leaves_nothing(bootstrap, monkeypatch, capsys):
    give_commands(bootstrap, monkeypatch, pip_stderr=OFFLINE)
    refusal(capsys, bootstrap.main)
    assert not bootstrap.VENV.exists()


def test_a_failed_update_leaves_the_environment(bootstrap, monkeypatch, capsys):
    bootstrap.VENV.mkdir()
    give_commands(bootstrap, monkeypatch, pip_stderr=OFFLINE)
    refusal(capsys, bootstrap.main)
    assert bootstrap.VENV.exists()


def test_a_failing_venv_is_explained_and_leaves_nothing(bootstrap, monkeypatch, capsys):
    give_commands(bootstrap, monkeypatch, venv_stderr="Error: ensurepip\nreturned 1")
    assert "venv failed: Error: ensurepip returned 1" in refusal(capsys, bootstrap.main)
    assert not bootstrap.VENV.exists()


def test_a_killed_first_install_is_begun_anew(bootstrap, monkeypatch):
    give_commands(bootstrap, monkeypatch)
    bootstrap.create()  # and killed here
    (bootstrap.VENV / "half-written").touch()
    bootstrap.main()
    assert not (bootstrap.VENV / "half-written").exists()


def test_a_folder_that_cannot_be_written_is_one_line(bootstrap, monkeypatch, capsys):
    def read_only():
        raise PermissionError(13, "Permission denied", ".venv")

    monkeypatch.setattr(bootstrap, "create", read_only)
    assert "Permission denied" in refusal(capsys, bootstrap.main)


def test_two_installs_cannot_run_at_once(bootstrap, monkeypatch):
    def install(extra):
        with open(bootstrap.__file__) as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    monkeypatch.setattr(bootstrap, "install", install)
    bootstrap.VENV.mkdir()
    bootstrap.main()


def test_an_interrupted_install_exits_130(bootstrap, monkeypatch):
    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setattr(bootstrap, "create", interrupt)
    with pytest.raises(SystemExit) as stopped:
        bootstrap.main()
    assert stopped.value.code == 130


def test_a_command_cannot_wait_for_input(bootstrap):
    ended = bootstrap.run(bootstrap.sys.executable, "-c", "input()")
    assert "EOFError" in ended.stderr
