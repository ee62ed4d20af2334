"""The candidates, one after the other, as long as there is time; each is a folder that stays.

What is done is read from there, so that a search that was killed goes on where it was.
"""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from datamodules.utilities.console import silence
from zoo.automl import held_out
from zoo.automl.bar import Bar, Watch
from zoo.automl.candidates import PIPELINE, Candidate
from zoo.automl.clock import OutOfTime
from zoo.automl.held_out import HeldOut
from zoo.automl.learners import Learner
from zoo.utilities.errors import Stopped, line
from zoo.utilities.files import replace

STATUS = "status.json"
FINISHED, LATE, FAILED = "finished", "out of time", "failed"
MORE = 1.25  # times a fold's seconds that learning from all takes, at least


class Outcome(NamedTuple):
    """What came of a candidate; a finished one has its folds."""

    candidate: Candidate
    status: str
    reason: str = ""
    folds: tuple[HeldOut, ...] = ()

    @property
    def seconds(self) -> float:
        return sum(one.seconds for one in self.folds)

    @property
    def seconds_again(self) -> float:
        """About what it takes to learn from all samples.

        As the longest fold, for features are computed in the first one, and anew by a later start.
        """
        return MORE * max((one.seconds for one in self.folds), default=0)

    @property
    def accuracy(self) -> float:
        """The share of right answers on what was held out."""
        right = [one.scores.argmax(1) == one.labels for one in self.folds]
        return float(np.concatenate(right).mean())


class Work(NamedTuple):
    """Where a candidate works, and on what."""

    folder: Path
    folds: Sequence[str | None]
    pool: int  # samples of it


def attempt(
    candidate: Candidate, learner: Learner, work: Work, bar: Bar, reserve: float | None
) -> Outcome:
    """What comes of a candidate, or came at an earlier start.

    Args:
        reserve: seconds that must be left when it ends; None: it may take what it takes.
    """
    if (earlier := read_status(candidate, work.folder, bar.clock.seconds)) is not None:
        return earlier
    if (work.folder / held_out.FILE).exists():
        parts = [held_out.read_fold(work.folder / f"fold{i}") for i in range(len(work.folds))]
        return Outcome(candidate, FINISHED, folds=tuple(filter(None, parts)))
    try:
        with silence():
            folds = tuple(_score(candidate, learner, work, bar, reserve))
    except OutOfTime:
        outcome = Outcome(candidate, LATE)
    except Stopped:
        raise
    except Exception as error:
        if os.environ.get("ZOO_DEBUG") == "1":
            raise
        outcome = Outcome(candidate, FAILED, line(error))
    else:
        _join(work, folds)
        (work.folder / STATUS).unlink(missing_ok=True)  # it was out of less time
        return Outcome(candidate, FINISHED, folds=folds)
    write_status(outcome, work.folder, bar.clock.seconds)
    return outcome


def read_status(candidate: Candidate, folder: Path, budget: float) -> Outcome | None:
    """Why it had not finished; None: it has, or has not been tried with so many seconds."""
    path = folder / STATUS
    if not path.exists():
        return None
    status = json.loads(path.read_text())
    is_less = status.pop("budget") < budget
    return None if is_less and status["status"] == LATE else Outcome(candidate, **status)


def write_status(outcome: Outcome, folder: Path, budget: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    status = {"status": outcome.status, "reason": outcome.reason, "budget": budget}
    replace(folder / STATUS, json.dumps(status))


def _score(
    candidate: Candidate, learner: Learner, work: Work, bar: Bar, reserve: float | None
) -> Iterator[HeldOut]:
    """Its folds: the first tells how long the others take, which pipelines do side by side."""
    at_once = (os.cpu_count() or 1) if candidate.kind == PIPELINE else 1
    score = partial(_score_fold, candidate, learner, work, bar, reserve)
    if reserve is not None and bar.clock.left < reserve:
        raise OutOfTime
    yield (first := score(0))
    if reserve is not None and bar.clock.left - reserve < _rest(first, work, at_once):
        raise OutOfTime
    with ThreadPoolExecutor(at_once) as pool:
        others = range(1, len(work.folds))
        yield from pool.map(score, others) if at_once > 1 else map(score, others)


def _rest(first: HeldOut, work: Work, at_once: int) -> float:
    """Seconds of the folds that are not done, at least."""
    folds = [held_out.read_fold(work.folder / f"fold{i}") for i in range(len(work.folds))]
    return first.seconds * sum(one is None for one in folds) / at_once


def _score_fold(
    candidate: Candidate, learner: Learner, work: Work, bar: Bar, reserve: float | None, i: int
) -> HeldOut:
    """One fold, learned now or before."""
    folder, count = work.folder / f"fold{i}", len(work.folds)
    if (earlier := held_out.read_fold(folder)) is not None:
        return earlier
    bar.say(f"{candidate.name}, fold {i + 1} of {count}" if count > 1 else candidate.name)
    scored = learner.score(work.folds[i], folder, [Watch(bar, reserve, count - i)])
    held_out.write(folder / held_out.FILE, **scored._asdict())
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)  # of a network: nothing goes on there
    bar.clock.save()
    return scored


def _join(work: Work, folds: Sequence[HeldOut]) -> None:
    """Write the scores of all folds as one: the candidate has finished."""
    scores, labels = held_out.join(folds, work.pool)
    seconds = sum(one.seconds for one in folds)
    held_out.write(work.folder / held_out.FILE, scores=scores, labels=labels, seconds=seconds)


def describe(outcome: Outcome) -> str:
    """A line of what came of a candidate."""
    name = outcome.candidate.name
    if outcome.status == LATE:
        return f"left out  {name}: out of time"
    if outcome.status == FAILED:
        return f"failed    {name}: {outcome.reason}"
    share, seconds = f"{100 * outcome.accuracy:.1f} %", f"{outcome.seconds:.0f} s"
    return f"tried     {name}: {share} of what was held out, in {seconds}"
