"""What a composed config may hold, checked before any data is read.

The schema of a section with a `_target_` is the signature of that class; the run's own keys are the
small models below, the Trainer's are in trainer.py. Classes are located only in our packages and in
those that the user names, and only if they are what a config may build.
"""

import os
import re
from collections.abc import Iterator, Mapping
from inspect import Parameter
from types import MappingProxyType, NoneType
from typing import Annotated, Any, Literal, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import NotRequired, TypedDict

from zoo.config import callbacks, loggers, trainer
from zoo.config.locate import KINDS, locate, parameters
from zoo.config.migrate import KEYS
from zoo.config.types import Positive, PositiveFloat
from zoo.utilities.errors import no_such

KIND = re.compile("constrained-.*|bool|int|float|str")  # pydantic's names of what a union takes
WRONG_KIND = ("_type", "_float")  # errors of it that say less than those of a value's own kind
STRICT = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)
OPEN = ConfigDict(extra="allow", strict=True, arbitrary_types_allowed=True)


class Target(BaseModel):
    """The score that a recipe must reach, judged over the mean of its seeds."""

    model_config = STRICT
    metric: str
    at_least: float | None = None
    at_most: float | None = None
    seeds: Annotated[list[int], Field(min_length=1)]
    minutes: PositiveFloat


class Length(BaseModel):
    """How many steps a run takes, in so many epochs at least (None: the recipe's) and at most.

    What is kept are the best weights, by `monitor`, or the last.
    """

    model_config = STRICT
    steps: Positive
    min_epochs: Positive | None
    max_epochs: Positive
    keep: Literal["best", "last"] = "best"


class Start(BaseModel):
    """What word vectors may start from, and the share of the words that one must know.

    `slower` is the share of the learning rate where the layers of a network come with them.
    """

    model_config = STRICT
    sources: Annotated[list[str], Field(min_length=1)]
    least: Annotated[float, Field(ge=0, le=1)]
    slower: PositiveFloat


class RunConfig(BaseModel):
    """The keys of train.yaml, and what it composes."""

    model_config = STRICT
    choices: dict[str, Any]
    model: dict[str, Any]
    data: dict[str, Any]
    trainer: dict[str, Any]
    own_training: Length | None = None
    own_vectors: Start | None = None
    callbacks: dict[str, dict[str, Any]] = {}
    logger: dict[str, dict[str, Any]]
    init: str | None
    evaluator: str | None
    baseline: dict[str, Any] | None
    target: Target | None
    seed: Annotated[int, Field(ge=0)]
    name: Annotated[str, Field(pattern=r"^\w[\w.+=-]*(/\d+)?$")] | None
    monitor: str
    mode: Literal["min", "max"]
    ema: Annotated[float, Field(gt=0, lt=1)] | None
    early_stopping: Positive | None
    save_every: PositiveFloat
    timeout: PositiveFloat
    compile: bool
    bf16: bool
    force: bool
    smoke: bool


def check(config: Mapping[str, Any]) -> None:
    """Check a composed config from end to end.

    Raises:
        ValueError: naming the key, what came and what is wanted.
    """
    for key in _empty(config):
        raise ValueError(f"{key} is empty: give it a value, or leave it out")
    validate(RunConfig, config, "")
    _check_trainer(config)
    for key in ("model", "data", "baseline"):
        if config[key]:
            sizes_follow = key == "model" and is_class(str(config["choices"][key]))
            check_arguments(config[key], key, complete=not sizes_follow)
    loggers.check(config, check_arguments)
    callbacks.check(config, check_arguments)
    _check_devices(config["trainer"])


def is_class(choice: str) -> bool:
    """Whether what was chosen of a group is a class itself, package.module.Class, not a file."""
    return "." in choice


def check_arguments(section: Mapping[str, Any], key: str, complete: bool = True) -> None:
    """Check a section with a `_target_` against the signature of that class.

    Args:
        complete: whether all that the class needs must be there.
    """
    if "_target_" not in section:
        raise ValueError(f"{key} has no _target_: it names the class to build")
    arguments = {name: value for name, value in section.items() if name != "_target_"}
    cls = locate(section["_target_"], f"{key}._target_")
    validate(arguments_of(cls, complete), arguments, f"{key}.")


def build(config: Mapping[str, Any], key: str) -> Any:
    """Check a section with a `_target_` and build its object. Arguments are plain values."""
    check_arguments(config, key)
    arguments = {name: value for name, value in config.items() if name != "_target_"}
    return locate(config["_target_"])(**arguments)


