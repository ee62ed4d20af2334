"""What the rooms below the models know of one: enough to store, load, export and distribute it."""

from typing import Any, ClassVar, Protocol


class Model(Protocol):
    """A `zoo.nn.module.ZooModule`, which the rooms that it stands on do not import."""

    HEAD: ClassVar[tuple[str, ...]]
    IDLE: ClassVar[bool]
    training: bool
    input: Any
    classes: list[str] | None
    novelty: Any
    card: dict[str, Any] | None

    def exported(self) -> Any: ...
    def state_dict(self, *args: Any, **kwargs: Any) -> Any: ...
    def train(self, mode: bool = True) -> Any: ...
    def eval(self) -> Any: ...
