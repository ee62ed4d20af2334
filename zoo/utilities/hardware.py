"""What of the machine a run may use: the arithmetic `precision: auto` means, a compiler, memory."""

import ctypes
import os
import shutil
import sys
from collections.abc import Mapping
from functools import cache
from statistics import median
from time import perf_counter
from typing import Any

import torch

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of glibc's malloc.h
PAYS = 0.8  # of float32's time: what bf16 may take at most


def precision(config: Mapping[str, Any]) -> str:
    """The precision of a run: as asked, or bf16 if recipe and chip are fit for it."""
    trainer = config["trainer"]
    if trainer["precision"] != "auto":
        return str(trainer["precision"])
    return "bf16-mixed" if config["bf16"] and native_bf16(trainer["accelerator"]) else "32-true"


def native_bf16(accelerator: str) -> bool:
    """Whether the chip that will be used multiplies bfloat16 itself: emulated it is slower."""
    if accelerator in ("auto", "gpu") and torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    has = (torch.cpu._is_avx512_bf16_supported, torch.cpu._is_amx_tile_supported)
    return accelerator != "mps" and any(asked() for asked in has) and pays()


@cache
@torch.no_grad()
def pays() -> bool:
    """Whether a convolution is clearly faster in bf16: some chips have it and are slower in it.

    In turn, and by the median, so that what else the machine does in these milliseconds is no vote.
    """
    convolve(torch.bfloat16), convolve(torch.float32)
    rounds = [convolve(torch.bfloat16) / convolve(torch.float32) for _ in range(9)]
    return median(rounds) < PAYS


def convolve(kind: torch.dtype) -> float:
    """Seconds that a convolution takes in a type: some 0.6 Gflop."""
    images, kernels = torch.ones(32, 64, 16, 16, dtype=kind), torch.ones(64, 64, 3, 3, dtype=kind)
    start = perf_counter()
    torch.conv2d(images, kernels, padding=1)
    return perf_counter() - start


def can_compile(accelerator: str) -> bool:
    """Whether torch.compile finds what it needs: Triton on a GPU, a C++ compiler elsewhere."""
    if accelerator in ("auto", "gpu") and torch.cuda.is_available():
        return True
    names = (os.environ.get("CXX"), "g++", "clang++", "c++")
    return any(name and shutil.which(name) for name in names)


def keep_freed_memory() -> None:
    """Let this process use freed memory again instead of giving it back to the system (glibc).

    A training step asks for the same blocks as the one before it, and the system zeroes their
    pages anew each time. Other C libraries are left alone.
    """
    tune = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if tune is not None:
        tune(M_TRIM_THRESHOLD, 2**31 - 1)
        tune(M_MMAP_MAX, 0)
