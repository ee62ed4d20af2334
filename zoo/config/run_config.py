"""What the config of a run may hold, checked before any data is read.

The run's own keys are the small models below; sections with a `_target_` are checked by schema.py,
what the Trainer's says besides its types by trainer.py.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from zoo.config import callbacks, loggers, trainer
from zoo.config.schema import STRICT, arguments_of, check_arguments, is_class, validate
from zoo.config.types import Positive, PositiveFloat


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
    loggers.check(config)
    callbacks.check(config)
    _check_devices(config["trainer"])


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
