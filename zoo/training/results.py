"""What a run leaves: results, weights, card and report."""

import json
import platform
from typing import TYPE_CHECKING, Any

import pytorch_lightning
import torch
from pytorch_lightning import Trainer

import zoo
from zoo.pretrained import store
from zoo.training import card, checkout, report
from zoo.training.baseline import baseline_results
from zoo.training.evaluate import tests
from zoo.training.evaluator import Evaluator
from zoo.training.run import Run
from zoo.utilities.files import replace
from zoo.utilities.protocols import is_zoo_module

if TYPE_CHECKING:
    from zoo.nn.module import ZooModule

Config = dict[str, Any]

REPORT_SAMPLES = 10_000  # test samples that the report's pictures are made from


def finish(
    config: Config, run: Run, model: "ZooModule", data: Any, results: Config, scores: Config,
    initial_card: Config | None, evaluator: Evaluator | None,
) -> None:  # fmt: skip
    """Write weights, card, report and, last, results.json: it says that the run is whole."""
    results, model = {**results, **scores}, model.float()  # of float64, too
    if config["baseline"] and not config["smoke"]:
        classifier = evaluator.classifier if evaluator else None
        results |= baseline_results(config["baseline"], data, classifier)
    if is_zoo_module(model):
        model.novelty = card.novelty(model, data)
    contents = card.make_card(config, results, scores, model, data, initial_card)
    store.save(model, contents, run.folder)
    has_figures = is_zoo_module(model.eval()) and tests(config)
    figures = model.figures(data.samples("test", REPORT_SAMPLES)) if has_figures else {}
    report.write(run.folder, results, figures)
    replace(run.folder / "results.json", json.dumps(results, indent=2))


def describe_run(config: Config, trainer: Trainer, model: "ZooModule", data: Any) -> Config:
    """What ran, on what, and from which code."""
    threads = f"{platform.machine()}, {torch.get_num_threads()} threads"
    on_gpu = trainer.strategy.root_device.type == "cuda"
    target = config["target"] or {}
    target = {k: target[k] for k in ("metric", "at_least", "at_most") if target.get(k) is not None}
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
        "samples": data.info["samples"],
        "data_digest": data.info["digest"],
        "bundled": data.info["bundled"],
        "smoke": config["smoke"],
        "command": config["command"],
        "commit": checkout.commit(),
        "versions": {
            "zoo": zoo.__version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "lightning": pytorch_lightning.__version__,
        },
    }
