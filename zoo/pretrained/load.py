"""A model rebuilt from its weights and card."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

from zoo.pretrained.store import Weights, open_weights
from zoo.utilities.protocols import give_input, is_zoo_module


def load(source: str | Path, **overrides: Any) -> Any:
    """Rebuild a model with its weights and input, in eval mode.

    Args:
        source: a released name (`zoo.list_models(pretrained=True)`), a model's name, which stands
            for its default weights, a run's folder or a weights file.
        overrides: constructor arguments other than the card's. With another `num_classes` the last
            layer starts anew, which is printed; its classes have no names then.

    Raises:
        FileNotFoundError: there are no weights or no card.
        ValueError: no such name; a checkpoint or another format; altered or damaged weights;
            tensors that are missing, left over, of another shape or not finite.
    """
    return rebuild(open_weights(source), **overrides)


def rebuild(weights: Weights, **overrides: Any) -> Any:
    """A model from weights that were opened; see `load`."""
    from zoo.config import schema

    card = weights.card
    card["model"] |= overrides
    model = schema.build(card["model"], "model")
    attach(model, make_input(weights), card["info"])
    model.card = card
    if fresh := fill(model, weights.tensors, str(weights.path)):
        announce(fresh)
        model.classes, card["metrics"] = None, {}
    elif weights.novelty:
        from zoo.metrics.novelty import NoveltyDetector

        model.novelty = NoveltyDetector(**weights.novelty)
    return model.eval()


def attach(model: Any, reader: Any, info: Mapping[str, Any]) -> Any:
    """Give a model what reads its raw data, and the names of its classes."""
    if reader is not None:
        give_input(model, reader)
    if is_zoo_module(model):
        model.classes = info.get("classes")
    return model


def make_input(weights: Weights) -> Any:
    """The input of a model that was stored, with what was fitted of it; None where it has none."""
    from zoo.config import schema

    if "input" not in weights.card["info"]:
        return None
    reader = schema.build_input(weights.card["info"]["input"])
    for name, tensor in weights.input.items():
        setattr(reader, name, tensor.float())
    return reader


def fill(model: Any, tensors: "Mapping[str, Tensor]", name: str, anew: bool = False) -> list[str]:
    """Copy tensors into a model; its head starts anew if it does not fit, or if `anew` says so.

    Returns:
        The names of the tensors that start anew.

    Raises:
        ValueError: other tensors differ in name or shape.
    """
    expected = model.state_dict()
    if names := sorted(set(tensors) ^ set(expected)):
        raise ValueError(
            f"{name} does not fit its model: {_abbreviate(names)} missing or left over"
        )
    head = {key for key in expected if key.startswith(getattr(model, "head_prefixes", ()))}
    differ = {key for key in expected if tensors[key].shape != expected[key].shape}
    if names := sorted(differ - head):
        sizes = f"{tuple(tensors[names[0]].shape)} instead of {tuple(expected[names[0]].shape)}"
        raise ValueError(
            f"{name} does not fit its model: {_abbreviate(names)} differ; {names[0]} is {sizes}"
        )
    fresh = head if anew or differ else set()
    model.load_state_dict({k: expected[k] if k in fresh else tensors[k] for k in expected})
    return sorted(fresh)


def announce(fresh: Iterable[str]) -> None:
    """Say which tensors start anew."""
    print(f"new       {', '.join(fresh)}", file=sys.stderr)


def _abbreviate(names: list[str]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
