"""What to try next, in plain sentences from numbers.

Shapes: M samples judged, K classes.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import binom

ROLES = {"runner_up": "the best candidate", "baseline": "the baseline"}
LISTED = 5  # names in a sentence, at most
DOUBTFUL = 0.2  # of the probability by chance: that of a label which looks wrong
WORTH = 0.005  # accuracy that twice the samples have to bring
UNLIKELY = 0.05  # probability below which a class is worse than the others by more than chance


def find_suspects(
    ranked: Sequence[np.ndarray], predictor: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """Samples whose label looks wrong, by index, the surest first.

    Confident learning (Northcutt et al. 2021, https://arxiv.org/abs/1911.00068, section 3.1): the
    predictor gives another class at least the probability that it gives on the mean to samples
    labelled with that class.

    Beyond the paper, by which a fifth of hard samples with right labels is named: the better half
    of the candidates have to agree on the class (two at least, where there are as many), and the
    label has to be five times less likely than by chance.

    Args:
        ranked: log-probabilities (M, K) of the candidates, the best one first.
        chosen: those of the predictor, (M, K).
        labels: (M,).
    """
    answers, shares = predictor.argmax(axis=1), np.exp(predictor)
    own = shares[np.arange(len(labels)), labels]
    usual = np.ones(predictor.shape[1])
    for k in np.unique(labels):
        usual[k] = own[labels == k].mean()
    sure = shares.max(axis=1, initial=0)
    voters = ranked[: max(2, (len(ranked) + 1) // 2)]
    agreed = np.logical_and.reduce([one.argmax(axis=1) == answers for one in voters])
    doubted = (answers != labels) & (own * predictor.shape[1] <= DOUBTFUL)
    wrong = np.flatnonzero(doubted & agreed & (sure >= usual[answers]))
    return wrong[np.argsort(-sure[wrong], kind="stable")]


def slope(curve: Sequence[tuple[int, float]]) -> float | None:
    """By how much accuracy grows with each doubling of the samples: least squares; None of one."""
    sizes = np.log2([float(count) for count, _ in curve])
    if len(np.unique(sizes)) < 2:
        return None
    return float(np.polyfit(sizes, [accuracy for _, accuracy in curve], 1)[0])


def slope_error(curve: Sequence[tuple[int, float]], judged: int) -> float:
    """The standard error of that slope, where each accuracy is that of so many samples.

    It is too large, rather than too small, where all of them are judged on the same ones.
    """
    sizes = np.log2([float(count) for count, _ in curve])
    variances = [max(p * (1 - p), 1 / judged) / judged for _, p in curve]
    shares = (sizes - sizes.mean()) / ((sizes - sizes.mean()) ** 2).sum()
    return math.sqrt(float((shares**2 * variances).sum()))


def advise(summary: Mapping[str, Any]) -> list[str]:
    """The sentences, the most important first."""
    judged = summary["predictor"]["samples"]
    return [
        *_of_baseline(summary),
        *_of_suspects(summary["suspects"], judged),
        *_of_classes(summary["classes"]),
        *_of_curve(summary["curve"], judged),
        *_of_unfinished(summary["candidates"]),
    ]


def _of_baseline(summary: Mapping[str, Any]) -> list[str]:
    name, beside = summary["baseline"], summary["comparisons"]["baseline"]
    if name is None or (beside and beside["low"] > 0):
        return []
    if [one["name"] for one in summary["predictor"]["members"]] == [name]:
        networks = [one for one in summary["candidates"] if one["kind"] == "network"]
        is_tried = any(one["accuracy"] is not None for one in networks)
        why = "No network made it better" if is_tried else "No network has finished"
        return [f"{why}: the predictor is the baseline, {name}, alone."]
    if beside is None:
        return [
            f"The baseline, {name}, has not finished: nothing says what the networks are worth."
        ]
    worse = "worse than" if beside["high"] < 0 else "not clearly better than"
    return [f"The predictor is {worse} the baseline, {name}."]


def compare(summary: Mapping[str, Any]) -> list[str]:
    """The predictor beside the best candidate and the baseline, in words."""
    return [
        f"Against {ROLES[role]}, {beside['name']}: {_describe(beside, summary)}."
        for role, beside in summary["comparisons"].items()
        if beside
    ]


def reread(summary: Mapping[str, Any]) -> str:
    """That the test split was read more than once, of which its score may be a little too good."""
    reads = summary.get("test_reads", 1)
    often = "twice" if reads == 2 else f"{reads} times"
    return f"the test split was read {often}" if reads > 1 else ""


def _describe(beside: Mapping[str, Any], summary: Mapping[str, Any]) -> str:
    """By how many points, whether that is decided, and how many samples would tell."""
    low, high, needed = beside["low"], beside["high"], beside["samples_to_decide"]
    text = f"{_points(beside['difference'])} points ({_points(low)} to {_points(high)})"
    if low > 0 or high < 0:
        return f"{text}, {'better' if low > 0 else 'worse'}"
    if needed is None:
        return f"{text}, a tie"
    judged = summary["predictor"]["samples"]
    return f"{text}, a tie: about {_round(needed):,} samples would tell, there are {judged:,}"


def _points(share: float) -> str:
    return f"{round(100 * share, 1) + 0.0:+.1f}"  # no -0.0


def _round(count: int) -> int:
    """To two digits: it is known no better."""
    return round(count, 1 - int(math.log10(count)))


def _of_suspects(suspects: Sequence[Mapping[str, Any]], judged: int) -> list[str]:
    if not suspects:
        return []
    texts = [
        f'"{one["sample"]}" ({one["truth"]}, looks like {one["answer"]})'
        for one in suspects[:LISTED]
    ]
    count = f"{len(suspects)} of {judged:,} labels look wrong"
    return [f"{count}, look at them: {_list(texts, suspects)}."]


def _of_classes(classes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Those with fewer samples than an equal share, and more mistakes than chance would make."""
    total = sum(one["samples"] for one in classes)
    right = sum(one["samples"] * one["accuracy"] for one in classes if one["samples"])
    few = [one for one in classes if 0 < one["samples"] * len(classes) < total]
    poor = sorted(
        (one for one in few if _chance(one, right / total) < UNLIKELY),
        key=lambda one: one["accuracy"],
    )
    if not poor:
        return []
    texts = [f"{one['name']} ({100 * one['accuracy']:.0f} % of {one['samples']})" for one in poor]
    return [f"These classes lack examples, more of them would help: {_list(texts[:LISTED], poor)}."]


def _chance(one: Mapping[str, Any], usual: float) -> float:
    """Of a class as good as all are, the probability of so few right answers."""
    hits = round(one["samples"] * one["accuracy"])
    return float(binom.cdf(hits, one["samples"], usual))


def _of_curve(curve: Sequence[tuple[int, float]], judged: int) -> list[str]:
    if not judged or (gain := slope(curve)) is None:
        return []
    error = slope_error(curve, judged)
    sentence = f"twice the samples have brought {_points(gain)} points so far (\N{PLUS-MINUS SIGN}"
    sentence = f"{sentence}{100 * error:.1f}, {curve[0][0]:,} to {curve[-1][0]:,} samples)"
    if gain > max(error, WORTH):
        return [f"More data would help: {sentence}."]
    return [f"More data of the same kind would hardly help: {sentence}."]


def _of_unfinished(candidates: Sequence[Mapping[str, Any]]) -> list[str]:
    late = [one["name"] for one in candidates if one["status"] == "out of time"]
    failed = [one for one in candidates if one["status"] == "failed"]
    lines = [f"{one['name']} has failed: {one['reason']}." for one in failed]
    if late:
        lines.append(
            f"More minutes would try what there was no time for: {_list(late[:LISTED], late)}."
        )
    return lines


def _list(texts: Sequence[str], every: Sequence[Any]) -> str:
    more = len(every) - len(texts)
    return ", ".join([*texts, *([f"and {more} more"] if more else [])])
