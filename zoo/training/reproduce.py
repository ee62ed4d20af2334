"""Recipes with a proof: run every seed, judge the mean, keep what was measured.

`docs/results.json` holds the figures and `docs/results.md` is the page that is written from it; no
other place holds a score. A figure stands as long as the config and the code that made it do.
"""

import ast
import hashlib
import json
from collections.abc import Mapping
from datetime import date
from importlib import import_module
from inspect import getfile
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from zoo.catalog import registry
from zoo.catalog.compose import compose, compose_section
from zoo.training import launch
from zoo.training.run import Run, place
from zoo.utilities.errors import Failure
from zoo.utilities.files import replace
from zoo.utilities.scores import shown

Config = dict[str, Any]
Figures = dict[str, dict[str, Any]]
SHAPING = ("zoo.training.fit", "zoo.training.callbacks")  # besides model and data
SHOWING = ("zoo.figures.kinds",)  # a score does not depend on how it is shown
START = "<!-- results: written by `zoo reproduce --all` -->"
END = "<!-- /results -->"
UNSHAPED = ("name", "seed", "force", "logger", "proof", "choices", "command")


def reproduce(name: str) -> dict[str, Any]:
    """Run an experiment's seeds anew, judge them and compare with the committed figure.

    Raises:
        ValueError: no such experiment, or it has no proof.
        Failure: the mean misses the bar.
    """
    figure = measured(name, "")
    _say(name, figure, committed().get(name))
    if not figure["met"]:
        raise Failure(f"{name} misses its bar: {_score(figure)}, wanted {_bar(figure)}")
    return figure


def reproduce_all() -> Figures:
    """Measure each experiment with a proof whose figure does not stand, and write the page.

    A run that was interrupted goes on, for its name is made of what it depends on.

    Raises:
        Failure: at the end, if a mean misses its bar.
    """
    figures = {name: old for name, old in committed().items() if name in proven()}
    for name in proven():
        key = digest(name)
        if figures.get(name, {}).get("digest") == key:
            launch.console.print(f"stands    {name}: {_score(figures[name])}")
            continue
        old = figures.get(name)
        figures[name] = measured(name, f"proof-{key[:8]}")
        write(figures)
        _say(name, figures[name], old)
    write(figures)
    if missed := [name for name, figure in figures.items() if not figure["met"]]:
        raise Failure(f"below the bar: {', '.join(missed)}")
    return figures


def proven() -> list[str]:
    """The experiments that carry a proof."""
    return [name for name in registry.names("experiment") if _config(name)["proof"]]


def measured(name: str, label: str) -> dict[str, Any]:
    """Run every seed of a proof and put the figure together.

    Args:
        label: start of the runs' names, so that they can go on; new ones where it is empty.
    """
    proof = _config(name)["proof"]
    if not proof:
        raise ValueError(f"{name} has no proof: its experiment file names no metric to judge")
    runs = [_run(name, seed, f"{label}-{seed}" if label else "") for seed in proof["seeds"]]
    return figure_of(proof, [run.results for run in runs]) | {"digest": digest(name)}


def _run(name: str, seed: int, label: str) -> Run:
    """One seed, in a process of its own."""
    arguments = [f"experiment={name}", f"seed={seed}", *([f"name={label}"] if label else [])]
    config = launch.composed(arguments)
    run = place(config)
    launch.execute(config, run, alone=False)
    return run


def figure_of(proof: Mapping[str, Any], results: list[Config]) -> dict[str, Any]:
    """What is kept of the seeds' results: the mean decides."""
    metric = proof["metric"]
    values = [float(result[metric]) for result in results]
    mean = sum(values) / len(values)
    low, high = proof.get("at_least"), proof.get("at_most")
    first = results[0]
    kept = (
        "model", "data", "embedded", "parameters", "precision", "device", "commit", "versions",
        "baseline",
    )  # fmt: skip
    return {
        "metric": metric,
        "mean": mean,
        "values": values,
        "seeds": list(proof["seeds"]),
        "at_least": low,
        "at_most": high,
        "met": (low is None or mean >= low) and (high is None or mean <= high),
        "minutes": round(max(result["train_seconds"] for result in results) / 60, 2),
        "baseline_score": first.get(f"baseline/{metric}"),
        "beside": {key: value for key, value in first.items() if key.startswith("baseline/")},
        "date": date.today().isoformat(),
        **{key: first.get(key) for key in kept},
    }


