"""Train an experiment and score it: any Hydra override, -m sweeps.

    zoo train                                          image_cnn on digits
    zoo train experiment=mnist_image_cnn               a recipe on other data
    zoo train data=image_folder data.source=PATH       your own pictures
    zoo train trainer.max_epochs=3 model.dropout=0.2   any value of the config (zoo show NAME)
    zoo train trainer=smoke                            does it run? seconds
    zoo train -m seed=0,1,2                            a run for each

The same command with the same name=NAME goes on where an unfinished run stopped.
"""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.training.run import Run

FEWER = 1000  # training samples that a run may be repeated with


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "-m", "--multirun", action="store_true", help="sweep over values given as a,b,c"
    )
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="Hydra overrides")


def run(args: Namespace) -> None:
    from zoo.distributed import environment
    from zoo.training import launch

    runs = launch.sweep(args.overrides) if args.multirun else [launch.start(args.overrides)]
    if environment.rank() > 0:
        return  # the first process speaks, and has yet to write the results
    print_table(runs)
    if len(runs) == 1:
        print_next(runs[0])


def print_table(runs: "list[Run]") -> None:
    """Baseline, model and target of each run."""
    from rich.table import Table

    from zoo.distributed.console import make_output
    from zoo.figures.table import numeric_columns
    from zoo.training.comparison import comparison

    for run in runs:
        scores = comparison(run.results)
        table = Table(title=run.results["command"], title_justify="left")
        for column, numeric in zip(scores.header, numeric_columns(scores), strict=True):
            table.add_column(column, justify="right" if numeric else "left")
        for row in scores.rows:
            table.add_row(*row)
        if scores.rows:
            make_output().print(table)


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
    return [*again, *shown, *changed]
