"""The Trainer's section: any argument of Lightning's own, but for what the run sets by itself.

An argument that stands in no table here has the type of Lightning's signature.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from zoo.config.types import Fraction, Positive, PositiveFloat

Config = dict[str, Any]

Count = Annotated[int, Field(ge=0)]
Unit = Literal["weeks", "days", "hours", "minutes", "seconds"]
Share = Annotated[float, Field(ge=0, le=1)]
NARROWER: dict[str, Any] = {  # than Lightning's annotation
    "accelerator": Literal["auto", "cpu", "gpu", "mps"],
    "devices": Positive,
    "num_nodes": Positive,
    "strategy": Literal["auto", "ddp", "fsdp"],
    "precision": Literal["auto", "32-true", "bf16-mixed", "16-mixed", "64-true"],
    "max_epochs": Positive | Literal[-1],
    "min_epochs": Positive | None,
    "max_steps": Annotated[int, Field(ge=-1)],
    "min_steps": Positive | None,
    "max_time": Annotated[str, Field(pattern=r"^\d+:\d\d:\d\d:\d\d$")] | dict[Unit, Count] | None,
    "gradient_clip_val": PositiveFloat | None,
    "gradient_clip_algorithm": Literal["norm", "value"] | None,
    "accumulate_grad_batches": Positive,
    "fast_dev_run": bool | Count,
    "overfit_batches": Count | Share,
    "limit_train_batches": Positive | Fraction,
    "limit_val_batches": Count | Share,
    "limit_test_batches": Count | Share,
    "val_check_interval": Positive | Fraction | None,
    "check_val_every_n_epoch": Positive | None,
    "num_sanity_val_steps": Annotated[int, Field(ge=-1)],
    "log_every_n_steps": Positive,
    "profiler": Literal["simple", "advanced", "pytorch"] | dict[str, Any] | None,
}
OWNED = {  # by the run, and why
    "default_root_dir": "a run's folder is runs/<experiment>/<name>: give name=",
    "enable_checkpointing": "a run keeps its checkpoints, from which it goes on: see save_every",
    "callbacks": "they are a group: callbacks=lr_monitor, or callbacks.NAME._target_=CLASS",
    "logger": "loggers are a group: logger=[csv,tensorboard], or logger.NAME._target_=CLASS",
    "plugins": "checkpoints, processes and normalisation are handled by the run's own",
    "use_distributed_sampler": "each process takes its part of a batch: data.batch_size is global",
    "sync_batchnorm": "normalisation is over all devices in every run",
    "reload_dataloaders_every_n_epochs": "the order of an epoch is drawn from seed and epoch",
    "enable_progress_bar": "choose another bar with callbacks=rich_progress_bar",
    "enable_model_summary": "zoo show NAME prints the layers",
    "barebones": "it leaves out checkpoints, logs and metrics, which a run needs",
    "model_registry": "zoo.Run(FOLDER).model has save_pretrained and push_to_hub",
    "limit_predict_batches": "a run predicts nothing: zoo predict does",
}
FREE = (  # change nothing of what is computed on one machine, so that a resumed run may have others
    "profiler", "detect_anomaly", "benchmark", "deterministic", "inference_mode",
    "num_sanity_val_steps", "enable_autolog_hparams",
)  # fmt: skip
REQUIRED = (
    "accelerator", "devices", "num_nodes", "strategy", "precision", "max_epochs", "max_steps",
    "accumulate_grad_batches", "check_val_every_n_epoch", "log_every_n_steps",
)  # fmt: skip
AUTOMATIC = {"gradient_clip_val": None, "accumulate_grad_batches": 1}  # their values for "no"
AROUND_STEPS = ("GradientAccumulationScheduler", "StochasticWeightAveraging")  # callbacks
FIT = {"num_sanity_val_steps": 1}  # not Lightning's 2: a wrong monitor costs no epoch
TESTING = (  # what holds for the test, too
    "accelerator", "devices", "num_nodes", "precision", "deterministic", "benchmark",
    "inference_mode", "limit_test_batches",
)  # fmt: skip


def refuse_owned(section: Mapping[str, Any]) -> None:
    """Raise ValueError for an argument that the run sets by itself, with the reason."""
    for name in [name for name in OWNED if name in section]:
        raise ValueError(f"trainer.{name} is not for a run: {OWNED[name]}")


def check(config: Mapping[str, Any]) -> None:
    """Check what no type says of the section.

    Raises:
        ValueError: an argument is missing, or nothing ends the run.
    """
    section = config["trainer"]
    for name in [name for name in REQUIRED if name not in section]:
        raise ValueError(f"trainer.{name} is missing: give it with trainer.{name}=...")
    every, interval = section["check_val_every_n_epoch"], section.get("val_check_interval")
    if every is None and not isinstance(interval, int):
        raise ValueError(
            "trainer.check_val_every_n_epoch is None: give trainer.val_check_interval, a number "
            "of batches, with it"
        )
    ends = section["max_steps"] != -1 or section.get("max_time") or config["early_stopping"]
    if section["max_epochs"] == -1 and not (ends or config.get("callbacks")):
        raise ValueError(
            "trainer.max_epochs is -1: give trainer.max_time, trainer.max_steps or early_stopping, "
            "which end the run"
        )


def check_manual(config: Mapping[str, Any], name: str) -> None:
    """Check a config for a model that steps its optimisers itself (manual optimisation).

    Raises:
        ValueError: an argument or a callback that is for steps which the Trainer takes.
    """
    section, callbacks = config["trainer"], config.get("callbacks", {})
    around = [f"trainer.{key}" for key, off in AUTOMATIC.items() if section.get(key, off) != off]
    classes = {key: one["_target_"].rpartition(".")[2] for key, one in callbacks.items()}
    around += [f"callbacks.{key}" for key, cls in classes.items() if cls in AROUND_STEPS]
    for key in around:
        raise ValueError(
            f"{key} is for steps that the Trainer takes: {name} steps its optimisers itself; leave "
            "it out"
        )


def expand(config: Config) -> Config:
    """A config with `fast_dev_run` as the limits that it stands for: a smoke run of n batches.

    Lightning's own would leave out the checkpoints, of which a run makes its results.
    """
    section = dict(config["trainer"])
    batches = int(section.pop("fast_dev_run", 0))
    if batches:
        section |= {
            "max_epochs": 1, "max_steps": batches, "limit_train_batches": batches,
            "limit_val_batches": batches, "limit_test_batches": batches, "log_every_n_steps": 1,
            "val_check_interval": 1.0, "check_val_every_n_epoch": 1, "num_sanity_val_steps": 0,
        }  # fmt: skip
    return {**config, "trainer": section, "smoke": config["smoke"] or bool(batches)}
