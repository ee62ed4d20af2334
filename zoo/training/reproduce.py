"""Recipes with a proof: run every seed, judge the mean, keep what was measured.

`docs/results.json` holds the figures and `docs/results.md` is the page that is written from it; no
other place holds a score. A figure stands as long as the config and the code that made it do.
"""

import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from zoo.catalog import registry
from zoo.catalog.compose import compose
from zoo.training import checkout, digest, launch
from zoo.training.comparison import bar
from zoo.training.results_page import is_reached, is_slow, page, remarks, score, verdict, with_table
from zoo.training.run import Run, locate_run
from zoo.utilities.errors import Failure
from zoo.utilities.files import replace

Config = dict[str, Any]
Figures = dict[str, dict[str, Any]]


def reproduce(name: str) -> dict[str, Any]:
    """Run an experiment's seeds anew, judge them and compare with the committed figure.

    Raises:
        ValueError: no such experiment, or it has no proof; or the code differs from its commit.
        Failure: the mean misses the bar, or took longer than the target says.
    """
    checkout.refuse_changes()
    figure = measure(name, "")
    _say(name, figure, read_figures().get(name))
    if fails(figure):
        target = _describe_target(figure)
        raise Failure(f"{name} {remarks(figure)[0]}: {score(figure)}, wanted {target}")
    return figure


def reproduce_all() -> Figures:
    """Measure each experiment with a proof whose figure does not stand, and write the page.

    A run that was interrupted goes on, for its name is made of what it depends on.

    Raises:
        ValueError: the code differs from its commit.
        Failure: at the end, if a mean misses its bar or took longer than its target says.
    """
    checkout.refuse_changes()
    figures = update_targets(read_figures())
    for name in names_with_target():
        committed_figure = figures.get(name)
        if committed_figure and not committed_figure["earlier_code"]:
            launch.console.print(f"stands    {name}: {score(committed_figure)}")
            continue
        figures[name] = measure(name, f"proof-{digest_of(name)[:8]}")
        write(figures)
        _say(name, figures[name], committed_figure)
    write(figures)
    if missed := [name for name, figure in figures.items() if fails(figure)]:
        raise Failure(f"below the bar or beyond the minutes: {', '.join(missed)}")
    return figures


def update_targets(figures: Figures) -> Figures:
    """Figures of the targets that there are, beside today's bars and code."""
    return {
        name: figures[name]
        | target_of(_config(name)["target"])
        | {"earlier_code": not stands(name, figures[name])}
        for name in names_with_target()
        if name in figures
    }


def stands(name: str, figure: Mapping[str, Any]) -> bool:
    """Whether today's config and code, and these as a commit had them, made a figure."""
    clean = not str(figure["commit"]).endswith("+")
    return clean and figure["digest"] == digest_of(name)


def fails(figure: Mapping[str, Any]) -> bool:
    """Whether a run fell short of its target; a bar below the baseline is the target's fault."""
    return not is_reached(figure) or is_slow(figure)


def names_with_target() -> list[str]:
    """The experiments that carry a proof."""
    files = registry.files("experiment").items()
    return [name for name, file in files if "target" in OmegaConf.load(file)]


def measure(name: str, label: str) -> dict[str, Any]:
    """Run every seed of a proof and put the figure together.

    Args:
        label: start of the runs' names, so that they can go on; new ones where it is empty.
    """
    target = _config(name)["target"]
    if not target:
        raise ValueError(f"{name} has no proof: its experiment file names no metric to judge")
    runs = [_run(name, seed, f"{label}-{seed}" if label else "") for seed in target["seeds"]]
    return figure_of(target, [run.results for run in runs]) | {"digest": digest_of(name)}


def _run(name: str, seed: int, label: str) -> Run:
    """One seed, in a process of its own."""
    arguments = [f"experiment={name}", f"seed={seed}", *([f"name={label}"] if label else [])]
    config = launch.compose_run(arguments)
    run = locate_run(config)
    launch.execute(config, run, alone=False)
    return run


def figure_of(target: Mapping[str, Any], results: list[Config]) -> dict[str, Any]:
    """What is kept of the seeds' results: the mean decides."""
    metric = target["metric"]
    values = [float(result[metric]) for result in results]
    commits = [result.get("commit") for result in results]
    first = results[0]
    keys = (
        "model", "data", "bundled", "parameters", "precision", "device", "versions", "baseline",
    )  # fmt: skip
    return {
        "metric": metric,
        "mean": sum(values) / len(values),
        "values": values,
        "seeds": list(target["seeds"]),
        **target_of(target),
        "minutes": round(max(result["train_seconds"] for result in results) / 60, 2),
        "baseline_score": first.get(f"baseline/{metric}"),
        "beside": {key: value for key, value in first.items() if key.startswith("baseline/")},
        "date": date.today().isoformat(),
        "commit": next((commit for commit in commits if str(commit).endswith("+")), commits[0]),
        "earlier_code": False,
        **{key: first.get(key) for key in keys},
    }


def target_of(target: Mapping[str, Any]) -> dict[str, Any]:
    """What a figure keeps of its target."""
    low, high = target.get("at_least"), target.get("at_most")
    return {"at_least": low, "at_most": high, "minutes_at_most": target["minutes"]}


@cache
def digest_of(name: str) -> str:
    """Of an experiment's resolved config, its evaluator's, and the code that shapes its score."""
    config = _config(name)
    data = config["choices"]["data"]
    configs = [config]
    if config["evaluator"]:
        configs.append(compose([f"experiment={config['evaluator']}", f"data={data}"]))
    return digest.digest(configs, config["target"]["seeds"])


@cache
def _config(name: str) -> Config:
    return compose([f"experiment={name}"])


def docs() -> Path:
    """The folder of the page: a checkout's docs/, else the working directory."""
    folder = registry.conf_folder().parent / "docs"
    return folder if folder.is_dir() else Path.cwd()


def read_figures() -> Figures:
    """The figures that stand in docs/results.json."""
    path = docs() / "results.json"
    return json.loads(path.read_text()) if path.exists() else {}


def write(figures: Figures) -> None:
    """Write docs/results.json, the page made from it, and the table in a checkout's README."""
    replace(docs() / "results.json", json.dumps(figures, indent=1, sort_keys=True) + "\n")
    replace(docs() / "results.md", page(figures))
    readme = docs().parent / "README.md"
    if docs().name == "docs" and readme.exists():
        replace(readme, with_table(readme.read_text(encoding="utf-8"), figures))


def _describe_target(figure: Mapping[str, Any]) -> str:
    return f"{bar(figure['metric'], figure)} within {figure['minutes_at_most']:g} minutes"


def _say(name: str, figure: Mapping[str, Any], old: Mapping[str, Any] | None) -> None:
    """Score, bar, verdict and what was committed before, in one line."""
    before = f"; committed: {score(old)}" if old else "; nothing committed to compare with"
    summary = f"{score(figure)}, wanted {_describe_target(figure)}: {verdict(figure)}"
    launch.console.print(f"proof     {name}: {summary}{before}")
