"""What lower rooms need of a model: enough to store, load, export and distribute it."""

from typing import Any, ClassVar, Protocol


class Model(Protocol):
    """A `zoo.nn.module.ZooModule`, which the rooms that it stands on do not import."""

    head_prefixes: ClassVar[tuple[str, ...]]
    find_unused_parameters: ClassVar[bool]
    training: bool
    input: Any
    classes: list[str] | None
    novelty: Any
    card: dict[str, Any] | None

    def export_spec(self) -> Any: ...
    def state_dict(self, *args: Any, **kwargs: Any) -> Any: ...
    def train(self, mode: bool = True) -> Any: ...
    def eval(self) -> Any: ...


def is_zoo_module(model: Any) -> bool:
    """Whether it is a `ZooModule`: any other LightningModule lacks what only those have."""
    return hasattr(type(model), "head_prefixes")


def require_zoo_module(model: Any, verb: str) -> None:
    """Raise ValueError where another LightningModule cannot do what a verb asks for."""
    if not is_zoo_module(model):
        raise ValueError(f"{type(model).__name__} is no ZooModule: it has no {verb}")


def input_of(model: Any) -> Any:
    """What reads raw data for a model; another LightningModule may call something else `input`."""
    return model.input if is_zoo_module(model) else getattr(model, "zoo_input", None)


def give_input(model: Any, value: Any) -> None:
    """Attach what reads raw data for a model."""
    setattr(model, "input" if is_zoo_module(model) else "zoo_input", value)
