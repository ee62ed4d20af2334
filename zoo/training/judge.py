"""A judge: the classifier in whose eyes generated samples are scored.

It is one of the zoo's own models, trained on the training split of the same data by its own recipe
and kept in the cache, so that one judge serves every run on these data.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datamodules.sources import cached
from zoo import cards, catalog
from zoo.errors import Failure
from zoo.training.run import Run, write_config

if TYPE_CHECKING:
    from zoo.nn import ZooModule

OWN = ("batch_size", "scaling", "augment")  # of its recipe, not of the data set
LAUNCHED = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")  # by torchrun


def trained(config: Mapping[str, Any]) -> "ZooModule":
    """The model that `config["judge"]` names, in eval mode with its input.

    Raises:
        Failure: its training failed.
    """
    asked = judge_config(config)
    text = json.dumps([asked[key] for key in ("model", "data", "trainer", "ema")], sort_keys=True)
    name = f"judge-{config['judge']}-{config['choices']['data']}"
    key = hashlib.sha256(text.encode()).hexdigest()[:16]
    return cards.load(cached(name, key, lambda part: _train(asked, part))).eval()


def judge_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """The judge's own recipe, on the data of the run that it judges."""
    smoke = ["trainer=smoke"] if config["smoke"] else []
    found = catalog.compose([f"experiment={config['judge']}", *smoke])
    chosen = {**found["choices"], "data": config["choices"]["data"]}
    own = {key: found["data"][key] for key in OWN if key in found["data"]}
    found |= {"choices": chosen, "data": {**config["data"], **own}, "seed": 0}
    found["trainer"]["precision"] = "32-true"
    return {**found, "baseline": None, "proof": None, "command": f"judge of {config['judge']}"}


def _train(config: dict[str, Any], folder: Path) -> None:
    """Train in a process of its own, alone even where this one is one of several."""
    print("judge     training the classifier that scores samples, once", file=sys.stderr)
    write_config(Run(folder), config)
    alone = {name: value for name, value in os.environ.items() if name not in LAUNCHED}
    worker = [sys.executable, "-m", "zoo.training.worker", str(folder)]
    if subprocess.run(worker, env=alone).returncode:
        raise Failure("the judge could not be trained: see above")
