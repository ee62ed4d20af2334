"""A judge: the classifier in whose eyes generated samples are scored.

It is one of the zoo's own models, trained for a short while on the training split of the same data
and kept in the cache, so that one judge serves every run on these data: all seeds, and any part of
the training split.
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

from datamodules.utilities.cache import cached
from zoo.catalog.compose import as_overrides, compose
from zoo.pretrained.load import load
from zoo.training.run import Run, write_config
from zoo.utilities.errors import Failure

if TYPE_CHECKING:
    from zoo.nn.module import ZooModule

VERSION = 1  # of the judges; a change trains them anew
EPOCHS, BATCHES = 6, 200  # of at most so many batches: about as good as the whole recipe
OWN = ("batch_size", "scaling", "augment", "train_samples", "seed")  # not the judged run's
LAUNCHED = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")  # by torchrun


def trained(config: Mapping[str, Any], info: Mapping[str, Any]) -> "ZooModule":
    """The model that `config["judge"]` names, in eval mode with its input.

    Args:
        config, info: of the run that is judged, and of its data.

    Raises:
        Failure: its training failed.
    """
    asked = evaluator_config(config, info)
    data = {key: value for key, value in asked["data"].items() if key != "about"}
    depends = [VERSION, info["digest"], asked["model"], data, asked["trainer"], asked["ema"]]
    name = f"judge-{config['evaluator']}-{config['choices']['data']}"
    key = hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()[:16]
    evaluator = load(cached(name, key, lambda part: _train(asked, part)))
    evaluator.input.background = None  # pictures are judged as they were drawn, never inverted
    return evaluator


def evaluator_config(config: Mapping[str, Any], info: Mapping[str, Any]) -> dict[str, Any]:
    """The judge's own recipe, shortened, on the data of the run that it judges."""
    data, name = config["data"], config["choices"]["data"]
    source = as_overrides({"data.source": data["source"]})
    smoke = ["trainer=smoke"] if config["smoke"] else []
    found = compose([f"experiment={config['evaluator']}", f"data={name}", *source, *smoke])
    own = {key: found["data"][key] for key in OWN}
    own["batch_size"] = min(own["batch_size"], info["samples"]["train"])  # of a few
    trainer = {**found["trainer"], "precision": "32-true"}
    trainer["accelerator"] = config["trainer"]["accelerator"]
    if not config["smoke"]:
        trainer |= {"max_epochs": EPOCHS, "limit_train_batches": BATCHES}
    mine = {"data": {**data, **own}, "trainer": trainer, "command": f"judge of {name}"}
    return {**found, **mine, "baseline": None, "target": None}


def _train(config: dict[str, Any], folder: Path) -> None:
    """Train in a process of its own, alone even where this one is one of several."""
    print("judge     training the classifier that scores samples, once", file=sys.stderr)
    run = Run(folder / "run")
    run.folder.mkdir()
    write_config(run, config)
    alone = {name: value for name, value in os.environ.items() if name not in LAUNCHED}
    worker = [sys.executable, "-m", "zoo.training.worker", str(run.folder)]
    if subprocess.run(worker, env=alone).returncode:
        raise Failure("the judge could not be trained: see above")
    for name in ("weights.safetensors", "card.json", "config.yaml"):
        (run.folder / name).rename(folder / name)
    shutil.rmtree(run.folder)
