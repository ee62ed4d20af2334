"""C++ kernels, compiled once by the machine's own compiler and kept in the cache.

A kernel is a file beside its Python module, of which the module has the same function in PyTorch:
that one serves GPUs, and machines without a compiler.
"""

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import torch

from datamodules.utilities.cache import cached

FLAGS = (
    "-O3", "-std=c++17", "-shared", "-fPIC", "-ffinite-math-only", "-fno-math-errno",
    "-fno-trapping-math", "-fno-signed-zeros",
)  # fmt: skip
AVX2 = ("-mavx2", "-mfma")  # which all x86 machines of ten years have
AVX512 = (*AVX2, "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl")
THREADS = "-fopenmp"  # PyTorch's own threads where both have GNU's; a compiler may lack it


@cache
def kernel(source: Path) -> ctypes.CDLL | None:
    """The functions of a C++ file; None, with one line on stderr, where it cannot be compiled."""
    names = (os.environ.get("CXX"), "c++", "g++", "clang++")
    compiler = next((name for name in names if name and shutil.which(name)), None)
    if compiler is None:
        print(f"note      no C++ compiler: {source.stem} runs in PyTorch, slower", file=sys.stderr)
        return None
    vectors = {"AVX2": AVX2, "AVX512": AVX512}.get(torch.backends.cpu.get_cpu_capability(), ())
    flags = [*FLAGS, *vectors]
    build_key = f"{platform.machine()} {flags} {THREADS} {source.read_text()}"
    key = hashlib.sha256(build_key.encode()).hexdigest()[:16]

    def build(folder: Path) -> None:
        command = [compiler, *flags, str(source), "-o", str(folder / "kernel.so")]
        if subprocess.run([*command, THREADS], capture_output=True).returncode:
            subprocess.run(command, check=True, capture_output=True, text=True)  # on one thread

    try:
        return ctypes.CDLL(str(cached(f"kernel-{source.stem}", key, build) / "kernel.so"))
    except (OSError, subprocess.CalledProcessError) as error:
        lines = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        print(f"note      {source.stem} runs in PyTorch, slower: {lines[0]}", file=sys.stderr)
        return None
