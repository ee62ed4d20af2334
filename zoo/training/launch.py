"""From overrides to finished runs: compose once, then one process, torchrun, or many jobs."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from threading import RLock
from typing import Any

from zoo.catalog.compose import compose_with_card, sweep_jobs, trust
from zoo.catalog.overrides import as_overrides
from zoo.distributed import environment, torchrun
from zoo.distributed.console import console
from zoo.training.comparison import describe_score
from zoo.training.run import Run, is_complete, locate_run, lock_run
from zoo.utilities.errors import Failure, Stopped, line

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
    (config, card), launcher = _compose(arguments), environment.launcher_name()
    if launcher:
        environment.check_world_size(config)
        if config["name"] is None:
            raise ValueError(f"{launcher} started several processes: give name= for all of them")
    run = locate_run(config)
    execute(config, run, launcher is not None or config["trainer"]["devices"] == 1, card)
    if launcher:
        from zoo.distributed import collectives

        collectives.leave()
    return run


def compose_run(arguments: Sequence[str]) -> Config:
    """The checked config of a run, with the command that repeats it."""
    return _compose(arguments)[0]


def _compose(arguments: Sequence[str]) -> tuple[Config, Config | None]:
    """The config of a run, and the card of the weights that it starts from."""
    trust(arguments)
    config, card = compose_with_card(arguments)
    overrides = [a for a in arguments if not a.lstrip("+").startswith(("name=", "force="))]
    return {**config, "command": shlex.join(["zoo", "train", *overrides])}, card


def sweep(
    arguments: Sequence[str], summarise: Callable[[dict[Path, Config]], None] = lambda jobs: None
) -> list[Run]:
    """Every combination of the values given, each a fresh process, in <name>/<job>.

    Args:
        summarise: says at the end what came of the jobs, by their folders and configs.

    Raises:
        ValueError: before the first job starts, if any job's config is wrong.
        Failure: at the end, naming the jobs that failed.
        Stopped: by a signal; no other job is started.
    """
    if launcher := environment.launcher_name():
        raise ValueError(f"-m starts processes of its own: leave it out under {launcher}")
    jobs = [compose_run(job) for job in sweep_jobs(arguments)]
    name = locate_run(jobs[0]).folder.name
    runs, failed = [], []
    for number, config in enumerate(jobs):
        config["name"] = f"{config['name'] or name}/{number}"
        run = locate_run(config)
        console.rule(f"job {number + 1} of {len(jobs)}: {config['command']}", align="left")
        try:
            execute(config, run, alone=False)
        except Stopped:
            raise
        except Exception as error:
            console.print(f"failed    {line(error)}")
            failed.append(str(number))
        else:
            console.print(f"score     {describe_score(run.results)}")
        runs.append(run)
    summarise({run.folder: config for run, config in zip(runs, jobs, strict=True)})
    if failed:
        raise Failure(f"{len(failed)} of {len(jobs)} jobs failed: {', '.join(failed)}")
    return runs


def execute(config: Config, run: Run, alone: bool, card: Config | None = None) -> None:
    """Do a run in this process (`alone`), or in processes of its own.

    Runs of several threads follow each other: the random generators that a run seeds are the
    process', so that side by side neither would be repeated exactly.

    Args:
        card: of the weights that it starts from; other processes read it themselves.
    """
    if not RUNNING.acquire(blocking=False):
        console.print("waiting   another run trains in this process: one after the other")
        RUNNING.acquire()
    try:
        _execute(config, run, alone, card)
    finally:
        RUNNING.release()


def _execute(config: Config, run: Run, alone: bool, card: Config | None) -> None:
    settle_hardware(config, run)
    if is_complete(run, config):
        console.print(f"finished  {_short(run.folder)}: nothing to do", soft_wrap=True)
        return
    is_first = environment.rank() == 0
    if is_first:
        announce(config, run)
    full_config = {**config, "name": config["name"] or run.folder.name}
    with lock_run(run, full_config) if is_first else nullcontext():
        (run.folder / "results.json").unlink(missing_ok=True)  # of a run that now goes on longer
        if alone:
            from zoo.training.fit import run_experiment

            run_experiment(config, run, card)
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
    smoke = "; a smoke run: its scores mean nothing" if config["smoke"] else ""
    console.print(f"plan      {length}, then test{smoke}")
    console.print(f"folder    {_short(run.folder)}", soft_wrap=True)


def _short(path: Path) -> str:
    """A path as seen from the working directory."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
