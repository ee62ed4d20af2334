"""Kernels: compiled once, and done without where there is no compiler (S33)."""

from pathlib import Path

import torch

from datamodules.transforms import warp as resampling
from datamodules.transforms.warp import warp
from datamodules.utilities import native

SOURCE = Path(resampling.__file__).with_suffix(".cpp")


def test_a_kernel_is_compiled_once(monkeypatch):
    assert native.kernel.__wrapped__(SOURCE) is not None
    monkeypatch.setattr(native.subprocess, "run", None)  # a second time would fail
    assert native.kernel.__wrapped__(SOURCE) is not None


def test_without_a_compiler_there_is_one_line_and_pytorch_does_it(monkeypatch, capsys, own_cache):
    monkeypatch.setattr(native.shutil, "which", lambda name: None)
    native.kernel.cache_clear()
    images = torch.rand(2, 3, 8, 8)
    still = torch.eye(2, 3).expand(2, -1, -1)
    torch.testing.assert_close(warp(images, still, "nearest"), images)
    native.kernel.cache_clear()
    assert capsys.readouterr().err == "note      no C++ compiler: warp runs in PyTorch, slower\n"


def test_a_compiler_without_openmp_makes_a_kernel_of_one_thread(monkeypatch, capsys, own_cache):
    monkeypatch.setattr(native, "THREADS", "-f-no-such-option")
    assert native.kernel.__wrapped__(SOURCE) is not None
    assert capsys.readouterr().err == ""


def test_a_file_that_does_not_compile_is_one_line(capsys, tmp_path, own_cache):
    source = tmp_path / "broken.cpp"
    source.write_text("this is no C++")
    assert native.kernel.__wrapped__(source) is None
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("note      broken runs in PyTorch, slower: ")
    assert not list(own_cache.glob("kernel-*/*.so"))
