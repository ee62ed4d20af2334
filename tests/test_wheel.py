"""The wheel, in an environment of its own, from another directory."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """A fresh environment with the wheel in it; torch and the rest are borrowed from this one."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder / "env")], check=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    python = folder / "env" / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run(install, check=True)
    (site,) = (folder / "env").glob("lib/python*/site-packages")
    borrowed = sysconfig.get_paths()["purelib"]
    # A path line, not an import of our own site: an editable zoo would hide the wheel.
    (site / "borrowed.pth").write_text(borrowed + "\n")
    return python


def run(python, folder, *arguments):
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "ZOO_DATA")}
    return subprocess.run(
        [str(python), *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )


@pytest.mark.slow
def test_the_wheel_lists_trains_and_imports_from_another_directory(python, tmp_path):
    where = run(python, tmp_path, "-c", "import zoo; print(zoo.__file__)")
    assert str(python.parent.parent) in where.stdout, where.stderr
    zoo = str(python.parent / "zoo")
    listed = run(zoo, tmp_path, "list")
    assert listed.returncode == 0, listed.stderr
    assert "image_cnn_2017" in listed.stdout
    trained = run(zoo, tmp_path, "train", "trainer=smoke", "name=a")
    assert trained.returncode == 0, trained.stderr
    assert (tmp_path / "runs/image_cnn/a/report.html").exists()
    loaded = "import zoo; print(zoo.load('runs/image_cnn/a').classes, zoo.list_data())"
    done = run(python, tmp_path, "-c", loaded)
    assert done.returncode == 0, done.stderr
    assert "image_folder" in done.stdout
