"""List models, data, experiments, the weights that load by name, or the runs below this folder."""

import json
import os
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RUN, SEARCH, ACCURACY = "config.yaml", "auto.yaml", "test/accuracy"
KINDS = {"models": "model", "data": "data", "experiments": "experiment"}


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "kind", nargs="?", choices=[*KINDS, "weights", "runs"], help="all but runs when left out"
    )
    parser.add_argument("--markdown", action="store_true", help="of weights: docs/zoo.md")
    parser.add_argument(
        "-cd", "--config-dir", action="append", default=[], help="a folder like conf/ to add"
    )


def run(args: Namespace) -> None:
    from zoo.catalog import registry

    with registry.with_config_dirs(args.config_dir):
        print_kinds(args)


def print_kinds(args: Namespace) -> None:
    """One kind of names, or all but runs."""
    if args.kind == "runs":
        print_runs(Path("runs"))
    elif args.kind == "weights":
        print_weights(args.markdown)
    else:
        for kind in [args.kind] if args.kind else KINDS:
            print(kind)
            print_names(KINDS[kind])
    if args.kind is None:
        print("weights")
        print_weights()


def print_names(group: str) -> None:
    """A line for each name of a group."""
    from zoo.catalog import registry

    for name, file in registry.files(group).items():
        lacks_target = group == "experiment" and "\ntarget:" not in file.read_text("utf-8")
        note = " (no target yet)" if lacks_target else ""
        print(f"  {name:<24} {registry.describe(group, name)}{note}")


def print_weights(markdown: bool = False) -> None:
    """A line for each of the released weights, or the page of them all."""
    from zoo.pretrained import model_card

    if markdown:
        print(model_card.page(), end="")
        return
    for name, _, metric, score, *_ in model_card.rows():
        print(f"  {name:<34} {metric} {score}")


def print_runs(root: Path) -> None:
    """A line for each run and each search of `zoo auto`, newest last."""
    configs = sorted(configs_below(root), key=lambda path: path.stat().st_mtime)
    if not configs:
        print(f"no runs in {root.resolve()}: `zoo train` makes one")
    for config in configs:
        scores = [
            f"{name} {value:.4f}"
            for name, value in scores_beside(config).items()
            if name.startswith("test/") and name.count("/") == 1
        ]
        print(f"  {config.parent!s:<56} {'  '.join(scores) or 'unfinished'}")


def configs_below(root: Path) -> Iterator[Path]:
    """The config of each run or search; what lies in the folder of one is its own."""
    for folder, below, files in os.walk(root):
        if config := {RUN, SEARCH} & {*files}:
            below.clear()
            yield Path(folder, *config)


def scores_beside(config: Path) -> dict[str, float]:
    """What a run has scored, or of a search its accuracy on the test split."""
    is_search = config.name == SEARCH
    path = config.with_name("leaderboard.json" if is_search else "results.json")
    if not path.exists():
        return {}
    scores: dict[str, Any] = json.loads(path.read_text())
    return {ACCURACY: scores["test"][ACCURACY]} if is_search else scores
