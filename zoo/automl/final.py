"""The end of a search: the predictor saved, the test split read once, and the evidence of both."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.automl import evidence, held_out
from zoo.automl.attempt import LATE, Outcome
from zoo.automl.choose import Choice, baseline_of
from zoo.automl.load import load
from zoo.automl.names import sample_names
from zoo.automl.predictor import Part, save_predictor, update_card
from zoo.automl.request import Request
from zoo.automl.test import judge_split, measure

PREDICTOR = "predictor"
Summary = dict[str, Any]


def conclude(
    request: Request, data: Any, outcomes: Sequence[Outcome], choice: Choice,
    curve: Sequence[tuple[int, float]],
) -> Summary:  # fmt: skip
    """Save the predictor and score it; what leaderboard.json holds.

    Args:
        curve: training samples and accuracy of the baseline on parts of them.
    """
    candidates = [as_candidate(request.folder, one, data, choice) for one in outcomes]
    classes, names = data.info["classes"], sample_names(data)
    baseline = baseline_of(outcomes)
    summary = evidence.summarise(candidates, choice.weights, baseline, classes, names, curve)
    folder = request.folder / PREDICTOR
    metrics = {
        f"val/{name}": summary["predictor"][key]
        for name, key in (("accuracy", "accuracy"), ("loss", "loss"), ("calibration_error", "ece"))
    }
    card = {"metrics": metrics, "command": request.command, "seed": request.config["seed"]}
    save_predictor(parts_of(request.folder, choice), card, folder)
    test = measure(*judge_split(load(folder), request.config["data"]))
    update_card(folder, metrics={**metrics, **test})
    own = {"minutes": request.minutes, "command": request.command, "data": request.data}
    return {**summary, "test": test, **own}


def parts_of(folder: Path, choice: Choice) -> list[Part]:
    """The members, the heaviest first."""
    order = sorted(choice.weights, key=lambda name: -choice.weights[name])
    return [
        Part(
            name,
            final(folder, name),
            choice.weights[name],
            choice.temperatures[name],
            sorted((folder / "candidates" / name).glob("fold*")),
        )
        for name in order
    ]


def final(folder: Path, name: str) -> Path:
    """The folder of a candidate that has learned from all samples."""
    return folder / "candidates" / name / "final"


def as_candidate(folder: Path, outcome: Outcome, data: Any, choice: Choice) -> evidence.Candidate:
    """What came of a candidate, for the evidence."""
    name, folds = outcome.candidate.name, outcome.folds
    count, classes = sum(map(len, data.pool.values())), data.info["num_classes"]
    scores, labels = np.full((count, classes), np.nan), np.zeros(count, np.int64)
    if folds:
        scores, labels = held_out.join(folds, count)
    size = held_out.size_of(final(folder, name)) or max((one.bytes for one in folds), default=0)
    return evidence.Candidate(
        name, folds[0].title if folds else name, outcome.candidate.kind,
        scores, labels, outcome.seconds, size, outcome.status, outcome.reason,
        temperature_of(outcome, choice),
    )  # fmt: skip


def temperature_of(outcome: Outcome, choice: Choice) -> float:
    """What its scores are divided by."""
    from zoo.automl.choose import judge

    if outcome.candidate.name in choice.temperatures:
        return choice.temperatures[outcome.candidate.name]
    return judge([outcome]).temperatures[outcome.candidate.name] if outcome.folds else 1.0


def next_commands(folder: Path, summary: Mapping[str, Any]) -> list[str]:
    """What is worth trying with the predictor, and for a better one."""
    here = Path.cwd()
    place = folder.relative_to(here) if folder.is_relative_to(here) else folder
    late = any(one["status"] == LATE for one in summary["candidates"])
    command = re.sub(r" minutes=\S+", f" minutes={3 * summary['minutes']:g}", summary["command"])
    more = [command] if late else []
    return [f"zoo predict {place} INPUT", f"zoo test {place}", *more]
