"""Compare algorithms on more and more data: learning curves, a table and a page.

    zoo curves                                         digits: from logistic regression to image_cnn
    zoo curves data=fashion_mnist --samples 300,1000,3000,10000 --seeds 0,1,2
    zoo curves model.dropout=0.1 trainer=smoke         any override of the networks' runs

conf/curves.yaml lists the algorithms, the sizes, the seeds and how long networks train. Each
training is a run as `zoo train` makes it, in a process of its own. The same command goes on where
it was interrupted, and with more sizes or seeds it runs what is missing.
"""

import hashlib
import re
import shlex
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.training.learning_curves import Point

Config = dict[str, Any]
OWN = ("model", "experiment", "seed", "name", "init", "baseline", "data.train_samples", "force")

INTERMIXED = True  # options may stand between the overrides


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--samples", metavar="N,N,...", type=parse_numbers, help="training samples")
    parser.add_argument("--seeds", metavar="N,N,...", type=parse_numbers, help="one run with each")
    parser.add_argument("--name", type=parse_name, help="of runs/curves/NAME (the data's)")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="Hydra overrides")


def parse_numbers(text: str) -> list[int]:
    """The whole numbers of "100,300", each once, in their order."""
    if not re.fullmatch(r"\d+(,\d+)*", text):
        raise ArgumentTypeError(f"{text!r} is not N,N,..., such as 100,300")
    return sorted({int(word) for word in text.split(",")})


def parse_name(text: str) -> str:
    """A name that a folder can have."""
    if not re.fullmatch(r"\w[\w.+=-]*", text):
        raise ArgumentTypeError(f"{text!r} is no name for a folder")
    return text


def run(args: Namespace) -> None:
    from zoo.commands._tables import print_table
    from zoo.pages import learning_curves
    from zoo.training.learning_curves import METRIC, plan_jobs

    settings = read_request(args)
    jobs = plan_jobs(settings)
    points: list[Point] = []
    for number, job in enumerate(jobs, 1):
        points.append(point := job.score())
        say(f"point     {number} of {len(jobs)}: {point}")
    print_table(learning_curves.table(points), title=METRIC)
    page = learning_curves.write(settings, points)
    print(f"picture   {page.with_suffix('.png')}")
    print(f"page      {page}")


def say(line: str) -> None:
    """A line on stderr, between those of the runs."""
    print(line, file=sys.stderr, flush=True)


# --- the settings ----------------------------------------------------------------------------


def read_request(args: Namespace) -> Config:
    """conf/curves.yaml with what was asked for in it, and what the data are.

    Raises:
        ValueError: a wrong override, more samples than there are, or data that are no pictures
            with classes.
    """
    from zoo.training import launch
    from zoo.training.learning_curves import check_samples, read_settings

    for override in args.overrides:
        if (key := override.lstrip("+~").split("=")[0]) in OWN:
            raise ValueError(f"the curves set {key} (conf/curves.yaml): leave out {override}")
    config, settings = launch.compose_run(args.overrides), read_settings()
    smoke = settings.pop("smoke")
    settings |= smoke if config["smoke"] else {}
    settings |= {key: values for key in ("samples", "seeds") if (values := getattr(args, key))}
    settings |= {"overrides": args.overrides, "smoke": config["smoke"]}
    settings |= {"data": config["choices"]["data"], "batch": config["data"]["batch_size"]}
    settings["info"] = check_samples(config, settings["samples"])
    return settings | {"name": args.name or default_name(settings), "command": command_line(args)}


def default_name(settings: Config) -> str:
    """The data's name, and of overrides a digest, so that other overrides are another sweep."""
    more = [word for word in settings["overrides"] if word != f"data={settings['data']}"]
    if not more:
        return str(settings["data"])
    return f"{settings['data']}-{hashlib.sha256(' '.join(more).encode()).hexdigest()[:6]}"


def command_line(args: Namespace) -> str:
    """The command that repeats it."""
    options = [
        word
        for key in ("samples", "seeds")
        if (values := getattr(args, key))
        for word in (f"--{key}", ",".join(map(str, values)))
    ]
    options += ["--name", args.name] if args.name else []
    return shlex.join(["zoo", "curves", *args.overrides, *options])
