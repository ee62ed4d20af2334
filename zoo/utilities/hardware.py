"""What of the machine a run may use: the arithmetic `precision: auto` means, a compiler, memory."""

import ctypes
import os
import shutil
import sys
from collections.abc import Mapping
from typing import Any

import torch

from zoo.utilities.compat import cpu_multiplies_bf16

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of glibc's malloc.h


def precision(config: Mapping[str, Any]) -> str:
    """The precision of a run: as asked, or bf16 if recipe and chip are fit for it."""
    trainer = config["trainer"]
    if trainer["precision"] != "auto":
        return str(trainer["precision"])
    return "bf16-mixed" if config["bf16"] and native_bf16(trainer["accelerator"]) else "32-true"


def native_bf16(accelerator: str) -> bool:
    """Whether the chip that will be used multiplies bfloat16 itself: emulated it is slower.

    Its flags alone decide, never a timing: the same chip computes the same each time.
    """
    if accelerator in ("auto", "gpu") and torch.cuda.is_available():
        return torch.cuda.get_device_capability() >= (8, 0)
    return accelerator != "mps" and cpu_multiplies_bf16()


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
