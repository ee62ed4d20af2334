"""A network at work in a mode of its own: nothing of it changes, so no other thread can notice."""

from copy import copy
from typing import TypeVar

from torch import nn

from zoo.utilities.compat import uncompile

Network = TypeVar("Network", bound=nn.Module)


def share(model: Network) -> Network:
    """A copy with the same tensors, whose layers, their modes and their hooks are its own.

    What was compiled runs as it was written.
    """
    copies = {layer: _copy(layer) for layer in model.modules()}
    for path, layer in model.named_modules(remove_duplicate=False):
        parent, _, name = path.rpartition(".")
        if path:
            setattr(copies[model.get_submodule(parent)], name, copies[layer])
    for layer in copies.values():
        uncompile(layer)
    return copies[model]  # type: ignore[return-value]


def _copy(layer: nn.Module) -> nn.Module:
    """A layer that shares all but the dicts in which it has its layers, tensors and hooks."""
    twin = layer.__new__(type(layer))
    state = vars(layer).items()
    vars(twin).update({name: copy(of) if isinstance(of, dict) else of for name, of in state})
    return twin


def in_eval_mode(model: Network) -> Network:
    """The model if no layer of it trains, else a copy in eval mode that shares its tensors."""
    return share(model).eval() if any(layer.training for layer in model.modules()) else model


def train_again(model: nn.Module) -> None:
    """Put a model of which no layer trains, as `zoo.load` gives it, into train mode.

    Layers without a weight that learns stay as they are, with all that is in them; and so does a
    model of which some layer trains: that was somebody's choice.
    """
    if any(layer.training for layer in model.modules()):
        return
    model.train()
    for layer in model.modules():
        learns = [weight.requires_grad for weight in layer.parameters()]
        if learns and not any(learns):
            layer.eval()
