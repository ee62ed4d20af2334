"""Optimisers and learning-rate schedules, by name.

Biases and the weights of normalisation (all that have one axis) are not decayed.
"""

import math
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from pytorch_lightning import LightningModule
from pytorch_lightning.callbacks import GradientAccumulationScheduler
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler
from typing_extensions import NotRequired, TypedDict

from zoo.config.types import PositiveFloat, Probability
from zoo.utilities.compat import unscale_before_step


class Recipe(TypedDict):
    """How a model learns: a part of its config."""

    name: Literal["sgd", "adamw", "rmsprop"]  # sgd is Nesterov's, momentum 0.9
    lr: PositiveFloat  # the highest it gets
    weight_decay: Annotated[float, Field(ge=0)]
    schedule: Literal["constant", "one_cycle", "cosine"]
    warmup: Probability  # share of all steps; constant has none
    beta1: NotRequired[Probability]  # adamw's momentum; 0.9 if left out


def configure(module: LightningModule, recipe: Recipe) -> Any:
    """What `configure_optimizers` returns: the optimiser, and its schedule by step."""
    optimizer = make_optimizer(module, recipe)
    if recipe["schedule"] == "constant":
        return optimizer
    schedule = make_schedule(optimizer, recipe, count_steps(module))
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def count_steps(module: LightningModule) -> int:
    """The steps of the Trainer's whole run, for a schedule.

    Raises:
        ValueError: it has no end that is known beforehand.
    """
    steps = module.trainer.estimated_stepping_batches
    if not math.isfinite(steps):
        raise ValueError(
            "the schedule of the learning rate needs the number of steps, and the Trainer has no "
            "end: set max_epochs or max_steps (max_time may come on top), or, where the model has "
            "a choice, optimizer.schedule=constant"
        )
    for callback in module.trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(callback, GradientAccumulationScheduler):
            batches = module.trainer.num_training_batches
            sums = map(callback.get_accumulate_grad_batches, range(module.trainer.max_epochs or 1))
            steps = min(steps, sum(math.ceil(batches / count) for count in sums))
    return int(steps)


def make_optimizer(module: torch.nn.Module, recipe: Recipe) -> Optimizer:
    """The optimiser over all parameters that learn."""
    learning = [p for p in module.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in learning if p.ndim > 1], "weight_decay": recipe["weight_decay"]},
        {"params": [p for p in learning if p.ndim <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if recipe["name"] == "sgd":
        sgd = torch.optim.SGD(groups, recipe["lr"], momentum=0.9, nesterov=True, fused=True)
        return unscale_before_step(sgd)
    if recipe["name"] == "adamw":
        betas = recipe.get("beta1", 0.9), 0.999
        return unscale_before_step(torch.optim.AdamW(groups, recipe["lr"], betas, fused=True))
    return torch.optim.RMSprop(groups, recipe["lr"], alpha=0.9)  # Keras' rho; torch's own is 0.99


def make_schedule(optimizer: Optimizer, recipe: Recipe, steps: int) -> LRScheduler:
    """The share of the rate as a function of the step alone, so that a longer run may go on."""
    shape = one_cycle if recipe["schedule"] == "one_cycle" else cosine
    warm = max(recipe["warmup"] * steps - 1, 0)
    return LambdaLR(optimizer, lambda step: shape(step, warm, steps))


def one_cycle(step: int, warm: float, steps: int) -> float:
    """Half a cosine up from 1/25 and one down to nearly zero (Smith & Topin 2017, 1708.07120)."""
    if step <= warm:
        return 1 - (1 - 1 / 25) * _fall(step / warm if warm else 1)
    return _fall((step - warm) / (steps - warm))


def cosine(step: int, warm: float, steps: int) -> float:
    """A straight line up, then half a cosine to zero (Loshchilov & Hutter 2017, 1608.03983)."""
    if step < warm:
        return (step + 1) / (warm + 1)
    return _fall((step - warm) / (steps - warm))


def _fall(share: float) -> float:
    """From one to zero along half a cosine."""
    return (1 + math.cos(math.pi * min(share, 1.0))) / 2
