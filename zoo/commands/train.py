"""Train an experiment and score it: any Hydra override, -m sweeps.

    zoo train                                          image_cnn on digits
    zoo train experiment=mnist_image_cnn               a recipe on other data
    zoo train data=image_folder data.source=PATH       your own pictures
    zoo train trainer.max_epochs=3 model.dropout=0.2   any value of the config (zoo show NAME)
    zoo train trainer=smoke                            does it run? seconds
    zoo train -m seed=0,1,2                            a run for each, and one table (zoo compare)

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
    from zoo.commands import compare
    from zoo.commands._tables import print_table
    from zoo.distributed import environment
    from zoo.training import launch
    from zoo.training.comparison import comparison

    if args.multirun:
        launch.sweep(args.overrides, compare.summarise)
        return
    finished = launch.start(args.overrides)
    if environment.rank() > 0:
        return  # the first process speaks, and has yet to write the results
    scores = comparison(finished.results)
    if scores.rows:
        print_table(scores, title=finished.results["command"])
    print_next(finished)


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
    return [*again, f"zoo show {results['model']}", *changed]
