"""One run from data to report, on this process' devices.

Data first, then the model in the data's sizes; fit; test of the best checkpoint; the baseline;
results, weights and report.
"""

import json
import platform
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytorch_lightning
import torch
from omegaconf import OmegaConf
from pytorch_lightning import Callback, Trainer, seed_everything
from pytorch_lightning.callbacks import EarlyStopping, EMAWeightAveraging, ModelCheckpoint
from rich.console import Console

import zoo
from zoo import cards, catalog, schema
from zoo.pages import report
from zoo.training import card, judge, metrics
from zoo.training.baseline import baseline_results
from zoo.training.callbacks import Bar, Enough, FiniteLoss, Speed
from zoo.training.evaluate import overlap, quiet, test
from zoo.training.run import Run, replace

if TYPE_CHECKING:
    from zoo.nn import ZooModule

Config = dict[str, Any]
SHOWN = 10_000  # test samples that the report's pictures are made from
console = Console(stderr=True, highlight=False)


@quiet()
def work(config: Config, run: Run) -> None:
    """Do the whole run in this process, one of `trainer.devices`."""
    start = cards.load(config["init"]) if config["init"] else None
    data = open_data(config, start)
    if config["judge"]:
        data.judge = judge.trained(config, data.facts)
    seed_everything(config["seed"], workers=True, verbose=False)
    written = start.card["model"] if start and start.card else catalog_facts(config)
    config["model"] = agree(config["model"], written, data.facts)
    model = cards.attach(schema.build(config["model"], "model"), data.facts)
    if start is not None:
        begin(model, start, config)
    speed = Speed(config["data"]["batch_size"])
    trainer = fit(config, run, model, data, speed)
    load_best(model, trainer)
    scores = test(config["trainer"], model, data)
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
    return schema.build(
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


def finish(
    config: Config, run: Run, model: "ZooModule", data: Any, results: Config, scores: Config,
    start: "ZooModule | None",
) -> None:  # fmt: skip
    """Write weights, card, report and, last, results.json: it says that the run is whole."""
    results = {**results, **scores}
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
