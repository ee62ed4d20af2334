"""Shapes of batches and kernels: checked, computed, changed."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor


def at_least_float32(x: Tensor) -> Tensor:
    """In float32 or better, for what half precision would spoil: a loss."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def receptive_field(layers: Iterable[torch.nn.Module], axis: int = -1) -> int:
    """How many places along an axis one number of the last map depends on.

    Args:
        layers: convolutions and poolings in their order; others do not count.
        axis: of their kernels.
    """
    size, step = 1, 1
    for layer in layers:
        if hasattr(layer, "kernel_size"):
            size += (_along(layer.kernel_size, axis) - 1) * step
            step *= _along(layer.stride, axis)
    return size


def _along(sizes: Any, axis: int) -> int:
    return int(sizes[axis] if isinstance(sizes, tuple) else sizes)


def binary_logits(score: Tensor) -> Tensor:
    """Map one logit (B, 1) to two (B, 2) whose softmax is its sigmoid: a binary output layer."""
    return torch.cat([torch.zeros_like(score), score], 1)


def check_images(images: Tensor, channels: int, size: int | None = None) -> None:
    """Refuse a batch that is not (B, C, H, W), naming the axis.

    Args:
        size: of H and W, where a model takes one size alone.

    Raises:
        ValueError: another number of axes, or of channels, or another size.
    """
    shape = tuple(images.shape)
    if len(shape) != 4:
        raise ValueError(f"images have the shape {shape}: 4 axes are wanted, (B, {channels}, H, W)")
    if shape[1] != channels:
        hint = (
            "; channels stand last: use images.permute(0, 3, 1, 2)" if shape[3] == channels else ""
        )
        raise ValueError(
            f"images have the shape {shape}: axis 1, the channels, should be {channels}{hint}"
        )
    if size is not None and shape[2:] != (size, size):
        raise ValueError(f"images are {shape[2:]}: axes 2 and 3 should be {size}")
