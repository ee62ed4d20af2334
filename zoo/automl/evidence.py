"""What the candidates of an auto run are worth, and the predictor that was made of them.

    candidates with scores (N, K), weights  ->  leaderboard.json

All are judged on the same samples: those that each finished candidate has been scored on without
having learned from them.

Shapes: N samples of the pool, M of them judged, K classes.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.special import log_softmax

from zoo.automl.advice import advise, find_suspects
from zoo.automl.scores import MISTAKES, judged_rows, measure, mix, rank_key, worst
from zoo.figures.kinds import Table
from zoo.metrics.paired import paired_interval, samples_to_decide

FINISHED = "finished"
SCORE = ("accuracy", "low", "high")


class Candidate(NamedTuple):
    """What was tried.

    Args:
        title: what it is, in a few words.
        kind: "network" or "pipeline".
        scores: unnormalised log-probabilities of samples that it has not learned from, (N, K); a
            row of NaN for others. None where it has not finished.
        labels: (N,).
        seconds: that it took to learn.
        bytes: that it takes on disk.
        status: "finished", "out of time" or "failed".
        reason: why it failed.
        temperature: what its scores are divided by.
    """

    name: str
    title: str
    kind: str
    scores: np.ndarray | None
    labels: np.ndarray | None
    seconds: float
    bytes: int
    status: str = FINISHED
    reason: str = ""
    temperature: float = 1.0


def summarise(
    candidates: Sequence[Candidate], weights: Mapping[str, float], baseline: str | None,
    classes: Sequence[str], samples: Sequence[str], curve: Sequence[tuple[int, float]] = (),
) -> dict[str, Any]:  # fmt: skip
    """The evidence as plain data, ready for JSON.

    Args:
        weights: of each candidate that the predictor is made of.
        baseline: the name of the candidate that is to be beaten.
        samples: the name of each of the N samples: its file, or the beginning of its text.
        curve: training samples and accuracy of one learner on parts of the data and on all.

    Raises:
        ValueError: the predictor has no member, or one that has not finished.
    """
    finished = {one.name: one for one in candidates if one.status == FINISHED}
    total = sum(weights.values())
    weights = {name: weight / total for name, weight in weights.items() if weight}
    if not weights or (unknown := weights.keys() - finished.keys()):
        of = ", ".join(sorted(unknown)) if weights else "nothing"
        raise ValueError(f"a predictor of {of}: its members have to be candidates that finished")
    scores = {name: np.asarray(one.scores, float) for name, one in finished.items()}
    rows = judged_rows([*scores.values()])
    labels = np.asarray(next(iter(finished.values())).labels, np.int64)[rows]
    logs_of = {
        name: log_softmax(own[rows] / finished[name].temperature, axis=1)
        for name, own in scores.items()
    }
    average = mix(logs_of, weights)
    measured = {name: measure(logs, labels) for name, logs in logs_of.items()}
    order = sorted(logs_of, key=lambda name: rank_key(measured[name]))
    listed = [_describe(finished[name], weights, measured[name]) for name in order]
    listed += [_describe(one, weights, {}) for one in candidates if one.status != FINISHED]
    suspects = find_suspects([logs_of[name] for name in order], average, labels)
    names = [samples[i] for i in rows]
    summary = {
        "baseline": baseline,
        "candidates": listed,
        "predictor": {**measure(average, labels), "members": _members(weights)},
        "comparisons": _compare(logs_of, average, labels, order, weights, baseline),
        "classes": _per_class(average, labels, classes),
        "mistakes": _tell(average, labels, worst(average, labels), classes, names, rows),
        "suspects": _tell(average, labels, suspects, classes, names, rows),
        "curve": [[int(count), float(accuracy)] for count, accuracy in curve],
    }
    return {**summary, "advice": advise(summary)}


def shown_places(summary: Mapping[str, Any]) -> set[int]:
    """The samples, by their place in the pool, that a page shows."""
    return {one["index"] for key in ("mistakes", "suspects") for one in summary[key][:MISTAKES]}


def table(summary: Mapping[str, Any]) -> Table:
    """The predictor, then the candidates, the best first: 80 columns where names are short."""
    candidates = summary["candidates"]
    members = [one for one in candidates if one["weight"]]
    sums = {key: sum(one[key] for one in members) for key in ("seconds", "bytes")}
    average = {"name": "predictor", "weight": 1, "status": FINISHED, **summary["predictor"]} | sums
    header = ("", "accuracy, %", "log loss", "weight", "minutes", "MB")
    return Table(header, [_row(one) for one in (average, *candidates)])


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    minutes = f"{one['seconds'] / 60:.2f}"
    if one["accuracy"] is None:
        return one["name"], "" if one["status"] == FINISHED else one["status"], "", "", minutes, ""
    accuracy = "{:.1f} ({:.1f} to {:.1f})".format(*(100 * one[k] for k in SCORE))
    weight = f"{100 * one['weight']:.0f} %" if one["weight"] else ""
    return one["name"], accuracy, f"{one['loss']:.3f}", weight, minutes, f"{one['bytes'] / 1e6:.2f}"


# --- the parts of the summary --------------------------------------------------------------------


def _describe(
    one: Candidate, weights: Mapping[str, float], measures: Mapping[str, Any]
) -> dict[str, Any]:
    score = {key: measures.get(key) for key in (*SCORE, "loss")}
    return {
        "name": one.name, "title": one.title, "kind": one.kind, "status": one.status,
        "reason": one.reason, **score, "seconds": float(one.seconds), "bytes": int(one.bytes),
        "weight": float(weights.get(one.name, 0.0)),
    }  # fmt: skip


def _members(weights: Mapping[str, float]) -> list[dict[str, Any]]:
    heaviest = sorted(weights.items(), key=lambda item: -item[1])
    return [{"name": name, "weight": float(weight)} for name, weight in heaviest]


def _compare(
    logs_of: Mapping[str, np.ndarray], average: np.ndarray, labels: np.ndarray,
    order: Sequence[str], weights: Mapping[str, float], baseline: str | None,
) -> dict[str, Any]:  # fmt: skip
    """The predictor beside the best candidate, and beside the baseline, that it is not alone."""
    others = [name for name in order if {*weights} != {name}]
    others_of = {"runner_up": others[0] if others else None, "baseline": baseline}
    return {
        role: _difference(name, average, logs_of[name], labels)
        if name in others and len(labels)
        else None
        for role, name in others_of.items()
    }


def _difference(
    name: str, average: np.ndarray, other: np.ndarray, labels: np.ndarray
) -> dict[str, Any]:
    mine, its = average.argmax(axis=1) == labels, other.argmax(axis=1) == labels
    low, high = paired_interval(mine, its)
    difference = float(mine.mean() - its.mean())
    needed = samples_to_decide(mine, its)
    return {"name": name, "difference": difference, "low": low, "high": high,
            "samples_to_decide": needed}  # fmt: skip


def _per_class(
    logs: np.ndarray, labels: np.ndarray, classes: Sequence[str]
) -> list[dict[str, Any]]:
    total = np.bincount(labels, minlength=len(classes)).tolist()
    right = np.bincount(labels[logs.argmax(axis=1) == labels], minlength=len(classes)).tolist()
    return [
        {"name": name, "samples": n, "accuracy": hits / n if n else None}
        for name, n, hits in zip(classes, total, right, strict=True)
    ]


def _tell(
    logs: np.ndarray, labels: np.ndarray, rows: np.ndarray, classes: Sequence[str],
    names: Sequence[str], pool: np.ndarray,
) -> list[dict[str, Any]]:  # fmt: skip
    """Of each of the samples its place in the pool, its name, the truth and the sure answer."""
    return [
        {
            "index": int(pool[i]), "sample": names[i], "truth": classes[labels[i]],
            "answer": classes[logs[i].argmax()], "probability": float(np.exp(logs[i].max())),
        }
        for i in rows
    ]  # fmt: skip
