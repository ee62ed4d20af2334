"""Run the whole lecture on bundled data and make one page of it: about 15 minutes on two cores.

zoo lecture                  every slide that needs no download; what is finished is not run again
zoo lecture trainer=smoke    does it run? two steps of everything
zoo lecture --list           the slides and their commands, as docs/lecture.md has them
"""

from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--list", action="store_true", help="print the slides, run nothing")
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="Hydra overrides for every training"
    )


def run(args: Namespace) -> None:
    from zoo.pages import lecture

    if args.list:
        print(lecture.markdown(), end="")
        return
    print(f"page      {lecture.run(args.overrides)}")
