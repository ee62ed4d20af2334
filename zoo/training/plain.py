"""A LightningModule that is no ZooModule: what a run needs of it, and what it then lacks."""

from collections.abc import Mapping
from typing import Any

from pytorch_lightning.utilities.model_helpers import is_overridden

from zoo.distributed.console import console

NEEDED = ("training_step", "configure_optimizers")
LACKS = "no predict, export, report pictures, intervals and warnings of unlike inputs"
MONITOR = "val/loss"  # of conf/train.yaml
STEPS = {"validation_step": "no validation (the last weights count)", "test_step": "no test scores"}


def check(model: Any, info: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    """Say in one line what a run of such a model lacks.

    Raises:
        ValueError: it cannot be trained, or watched as the config wants.
    """
    name = type(model).__name__
    for hook in NEEDED:
        if not has_step(model, hook):
            raise ValueError(f"{name} has no {hook}: a LightningModule needs one to be trained")
    watched = {"monitor": ("epoch", MONITOR, "step"), "early_stopping": ("null", None)}
    for key, (instead, *fine) in watched.items():
        if config[key] not in (instead, *fine) and not has_step(model, "validation_step"):
            message = f"{name} has no validation_step: set {key}={instead}"
            raise ValueError(f"{key} is {config[key]!r}, and {message}")
    lacks = [LACKS, *(text for step, text in STEPS.items() if not has_step(model, step))]
    lacks += ["no weights of classes in its loss"] if "loss_weights" in info else []
    console.print(f"plain     {name} is no ZooModule: {'; '.join(lacks)}", soft_wrap=True)


def has_step(model: Any, hook: str) -> bool:
    """Whether a model defines one of Lightning's hooks."""
    return is_overridden(hook, model)
