"""Compare algorithms on more and more data: learning curves, a table and a page.

    zoo curves                                         digits: from logistic regression to image_cnn
    zoo curves data=fashion_mnist --samples 300,1000,3000,10000 --seeds 0,1,2
    zoo curves model.dropout=0.1 trainer=smoke         any override of the networks' runs

conf/curves.yaml lists the algorithms, the sizes, the seeds and how long networks train. Each
training is a run as `zoo train` makes it, in a process of its own. The same command goes on where
it was interrupted, and with more sizes or seeds it runs what is missing.
"""

import hashlib
import math
import re
import shlex
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.figures.kinds import Table
    from zoo.pages.curves import Point

Config = dict[str, Any]
OWN = ("model", "experiment", "seed", "name", "init", "baseline", "data.train_samples", "force")
METRIC = "test/accuracy"
WIDTH = 110  # characters of a table that is not for a terminal

INTERMIXED = True  # options may stand between the overrides


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--samples", metavar="N,N,...", type=numbers, help="training samples")
    parser.add_argument("--seeds", metavar="N,N,...", type=numbers, help="a training with each")
    parser.add_argument("--name", type=plain, help="of the folder runs/curves/NAME (the data's)")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="Hydra overrides")


def numbers(text: str) -> list[int]:
    """The whole numbers of "100,300", each once, in their order."""
    if not re.fullmatch(r"\d+(,\d+)*", text):
        raise ArgumentTypeError(f"{text!r} is not N,N,..., such as 100,300")
    return sorted({int(word) for word in text.split(",")})


def plain(text: str) -> str:
    """A name that a folder can have."""
    if not re.fullmatch(r"\w[\w.+=-]*", text):
        raise ArgumentTypeError(f"{text!r} is no name for a folder")
    return text


def run(given: Namespace) -> None:
    from zoo.pages import curves

    settings = read(given)
    jobs = planned(settings)
    points: list[Point] = []
    for number, job in enumerate(jobs, 1):
        points.append(point := job.score())
        say(f"point     {number} of {len(jobs)}: {point}")
    print_table(curves.table(points))
    page = curves.write(settings, points)
    print(f"picture   {page.with_suffix('.png')}")
    print(f"page      {page}")


def say(line: str) -> None:
    """A line on stderr, between those of the runs."""
    print(line, file=sys.stderr, flush=True)


def print_table(found: "Table") -> None:
    """The accuracies, on the terminal."""
    from rich.console import Console
    from rich.table import Table as Drawn

    drawn = Drawn(title=METRIC, title_justify="left")
    for number, column in enumerate(found.header):
        drawn.add_column(column, justify="right" if number else "left")
    for row in found.rows:
        drawn.add_row(*row)
    Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else WIDTH).print(
        drawn
    )


# --- what is asked for ----------------------------------------------------------------------------


def read(given: Namespace) -> Config:
    """conf/curves.yaml with what was asked for in it, and what the data are.

    Raises:
        ValueError: a wrong override, more samples than there are, or data that are no pictures
            with classes.
    """
    from zoo.training import launch

    for one in given.overrides:
        if (key := one.lstrip("+~").split("=")[0]) in OWN:
            raise ValueError(f"the curves set {key} themselves (conf/curves.yaml): leave out {one}")
    config, settings = launch.composed(given.overrides), written()
    smoke = settings.pop("smoke")
    settings |= smoke if config["smoke"] else {}
    settings |= {key: asked for key in ("samples", "seeds") if (asked := getattr(given, key))}
    settings |= {"overrides": given.overrides, "smoke": config["smoke"]}
    settings |= {"data": config["choices"]["data"], "batch": config["data"]["batch_size"]}
    settings["facts"] = known(config, settings["samples"])
    return settings | {"name": given.name or named(settings), "command": command(given)}


def written() -> Config:
    """conf/curves.yaml; what stands for a point's own numbers is not filled in yet."""
    from omegaconf import OmegaConf

    from zoo.catalog import registry

    file = OmegaConf.load(registry.conf_folder() / "curves.yaml")
    found: Config = OmegaConf.to_container(file, resolve=False)  # type: ignore[assignment]
    return found


def known(config: Config, samples: Sequence[int]) -> Config:
    """The facts of the data, if they are large enough.

    Raises:
        ValueError: more samples are asked for than there are, or none; no pictures with classes.
    """
    from zoo.training.fit import open_data

    name = config["choices"]["data"]
    facts: Config = open_data(config, None).facts
    if not {"image_size", "num_classes"} <= facts.keys():
        raise ValueError(f"data={name} holds no pictures with classes: choose others (zoo list)")
    there = facts["samples"]["train"]
    if not facts["num_classes"] <= samples[0] <= samples[-1] <= there:
        raise ValueError(
            f"--samples is {','.join(map(str, samples))}: {name} has {there:,} training samples "
            f"and {facts['num_classes']} classes: give numbers between these two"
        )
    return facts


