"""One run from data to report, on this process' devices.

Data first, then the model in the data's sizes; fit; test of the best checkpoint; the baseline;
results, weights and report.
"""

import json
import platform
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytorch_lightning
import torch
from omegaconf import OmegaConf
from pytorch_lightning import Callback, Trainer, seed_everything
from pytorch_lightning.callbacks import EarlyStopping, EMAWeightAveraging
from pytorch_lightning.loggers import TensorBoardLogger
from rich.console import Console

import zoo
from zoo import cards, catalog, hardware, schema
from zoo.errors import Failure, Stopped
from zoo.pages import report
from zoo.synchronised import SynchronisedBatchNorm
from zoo.training import card, checkout, checkpoints, judge, metrics, processes, talk
from zoo.training.baseline import baseline_results
from zoo.training.callbacks import Bar, Enough, FiniteLoss, Speed
from zoo.training.evaluate import overlap, quiet, test
from zoo.training.resume import Checkpoints, Draws, Progress
from zoo.training.run import Run, replace, step_of

if TYPE_CHECKING:
    from zoo.nn import ZooModule

Config = dict[str, Any]
SHOWN = 10_000  # test samples that the report's pictures are made from
console = Console(stderr=True, highlight=False, quiet=processes.rank() > 0)


@quiet()
def work(config: Config, run: Run) -> None:
    """Do the whole run in this process, one of `trainer.devices`."""
    start = cards.load(config["init"]) if config["init"] else None
    data = open_data(config, start)
    if config["judge"]:
        data.judge = judge.trained(config, data.facts)
    model = made(config, data.facts, start)
    model.input = data.input  # with what was fitted
    speed = Speed(config["data"]["batch_size"])
    trainer = fit(config, run, model, data, speed)
    load_best(model, run)
    scores = test(config, model, data)
    if trainer.is_global_zero:
        results = {**described(config, trainer, model, data), **speed.results()}
        finish(config, run, model, data, results, scores, start)


def open_data(config: Config, start: "ZooModule | None") -> Any:
    """Prepare the data, as read by the model that is started from, and say what they are."""
    data = schema.build(config["data"], "data")
    if start is not None and start.card is not None:
        data.adopt(start.input, start.card["facts"])
    data.prepare_data()
    data.setup("fit")
    counts = " / ".join(f"{n:,} {split}" for split, n in data.facts["samples"].items())
    console.print(f"data      {config['choices']['data']}: {counts}")
    for note in getattr(data, "notes", []):
        console.print(note, markup=False, soft_wrap=True)
    for problem in data.facts.get("skipped", []):
        console.print(f"skipped   {problem}")
    for problem in data.facts.get("warnings", []):
        console.print(f"warning   {problem}")
    return data


def made(config: Config, facts: Mapping[str, Any], start: "ZooModule | None" = None) -> "ZooModule":
    """The model in the data's sizes, with seeded weights or those that are started from."""
    seed_everything(config["seed"], workers=True, verbose=False)
    written = start.card["model"] if start and start.card else catalog_facts(config)
    config["model"] = agree(config["model"], written, facts)
    model: ZooModule = cards.attach(schema.build(config["model"], "model"), facts)
    if "loss_weights" in facts:
        model.loss_weights = torch.tensor(facts["loss_weights"])
    if start is not None:
        begin(model, start, config)
    return model


def catalog_facts(config: Config) -> Config:
    """The model's section as its own file has it: the facts of its embedded data."""
    path = catalog.conf_folder() / "model" / f"{config['choices']['model']}.yaml"
    return OmegaConf.to_container(OmegaConf.load(path))  # type: ignore[return-value]


def agree(composed: Config, written: Mapping[str, Any], facts: Mapping[str, Any]) -> Config:
    """Fill in each fact of the data that the model's constructor takes.

    Raises:
        ValueError: a value was given that is neither the model file's nor the data's.
    """
    known = schema.parameters(schema.locate(composed["_target_"]))
    agreed = dict(composed)
    for name in known.keys() & facts.keys():
        if composed.get(name) not in (written.get(name), facts[name]):
            raise ValueError(
                f"model.{name} is {composed[name]!r}: the data have {facts[name]!r} and the "
                f"model's file {written.get(name)!r}; leave it out"
            )
        agreed[name] = facts[name]
    return agreed


def begin(model: "ZooModule", start: "ZooModule", config: Config) -> None:
    """Take the weights that the run starts from, but for the last layer where classes differ."""
    assert start.card is not None
    anew = model.classes != start.classes
    fresh = cards.fill(model, start.state_dict(), config["init"], anew)
    console.print(f"init      {config['init']}")
    if fresh:
        cards.announce(fresh)
    if known := overlap(start.card["seen"], config):
        console.print(f"warning   {known}")


def fit(config: Config, run: Run, model: "ZooModule", data: Any, speed: Speed) -> Trainer:
    """Train, from the last checkpoint if there is one."""
    last = resumed(run, data.facts, config["force"])
    own = [FiniteLoss(), Enough(dict(config), data.facts), speed, Bar(), Draws(config["seed"])]
    trainer = make_trainer(config, run, model, [*own, *watchers(config, run)])
    for logger in trainer.loggers:
        if last is not None and isinstance(logger, TensorBoardLogger):
            logger._kwargs["purge_step"] = step_of(last)  # what is done again is shown once
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
        trainer.fit(model, datamodule=data, ckpt_path=last, weights_only=True)
    except SystemExit:  # how Lightning answers Ctrl-C, which it then ignores
        signal.signal(signal.SIGINT, signal.default_int_handler)
        raise KeyboardInterrupt from None
    except RuntimeError as error:
        if lost := talk.lost(error):
            raise given_up(lost, trainer) from error
        raise
    return trainer


