"""`zoo train` on few clips, and the baseline beside it; other clips of the training split judge.

    python -m benchmarks.own_clips [DATA:SAMPLES ...] [--seeds 0,1,2] [--with KEY=VALUE ...]

Data are of the catalog, found in $ZOO_DATA. Each seed draws so many clips of the training split
and, of what is left of it, those that are held out: 300 at most. No test split is read. They are
written as a user has clips, the held-out ones as the test split. `zoo train` gets what is `--with`.
"""

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

import zoo
from benchmarks.own_data.data import write_files
from benchmarks.own_data.methods import run_zoo
from datamodules.sources.rows import Rows
from datamodules.sources.splits import divide, first

DATA = ("drone_video:150", "moving_digits:150")
HELD_OUT = 300  # clips, at most, all classes in proportion


class Score(NamedTuple):
    """Of one seed: held-out clips, and the shares of them that are told."""

    held_out: float
    baseline: float
    network: float
    minutes: float


def draw(rows: Rows, count: int, seed: int) -> dict[str, Rows]:
    """So many rows to learn from, and of the others those that are held out."""
    clips = [raw if isinstance(raw, Path) else raw.reshape(*raw.shape[:3], -1) for raw in rows.raws]
    rows, learned = Rows(clips, rows.labels), first(rows.labels, count, seed)
    others = np.setdiff1d(np.arange(len(rows.labels)), learned)
    held_out = others[first(rows.labels[others], HELD_OUT, seed)]
    return {"train": rows.take(learned), "test": rows.take(held_out)}


def write(name: str, count: int, seed: int, folder: Path) -> int:
    """Write such a part of a training split in a folder; how many clips are held out."""
    data = zoo.create_data(name)
    source = data.read_source(data.locate(), folder / "scratch")
    if "train" not in source.splits:
        source = divide(source, data.hparams["validation"], data.hparams["test"], seed=0)
    parts = draw(source.splits["train"], count, seed)
    for split, part in parts.items():
        write_files(part, source.classes, folder / "clips", split)
    return len(parts["test"].labels)


def measure(name: str, count: int, seed: int, overrides: Sequence[str]) -> Score:
    """Train on a part, and score the network and the baseline beside it."""
    with TemporaryDirectory() as place:
        held_out = write(name, count, seed, Path(place))
        own = ["data=video_folder", f"data.source={place}/clips", f"seed={seed}"]
        run_zoo("train", *own, *overrides, folder=Path(place))
        (file,) = Path(place).glob("runs/*/*/results.json")
        results = json.loads(file.read_text())
    accuracies = (results[key] for key in ("baseline/test/accuracy", "test/accuracy"))
    return Score(held_out, *accuracies, results["train_seconds"] / 60)


def line(name: str, count: int, scores: Sequence[Score]) -> str:
    """Of Markdown: means over seeds, and the lowest and highest difference."""
    held_out, baseline, network, minutes = np.mean(scores, 0)
    points = [100 * (score.network - score.baseline) for score in scores]
    return (
        f"| {name} | {count} | {len(scores)} x {held_out:.0f} | {baseline:.1%} | {network:.1%} "
        f"| {np.mean(points):+.1f} ({min(points):+.1f} to {max(points):+.1f}) | {minutes:.1f} |"
    )


def main(words: Sequence[str] | None = None) -> None:
    """A line of Markdown for each part of a data set."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="*", default=DATA, metavar="DATA:SAMPLES")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--with", nargs="*", default=[], dest="overrides", metavar="KEY=VALUE")
    args = parser.parse_args(words)
    print("| data | samples | held out | baseline | network | difference | minutes |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for asked in args.data:
        name, _, count = asked.partition(":")
        seeds = map(int, args.seeds.split(","))
        scores = [measure(name, int(count), seed, args.overrides) for seed in seeds]
        print(line(name, int(count), scores), flush=True)


if __name__ == "__main__":
    main()
