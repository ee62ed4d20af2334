"""One run from data to report, on this process' devices.

Data first, then the model in the data's sizes; fit; test of the best checkpoint; the baseline;
results, weights and report.
"""

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from pytorch_lightning import Callback, Trainer
from pytorch_lightning.callbacks import EarlyStopping, EMAWeightAveraging
from pytorch_lightning.callbacks import ProgressBar as LightningBar
from pytorch_lightning.utilities.exceptions import MisconfigurationException

from zoo.config import schema
from zoo.config.callbacks import unpromised, with_defaults
from zoo.config.trainer import FIT
from zoo.distributed import collectives
from zoo.distributed.console import console
from zoo.distributed.environment import environment, rank, strategy
from zoo.distributed.sync_batchnorm import SynchronisedBatchNorm
from zoo.training import checkpoints, csv_logger, loggers, plain
from zoo.training.build import build
from zoo.training.callbacks import (
    CheckpointMetadata,
    FiniteLoss,
    ProgressBar,
    Throughput,
    throughput,
)
from zoo.training.evaluate import quiet, test
from zoo.training.evaluator import Evaluator
from zoo.training.results import describe_run, finish
from zoo.training.resume import Checkpoints, Progress
from zoo.training.run import Run, write_config
from zoo.training.seeding import SeedEachStep
from zoo.utilities import hardware
from zoo.utilities.compat import close_epochs
from zoo.utilities.errors import Failure, Stopped
from zoo.utilities.protocols import is_zoo_module

if TYPE_CHECKING:
    from zoo.nn.module import ZooModule

Config = dict[str, Any]
PROFILERS = {
    "simple": "SimpleProfiler", "advanced": "AdvancedProfiler", "pytorch": "PyTorchProfiler",
}  # fmt: skip


@quiet()
@loggers.closed()
def run_experiment(
    config: Config, run: Run, card: Config | None = None, watch: Sequence[Callback] = ()
) -> None:
    """Do the whole run in this process, one of `trainer.devices`.

    Args:
        card: of the weights that `init` names, if it was read already.
        watch: callbacks besides those of the config.
    """
    evaluator = Evaluator(config) if config["evaluator"] else None
    data, model, card = build(config, card)
    if rank() == 0:
        write_config(run, config)  # as it is built, in the data's sizes
    trainer = fit(config, run, model, data, evaluator, watch)
    load_best(model, run)
    scores = test(config, model, data, evaluator)
    if trainer.is_global_zero:
        loggers.log_scores(trainer, scores)
        results = {**describe_run(config, trainer, model, data), **throughput(trainer)}
        finish(config, run, model, data, results, scores, card, evaluator)


def fit(
    config: Config, run: Run, model: "ZooModule", data: Any, evaluator: Evaluator | None = None,
    watch: Sequence[Callback] = (),
) -> Trainer:  # fmt: skip
    """Train, from the last checkpoint if there is one."""
    checkpoint = find_checkpoint(run, data, config["force"])
    metadata = CheckpointMetadata(dict(config), data.info)
    speed = Throughput(config["data"]["batch_size"])
    callbacks = [FiniteLoss(), metadata, speed, SeedEachStep(config["seed"])]
    callbacks += make_callbacks(config, run, is_zoo_module(model))
    if not any(isinstance(one, LightningBar) for one in callbacks):
        callbacks.append(ProgressBar())
    callbacks += [evaluator] if evaluator else []  # behind the average of the weights
    callbacks += watch
    trainer = make_trainer(config, run, model, callbacks, loggers.make(config, run, checkpoint))
    close_epochs(trainer)
    if config["compile"]:
        model.compile()
    if config["trainer"]["precision"] == "64-true":
        model.double()  # before a checkpoint is read into it, which Lightning does first
    axes = {p.ndim for p in model.parameters()}
    for ndim, layout in ((4, torch.channels_last), (5, torch.channels_last_3d)):
        if ndim in axes:
            model.to(memory_format=layout)
    hardware.keep_freed_memory()  # from here on: what reads data gives back what it freed
    try:
        trainer.fit(model, datamodule=data, ckpt_path=checkpoint, weights_only=True)
    except SystemExit:  # how Lightning answers Ctrl-C, which it then ignores
        signal.signal(signal.SIGINT, signal.default_int_handler)
        raise KeyboardInterrupt from None
    except MisconfigurationException as error:  # of a callback that does not go with the model
        raise ValueError(f"{error} (Lightning's)") from error
    except RuntimeError as error:
        if ranks := collectives.unresponsive_ranks(error):
            raise lost_ranks_error(ranks, trainer) from error
        raise
    return trainer


