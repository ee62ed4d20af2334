"""One run from data to report, on this process' devices.

Data first, then the model in the data's sizes; fit; test of the best checkpoint; the baseline;
results, weights and report.
"""

import json
import logging
import platform
import signal
import subprocess
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytorch_lightning
import torch
from omegaconf import OmegaConf
from pytorch_lightning import Callback, LightningDataModule, Trainer, seed_everything
from pytorch_lightning.callbacks import EarlyStopping, EMAWeightAveraging, ModelCheckpoint
from rich.console import Console

import zoo
from zoo import cards, catalog, schema
from zoo.training import judge, metrics, report, scoring
from zoo.training.baseline import baseline_results
from zoo.training.callbacks import Bar, Enough, FiniteLoss, Scores, Speed
from zoo.training.run import Run, replace

if TYPE_CHECKING:
    from zoo.nn import ZooModule

Config = dict[str, Any]
SHOWN = 10_000  # test samples that the report's pictures are made from
console = Console(stderr=True, highlight=False)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence what Lightning says about itself; our own lines say what the run does."""
    loggers = [logging.getLogger(name) for name in ("pytorch_lightning", "lightning_fabric")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        for text in ("num_workers", "many workers", "logging interval", "not empty", "LeafSpec"):
            warnings.filterwarnings("ignore", f".*{text}.*")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


@quiet()
def work(config: Config, run: Run) -> None:
    """Do the whole run in this process, one of `trainer.devices`."""
    data = open_data(config)
    if config["judge"]:
        data.judge = judge.trained(config, data.facts)
    seed_everything(config["seed"], workers=True, verbose=False)
    config["model"] = agree(config["model"], catalog_facts(config), data.facts)
    model = cards.attach(catalog.build(config["model"], "model"), data.facts)
    speed = Speed(config["data"]["batch_size"])
    trainer = fit(config, run, model, data, speed)
    load_best(model, trainer)
    scores = test(config, trainer, model, data)
    if trainer.is_global_zero:
        finish(config, run, trainer, model, data, {**scores, **speed.results()})


def open_data(config: Config) -> Any:
    """Prepare the data and say what they are."""
    data = catalog.build(config["data"], "data")
    data.prepare_data()
    data.setup("fit")
    counts = " / ".join(f"{n:,} {split}" for split, n in data.facts["samples"].items())
    console.print(f"data      {config['choices']['data']}: {counts}")
    for problem in data.facts.get("skipped", []):
        console.print(f"skipped   {problem}")
    return data


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


def fit(config: Config, run: Run, model: "ZooModule", data: Any, speed: Speed) -> Trainer:
    """Train, from the last checkpoint if there is one."""
    checkpoints = run.folder / "checkpoints"
    own = [FiniteLoss(), Enough(dict(config), data.facts), speed, Bar()]
    trainer = make_trainer(config, run, [*own, *watchers(config, checkpoints)])
    if config["compile"]:
        model.compile()
    axes = {p.ndim for p in model.parameters()}
    for ndim, layout in ((4, torch.channels_last), (5, torch.channels_last_3d)):
        if ndim in axes:
            model.to(memory_format=layout)
    resumed = run.last
    if resumed is not None:
        step = torch.load(resumed, weights_only=True, map_location="cpu")["global_step"]
        metrics.cut(run.folder / "metrics.csv", step)
        console.print(f"resume    from step {step:,} ({resumed.name})")
    try:
        trainer.fit(model, datamodule=data, ckpt_path=resumed, weights_only=True)
    except SystemExit:  # how Lightning answers Ctrl-C, which it then ignores
        signal.signal(signal.SIGINT, signal.default_int_handler)
        raise KeyboardInterrupt from None
    return trainer


def make_trainer(config: Config, run: Run, callbacks: list[Callback]) -> Trainer:
    """Lightning's Trainer with this run's settings; precision is resolved by now."""
    loggers = [build_logger(section, name, run) for name, section in config["logger"].items()]
    return Trainer(
        **config["trainer"],
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
    return catalog.build(
        {**section, "save_dir": str(run.folder / section["save_dir"])}, f"logger.{name}"
    )


def watchers(config: Config, folder: Path) -> list[Callback]:
    """Best and last two checkpoints, and what the config asks for besides."""
    monitor, mode = config["monitor"], config["mode"]
    every = config["trainer"]["check_val_every_n_epoch"]
    found: list[Callback] = [
        ModelCheckpoint(folder, "best", monitor, mode=mode, enable_version_counter=False),
        ModelCheckpoint(
            folder, "last-{step}", "step", mode="max", save_top_k=2, every_n_epochs=every,
            auto_insert_metric_name=False,
        ),
    ]  # fmt: skip
    if config["early_stopping"]:
        found.append(EarlyStopping(monitor, patience=config["early_stopping"], mode=mode))
    if config["ema"]:
        found.append(EMAWeightAveraging(decay=config["ema"]))
    return found


def load_best(model: "ZooModule", trainer: Trainer) -> None:
    """Put the best checkpoint's weights into the model (the averaged ones where there are any)."""
    best = trainer.checkpoint_callback.best_model_path  # type: ignore[union-attr]
    if best:
        model.load_state_dict(torch.load(best, weights_only=True, map_location="cpu")["state_dict"])


def test(config: Config, fitted: Trainer, model: "ZooModule", data: LightningDataModule) -> Config:
    """Score the test split, each sample once, with intervals."""
    scores = Scores()
    trainer = Trainer(
        accelerator=config["trainer"]["accelerator"],
        devices=config["trainer"]["devices"],
        strategy=config["trainer"]["strategy"],
        precision=config["trainer"]["precision"],
        callbacks=[scores],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    means = trainer.test(model, datamodule=data, verbose=False)[0]
    return {**means, **scoring.with_intervals(scores.values())}


def finish(
    config: Config, run: Run, trainer: Trainer, model: "ZooModule", data: Any, scores: Config
) -> None:
    """Write weights, card, report and, last, results.json: it says that the run is whole."""
    results = {**described(config, trainer, model, data), **scores}
    if config["baseline"] and not config["smoke"]:
        results |= baseline_results(config["baseline"], data)
    card = {
        "model": config["model"],
        "facts": data.facts,
        "data": config["choices"]["data"],
        "metrics": scores,
        **{key: results[key] for key in ("seed", "command", "commit")},
    }
    cards.save(model, card, run.folder)
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
        "samples": data.facts["samples"],
        "data_digest": data.facts["digest"],
        "embedded": data.facts["embedded"],
        "smoke": config["smoke"],
        "command": config["command"],
        "commit": commit(),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Of what a number depends on."""
    mine = {"zoo": zoo.__version__, "python": platform.python_version()}
    return {**mine, "torch": torch.__version__, "lightning": pytorch_lightning.__version__}


def commit() -> str | None:
    """The commit of a checkout, with + when files differ from it; None for an installed package."""
    here = Path(__file__).resolve().parents[2]
    if not (here / ".git").exists():
        return None
    found = subprocess.run(
        ["git", "-C", here, "describe", "--always", "--dirty=+", "--abbrev=10", "--exclude=*"],
        capture_output=True, text=True,
    )  # fmt: skip
    return found.stdout.strip() or None
