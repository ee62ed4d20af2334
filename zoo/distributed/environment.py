"""The processes of a run, one a device: who started this one, and how Lightning is told."""

import os
from datetime import timedelta
from inspect import signature
from typing import TYPE_CHECKING, Any

from zoo.utilities.protocols import Model

if TYPE_CHECKING:
    from pytorch_lightning.plugins.environments import ClusterEnvironment


Config = dict[str, Any]
STALE = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "NODE_RANK", "MASTER_ADDR", "MASTER_PORT")


def started_by() -> str | None:
    """What started this process as one of several: torchrun (our own, too), srun or nothing.

    Raises:
        ValueError: it looks like one of several, but nothing known started it.
    """
    if "TORCHELASTIC_RUN_ID" in os.environ:
        return "torchrun"
    if "SLURM_STEP_ID" in os.environ and int(os.environ.get("SLURM_NTASKS", 1)) > 1:
        return "srun"
    if left := [name for name in STALE if name in os.environ]:
        raise ValueError(
            f"{', '.join(left)} stand in the environment, but neither torchrun nor srun started "
            f"this process: unset {' '.join(left)}"
        )
    return None


def rank() -> int:
    """This process' number among all; the first one writes and speaks."""
    return int(os.environ.get("RANK", os.environ.get("SLURM_PROCID", 0)))


def check(config: Config) -> None:
    """Make sure that as many processes were started as the config asks for.

    Raises:
        ValueError: another number.
    """
    name = "SLURM_NTASKS" if started_by() == "srun" else "WORLD_SIZE"
    world = int(os.environ.get(name, 1))
    if world != size(config):
        raise ValueError(
            f"{world} processes were started, the config asks for {size(config)}: "
            "trainer.devices times trainer.num_nodes"
        )


def size(config: Config) -> int:
    """How many processes a config asks for."""
    return int(config["trainer"]["devices"] * config["trainer"]["num_nodes"])


def environment() -> "ClusterEnvironment":
    """What tells Lightning its rank and the address of the first process."""
    from pytorch_lightning.plugins.environments import (
        LightningEnvironment,
        SLURMEnvironment,
        TorchElasticEnvironment,
    )

    by = started_by()
    if by == "srun":
        return SLURMEnvironment(auto_requeue=False)
    return TorchElasticEnvironment() if by == "torchrun" else LightningEnvironment()


def strategy(config: Config, model: Model | None = None) -> Any:
    """DDP where there are several processes; another strategy that the config names as it is.

    Args:
        model: tells whether a step may leave parameters without a gradient.
    """
    from pytorch_lightning.strategies import DDPStrategy
    from torch.nn.parallel import DistributedDataParallel

    name = config["trainer"]["strategy"]
    if name not in ("auto", "ddp"):
        return name
    if size(config) == 1:
        return "auto"
    new = "forward_sync_buffers" in signature(DistributedDataParallel).parameters
    alike: Any = {"forward_sync_buffers" if new else "broadcast_buffers": False}  # torch renames it
    return DDPStrategy(
        find_unused_parameters=model is not None and model.find_unused_parameters,
        gradient_as_bucket_view=True,
        timeout=timedelta(minutes=config["timeout"]),
        **alike,  # buffers are: those of normalisation are synchronised
    )
