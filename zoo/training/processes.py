"""The processes of a run, one a device: who started this one, and what they agree on."""

import os
import time
from datetime import timedelta
from functools import lru_cache
from inspect import signature
from typing import TYPE_CHECKING, Any

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

if TYPE_CHECKING:
    from pytorch_lightning.plugins.environments import ClusterEnvironment

    from zoo.nn import ZooModule

Config = dict[str, Any]
STALE = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "NODE_RANK", "MASTER_ADDR", "MASTER_PORT")
ANSWER = 5  # seconds that a process has to say that it is alive


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


def strategy(config: Config, model: "ZooModule | None" = None) -> Any:
    """DDP where there are several processes; another strategy that the config names as it is.

    Args:
        model: tells whether a step may leave parameters without a gradient.
    """
    from pytorch_lightning.strategies import DDPStrategy

    name = config["trainer"]["strategy"]
    if name not in ("auto", "ddp"):
        return name
    if size(config) == 1:
        return "auto"
    new = "forward_sync_buffers" in signature(DistributedDataParallel).parameters
    alike: Any = {"forward_sync_buffers" if new else "broadcast_buffers": False}  # torch renames it
    return DDPStrategy(
        find_unused_parameters=model is not None and model.IDLE,
        gradient_as_bucket_view=True,
        timeout=timedelta(minutes=config["timeout"]),
        **alike,  # buffers are: those of normalisation are synchronised
    )


def greatest(*values: int) -> list[int]:
    """The greatest of each value over all processes: what they do next, agreed."""
    mine = torch.tensor(values)
    if several():
        dist.all_reduce(mine, dist.ReduceOp.MAX, group=_control())
    return [int(value) for value in mine.tolist()]


def total(values: torch.Tensor) -> torch.Tensor:
    """The sum of a tensor over all processes, on the CPU."""
    mine = values.detach().cpu()
    if several():
        dist.all_reduce(mine, group=_control())
    return mine


def leave() -> None:
    """End the talk with the other processes."""
    if dist.is_initialized():
        dist.destroy_process_group()


def several() -> bool:
    """Whether there is more than one process."""
    return dist.is_initialized() and dist.get_world_size() > 1


@lru_cache(maxsize=1)
def _control_beside(world: Any) -> Any:
    return dist.new_group(backend="gloo")


def _control() -> Any:
    """A group whose messages do not wait for the GPU; None: the usual one is such."""
    return None if dist.get_backend() == "gloo" else _control_beside(dist.group.WORLD)


def lost(error: RuntimeError) -> list[int]:
    """The processes that are gone or stand still, if that is what an error in this one comes from.

    Each process that gave up waiting leaves word in the store that all of them know.
    """
    talk = isinstance(error, dist.DistError) or "gloo" in str(error)
    if not (several() and talk):
        return []
    store, ranks = dist.distributed_c10d._get_default_store(), range(dist.get_world_size())
    try:
        store.set(f"alive/{dist.get_rank()}", "")
        until = time.monotonic() + ANSWER
        while time.monotonic() < until and not store.check([f"alive/{one}" for one in ranks]):
            time.sleep(0.1)
        return [one for one in ranks if not store.check([f"alive/{one}"])]
    except RuntimeError:
        return [0]  # which kept the store
