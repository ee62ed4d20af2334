"""The evaluator of generators: a classifier in whose eyes what they draw is scored.

It is one of the zoo's own models, trained for a short while on the training split of the same data
and kept in the cache, so that one classifier serves every run on these data: all seeds, and any
part of the training split.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import WeightAveraging

from datamodules.utilities.cache import cached
from zoo.catalog.compose import compose
from zoo.catalog.overrides import as_overrides
from zoo.metrics import frechet
from zoo.pretrained.load import load
from zoo.training.run import Run, write_config
from zoo.utilities.errors import Failure

if TYPE_CHECKING:
    from zoo.nn.module import ZooModule

Config = dict[str, Any]
VERSION = 1  # of the classifiers; a change trains them anew
EPOCHS, BATCHES = 6, 200  # of at most so many batches: about as good as the whole recipe
OWN = ("batch_size", "scaling", "augment", "train_samples", "seed")  # not those of the scored run
LAUNCHED = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")  # by torchrun
FEW = 32  # pictures, where only the names of the scores matter
SEED = 0  # of the noise that epochs are compared on


class Evaluator(Callback):
    """Scores what a generator draws when a validation or test begins.

    It stands behind the callback that averages weights, which has put the average into the model
    by then. The noise is the same each time, so that epochs compare.

    Args:
        config: of the run; its `evaluator` names the classifier's experiment.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config, self.recipe = config, make_recipe(config)
        self.classifier: ZooModule | None = None

    def setup(self, trainer: Trainer, module: LightningModule, stage: str) -> None:
        """Train the classifier, or take it from the cache.

        Raises:
            ValueError: a model that does not draw, or callbacks in an order that would score the
                weights without their average.
            Failure: its training failed.
        """
        if not hasattr(module, "noise"):
            kind, name = type(module).__name__, self.config["evaluator"]
            raise ValueError(f"evaluator is {name!r}: {kind} draws no pictures; leave it out")
        callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
        if any(isinstance(c, WeightAveraging) for c in callbacks[callbacks.index(self) :]):
            raise ValueError("the evaluator comes before the average of the weights: put it behind")
        self.load(trainer.datamodule.info)  # type: ignore[attr-defined]

    def load(self, info: Mapping[str, Any]) -> "ZooModule":
        """The classifier for data with this info, in eval mode with its input."""
        if self.classifier is None:
            data = {key: value for key, value in self.recipe["data"].items() if key != "about"}
            data["batch_size"] = min(data["batch_size"], info["samples"]["train"])  # of a few
            recipe = {**self.recipe, "data": {**self.recipe["data"], **data}}
            parts = [recipe["model"], data, recipe["trainer"], recipe["ema"]]
            text = json.dumps([VERSION, info["digest"], *parts], sort_keys=True)
            key = hashlib.sha256(text.encode()).hexdigest()[:16]
            name = f"judge-{self.config['evaluator']}-{self.config['choices']['data']}"
            self.classifier = load(cached(name, key, lambda part: _train(recipe, part)))
            self.classifier.input.background = None  # pictures are scored as drawn, never inverted
        return self.classifier

    def on_validation_epoch_start(self, trainer: Trainer, module: LightningModule) -> None:
        self.score(trainer, module, "val")

    def on_test_epoch_start(self, trainer: Trainer, module: LightningModule) -> None:
        self.score(trainer, module, "test")

    def score(self, trainer: Any, module: Any, stage: str) -> None:
        """Log the scores of as many pictures as the split has.

        `frechet_floor` is the distance of as many training pictures.
        """
        assert self.classifier is not None
        classifier, data = self.classifier.to(module.device), trainer.datamodule
        real, labels = frechet.real(data, stage, FEW if trainer.sanity_checking else frechet.SCORED)
        pictures = module.generate(module.noise(len(real), SEED), torch.from_numpy(labels))
        wanted_labels = labels if module.hparams["conditional"] else None
        scores = frechet.scores(classifier, real, np.stack(pictures), wanted_labels)
        if stage == "test":
            train, _ = frechet.real(data, "train", len(real))
            scores["frechet_floor"] = frechet.scores(classifier, real, train)["frechet"]
        for name, value in scores.items():
            module.log(f"{stage}/{name}", value, batch_size=1, sync_dist=True)


def make_recipe(config: Mapping[str, Any]) -> Config:
    """The classifier's own recipe, shortened, on the data of the run that it scores."""
    data, name = config["data"], config["choices"]["data"]
    source = as_overrides({"data.source": data["source"]})
    smoke = ["trainer=smoke"] if config["smoke"] else []
    recipe = compose([f"experiment={config['evaluator']}", f"data={name}", *source, *smoke])
    own = {key: recipe["data"][key] for key in OWN}
    trainer = {**recipe["trainer"], "precision": "32-true"}
    trainer["accelerator"] = config["trainer"]["accelerator"]
    if not config["smoke"]:
        trainer |= {"max_epochs": EPOCHS, "limit_train_batches": BATCHES}
    mine = {"data": {**data, **own}, "trainer": trainer, "command": f"evaluator of {name}"}
    return {**recipe, **mine, "baseline": None, "target": None}


def _train(config: Config, folder: Path) -> None:
    """Train in a process of its own, alone even where this one is one of several."""
    print("evaluator training the classifier that scores samples, once", file=sys.stderr)
    run = Run(folder / "run")
    run.folder.mkdir()
    write_config(run, config)
    alone = {name: value for name, value in os.environ.items() if name not in LAUNCHED}
    worker = [sys.executable, "-m", "zoo.training.worker", str(run.folder)]
    if subprocess.run(worker, env=alone).returncode:
        raise Failure("the evaluator could not be trained: see above")
    for name in ("weights.safetensors", "card.json", "config.yaml"):
        (run.folder / name).rename(folder / name)
    shutil.rmtree(run.folder)
