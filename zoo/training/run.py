"""The folder of a run: runs/<experiment>/<name>, what lies in it, and who may write there.

The same command with the same name goes on where an unfinished run stopped; a finished run, a run
with another config and a folder that is no run are left as they are.
"""

import json
import os
import platform
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from zoo.catalog.overrides import escape
from zoo.catalog.own_data import OWN_TRAINING
from zoo.config import trainer
from zoo.config.migrate import migrate
from zoo.utilities.errors import no_such
from zoo.utilities.files import PART, replace

if TYPE_CHECKING:
    from zoo.nn.module import ZooModule

COMPOSED = "composed.yaml"
AUTO = "auto"  # the folder below ./runs of what `zoo auto` tries, which no model's name means
FREE = (  # what may change from one start of a run to the next
    "trainer.max_epochs", "trainer.accelerator", "trainer.devices", "trainer.num_nodes",
    "trainer.strategy", "choices.trainer", "choices.logger", "logger", "save_every", "timeout",
    "name", "force", "command", OWN_TRAINING, *(f"trainer.{name}" for name in trainer.FREE),
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """A run's folder."""

    folder: Path

    @property
    def finished(self) -> bool:
        """Whether it trained, tested and wrote all of it."""
        return (self.folder / "results.json").exists()

    @property
    def results(self) -> dict[str, Any]:
        """The scores of a finished run, and what ran."""
        results: dict[str, Any] = migrate(json.loads((self.folder / "results.json").read_text()))
        return results

    @property
    def config(self) -> dict[str, Any]:
        """The config of what was built, with the model in the data's sizes."""
        return read_config(self.folder / "config.yaml")

    @property
    def composed(self) -> dict[str, Any]:
        """The config as it was composed, before any data were read: what a resume compares."""
        path = self.folder / COMPOSED
        return read_config(path) if path.exists() else self.config  # an earlier zoo wrote one

    @cached_property
    def model(self) -> "ZooModule":
        """The best weights as a model that takes raw data."""
        from zoo.pretrained.load import load

        return load(self.folder)

    @property
    def checkpoints(self) -> Path:
        """The folder of its checkpoints."""
        return self.folder / "checkpoints"

    @property
    def best(self) -> Path:
        """The checkpoint with the best monitored metric."""
        return self.checkpoints / "best.ckpt"

    @property
    def lasts(self) -> list[Path]:
        """The checkpoints to go on from, the newest first."""
        return sorted(self.checkpoints.glob("last-*.ckpt"), key=step_of, reverse=True)


def step_of(checkpoint: Path) -> int:
    """The step after which last-<step>.ckpt was saved."""
    return int(checkpoint.stem.rpartition("-")[2])


def newest(name: str) -> Run | None:
    """The run below ./runs of a model or experiment that ended last, no smoke or `zoo auto`."""
    runs = (file for file in Path("runs").rglob("results.json") if file.parts[1] != AUTO)
    files = sorted(runs, key=lambda file: -file.stat().st_mtime)
    for run in (Run(file.parent) for file in files):
        results = run.results
        if name in (results["experiment"], results["model"]) and not results["smoke"]:
            return run
    return None


def find_weights(name: str) -> Path:
    """The weights that a command means, which are said on stderr.

    Of a model's or experiment's name these are the newest run's below ./runs, else the released.

    Raises:
        FileNotFoundError: a model or experiment that has neither.
        ValueError: no such name, run or file.
    """
    from zoo.catalog import registry
    from zoo.pretrained import store

    if run := newest(name):
        print(f"weights   {run.folder}", file=sys.stderr)
        return run.folder
    released, experiments = store.released(), registry.names("experiment")
    available = {*released, *store.defaults(released)}
    if name in available or store.is_path(name) or Path(name).exists():
        return store.find(name)
    if name not in experiments:
        raise ValueError(no_such("weights, model or run", name, [*available, *experiments]))
    raise FileNotFoundError(
        f"no finished run of {name} in {Path('runs').resolve()}, and no released weights: "
        f"`zoo train experiment={name}` makes them"
    )


def locate_run(config: Mapping[str, Any]) -> Run:
    """The run that a config is for, under the working directory, with a name if it has none."""
    name = config["name"] or f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    return Run(Path("runs").resolve() / config["choices"]["experiment"] / name)


def is_complete(run: Run, config: Mapping[str, Any]) -> bool:
    """Whether the run is finished already.

    Raises:
        ValueError: the folder is no run, or a run with another config.
    """
    files = [file for file in run.folder.glob("[!.]*") if file.suffix != PART]
    if not files:  # but for what a start that was killed at once leaves
        return False
    if not (run.folder / "config.yaml").exists():
        raise ValueError(f"{run.folder} holds files but is no run: choose another name=")
    old = run.composed
    changed = differences(old, config)
    if changed and not config["force"]:
        raise ValueError(
            f"{run.folder} has another config: {'; '.join(changed[:3])}; choose another name=, or "
            "force=true to go on with the new one"
        )
    return run.finished and not changed and not is_longer(run, config)


def is_longer(run: Run, config: Mapping[str, Any]) -> bool:
    """Whether a config may ask for more epochs than the run was trained for.

    How many steps by the size of the data are is known when these are read.
    """
    if OWN_TRAINING in config:
        return bool(config[OWN_TRAINING] != run.composed.get(OWN_TRAINING))
    ends = (one["trainer"]["max_epochs"] % inf for one in (config, run.config))  # -1 is none
    return next(ends) > next(ends)


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What a run may not change, as `key: old -> new`."""
    a, b = dict(flatten(old)), dict(flatten(new))
    keys = [k for k in sorted(a | b) if not any(k == f or k.startswith(f + ".") for f in FREE)]
    return [f"{k}: {a.get(k)!r} -> {b.get(k)!r}" for k in keys if a.get(k) != b.get(k)]


def flatten(config: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and their values."""
    if isinstance(config, Mapping) and config:
        for name, value in config.items():
            yield from flatten(value, f"{key}.{name}" if key else str(name))
    else:
        yield key, config


@contextmanager
def lock_run(run: Run, config: Mapping[str, Any]) -> Iterator[None]:
    """Hold the run's folder, with the config in it; one that failed before it began is removed.

    The lock is the operating system's, which takes it back from a process that was killed.

    Raises:
        ValueError: another process is writing there.
    """
    is_new = not run.folder.exists()
    run.folder.mkdir(parents=True, exist_ok=True)
    lock, owner = FileLock(run.folder / ".lock"), run.folder / ".owner"
    try:
        lock.acquire(timeout=0)
    except Timeout:
        writer = owner.read_text() if owner.exists() else "another process"
        raise ValueError(
            f"{run.folder} is being written by {writer}: wait for it, or choose another name="
        ) from None
    try:
        owner.write_text(f"process {os.getpid()} on {platform.node()}")
        for part in run.folder.rglob(f"*{PART}"):  # what a killed process left half written
            part.unlink(missing_ok=True)
        write_config(run, config)  # first: another process knows a run by it
        write_config(run, config, COMPOSED)
        yield
    except BaseException:
        if is_new and not run.checkpoints.exists() and not (run.folder / "metrics.csv").exists():
            _remove(run.folder)
        raise
    finally:
        owner.unlink(missing_ok=True)
        lock.release()
        (run.folder / ".lock").unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    """Delete a folder, and the folders above it that are empty then, up to runs/."""
    shutil.rmtree(folder)
    for parent in folder.parents:
        with suppress(OSError):
            parent.rmdir()
        if parent.name == "runs":
            return


def write_config(run: Run, config: Mapping[str, Any], name: str = "config.yaml") -> None:
    """Write a config into the run's folder."""
    from omegaconf import OmegaConf

    replace(run.folder / name, OmegaConf.to_yaml(OmegaConf.create(escape(config))))


def read_config(path: Path) -> dict[str, Any]:
    """A config that was written, with the classes in it under the names that they have now."""
    from omegaconf import OmegaConf

    return migrate(OmegaConf.to_container(OmegaConf.load(path), resolve=True))
