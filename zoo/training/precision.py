"""Which arithmetic `precision: auto` means: bfloat16 only where it costs no score and is native."""

from collections.abc import Mapping
from typing import Any

import torch


def resolve(config: Mapping[str, Any]) -> str:
    """The precision of a run: as asked, or bf16 if recipe and chip are fit for it."""
    trainer = config["trainer"]
    if trainer["precision"] != "auto":
        return str(trainer["precision"])
    return "bf16-mixed" if config["bf16"] and native_bf16(trainer["accelerator"]) else "32-true"


def native_bf16(accelerator: str) -> bool:
    """Whether the chip that will be used multiplies bfloat16 itself; emulated it is 10 x slower."""
    if accelerator in ("auto", "gpu") and torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    has = (torch.cpu._is_avx512_bf16_supported, torch.cpu._is_amx_tile_supported)
    return accelerator != "mps" and any(asked() for asked in has)
