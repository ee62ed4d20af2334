"""Compare runs: one table, best first, what differs between them, and a page with their curves.

    zoo compare image_cnn/lr                           the jobs of `zoo train -m name=lr ...`
    zoo compare image_cnn                              all runs of an experiment below ./runs
    zoo compare image_cnn/a mnist_image_cnn/b          two of them
    zoo compare image_cnn --csv > runs.csv             the table for other programs

The page, compare.html, is written into the folder that was named; of several, into the deepest one
that holds all of the runs.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.training.ranking import Ranking

DEPTH = 4  # folders below one that is named: experiments, names, jobs
WIDTH = 1000  # characters of a table for a file or another program: no cell is folded


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("runs", nargs="+", metavar="RUN|SWEEP", help="folders, or names in ./runs")
    parser.add_argument("--csv", action="store_true", help="print the table as CSV")


def run(args: Namespace) -> None:
    from zoo.pages import compare as page
    from zoo.training.ranking import common_folder, rank

    roots = [find_folder(name) for name in args.runs]
    folders = list(dict.fromkeys(folder for one in roots for folder in expand(one)))
    ranking = rank(folders)
    folder = roots[0] if len(roots) == 1 else common_folder(folders)
    if args.csv:
        print(page.as_csv(ranking), end="")
        print(f"page      {page.write(ranking, folder)}", file=sys.stderr)
    else:
        show(ranking, folder)


def summarise(jobs: Mapping[Path, dict[str, Any]]) -> None:
    """Print the table of a sweep whose jobs have ended, and write its page beside them.

    Args:
        jobs: the folder of each with its config.
    """
    from zoo.training.ranking import common_folder, rank

    show(rank(jobs, jobs), common_folder(list(jobs)))


def show(ranking: "Ranking", folder: Path) -> None:
    """The table, what there is to say of it, and where the page is."""
    from zoo.commands._tables import print_table
    from zoo.pages import compare as page

    print_table(page.table(ranking), width=WIDTH)
    for note in page.notes(ranking):
        print(note)
    print(f"page      {page.write(ranking, folder)}")


# --- which runs ----------------------------------------------------------------------------------


def find_folder(name: str) -> Path:
    """The folder of that name, here or below ./runs.

    Raises:
        ValueError: there is none.
    """
    from zoo.utilities.errors import no_such

    for place in (Path(name), Path("runs") / name):
        if place.is_dir():
            return place.resolve()
    below = [path for path in Path("runs").glob("*/*") if path.is_dir()]
    names = [path.relative_to("runs").as_posix() for path in below]
    raise ValueError(no_such("run or sweep", name, [*names, *(path.parent.name for path in below)]))


def expand(folder: Path) -> list[Path]:
    """The run in a folder, or the runs below it, job 2 before job 10.

    Raises:
        ValueError: it holds none.
    """
    if not (runs := list(runs_below(folder, DEPTH))):
        raise ValueError(f"no runs in {folder}: `zoo list runs` names those there are")
    return runs


def runs_below(folder: Path, depth: int) -> Iterator[Path]:
    """Runs hold no others: what a logger leaves in them is passed over."""
    if any((folder / file).exists() for file in ("config.yaml", "results.json")):
        yield folder
    elif depth:
        below = [f for f in folder.iterdir() if f.is_dir() and not f.name.startswith(".")]
        for one in sorted(below, key=lambda f: (f.name.isdigit(), f.name.zfill(9), f.name)):
            yield from runs_below(one, depth - 1)
