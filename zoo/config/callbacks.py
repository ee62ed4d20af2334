"""The callbacks of a config: any class by its `_target_`, but for what the run does by itself."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from zoo.config.schema import check_arguments, locate

Config = dict[str, Any]

REFUSED = {  # classes, their subclasses too, and why
    "Checkpoint": "a run keeps its checkpoints, from which it goes on: see monitor and save_every",
    "LearningRateFinder": "a run learns at the rate of its config: give model.optimizer.lr",
    "BatchSizeFinder": "a run has the batch of its config: give data.batch_size",
    "BasePredictionWriter": "a run predicts nothing: zoo predict does",
}
KEYS = {"WeightAveraging": "ema", "EarlyStopping": "early_stopping"}  # of a run, that make one
PROMISED = {  # of Lightning's, with which a run that was killed ends as one that was not
    "LearningRateMonitor", "EarlyStopping", "StochasticWeightAveraging", "DeviceStatsMonitor",
    "ThroughputMonitor", "Timer", "GradientAccumulationScheduler", "RichProgressBar",
    "TQDMProgressBar", "EMAWeightAveraging", "ModelSummary", "RichModelSummary",
}  # fmt: skip


def count_samples(batch: Any) -> int:
    """The samples of a batch as a model takes it."""
    from pytorch_lightning.utilities.data import extract_batch_size

    return extract_batch_size(batch)


DEFAULTS: dict[str, Config] = {  # of a run, where a class' own do not do
    "ThroughputMonitor": {"batch_size_fn": count_samples},
    "EarlyStopping": {"check_on_train_epoch_end": False},  # before the checkpoint is saved
}


def with_defaults(section: Mapping[str, Any]) -> Config:
    """A callback's section with what the run gives to a class of that name, and epochs as ints."""
    name = str(section.get("_target_")).rpartition(".")[2]
    return {**DEFAULTS.get(name, {}), **{key: _number(value) for key, value in section.items()}}


def _number(value: Any) -> Any:
    """A mapping over epochs with ints for keys, which are strings where they stood between dots."""
    if isinstance(value, Mapping) and all(str(key).isdecimal() for key in value):
        return {int(key): inner for key, inner in value.items()}
    return value


def check(config: Mapping[str, Any]) -> None:
    """Check each callback, before any data is read.

    Raises:
        ValueError: a wrong class or argument, or what the run does by itself.
        ImportError: it needs a package that is not installed.
    """
    for name, section in config.get("callbacks", {}).items():
        key = f"callbacks.{name}"
        if "_target_" in section:
            _check_class(config, key, section["_target_"])
        check_arguments(with_defaults(section), key)
        _check_psutil(section, key, config["trainer"]["accelerator"])


def _check_class(config: Mapping[str, Any], key: str, target: str) -> None:
    """Refuse a class that does what the run does by itself."""
    bases = [base.__name__ for base in locate(target, f"{key}._target_").__mro__]
    for base in [base for base in bases if base in REFUSED]:
        raise ValueError(f"{key} is of class {bases[0]}: {REFUSED[base]}")
    for base in [base for base in bases if config.get(KEYS.get(base, ""))]:
        raise ValueError(f"{key} is of class {bases[0]}: {KEYS[base]}= makes one already")


def _check_psutil(section: Mapping[str, Any], key: str, accelerator: str) -> None:
    """Raise ImportError where a CPU is to be watched, and the package that does it is missing."""
    if not section["_target_"].endswith(".DeviceStatsMonitor") or find_spec("psutil"):
        return
    from torch.cuda import is_available

    default = accelerator == "cpu" or not is_available()
    if default if section.get("cpu_stats") is None else section["cpu_stats"]:
        raise ImportError(f"{key} watches the CPU by psutil, which is missing: pip install psutil")


def unpromised(config: Mapping[str, Any]) -> list[str]:
    """Lightning's callbacks in a config that may not go on after a kill as if nothing were.

    A class of somebody's own goes on as well as what its `state_dict` holds.
    """
    targets = [section["_target_"] for section in config.get("callbacks", {}).values()]
    own = [target for target in targets if target.startswith("pytorch_lightning.")]
    return [name for name in (one.rpartition(".")[2] for one in own) if name not in PROMISED]
