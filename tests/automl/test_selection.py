"""Greedy selection: weights, against the definition, and never worse than the best candidate."""

import numpy as np
import pytest

from zoo.automl.attempt import FINISHED, LATE, Outcome
from zoo.automl.candidates import Candidate
from zoo.automl.choose import reserve_of
from zoo.automl.clock import Clock
from zoo.automl.held_out import HeldOut
from zoo.automl.selection import is_clearly_better, loss, rank, select

RANDOM = np.random.default_rng(0)
LABELS = RANDOM.integers(0, 3, 300)


def candidate(skill, seed):
    """Probabilities that know the class so well, with errors of their own."""
    random = np.random.default_rng(seed)
    scores = random.normal(size=(300, 3)) + skill * np.eye(3)[LABELS]
    shares = np.exp(scores)
    return shares / shares.sum(1, keepdims=True)


def test_candidates_that_err_apart_are_averaged():
    tried = {f"c{i}": candidate(1.5, i) for i in range(4)}
    weights = select(tried, LABELS)
    assert sum(weights.values()) == pytest.approx(1)
    mean = sum(weights[name] * tried[name] for name in weights)
    best = min(rank(one, LABELS) for one in tried.values())
    assert len(weights) > 2
    assert rank(mean, LABELS) < best
    assert loss(mean, LABELS) <= min(loss(one, LABELS) for one in tried.values())


@pytest.mark.parametrize("skill", [0.0, 1.0, 3.0])
def test_an_average_has_no_more_loss_than_the_best_candidate_nor_clearly_more_errors(skill):
    for seed in range(5):
        tried = {f"c{i}": candidate(skill * i / 3, 10 * seed + i) for i in range(4)}
        weights = select(tried, LABELS)
        mean = sum(weights[name] * tried[name] for name in weights)
        assert loss(mean, LABELS) <= min(loss(one, LABELS) for one in tried.values())
        assert not any(is_clearly_better(one, mean, LABELS) for one in tried.values())


def test_a_candidate_that_is_clearly_right_more_often_is_chosen_though_it_loses_more():
    """Sure of a class and always right, against the truth by a hair and sure of being wrong."""
    right = np.where(np.eye(3)[LABELS] > 0, 0.4, 0.3)
    sure = np.where(np.eye(3)[LABELS] > 0, 0.98, 0.01)
    sure[:30] = np.roll(np.eye(3), 1, 0)[LABELS[:30]] * 0.34 + 0.22
    assert loss(sure, LABELS) < loss(right, LABELS)
    assert select({"sure": sure, "right": right}, LABELS) == {"right": 1.0}
    assert is_clearly_better(right, sure, LABELS)


def test_the_best_alone_is_chosen_where_nothing_helps():
    sure = 0.9 * np.eye(3)[LABELS] + 0.1 / 3
    assert select({"bad": candidate(0, 1), "sure": sure, "same": sure}, LABELS) == {"sure": 1.0}


def test_one_candidate_has_all_the_weight():
    assert select({"only": candidate(1, 1)}, LABELS) == {"only": 1.0}


def outcome(name, seconds, scoring, scores):
    """What finished in two folds, of which the first took longer, as pipelines' do."""
    halves = np.split(np.arange(300), 2)
    folds = [HeldOut(rows, np.log(scores[rows]), LABELS[rows], took, 0, 0, name, took * scoring)
             for rows, took in zip(halves, (seconds, 1), strict=True)]  # fmt: skip
    return Outcome(Candidate(name, None), FINISHED, folds=tuple(folds))


def test_time_is_kept_for_learning_again_what_is_chosen_and_for_scoring(tmp_path):
    clock = Clock(tmp_path / "clock.json", minutes=10)
    good = outcome("good", 8, 0.001 / 8, candidate(9, 0))
    bad = outcome("bad", 40, 0.03 / 40, candidate(0, 1))
    assert reserve_of([Outcome(Candidate("late", None), LATE)], clock, 500) is None
    # 1.2 times: learning again as 1.25 times the longest fold, and scoring 500 samples by both
    assert reserve_of([good, bad], clock, 500) == pytest.approx(1.2 * (10 + 0.5 + 15))
    assert reserve_of([good, bad], clock, 50_000) == 300