def named(settings: Config) -> str:
    """The data's name, and of overrides a digest, so that other overrides are another sweep."""
    more = [one for one in settings["overrides"] if one != f"data={settings['data']}"]
    if not more:
        return str(settings["data"])
    return f"{settings['data']}-{hashlib.sha256(' '.join(more).encode()).hexdigest()[:6]}"


def command(given: Namespace) -> str:
    """The command that repeats it."""
    options = [
        word
        for key in ("samples", "seeds")
        if (asked := getattr(given, key))
        for word in (f"--{key}", ",".join(map(str, asked)))
    ]
    options += ["--name", given.name] if given.name else []
    return shlex.join(["zoo", "curves", *given.overrides, *options])


# --- what is to be done ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Job:
    """A point to be scored: an algorithm, a size and a seed, with the config of its run."""

    algorithm: str
    samples: int
    seed: int
    config: Config
    baseline: Config | None  # None: the config is that of a network's run

    def score(self) -> "Point":
        """Train it, unless that was done before, and score it on the whole test split."""
        from zoo.pages.curves import Point

        found = scored(self.config) if self.baseline is None else beside(self.baseline, self.config)
        return Point(self.algorithm, self.samples, self.seed, *found)


def planned(settings: Config) -> list[Job]:
    """Every point, the smallest size first.

    Raises:
        ValueError: a wrong override, or a mistake in conf/curves.yaml, before any work.
    """
    return [
        job(settings, number, samples, seed)
        for samples in settings["samples"]
        for number in range(len(settings["algorithms"]))
        for seed in settings["seeds"]
    ]


def job(settings: Config, number: int, samples: int, seed: int) -> Job:
    """The point of an algorithm, by its number in conf/curves.yaml."""
    from zoo.config import schema
    from zoo.training import launch

    algorithm = filled(settings, samples, seed)[number]
    name, baseline = algorithm["name"], algorithm.get("baseline")
    label = re.sub(r"\W+", "-", f"curves-{settings['name']}-{name}")
    own = [f"seed={seed}", f"data.train_samples={samples}", "baseline=null", "proof=null"]
    own.append(f"name={label}-{samples}-{seed}")
    config = launch.composed([*algorithm.get("train", []), *settings["overrides"], *own])
    if baseline is not None:
        schema.check_arguments(baseline, f"baseline of {name!r} in conf/curves.yaml")
    return Job(name, samples, seed, config, baseline)


def filled(settings: Config, samples: int, seed: int) -> list[Config]:
    """The algorithms with a point's own numbers in them.

    All sizes get the same number of updates, but each sample is seen `passes` times at least.
    """
    from omegaconf import OmegaConf

    batch = min(settings["batch"], samples)
    passes = max(settings["passes"], math.ceil(settings["steps"] / (samples // batch)))
    every = 1 if settings["smoke"] else max(1, passes // settings["validations"])
    own = {"samples": samples, "seed": seed, "batch": batch, "passes": passes, "every": every}
    file = OmegaConf.create({**own, "algorithms": settings["algorithms"]})
    found: Config = OmegaConf.to_container(file, resolve=True)  # type: ignore[assignment]
    algorithms: list[Config] = found["algorithms"]
    return algorithms


def scored(config: Config) -> tuple[float, float, float]:
    """A network's accuracy with its 95 % interval; a finished run is taken as it is."""
    from zoo.training import launch
    from zoo.training.run import place

    run = place(config)
    launch.execute(config, run, alone=False)
    results = run.results
    return results[METRIC], results[f"{METRIC}/low"], results[f"{METRIC}/high"]


def beside(section: Config, config: Config) -> tuple[float, float, float]:
    """A baseline's accuracy with its 95 % interval: the bootstrap over right and wrong answers."""
    import numpy as np

    from zoo.config import schema
    from zoo.metrics.confidence import interval
    from zoo.training.baseline import baseline_results

    data = schema.build(config["data"], "data")
    data.prepare_data()
    data.setup("fit")
    accuracy = float(baseline_results(section, data)[f"baseline/{METRIC}"])
    count = data.facts["samples"]["test"]
    return accuracy, *interval(np.arange(count) < round(accuracy * count))
