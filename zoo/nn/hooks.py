"""What layers get and give while a network works."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Any, NamedTuple

import torch
from torch import nn


class Call(NamedTuple):
    """One call of a layer."""

    name: str
    layer: nn.Module
    inputs: tuple[Any, ...]
    output: Any


@contextmanager
def record_calls(model: nn.Module, layers: Iterable[str]) -> Iterator[list[Call]]:
    """The calls of some layers (`named_modules`) that this thread makes within the block, in order.

    No hook stays behind, not after an exception either.
    """
    calls: list[Call] = []
    thread = get_ident()

    def add_hook(name: str) -> Any:
        def append(layer: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            if get_ident() == thread:
                calls.append(Call(name, layer, inputs, output))

        hook = torch.compiler.disable(append)  # a compiled network runs it between its parts
        return model.get_submodule(name).register_forward_hook(hook)

    hooks = [add_hook(name) for name in layers]
    try:
        yield calls
    finally:
        for hook in hooks:
            hook.remove()
