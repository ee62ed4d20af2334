"""What a step draws at random: a function of seed, epoch, batch and process."""

import random
from typing import Any

import numpy as np
import torch
from pytorch_lightning import Callback, LightningModule, Trainer

GLOBAL_STREAM = 3  # of random draws; 0 is augmentation's, 1 the order's, 2 the model's


class SeedEachStep(Callback):
    """Seed the global generators of torch, numpy and Python before each step: dropout's, say.

    So neither an interruption nor what is drawn between steps changes what a step draws, and no
    state has to be kept. Each process draws its own.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(
        self, trainer: Trainer, module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        place = (trainer.current_epoch, batch_idx, trainer.global_rank)
        mixed = np.random.SeedSequence((self.seed, *place, GLOBAL_STREAM)).generate_state(1)
        reseed(int(mixed[0]), module.device)


def reseed(seed: int, device: torch.device) -> None:
    """Seed the global generators, and that of the device in use."""
    random.seed(seed)
    np.random.seed(seed)
    torch.default_generator.manual_seed(seed)
    if device.type != "cpu":
        torch.get_device_module(device).manual_seed(seed)
