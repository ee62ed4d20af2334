"""What is compared: each method learns a part of a data set and answers its test split."""

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

import zoo
from benchmarks.own_data.data import Own
from zoo.config import schema


class Cell(NamedTuple):
    """A method on a part of a data set."""

    data: str
    samples: int
    seed: int
    minutes: float
    method: str  # and overrides
    held_out: bool = False

    @property
    def name(self) -> str:
        method = re.sub(r"[^\w.=-]", "_", self.method) + "-held_out" * self.held_out
        return f"{self.data}-{self.samples}-{self.seed}-{self.minutes:g}-{method}"

    @property
    def overrides(self) -> list[str]:
        return self.method.split()[1:]


def run_zoo(*words: str) -> None:
    """A command of ours in a process of its own.

    Raises:
        RuntimeError: it failed: its last line.
    """
    done = subprocess.run([sys.executable, "-m", "zoo", *words], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().rpartition("\n")[2])


def train_default(cell: Cell, own: Own) -> dict[str, Any]:
    """What `zoo train` makes of them, if need be cut off by the minutes."""
    from zoo.automl.members import NetworkMember

    name = f"own_data-{cell.name}"
    most = f"trainer.max_time={{seconds: {round(60 * cell.minutes)}}}"
    more = [f"seed={cell.seed}", f"name={name}", most, "baseline=null"]
    run_zoo("train", *own.overrides, *more, *cell.overrides)
    (run,) = Path("runs").glob(f"*/{name}")
    (right,) = judge([NetworkMember("default", zoo.load(run))], own, cell.seed)[1]
    return {"right": right, "what": json.loads((run / "results.json").read_text())["model"]}


def search(cell: Cell, own: Own) -> dict[str, Any]:
    """The predictor of `zoo auto`, and the best of its members by validation."""
    name = f"own_data-{cell.name}"
    more = [f"minutes={cell.minutes:g}", f"seed={cell.seed}", f"name={name}", *cell.overrides]
    run_zoo("auto", *own.overrides, *more)
    (run,) = Path("runs", "auto").glob(f"*/{name}")
    predictor = zoo.load(run)
    right, alone = judge(predictor.members, own, cell.seed, predictor.average)
    summary = json.loads((run / "leaderboard.json").read_text())
    by_name = {one.name: its for one, its in zip(predictor.members, alone, strict=True)}
    listed = [one["name"] for one in summary["candidates"]]
    single = next(name for name in listed if name in by_name)
    return {
        "right": right, "what": ", ".join(by_name), "single": single, "best": listed[0],
        "single_right": by_name[single],
    }  # fmt: skip


def judge(
    members: Sequence[Any], own: Own, seed: int, average: Callable[..., Any] | None = None
) -> tuple[Any, list[np.ndarray]]:
    """Which test samples the average gets right, and which each member does."""
    from zoo.automl.test import open_data

    section, scores = own.section(seed)["data"], []
    for member in members:
        its, labels = member.scores(open_data(section, member), "test")
        scores.append(its)
    mixed = average(scores).argmax(1) == labels if average else None
    return mixed, [its.argmax(1) == labels for its in scores]


def fit_baseline(cell: Cell, own: Own) -> dict[str, Any]:
    """The strong baseline, as it stands beside a run."""
    config = own.section(cell.seed, cell.overrides)
    data = schema.build(config["data"], "data")
    data.prepare_data()
    data.setup("fit")
    baseline = schema.build(config["baseline"], "baseline").fit(data)
    features, labels = baseline.extract_features(data, "test")
    return {"right": baseline.classifier_.predict(features) == labels, "what": baseline.title}


def tune_fasttext(cell: Cell, own: Own) -> dict[str, Any]:
    """fastText with autotune: a fifth of the training texts validates (Joulin et al. 2017)."""
    import fasttext

    train, test = (read_table(own.source / f"{split}.csv") for split in ("train", "test"))
    order = np.random.default_rng(cell.seed).permutation(len(train))
    with TemporaryDirectory() as scratch:
        files = {name: str(Path(scratch) / name) for name in ("train", "val")}
        cut = len(train) // 5
        for name, rows in (("val", order[:cut]), ("train", order[cut:])):
            lines = "".join(f"__label__{train[i][1]} {train[i][0]}\n" for i in rows)
            Path(files[name]).write_text(lines, "utf-8")
        model = fasttext.train_supervised(
            files["train"], autotuneValidationFile=files["val"], seed=cell.seed,
            autotuneDuration=round(60 * cell.minutes), thread=os.cpu_count(), verbose=0,
        )  # fmt: skip
    answers, _ = model.predict([text for text, _ in test])
    truths = [[f"__label__{label}"] for _, label in test]
    right = [list(one) == truth for one, truth in zip(answers, truths, strict=True)]
    return {"right": np.array(right), "what": "fastText"}


def read_table(file: Path) -> list[tuple[str, str]]:
    """Texts, in words and on one line, and labels without spaces."""
    with file.open(newline="", encoding="utf-8") as lines:
        return [(" ".join(text.split()), label.replace(" ", "_"))
                for text, label in list(csv.reader(lines))[1:]]  # fmt: skip


METHODS: dict[str, Callable[[Cell, Own], dict[str, Any]]] = {
    "default": train_default, "auto": search, "baseline": fit_baseline, "fastText": tune_fasttext,
}  # fmt: skip
