"""Shapes of batches and kernels: checked, computed, changed."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from datamodules.utilities.windows import Windows


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


def check_images(images: Tensor, channels: int, size: int | None = None) -> None:
    """Refuse a batch that is not (B, C, H, W), or whose images are not of the one size, if given.

    Raises:
        ValueError: naming the axis; see `check_layout`.
    """
    check_layout("images", images, "B", channels, *(("H", "W") if size is None else (size, size)))


def check_layout(kind: str, batch: Tensor, *axes: str | int) -> None:
    """Refuse a batch of another layout, naming the axis.

    Args:
        kind: of the samples, in the plural.
        axes: the letter of each, or its size; of four or more the second are the channels.

    Raises:
        ValueError: another number of axes, or another size of one.
    """
    shape, count = tuple(batch.shape), len(axes)
    error = f"{kind} have the shape {shape}"
    if len(shape) != count:
        raise ValueError(f"{error}: ({', '.join(map(str, axes))}) is wanted")
    for i, axis in enumerate(axes):
        if isinstance(axis, str) or shape[i] == axis:
            continue
        if i != 1 or count < 4:
            raise ValueError(f"{error}: axis {i} should be {axis}")
        order = (0, count - 1, *range(1, count - 1))
        hint = f"; channels stand last: use {kind}.permute{order}" if shape[-1] == axis else ""
        raise ValueError(f"{error}: axis 1, the channels, should be {axis}{hint}")


def check_pair(batch: Any, model: Any) -> Any:
    """A batch, which may be of a loader of the user's own, if it is a pair as the model takes.

    Raises:
        ValueError: it is something else.
    """
    kinds = (Tensor, Windows)
    if not (isinstance(batch, tuple | list) and len(batch) == 2 and isinstance(batch[0], kinds)):
        raise ValueError(f"a batch is a pair, {model.batch_is}: got {_describe(batch)}")
    inputs = batch[0].inputs if isinstance(batch[0], Windows) else batch[0]
    example = model.example_input_array
    if example is not None and inputs.is_floating_point() != example.is_floating_point():
        expected = "ids, int64" if inputs.is_floating_point() else "float, normalised"
        raise ValueError(f"a batch is a pair, {model.batch_is}, {expected}: got {inputs.dtype}")
    return batch


def _describe(batch: Any) -> str:
    """What a batch is, in a few words."""
    if isinstance(batch, Tensor):
        return f"a tensor of shape {tuple(batch.shape)}"
    parts = batch if isinstance(batch, tuple | list) else ()
    return f"a {type(batch).__name__}" + (f" of {len(parts)} items" if parts else "")
