"""Tensors in fewer bits, for weights files.

    32   as they are
    16   floats in half precision
     8   long tables of word vectors in 8 bits a number, each row with a scale; the rest in 16

A row of 8 bits is off by at most 1/254 of its largest number.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

Bits = Literal[8, 16, 32]
LONG = 4096  # rows of a table
SCALE = ".scale"  # how the names of the scales of a table's rows end


def pack(tensors: Mapping[str, Tensor], bits: Bits) -> dict[str, Tensor]:
    """Tensors by name, each on the CPU and in that many bits, with what `unpack` needs."""
    packed: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        plain = tensor.detach().cpu().contiguous()
        if bits == 32 or not plain.is_floating_point():
            packed[name] = plain
        elif bits == 8 and plain.ndim == 2 and len(plain) >= LONG:
            packed[name], packed[name + SCALE] = rounded(plain)
        else:
            packed[name] = plain.half()
    return packed


def rounded(table: Tensor) -> tuple[Tensor, Tensor]:
    """A table (V, D) as int8 and the scale of each row (V, 1), float16."""
    scale = (table.abs().amax(1, keepdim=True) / 127).half().clamp(min=1e-7)
    return (table / scale.float()).round().clamp(-127, 127).to(torch.int8), scale


def unpack(packed: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors that were packed; tables in float32."""
    scales = {name.removesuffix(SCALE): t for name, t in packed.items() if name.endswith(SCALE)}
    return {
        name: tensor.float() * scales[name].float() if name in scales else tensor
        for name, tensor in packed.items()
        if not name.endswith(SCALE)
    }
