"""One method on one part of a data set with one seed: a JSON file."""

import json
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

import zoo
from benchmarks.own_data.data import FOLDER, write_data
from benchmarks.own_data.methods import METHODS, Cell
from datamodules.sources.files import TEXTS
from zoo.metrics.confidence import interval
from zoo.metrics.paired import discordant
from zoo.utilities.files import replace


def measure(cell: Cell, folder: Path = FOLDER) -> dict[str, Any]:
    """What a cell has given, measured unless it is there."""
    if (file := folder / f"{cell.name}.json").exists():
        return dict(json.loads(file.read_text()))
    own = write_data(cell.data, cell.samples, cell.seed, folder, cell.held_out)
    start = monotonic()
    found = METHODS[cell.method.split()[0]](cell, own)
    right = np.asarray(found.pop("right"), bool)
    low, high = interval(right)
    row = {
        **cell._asdict(), "kind": own.kind, "accuracy": float(right.mean()), "low": low,
        "high": high, "seconds": round(monotonic() - start, 1), "right": as_bits(right), **found,
    }  # fmt: skip
    if "single_right" in row:
        row["single_right"] = as_bits(single := np.asarray(row["single_right"], bool))
        row["against_single"] = in_errors(right, single)
    folder.mkdir(parents=True, exist_ok=True)
    replace(file, json.dumps(row))
    return row


def as_bits(right: np.ndarray) -> str:
    return "".join("01"[int(one)] for one in right)


def in_errors(one: np.ndarray, other: np.ndarray) -> float:
    """By how many paired standard errors one is more often right; 0 where both are alike."""
    b, c = discordant(one, other)
    error = np.sqrt(b + c - (b - c) ** 2 / len(one))
    return float((b - c) / error) if error else 0.0


def read(minutes: float, held_out: bool = False, folder: Path = FOLDER) -> list[dict[str, Any]]:
    """All cells that have been measured with so many minutes, on one kind of samples."""
    rows = [json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))]
    return [row for row in rows if (row["minutes"], row["held_out"]) == (minutes, held_out)]


def plan(
    asked: Sequence[str], seeds: Sequence[int], minutes: float, methods: Sequence[str],
    held_out: bool = False,
) -> list[Cell]:  # fmt: skip
    """The cells of "mnist:600" and the like; fastText is for texts alone.

    Raises:
        ValueError: a part without a number of samples.
    """
    cells = []
    for one in asked:
        name, _, count = one.partition(":")
        if not count.isdigit():
            raise ValueError(f"{one!r} has no number of samples: mnist:600 is wanted")
        fitting = [m for m in methods if m != "fastText" or zoo.create_data(name).KIND is TEXTS]
        cells += [Cell(name, int(count), s, minutes, m, held_out) for s in seeds for m in fitting]
    return cells
