"""List models, data, experiments, the weights that load by name, or the runs below this folder."""

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

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
    """A line for each run, newest last."""
    configs = sorted(root.rglob("config.yaml"), key=lambda path: path.stat().st_mtime)
    if not configs:
        print(f"no runs in {root.resolve()}: `zoo train` makes one")
    for config in configs:
        results = config.with_name("results.json")
        metrics = json.loads(results.read_text()) if results.exists() else {}
        scores = [
            f"{name} {value:.4f}"
            for name, value in metrics.items()
            if name.startswith("test/") and name.count("/") == 1
        ]
        print(f"  {config.parent!s:<56} {'  '.join(scores) or 'unfinished'}")