def lost_ranks_error(ranks: list[int], trainer: Trainer) -> Exception:
    """What to say of processes that are gone: nothing new, if this one was told to end before."""
    if signal_number := trainer.checkpoint_callback.signals.received:  # type: ignore[union-attr]
        return Stopped(signal_number)
    return Failure(
        f"process {', '.join(map(str, ranks))} does not answer and is given up: the same command "
        "and name go on from the last checkpoint"
    )


def find_checkpoint(run: Run, data: Any, force: bool) -> Path | None:
    """The checkpoint to go on from, if there is one, with metrics.csv as it was then.

    Raises:
        ValueError: the data are not those that it was trained on, or no checkpoint is whole.
    """
    path, rows = checkpoints.newest(run), 0
    if path is not None:
        state = checkpoints.load(path)
        old, now = state["zoo"]["info"]["digest"], data.info["digest"]
        if old not in (now, data.former_digest) and not force:
            raise ValueError(
                f"the data changed since this run began: {old} -> {now}; choose another name=, "
                "or force=true to go on with them"
            )
        rows = state["progress"]["rows"]
        console.print(f"resume    from step {state['global_step']:,} ({path.name})")
    if rank() == 0:
        csv_logger.cut(run.folder / "metrics.csv", rows)
    return path


def make_trainer(
    config: Config, run: Run, model: "ZooModule", callbacks: list[Callback], open_loggers: list[Any]
) -> Trainer:
    """Lightning's Trainer with this run's settings; precision is resolved by now."""
    plugins: list[Any] = [checkpoints.VerifiedIO(), SynchronisedBatchNorm(), environment()]
    section = {**FIT, **config["trainer"], "strategy": strategy(config, model)}
    try:
        return Trainer(
            **{**section, "profiler": make_profiler(section.get("profiler"), run)},
            plugins=plugins,
            callbacks=callbacks,
            logger=open_loggers or False,
            default_root_dir=run.folder,
            enable_progress_bar=any(isinstance(one, LightningBar) for one in callbacks),
            enable_model_summary=False,
            use_distributed_sampler=False,
        )
    except (MisconfigurationException, RuntimeError) as error:  # they do not go together
        raise ValueError(f"{error} (Lightning's)") from error


def make_profiler(section: str | Config | None, run: Run) -> Any:
    """Lightning's profiler, whose report is fit-profile.txt in the run's folder."""
    if section is None:
        return None
    if isinstance(section, str):
        section = {"_target_": f"pytorch_lightning.profilers.{PROFILERS[section]}"}
    place = {"dirpath": str(run.folder), "filename": "profile"}
    return schema.build({**place, **section}, "trainer.profiler")


def make_callbacks(config: Config, run: Run, is_ours: bool = True) -> list[Callback]:
    """What keeps checkpoints, and what the config asks for besides.

    Args:
        is_ours: whether the model logs what the defaults monitor.
    """
    monitor, mode = config["monitor"], config["mode"]
    is_optional = not is_ours and monitor == plain.MONITOR and not config["early_stopping"]
    saver = Checkpoints(run, monitor, mode, config["save_every"], is_optional)
    callbacks: list[Callback] = [Progress(), saver]
    callbacks += [make_callback(*item) for item in config.get("callbacks", {}).items()]
    for name in unpromised(config):
        console.print(f"callback  {name}: killed and gone on, this run may end otherwise")
    if config["early_stopping"]:
        before_saving: Any = {"check_on_train_epoch_end": False}
        patience = config["early_stopping"]
        callbacks.append(EarlyStopping(monitor, patience=patience, mode=mode, **before_saving))
    if config["ema"]:
        callbacks.append(EMAWeightAveraging(decay=config["ema"]))
    return callbacks


def make_callback(name: str, section: Config) -> Callback:
    """A callback that the config names.

    Raises:
        ValueError: it takes no such arguments.
    """
    try:
        callback: Callback = schema.build(with_defaults(section), f"callbacks.{name}")
    except MisconfigurationException as error:
        raise ValueError(f"callbacks.{name}: {error}") from error
    return callback


def load_best(model: "ZooModule", run: Run) -> None:
    """Put the best checkpoint's weights into the model (the averaged ones where there are any).

    Raises:
        ValueError: it is damaged.
    """
    if run.best.exists():  # else there was no validation
        model.load_state_dict(checkpoints.load(run.best)["state_dict"])
