"""Learning curves: several algorithms on more and more data, trained and scored."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from omegaconf import OmegaConf

from zoo.catalog import registry
from zoo.config import schema
from zoo.metrics.confidence import interval
from zoo.training import launch
from zoo.training.baseline import baseline_results
from zoo.training.build import open_data
from zoo.training.run import locate_run

Config = dict[str, Any]
METRIC = "test/accuracy"


@dataclass(frozen=True)
class Point:
    """An algorithm's accuracy with its 95 % bootstrap interval, all in [0, 1]."""

    algorithm: str
    samples: int
    seed: int
    accuracy: float
    low: float
    high: float

    def __str__(self) -> str:
        score = f"{100 * self.accuracy:.2f} % ({100 * self.low:.2f} to {100 * self.high:.2f} %)"
        return f"{self.algorithm}, {self.samples:,} samples, seed {self.seed}: {score}"


def read_settings() -> Config:
    """conf/curves.yaml; what stands for a point's own numbers is not filled in yet."""
    file = OmegaConf.load(registry.conf_folder() / "curves.yaml")
    return OmegaConf.to_container(file, resolve=False)  # type: ignore[return-value]


def check_samples(config: Config, samples: Sequence[int]) -> Config:
    """The info of the data, if they are large enough.

    Raises:
        ValueError: more samples are asked for than there are, or none; no pictures with classes.
    """
    name = config["choices"]["data"]
    info: Config = open_data(config, None).info
    if not {"image_size", "num_classes"} <= info.keys():
        raise ValueError(f"data={name} holds no pictures with classes: choose others (zoo list)")
    available = info["samples"]["train"]
    if not info["num_classes"] <= samples[0] <= samples[-1] <= available:
        raise ValueError(
            f"--samples is {','.join(map(str, samples))}: {name} has {available:,} training "
            f"samples and {info['num_classes']} classes: give numbers between these two"
        )
    return info


@dataclass(frozen=True)
class Job:
    """A point to be scored: an algorithm, a size and a seed, with the config of its run."""

    algorithm: str
    samples: int
    seed: int
    config: Config
    baseline: Config | None  # None: the config is that of a network's run

    def score(self) -> Point:
        """Train it, unless that was done before, and score it on the whole test split."""
        if self.baseline is None:
            run = locate_run(self.config)
            launch.execute(self.config, run, alone=False)
            results = run.results
            accuracy = tuple(results[f"{METRIC}{end}"] for end in ("", "/low", "/high"))
        else:
            accuracy = score_baseline(self.baseline, self.config)
        return Point(self.algorithm, self.samples, self.seed, *accuracy)


def plan_jobs(settings: Config) -> list[Job]:
    """Every point, the smallest size first.

    Raises:
        ValueError: a wrong override, or a mistake in conf/curves.yaml, before any work.
    """
    return [
        make_job(settings, number, samples, seed)
        for samples in settings["samples"]
        for number in range(len(settings["algorithms"]))
        for seed in settings["seeds"]
    ]


def make_job(settings: Config, number: int, samples: int, seed: int) -> Job:
    """The point of an algorithm, by its number in conf/curves.yaml."""
    algorithm = resolve_algorithms(settings, samples, seed)[number]
    name, baseline = algorithm["name"], algorithm.get("baseline")
    label = re.sub(r"\W+", "-", f"curves-{settings['name']}-{name}")
    own = [f"seed={seed}", f"data.train_samples={samples}", "baseline=null", "target=null"]
    own.append(f"name={label}-{samples}-{seed}")
    config = launch.compose_run([*algorithm.get("train", []), *settings["overrides"], *own])
    if baseline is not None:
        schema.check_arguments(baseline, f"baseline of {name!r} in conf/curves.yaml")
    return Job(name, samples, seed, config, baseline)


def resolve_algorithms(settings: Config, samples: int, seed: int) -> list[Config]:
    """The algorithms with a point's own numbers in them.

    All sizes get the same number of updates, but each sample is seen `passes` times at least.
    """
    batch = min(settings["batch"], samples)
    passes = max(settings["passes"], math.ceil(settings["steps"] / (samples // batch)))
    every = 1 if settings["smoke"] else max(1, passes // settings["validations"])
    own = {"samples": samples, "seed": seed, "batch": batch, "passes": passes, "every": every}
    file = OmegaConf.create({**own, "algorithms": settings["algorithms"]})
    config: Any = OmegaConf.to_container(file, resolve=True)
    return list(config["algorithms"])


def score_baseline(section: Config, config: Config) -> tuple[float, float, float]:
    """A baseline's accuracy with its 95 % interval: the bootstrap over right and wrong answers."""
    data = schema.build(config["data"], "data")
    data.prepare_data()
    data.setup("fit")
    accuracy = float(baseline_results(section, data)[f"baseline/{METRIC}"])
    count = data.info["samples"]["test"]
    return accuracy, *interval(np.arange(count) < round(accuracy * count))
