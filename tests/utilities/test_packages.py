"""A folder `datamodules` of the user's own beside a script is one line that says what to do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import zoo

ROOT = Path(zoo.__file__).resolve().parents[1]


def python(*arguments):
    """Python in the working directory, with the zoo on its path as if it were installed."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    more = {"env": environment, "capture_output": True, "text": True}
    return subprocess.run([sys.executable, *arguments], **more)


def message(path):
    return (
        f"{path} is imported instead of the zoo's own package datamodules: rename it, or start "
        "Python in another folder\n"
    )


@pytest.fixture(params=["datamodules/__init__.py", "datamodules.py"])
def hiding(request, tmp_path):
    """A package or module of the user's own, by its path."""
    file = tmp_path / request.param
    file.parent.mkdir(exist_ok=True)
    file.write_text("raise SystemExit('imported')\n")
    return file.parent if file.name == "__init__.py" else file


@pytest.mark.parametrize("call", [
    "load('image_cnn.digits')", "create_model('image_cnn')", "create_data('digits')",
    "train('image_cnn', trainer='smoke')",
])  # fmt: skip
def test_in_python_it_is_an_import_error_of_one_line(call, tmp_path):
    (tmp_path / "datamodules").mkdir()
    (tmp_path / "datamodules" / "__init__.py").touch()
    (tmp_path / "script.py").write_text(f"import zoo\nprint(zoo.list_models())\nzoo.{call}\n")
    done = python("script.py")
    assert (done.returncode, "'image_cnn'" in done.stdout) == (1, True)
    assert done.stderr.endswith(f"\nImportError: {message(tmp_path / 'datamodules')}")
    assert not (tmp_path / "runs").exists()


def test_the_command_says_so_in_one_line_and_imports_nothing_of_it(hiding):
    done = python("-m", "zoo", "predict", "image_cnn.digits")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"zoo: {message(hiding)}")


def test_a_folder_without_init_and_other_names_of_ours_hide_nothing(tmp_path):
    for name in ("datamodules", "conf", "tests"):
        (tmp_path / name).mkdir()
    (tmp_path / "conf" / "__init__.py").touch()
    done = python("-c", "import zoo; print(type(zoo.load('image_mlp.digits').input).__name__)")
    assert (done.returncode, done.stdout) == (0, "ImageInput\n"), done.stderr
