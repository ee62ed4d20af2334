"""Optimisers and learning-rate schedules, by name.

Biases and the weights of normalisation (all that have one axis) are not decayed.
"""

from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from pytorch_lightning import LightningModule
from torch.optim import Optimizer
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    LinearLR,
    LRScheduler,
    OneCycleLR,
    SequentialLR,
)
from typing_extensions import TypedDict


class Recipe(TypedDict):
    """How a model learns: a part of its config."""

    name: Literal["sgd", "adamw", "rmsprop"]  # sgd is Nesterov's, momentum 0.9
    lr: Annotated[float, Field(gt=0)]  # the highest it gets
    weight_decay: Annotated[float, Field(ge=0)]
    schedule: Literal["constant", "one_cycle", "cosine"]
    warmup: Annotated[float, Field(ge=0, lt=1)]  # share of all steps; constant has none


def configure(module: LightningModule, recipe: Recipe) -> Any:
    """What `configure_optimizers` returns: the optimiser, and its schedule by step."""
    optimizer = make_optimizer(module, recipe)
    if recipe["schedule"] == "constant":
        return optimizer
    steps = int(module.trainer.estimated_stepping_batches)
    schedule = make_schedule(optimizer, recipe, steps)
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def make_optimizer(module: torch.nn.Module, recipe: Recipe) -> Optimizer:
    """The optimiser over all parameters that learn."""
    learning = [p for p in module.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in learning if p.ndim > 1], "weight_decay": recipe["weight_decay"]},
        {"params": [p for p in learning if p.ndim <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if recipe["name"] == "sgd":
        return torch.optim.SGD(groups, recipe["lr"], momentum=0.9, nesterov=True, fused=True)
    if recipe["name"] == "adamw":
        return torch.optim.AdamW(groups, recipe["lr"], fused=True)
    return torch.optim.RMSprop(groups, recipe["lr"], alpha=0.9)  # Keras' rho; torch's own is 0.99


def make_schedule(optimizer: Optimizer, recipe: Recipe, steps: int) -> LRScheduler:
    """One cycle (Smith & Topin 2017, arXiv:1708.07120) or warm-up and half a cosine, in `steps`."""
    if recipe["schedule"] == "one_cycle":
        share = max(recipe["warmup"], 1 / steps)
        return OneCycleLR(optimizer, recipe["lr"], total_steps=steps + 1, pct_start=share)
    warm = min(max(round(recipe["warmup"] * steps), 1), steps)
    rise = LinearLR(optimizer, start_factor=1 / (warm + 1), total_iters=warm)
    fall = CosineAnnealingLR(optimizer, T_max=max(steps - warm, 1))
    return SequentialLR(optimizer, [rise, fall], milestones=[warm])
