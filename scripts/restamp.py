"""Mark the rows of docs/results.json that other code has measured, and write the pages again.

    python -m scripts.restamp [--equal BEFORE AFTER]

Run it after a change of what a score depends on, or of a target: each row is judged by today's
target, and one whose digest is no longer today's is marked as measured with earlier code.

--equal: two records of scripts/net.py, one of the code that the rows were measured with and one of
today's. A row that stood before gets today's digest where weights, metrics.csv and its own score
are equal.
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
    for name, figure in figures.items():
        records = before.get(name), after.get(name)
        if not figure["earlier_code"] and all(records) and is_equal(figure["metric"], *records):
            figure["digest"] = reproduce.digest_of(name)
    return figures


def is_equal(metric: str, before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Whether two records of an experiment have the same weights, logged metrics and score."""
    shaping = ("weights", metric, f"{metric}/low", f"{metric}/high")
    keys = [key for key in before if key in shaping or key.startswith("metrics.csv")]
    return all(before[key] == after.get(key) for key in keys)


if __name__ == "__main__":
    main()
