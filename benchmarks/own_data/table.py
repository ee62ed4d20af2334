"""The table of what has been measured."""

from collections.abc import Sequence
from typing import Any

import numpy as np

ORDER = ("default", "auto", "baseline", "fastText")
NAMES = {"default": "`zoo train`", "auto": "`zoo auto`"}


def table(rows: Sequence[dict[str, Any]]) -> str:
    """A line of Markdown for each data set and kind: means over seeds, the best one bold."""
    measured = dict.fromkeys(row["method"] for row in rows)
    methods = sorted(measured, key=lambda name: ORDER.index(name.split()[0]))
    heads = ["data", "samples", "seeds", *map(title, methods)]
    lines = [
        [name, f"{samples:,}", *line(part, methods)]
        for name, samples in dict.fromkeys((row["data"], row["samples"]) for row in rows)
        if (part := [row for row in rows if (row["data"], row["samples"]) == (name, samples)])
    ]
    for kind in dict.fromkeys(row["kind"] for row in rows):
        part = [row for row in rows if row["kind"] == kind]
        lines.append([f"all of `{kind}`", "", *line(part, methods)])
    heads += ["`zoo auto` - baseline", "`zoo auto` - its best, in errors (worst seed)"]
    grid = [heads, ["---"] * len(heads), *lines]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in grid)


def title(method: str) -> str:
    """Of a column; with overrides, these."""
    name, _, overrides = method.partition(" ")
    return NAMES.get(name, name) + (f" `{overrides}`" if overrides else "")


def line(rows: Sequence[dict[str, Any]], methods: Sequence[str]) -> list[str]:
    """Seeds, mean accuracies in per cent, and how `zoo auto` does beside two others."""
    own = {name: [row for row in rows if row["method"] == name] for name in methods}
    means = {name: np.mean([r["accuracy"] for r in its]) for name, its in own.items() if its}
    best = max(means.values())
    cells = [f"{100 * means[name]:.1f}" if name in means else "" for name in methods]
    shown = [f"**{cell}**" if means.get(name) == best else cell
             for name, cell in zip(methods, cells, strict=True)]  # fmt: skip
    return [str(len({row["seed"] for row in rows})), *shown, gain(own), errors(own.get("auto", []))]


def gain(own: dict[str, list[dict[str, Any]]]) -> str:
    """Points of `zoo auto` over the baseline on the same data: mean, lowest to highest."""
    mine, its = ({place(row): row["accuracy"] for row in own.get(name, [])}
                 for name in ("auto", "baseline"))  # fmt: skip
    points = [100 * (mine[key] - its[key]) for key in mine if key in its]
    return f"{np.mean(points):+.1f} ({min(points):+.1f} to {max(points):+.1f})" if points else ""


def place(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["data"], row["samples"], row["seed"], row["minutes"]


def errors(rows: Sequence[dict[str, Any]]) -> str:
    """The difference to the best member, in paired standard errors: of all seeds, and the least."""
    if not rows:
        return ""
    gains: dict[str, list[np.ndarray]] = {}
    for row in rows:  # a data set's test samples are the same with each seed
        gains.setdefault(row["data"], []).append(bits(row["right"]) - bits(row["single_right"]))
    mean = np.concatenate([np.mean(own, axis=0) for own in gains.values()])
    overall = mean.mean() / error if (error := mean.std() / np.sqrt(len(mean))) else 0.0
    return f"{overall:+.1f} ({min(row['against_single'] for row in rows):+.1f})"


def bits(right: str) -> np.ndarray:
    return np.array([int(one) for one in right])
