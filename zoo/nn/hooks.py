"""What layers get and give while a network works."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from datamodules.utilities.windows import Windows
from zoo.utilities.modes import share


class Call(NamedTuple):
    """One call of a layer."""

    name: str
    layer: nn.Module
    inputs: tuple[Any, ...]
    output: Any


def record_calls(model: nn.Module, layers: Iterable[str], batch: Any) -> list[Call]:
    """The calls of some layers (`named_modules`) while a model works on a batch, in order.

    A copy that shares the tensors does the work, so that nobody else meets the hooks.
    """
    calls: list[Call] = []
    watched = share(model)

    def watch(name: str) -> None:
        def append(layer: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            calls.append(Call(name, layer, inputs, output))

        watched.get_submodule(name).register_forward_hook(append)

    for name in layers:
        watch(name)
    watched(batch)
    return calls


def first_outputs(model: nn.Module, layers: Iterable[str], batch: Any) -> dict[str, Tensor]:
    """What layers give for a batch, by name; a recurrent one without its state.

    Of a layer that is called again it is what it gave first: of a picture, not of its mirror image.
    """
    outputs: dict[str, Tensor] = {}
    for call in record_calls(model, layers, batch):
        output = call.output[0] if isinstance(call.output, tuple) else call.output
        outputs.setdefault(call.name, output)
    return outputs


def layer_outputs(
    model: nn.Module, layers: Iterable[str], batches: Iterable[Any]
) -> dict[str, Tensor]:
    """The same of several batches, (N, ...) on the CPU; of recordings the mean over their windows.

    Raises:
        ValueError: a layer gives no tensor, or rows of other sizes from batch to batch.
    """
    parts = [_mean_outputs(model, layers, batch) for batch in batches]
    return {name: _join(name, [part.get(name) for part in parts]) for name in layers}


def _mean_outputs(model: nn.Module, layers: Iterable[str], batch: Any) -> dict[str, Any]:
    if not isinstance(batch, Windows):
        return first_outputs(model, layers, batch)
    outputs = first_outputs(model, layers, batch.inputs)
    return {k: batch.mean(v) if isinstance(v, Tensor) else v for k, v in outputs.items()}


def _join(name: str, parts: list[Any]) -> Tensor:
    if not all(isinstance(part, Tensor) for part in parts):
        raise ValueError(
            f"layer {name} gives no tensor, or what is around it uses its parts: name another one"
        )
    if len(sizes := {tuple(part.shape[1:]) for part in parts}) > 1:
        raise ValueError(
            f"layer {name} gives rows of other sizes from batch to batch, {sorted(sizes)}: take a "
            "batch_size that holds all"
        )
    return torch.cat([part.cpu() for part in parts])
