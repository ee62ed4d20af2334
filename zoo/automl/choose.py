"""Which of the candidates make the predictor, by what each said of what was held out."""

import json
from collections.abc import Mapping, Sequence
from math import inf
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.special import softmax

from zoo.automl.attempt import FINISHED, Outcome
from zoo.automl.candidates import PIPELINE
from zoo.automl.clock import Clock
from zoo.automl.selection import rank, select
from zoo.metrics.choice import temperature
from zoo.utilities.files import replace

CHOICE = "choice.json"
QUICK = 3.0  # times the seconds of the candidate that is learned again the soonest
SPARE = 1.2  # times what learning again is expected to take


class Choice(NamedTuple):
    """What the predictor is made of: weights, that add up to 1, and temperatures by name."""

    weights: dict[str, float]
    temperatures: dict[str, float]


class Judged(NamedTuple):
    """Candidates on the samples that each has been scored on."""

    probabilities: dict[str, np.ndarray]  # (M, K), calibrated
    temperatures: dict[str, float]
    labels: np.ndarray  # (M,)


def judge(outcomes: Sequence[Outcome]) -> Judged:
    """Calibrate the finished candidates, the best first."""
    scores = {
        one.candidate.name: np.concatenate([fold.scores for fold in one.folds]).astype(np.float64)
        for one in outcomes
        if one.status == FINISHED and one.folds
    }
    labels = next(np.concatenate([f.labels for f in one.folds]) for one in outcomes if one.folds)
    temperatures = {name: temperature(own, labels) for name, own in scores.items()}
    shares = {name: softmax(own / temperatures[name], axis=1) for name, own in scores.items()}
    order = sorted(shares, key=lambda name: rank(shares[name], labels))
    return Judged({name: shares[name] for name in order}, temperatures, labels)


def choose(outcomes: Sequence[Outcome], seconds: float = inf) -> Choice:
    """The weights of a predictor that can be learned from all samples in time.

    Args:
        seconds: that there are for that. While what is chosen takes more, the member with the least
            weight is left out; of candidates that all take more, the best of the quick ones is it.
    """
    judged = judge(outcomes)
    costs = {one.candidate.name: one.seconds_again for one in outcomes if one.folds}
    limit = max(seconds, QUICK * min(costs.values()))
    library = {name: own for name, own in judged.probabilities.items() if costs[name] <= limit}
    weights = select(library, judged.labels)
    while len(weights) > 1 and sum(costs[name] for name in weights) > seconds:
        few = sorted(weights, key=lambda name: -weights[name])[:-1]
        weights = select({name: library[name] for name in library if name in few}, judged.labels)
    return Choice(weights, {name: judged.temperatures[name] for name in weights})


def reserve_of(outcomes: Sequence[Outcome], clock: Clock, tests: int) -> float | None:
    """Seconds that must be left for learning again what is chosen so far, and scoring it.

    Args:
        tests: samples of the test split.

    Returns:
        None where nothing can be chosen yet.
    """
    finished = [one for one in outcomes if one.status == FINISHED]
    if not finished:
        return None
    weights = choose(finished).weights
    again = sum(one.seconds_again for one in finished if one.candidate.name in weights)
    return min(SPARE * (again + scoring_seconds(finished, tests)), clock.seconds / 2)


def scoring_seconds(outcomes: Sequence[Outcome], tests: int) -> float:
    """Seconds that scoring so many samples takes at most.

    Of all candidates, whichever are chosen: what one has not computed another has, and it is kept.
    """
    return sum(max((fold.scoring for fold in one.folds), default=0) for one in outcomes) * tests


def baseline_of(outcomes: Sequence[Outcome]) -> str | None:
    """The strong baseline: the best of the pipelines that have finished."""
    if not any(one.folds for one in outcomes):
        return None
    judged = judge(outcomes)
    pipelines = {one.candidate.name for one in outcomes if one.candidate.kind == PIPELINE}
    return next((name for name in judged.probabilities if name in pipelines), None)


def read_choice(folder: Path, budget: float) -> Choice | None:
    """What an earlier start with as many seconds has chosen."""
    path = folder / CHOICE
    choice = json.loads(path.read_text()) if path.exists() else {"budget": None}
    return Choice(**choice) if choice.pop("budget") == budget else None


def write_choice(folder: Path, choice: Choice, budget: float) -> None:
    replace(folder / CHOICE, json.dumps({**choice._asdict(), "budget": budget}, indent=1))


def without(outcomes: Sequence[Outcome], names: Mapping[str, str]) -> list[Outcome]:
    """Those that are not among names."""
    return [one for one in outcomes if one.candidate.name not in names]
