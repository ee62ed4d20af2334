"""Train an experiment and score it: any Hydra override, -m sweeps.

    zoo train                                          image_cnn on digits
    zoo train experiment=mnist_image_cnn               a recipe on other data
    zoo train data=image_folder data.source=PATH       your own pictures
    zoo train trainer.max_epochs=3 model.dropout=0.2   any value of the config (zoo show NAME)
    zoo train trainer=smoke                            does it run? seconds
    zoo train -m seed=0,1,2                            a run for each, and one table (zoo compare)

The same command with the same name=NAME goes on where an unfinished run stopped. Hydra's flags,
launchers and sweepers work as in any program of Hydra's (docs/hydra.md).
"""

import shlex
from argparse import SUPPRESS, Action, ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from zoo.training.run import Run

JUDGED_BY = "test/accuracy"  # what zoo auto chooses by
FEWER = 1000  # training samples that a run may be repeated with
INTERMIXED = True  # flags may stand between overrides
INFO = ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")
REFUSED = {  # flags of Hydra's, and why they are none of ours
    ("--config-path", "-cp"): "the catalog is conf/, and --config-dir=FOLDER adds to it",
    ("--config-name", "-cn"): "a run is composed from train.yaml; experiment=NAME chooses another",
    ("--experimental-rerun",): "`zoo train ... name=NAME` again goes on with a run",
    ("--shell-completion", "-sc"): "`zoo completion bash|zsh|fish` prints the script for a shell",
    ("--hydra-help",): "`zoo train --help` and docs/hydra.md say what there is",
}


class Refuse(Action):
    """A flag of Hydra's that does nothing here."""

    def __call__(self, parser: Any, args: Any, values: Any, flag: str | None = None) -> NoReturn:
        raise ValueError(f"{flag} is not for `zoo train`: {self.metavar}")


def add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("-m", "--multirun", action="store_true", help="sweep over values given as a,b,c")
    add("-r", "--run", action="store_true", help="one run, as without it")
    add("-c", "--cfg", choices=["job", "hydra", "all"], help="print the config, and run nothing")
    add("--resolve", action="store_true", help="with --cfg, whose `job` is resolved anyway")
    add("-p", "--package", help="with --cfg: a part of it, such as model.optimizer")
    add("-i", "--info", nargs="?", const="all", choices=INFO, help="what Hydra knows")
    add("-cd", "--config-dir", action="append", default=[], help="a folder like conf/ to add")
    for flags, reason in REFUSED.items():
        add(*flags, nargs="?", action=Refuse, metavar=reason, help=SUPPRESS)
    add("overrides", nargs="*", metavar="key=value", help="Hydra overrides")


def run(args: Namespace) -> None:
    from zoo.catalog import registry
    from zoo.catalog.parsing import take_search_path
    from zoo.commands import compare
    from zoo.training import application, sweep

    check_flags(args)
    folders, words = take_search_path(args.overrides)
    with registry.with_config_dirs([*args.config_dir, *folders]), application.application() as app:
        if args.cfg:
            application.show_config(app, words, args.cfg, args.package, args.resolve)
        elif args.info:
            application.show_info(app, words, args.info)
        elif args.multirun or application.is_multirun(app, words):
            sweep.sweep(app, words, compare.summarise)
        else:
            print_run(application.run(app, words))


def check_flags(args: Namespace) -> None:
    """Refuse flags that do not go together, as Hydra does."""
    chosen = [f"--{one}" for one in ("run", "multirun", "cfg", "info") if getattr(args, one)]
    if len(chosen) > 1:
        raise ValueError(f"{' and '.join(chosen)}: only one of them can be done")
    if (args.resolve or args.package) and not args.cfg:
        raise ValueError("--resolve and --package are for --cfg")


def print_run(run: "Run") -> None:
    """Baseline, model and target, and what is worth trying next."""
    from zoo.commands._tables import print_table
    from zoo.distributed import environment
    from zoo.training.comparison import comparison

    if environment.rank() > 0:
        return  # the first process speaks, and has yet to write the results
    scores = comparison(run.results)
    if scores.rows:
        print_table(scores, title=run.results["command"])
    print_next(run)


def print_next(run: "Run") -> None:
    """Where to look, and what is worth trying next."""
    from zoo.distributed.console import make_output

    console, results = make_output(None, soft_wrap=True), run.results
    console.print(f"report    {run.folder / 'report.html'}")
    for line in suggestions(results):
        console.print(f"try       {line}")


def suggestions(results: dict[str, Any]) -> list[str]:
    """Commands that follow from this run."""
    recipe, command = results["experiment"], results["command"]
    if results["smoke"]:
        return [command.replace(" trainer=smoke", "")]
    again = [f"zoo reproduce {recipe}"] if "target" in results else []
    more = {"seed=": "seed=1"}
    if results["samples"]["train"] > FEWER:
        more["data.train_samples="] = f"data.train_samples={FEWER}"
    changed = [f"{command} {new}" for key, new in more.items() if key not in command]
    shown = [] if "." in results["model"] else [f"zoo show {results['model']}"]  # a class itself
    return [*again, *search(results), *shown, *changed]


def search(results: dict[str, Any]) -> list[str]:
    """What tries more than one model, where the baseline has won on data that have classes."""
    from zoo.training.comparison import headline, loses

    words = shlex.split(results["command"])
    own = [word for word in words if word.lstrip("+").startswith(("data=", "data.", "seed="))]
    is_named = any(word.lstrip("+").startswith("data=") for word in own)
    if not is_named or headline(results) != JUDGED_BY or not loses(results):
        return []
    return [shlex.join(["zoo", "auto", *own])]