def given_up(lost: list[int], trainer: Trainer) -> Exception:
    """What to say of processes that are gone: nothing new, if this one was told to end before."""
    if told := trainer.checkpoint_callback.signals.received:  # type: ignore[union-attr]
        return Stopped(told)
    return Failure(
        f"process {', '.join(map(str, lost))} does not answer and is given up: the same command "
        "and name go on from the last checkpoint"
    )


def resumed(run: Run, facts: Mapping[str, Any], force: bool) -> Path | None:
    """The checkpoint to go on from, if there is one, with metrics.csv as it was then.

    Raises:
        ValueError: the data are not those that it was trained on, or no checkpoint is whole.
    """
    last, rows = checkpoints.newest(run), 0
    if last is not None:
        found = checkpoints.load(last)
        known, now = found["zoo"]["facts"]["digest"], facts["digest"]
        if known != now and not force:
            raise ValueError(
                f"the data changed since this run began: {known} -> {now}; choose another name=, "
                "or force=true to go on with them"
            )
        rows = found["progress"]["rows"]
        console.print(f"resume    from step {found['global_step']:,} ({last.name})")
    if processes.rank() == 0:
        metrics.cut(run.folder / "metrics.csv", rows)
    return last


def make_trainer(
    config: Config, run: Run, model: "ZooModule", callbacks: list[Callback]
) -> Trainer:
    """Lightning's Trainer with this run's settings; precision is resolved by now."""
    loggers = [build_logger(section, name, run) for name, section in config["logger"].items()]
    ours: list[Any] = [checkpoints.VerifiedIO(), SynchronisedBatchNorm(), processes.environment()]
    return Trainer(
        **{**config["trainer"], "strategy": processes.strategy(config, model)},
        plugins=ours,
        callbacks=callbacks,
        logger=loggers or False,
        default_root_dir=run.folder,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )


def build_logger(section: Mapping[str, Any], name: str, run: Run) -> Any:
    """A logger whose relative `save_dir` is under the run's folder."""
    return schema.build(
        {**section, "save_dir": str(run.folder / section["save_dir"])}, f"logger.{name}"
    )


def watchers(config: Config, run: Run) -> list[Callback]:
    """What keeps checkpoints, and what the config asks for besides."""
    monitor, mode = config["monitor"], config["mode"]
    saver = Checkpoints(run, monitor, mode, config["save_every"])
    found: list[Callback] = [Progress(), saver]
    if config["early_stopping"]:
        before_saving: Any = {"check_on_train_epoch_end": False}
        patience = config["early_stopping"]
        found.append(EarlyStopping(monitor, patience=patience, mode=mode, **before_saving))
    if config["ema"]:
        found.append(EMAWeightAveraging(decay=config["ema"]))
    return found


def load_best(model: "ZooModule", run: Run) -> None:
    """Put the best checkpoint's weights into the model (the averaged ones where there are any).

    Raises:
        ValueError: it is damaged.
    """
    if run.best.exists():  # else there was no validation
        model.load_state_dict(checkpoints.load(run.best)["state_dict"])


def finish(
    config: Config, run: Run, model: "ZooModule", data: Any, results: Config, scores: Config,
    start: "ZooModule | None",
) -> None:  # fmt: skip
    """Write weights, card, report and, last, results.json: it says that the run is whole."""
    results, model = {**results, **scores}, model.float()  # of float64, too
    if config["baseline"] and not config["smoke"]:
        results |= baseline_results(config["baseline"], data)
    model.novelty = card.novelty(model, data)
    started = start.card if start is not None else None
    cards.save(model, card.card(config, results, scores, model, data, started), run.folder)
    figures = model.eval().figures(data.whole("test", SHOWN))
    report.write(run.folder, results, figures)
    replace(run.folder / "results.json", json.dumps(results, indent=2))


def described(config: Config, trainer: Trainer, model: "ZooModule", data: Any) -> Config:
    """What ran, on what, and from which code."""
    threads = f"{platform.machine()}, {torch.get_num_threads()} threads"
    on_gpu = trainer.strategy.root_device.type == "cuda"
    proof = config["proof"] or {}
    target = {k: proof[k] for k in ("metric", "at_least", "at_most") if proof.get(k) is not None}
    return {
        **config["choices"],
        "seed": config["seed"],
        **({"target": target} if target else {}),
        "parameters": sum(p.numel() for p in model.parameters()),
        "epochs": trainer.current_epoch,
        "device": torch.cuda.get_device_name() if on_gpu else f"CPU ({threads})",
        "devices": trainer.world_size,
        "precision": str(trainer.precision),
        **({"lock_free_threads": many} if (many := model.hparams.get("threads", 1)) > 1 else {}),
        "samples": data.facts["samples"],
        "data_digest": data.facts["digest"],
        "embedded": data.facts["embedded"],
        "smoke": config["smoke"],
        "command": config["command"],
        "commit": checkout.commit(),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Of what a number depends on."""
    mine = {"zoo": zoo.__version__, "python": platform.python_version()}
    return {**mine, "torch": torch.__version__, "lightning": pytorch_lightning.__version__}
