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


def launcher_name() -> str | None:
    """What started this process as one of several: torchrun (our own, too), srun or nothing.

    Raises:
        ValueError: it looks like one of several, but nothing known started it.
    """
    if "TORCHELASTIC_RUN_ID" in os.environ:
        return "torchrun"
    if "SLURM_STEP_ID" in os.environ and int(os.environ.get("SLURM_NTASKS", 1)) > 1:
        return "srun"
    if stale := [name for name in STALE if name in os.environ]:
        raise ValueError(
            f"{', '.join(stale)} stand in the environment, but neither torchrun nor srun started "
            f"this process: unset {' '.join(stale)}"
        )
    return None


def rank() -> int:
    """This process' number among all; the first one writes and speaks."""
    return int(os.environ.get("RANK", os.environ.get("SLURM_PROCID", 0)))


def check_world_size(config: Config) -> None:
    """Make sure that, where a launcher started them, there are as many processes as asked for.

    Raises:
        ValueError: another number.
    """
    if (launcher := launcher_name()) is None:
        return
    name = "SLURM_NTASKS" if launcher == "srun" else "WORLD_SIZE"
    world = int(os.environ.get(name, 1))
    if world != world_size(config):
        raise ValueError(
            f"{world} processes were started, the config asks for {world_size(config)}: "
            "trainer.devices times trainer.num_nodes"
        )


def world_size(config: Config) -> int:
    """How many processes a config asks for."""
    return int(config["trainer"]["devices"] * config["trainer"]["num_nodes"])


def environment() -> "ClusterEnvironment":
    """What tells Lightning its rank and the address of the first process."""
    from pytorch_lightning.plugins.environments import (
        LightningEnvironment,
        SLURMEnvironment,
        TorchElasticEnvironment,
    )

    launcher = launcher_name()
    if launcher == "srun":
        return SLURMEnvironment(auto_requeue=False)
    return TorchElasticEnvironment() if launcher == "torchrun" else LightningEnvironment()


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
    if world_size(config) == 1:
        return "auto"
    names = signature(DistributedDataParallel).parameters  # torch renames one of them
    option = "forward_sync_buffers" if "forward_sync_buffers" in names else "broadcast_buffers"
    buffers: Any = {option: False}
    return DDPStrategy(
        find_unused_parameters=model is not None and getattr(model, "find_unused_parameters", True),
        gradient_as_bucket_view=True,
        timeout=timedelta(minutes=config["timeout"]),
        **buffers,  # buffers are: those of normalisation are synchronised
    )