def build_input(config: Mapping[str, Any]) -> Any:
    """The input that a card describes: its kind and its constructor's arguments.

    A kind is one of ours, or a class of a package that the user names.

    Raises:
        ValueError: no such kind, or arguments that it does not take.
    """
    arguments = dict(config)
    kind = str(arguments.pop("kind", None))
    if kind not in KINDS and not is_class(kind):
        raise ValueError(no_such("kind of input", kind, KINDS))
    return build({"_target_": KINDS.get(kind, kind), **arguments}, "input")


def arguments_of(
    cls: type, complete: bool = True, narrower: Mapping[str, Any] = MappingProxyType({})
) -> Any:
    """A TypedDict with the constructor's annotations, strict; closed, but for a logger's kwargs.

    Args:
        complete: whether what has no default must be there.
        narrower: types that stand in place of an annotation.
    """
    types = {name: narrower.get(name, p.annotation) for name, p in parameters(cls).items()}
    fields = {
        name: types[name] if complete and p.default is Parameter.empty else NotRequired[types[name]]
        for name, p in parameters(cls).items()
    }
    arguments: Any = TypedDict(cls.__name__, fields)  # type: ignore[misc]
    return with_config(OPEN if loggers.is_open(cls) else STRICT)(arguments)


def validate(schema: Any, values: Mapping[str, Any], prefix: str) -> None:
    """Check values against a model or TypedDict; `prefix` stands before the keys in an error."""
    try:
        TypeAdapter(schema).validate_python(dict(values))
    except ValidationError as error:
        errors = sorted(error.errors(), key=lambda e: e["type"].endswith(WRONG_KIND))
        problems = [_problem(e, schema, prefix) for e in errors]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise ValueError(problems[0] + more) from None


def _problem(error: Any, schema: Any, prefix: str) -> str:
    """One of pydantic's errors as a line."""
    parts = [str(part) for part in error["loc"]]
    *path, name = [one for one in parts if not (one.endswith(("]", ")")) or KIND.fullmatch(one))]
    section = prefix + "".join(f"{part}." for part in path)
    key = section + name
    if error["type"] == "extra_forbidden":
        if name in KEYS:
            return f"{key} is called {section}{KEYS[name]} now"
        for part in path:
            hint = get_type_hints(schema)[part]
            schema = next((one for one in get_args(hint) if one is not NoneType), hint)
        return no_such("key", key, [section + one for one in get_type_hints(schema)])
    if error["type"] == "missing":
        return f"{key} is missing: give it with {key}=..."
    message = error["msg"][0].lower() + error["msg"][1:]
    return f"{key} is {error['input']!r}: {message.replace('input should', 'it should')}"


def _empty(config: Any, key: str = "") -> Iterator[str]:
    """The dotted keys whose value is an empty string."""
    if config == "":
        yield key
    elif isinstance(config, Mapping):
        for name, value in config.items():
            yield from _empty(value, f"{key}.{name}" if key else str(name))


def _check_trainer(config: Mapping[str, Any]) -> None:
    """Check the Trainer's section against Lightning's signature, and what no type says of it."""
    from pytorch_lightning import Trainer

    section = config["trainer"]
    trainer.refuse_owned(section)
    validate(arguments_of(Trainer, narrower=trainer.NARROWER), section, "trainer.")
    trainer.check(config)
    if isinstance(section.get("profiler"), Mapping):
        check_arguments(section["profiler"], "trainer.profiler")


def _check_devices(section: Mapping[str, Any]) -> None:
    """Refuse devices that this machine does not have, before any work."""
    import torch

    kind, devices = section["accelerator"], section["devices"]
    gpus = torch.cuda.device_count()
    if kind == "gpu" and not gpus:
        raise ValueError("trainer.accelerator is 'gpu': no GPU found; use trainer.accelerator=cpu")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise ValueError("trainer.accelerator is 'mps': not found; use trainer.accelerator=cpu")
    on_gpu = kind in ("auto", "gpu") and gpus
    available, unit = (gpus, "GPU(s)") if on_gpu else (os.cpu_count() or 1, "CPU core(s)")
    if devices > available:
        raise ValueError(
            f"trainer.devices is {devices}: found {available} {unit}; use "
            f"trainer.devices={available}"
        )
