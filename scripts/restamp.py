"""Mark the rows of docs/results.json that other code has measured, and write the pages again.

    python -m scripts.restamp [--equal BEFORE AFTER]

Run it after a change of what a score depends on, or of a target: each row is judged by today's
target, and one whose digest is no longer today's is marked as measured with earlier code.

--equal: two records of scripts/net.py, one of the code that the rows were measured with and one of
today's. A row that stood before and has equal entries gets today's digest.
"""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.training import reproduce


def main() -> None:
    parser = ArgumentParser(description="\n".join((__doc__ or "").splitlines()[:1]))
    parser.add_argument("--equal", nargs=2, type=Path, metavar=("BEFORE", "AFTER"))
    args = parser.parse_args()
    figures = reproduce.read_figures()
    if args.equal:
        records = [json.loads(path.read_text())["experiments"] for path in args.equal]
        figures = restamp(figures, *records)
    figures = reproduce.update_targets(figures)
    reproduce.write(figures)
    for name, figure in figures.items():
        print("earlier code" if figure["earlier_code"] else "stands      ", name)


def restamp(
    figures: reproduce.Figures, before: Mapping[str, Any], after: Mapping[str, Any]
) -> reproduce.Figures:
    """Figures with today's digest where they stood and their runs have come out alike."""
    return {
        name: figure | ({"digest": reproduce.digest_of(name)} if equal(name, before, after) else {})
        if not figure["earlier_code"]
        else figure
        for name, figure in figures.items()
    }


def equal(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether two records have the same of an experiment."""
    return name in before and before[name] == after.get(name)


if __name__ == "__main__":
    main()