def digest(name: str) -> str:
    """Of an experiment's resolved config and of the code that shapes its score."""
    config = _config(name)
    depends = {key: value for key, value in config.items() if key not in UNSHAPED}
    depends["data"].pop("about")
    targets = {config[key]["_target_"].rpartition(".")[0] for key in ("model", "data")}
    judged = {"zoo.training.evaluator"} if config["judge"] else set()
    code = [_code(module) for module in sorted({*SHAPING, *judged, *_with_imports(targets)})]
    text = json.dumps([depends, config["proof"]["seeds"], code], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _with_imports(modules: set[str]) -> set[str]:
    """Modules and all of ours that they import."""
    found: set[str] = set()
    while modules:
        found |= modules
        modules = {name for module in modules for name in _imports(module)} - found
    return found - set(SHOWING)


def _imports(module: str) -> set[str]:
    """Which of our modules a module imports."""
    names: set[str] = set()
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
    return {name for name in names if name.startswith(("zoo.", "datamodules.")) and _is_file(name)}


def _is_file(module: str) -> bool:
    root = Path(registry.__file__).parents[2]
    return (root / module.replace(".", "/")).with_suffix(".py").is_file()


def _code(module: str) -> str:
    """A module's syntax tree: comments and layout do not change it."""
    return ast.dump(_tree(module))


def _tree(module: str) -> ast.Module:
    return ast.parse(Path(getfile(import_module(module))).read_text())


def _config(name: str) -> Config:
    return compose([f"experiment={name}"])


def docs() -> Path:
    """The folder of the page: a checkout's docs/, else the working directory."""
    folder = registry.conf_folder().parent / "docs"
    return folder if folder.is_dir() else Path.cwd()


def committed() -> Figures:
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


def with_table(readme: str, figures: Figures) -> str:
    """The README with the table of figures between its marks."""
    head, start, rest = readme.partition(START + "\n")
    _, end, tail = rest.partition(END)
    rows = "".join(_short_row(name, figure) for name, figure in sorted(figures.items()))
    table = (
        "| model | data | result | baseline | command | minutes |\n|---|---|---|---|---|---|\n"
        + rows
    )
    return head + start + table + end + tail


def _short_row(name: str, figure: Mapping[str, Any]) -> str:
    module = compose_section("model", figure["model"])["_target_"].split(".")[1]
    baseline = figure["baseline_score"]
    cells = [
        f"[{figure['model']}](zoo/{module}.py)", figure["data"], f"**{_score(figure)}**",
        shown(figure["metric"], baseline) if baseline is not None else "",
        f"`zoo train experiment={name}`", f"{figure['minutes']:.1f}",
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |\n"


def page(figures: Figures) -> str:
    """docs/results.md."""
    head = (
        "# Results\n\nWritten by `zoo reproduce --all`; each row is a run of the committed code, "
        "and `zoo reproduce NAME` repeats it.\nThe mean over the seeds is judged; minutes are "
        "those of the slowest seed's training, and of the baseline's.\n\n"
        "| experiment | data | metric | score | bar | baseline | parameters | minutes | seeds "
        "| device |\n"
        "|---|---|---|---|---|---|---|---|---|---|\n"
    )
    return head + "".join(_row(name, figure) for name, figure in sorted(figures.items()))


def _row(name: str, figure: Mapping[str, Any]) -> str:
    baseline = figure["baseline_score"]
    seconds = figure.get("beside", {}).get("baseline/train_seconds")
    took = "" if seconds is None else f", {seconds:.1f} s"
    beside = (
        f"{shown(figure['metric'], baseline)} ({figure['baseline']}{took})"
        if baseline is not None
        else ""
    )
    path = registry.conf_folder() / "data" / f"{figure['data']}.yaml"
    known: Any = OmegaConf.load(path)
    about = known.get("about", {})
    note = "embedded" if figure["embedded"] else about.get("copy", "")
    data = figure["data"] + (f" ({note})" if note else "")
    cells = [
        f"`{name}`", data, figure["metric"], f"**{_score(figure)}**", _bar(figure), beside,
        f"{figure['parameters']:,}", f"{figure['minutes']:.1f}", str(len(figure["seeds"])),
        f"{figure['device']}, {figure['precision']}",
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |\n"


def _score(figure: Mapping[str, Any]) -> str:
    """The mean, and the range over the seeds."""
    metric, values = figure["metric"], figure["values"]
    mean = shown(metric, figure["mean"])
    spread = f"{shown(metric, min(values)).removesuffix(' %')} to {shown(metric, max(values))}"
    return f"{mean} ({spread})" if len(values) > 1 else mean


def _bar(figure: Mapping[str, Any]) -> str:
    word = "at least" if figure["at_least"] is not None else "at most"
    bound = figure["at_least"] if figure["at_least"] is not None else figure["at_most"]
    return f"{word} {shown(figure['metric'], bound)}"


def _say(name: str, figure: Mapping[str, Any], old: Mapping[str, Any] | None) -> None:
    """Score, bar and what was committed before, in one line."""
    verdict = "meets" if figure["met"] else "MISSES"
    before = f"; committed: {_score(old)}" if old else "; nothing committed to compare with"
    launch.console.print(f"proof     {name}: {_score(figure)} {verdict} {_bar(figure)}{before}")
