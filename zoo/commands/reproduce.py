"""Run a recipe's seeds again and judge them: the proof of a score.

zoo reproduce image_cnn      runs its seeds, judges the mean, compares with the committed figure
zoo reproduce --all          all recipes whose figure does not stand; writes docs/results.md
"""

from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", help="an experiment that has a proof")
    parser.add_argument("--all", action="store_true", help="every experiment that has one")


def run(args: Namespace) -> None:
    if bool(args.name) == args.all:
        raise ValueError("zoo reproduce takes a NAME or --all: `zoo list experiments` shows them")
    from zoo.training.reproduce import reproduce, reproduce_all

    if args.all:
        reproduce_all()
    else:
        reproduce(args.name)
