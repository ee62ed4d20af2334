"""From overrides to a finished run: compose once, then one process or torchrun."""

import shlex
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from zoo.catalog import registry
from zoo.catalog.compose import compose_with_card
from zoo.catalog.overrides import as_overrides
from zoo.catalog.own_data import OWN_TRAINING
from zoo.catalog.parsing import trust
from zoo.distributed import environment, torchrun
from zoo.distributed.console import console
from zoo.training.run import Run, is_complete, locate_run, lock_run

if TYPE_CHECKING:
    from pytorch_lightning import Callback

Config = dict[str, Any]
RUNNING = RLock()  # held by the thread that trains


def train(experiment: str = "image_cnn", **overrides: Any) -> Run:
    """Train an experiment as `zoo train` does; a finished run of that name is returned as it is.

    Args:
        experiment: one of `list_experiments()`.
        overrides: names (`data="mnist"`), nested values (`trainer={"max_epochs": 3}`) or dotted
            keys (`**{"model.dropout": 0.1}`). A dict changes the keys that it has, an empty one
            empties: `**{"data.augment": {}}`.

    Returns:
        A `Run`: its `folder` with all that was written, report.html among it; `results`, the scores
        by metric (`run.results["test/accuracy"]`); `model`, the best weights as a model whose
        `predict` takes raw data; `config`, all that it was trained by; `finished`; `best` and
        `lasts`, its `checkpoints`.

    Raises:
        ValueError: a wrong name, key or value, before any work.
        FloatingPointError: the loss stopped being finite.
        Stopped: by SIGTERM or SIGINT while it trained, after a checkpoint was saved.
    """
    if not isinstance(experiment, str):
        raise ValueError(
            f"zoo.train takes the name of an experiment (zoo.list_experiments()), not a "
            f"{type(experiment).__name__}: a model is trained by pytorch_lightning.Trainer().fit"
        )
    return start(["experiment=" + experiment, *as_overrides(overrides)])


def start(arguments: Sequence[str]) -> Run:
    """Compose one run and do it: here, in processes of its own, or as one of those there are."""
    return start_composed(*compose_with_command(arguments))


def start_composed(config: Config, card: Config | None) -> Run:
    """Do a run that is composed."""
    if environment.launcher_name() and config["name"] is None:
        raise ValueError(
            f"{environment.launcher_name()} started several processes: give name= for all of them"
        )
    run = locate_run(config)
    run_here(config, run, config["trainer"]["devices"] == 1, card)
    return run


def run_here(config: Config, run: Run, alone: bool, card: Config | None = None) -> None:
    """Do a run (`alone`: in this process), or be one of the processes of it that there are."""
    launcher = environment.launcher_name()
    execute(config, run, launcher is not None or alone, card)
    if launcher:
        from zoo.distributed import collectives

        collectives.leave()


def compose_run(arguments: Sequence[str]) -> Config:
    """The checked config of a run, with the command that repeats it."""
    return compose_with_command(arguments)[0]


def compose_with_command(arguments: Sequence[str]) -> tuple[Config, Config | None]:
    """The config of a run, and the card of the weights that it starts from."""
    trust(arguments)
    config, card = compose_with_card(arguments)
    overrides = [a for a in arguments if not a.lstrip("+").startswith(("name=", "force="))]
    folders = [f"--config-dir={_short(folder)}" for folder in registry.config_dirs()]
    return {**config, "command": shlex.join(["zoo", "train", *folders, *overrides])}, card


def execute(
    config: Config, run: Run, alone: bool, card: Config | None = None,
    watch: "Sequence[Callback]" = (),
) -> None:  # fmt: skip
    """Do a run in this process (`alone`), or in processes of its own.

    Runs of several threads follow each other: the random generators that a run seeds are the
    process', so that side by side neither would be repeated exactly.

    Args:
        card: of the weights that it starts from; other processes read it themselves.
        watch: callbacks besides those of the config, of a run in this process.
    """
    if not RUNNING.acquire(blocking=False):
        console.print("waiting   another run trains in this process: one after the other")
        RUNNING.acquire()
    try:
        _execute(config, run, alone, card, watch)
    finally:
        RUNNING.release()


def _execute(
    config: Config, run: Run, alone: bool, card: Config | None, watch: "Sequence[Callback]"
) -> None:
    settle_hardware(config, run)
    environment.check_world_size(config)
    if is_complete(run, config):
        console.print(f"finished  {_short(run.folder)}: nothing to do", soft_wrap=True)
        return
    full_config = {**config, "name": config["name"] or run.folder.name}
    with lock_run(run, full_config) if environment.rank() == 0 else nullcontext():
        announce(config, run)
        (run.folder / "results.json").unlink(missing_ok=True)  # of a run that now goes on longer
        if alone:
            from zoo.training.fit import run_experiment

            run_experiment(config, run, card, watch)
        else:
            torchrun.launch(config, run.folder)


def settle_hardware(config: Config, run: Run) -> None:
    """Compile only where that is possible; a precision of `auto` becomes that of the chip.

    A run that goes on keeps the precision with which it was started.
    """
    from zoo.utilities import hardware

    if config["compile"] and not hardware.can_compile(config["trainer"]["accelerator"]):
        console.print("compile   no C++ compiler found: running without")
        config["compile"] = False
    is_resumed = (run.folder / "config.yaml").exists()
    if is_resumed and config["trainer"]["precision"] == "auto":
        config["trainer"]["precision"] = run.composed["trainer"]["precision"]
    config["trainer"]["precision"] = hardware.precision(config)


def announce(config: Mapping[str, Any], run: Run) -> None:
    """Say what will be done, before anything is."""
    choices, trainer = config["choices"], config["trainer"]
    console.print(f"train     {choices['model']} on {choices['data']}, seed {config['seed']}")
    epochs, steps = trainer["max_epochs"], trainer["max_steps"]
    length = f"{epochs} epochs" if steps < 0 else f"{steps} steps"
    length = length if epochs != -1 or steps != -1 else "until something ends it"
    if (own := config.get(OWN_TRAINING)) and steps < 0:
        length = f"about {own['steps']} steps"
    smoke = "; a smoke run: its scores mean nothing" if config["smoke"] else ""
    console.print(f"plan      {length}, then test{smoke}")
    console.print(f"folder    {_short(run.folder)}", soft_wrap=True)


def _short(path: Path) -> str:
    """A path as seen from the working directory."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
