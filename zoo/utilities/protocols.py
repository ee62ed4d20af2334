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
