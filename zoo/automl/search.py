"""One search from data to predictor: candidates, choice, learning from all, test, leaderboard."""

import json
import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from datamodules.utilities.console import silence
from zoo.automl.attempt import FINISHED, LATE, Outcome, Work, attempt, describe
from zoo.automl.bar import Bar, Watch
from zoo.automl.candidates import Candidates, find_list, read_list
from zoo.automl.choose import (
    Choice,
    baseline_of,
    choose,
    read_choice,
    reserve_of,
    scoring_seconds,
    without,
    write_choice,
)
from zoo.automl.clock import Clock, OutOfTime
from zoo.automl.curve import learning_curve
from zoo.automl.evidence import shown_places
from zoo.automl.final import PREDICTOR, conclude
from zoo.automl.learners import make_learner
from zoo.automl.load import load
from zoo.automl.raws import raw_samples
from zoo.automl.request import Request, folds_of, hold
from zoo.distributed.console import console
from zoo.training.evaluate import quiet
from zoo.utilities.errors import Failure, Stopped, line
from zoo.utilities.files import replace

LEADERBOARD = "leaderboard.json"
OVER = 0.05  # share of the minutes by which learning from all samples may exceed them
Summary = dict[str, Any]
Page = Callable[[Path, Summary, dict[int, Any], float], object]


class Auto(NamedTuple):
    """What a search has left: its folder, the evidence, and the predictor."""

    folder: Path

    @property
    def summary(self) -> Summary:
        """The leaderboard: see `zoo.automl.evidence.summarise`."""
        summary: Summary = json.loads((self.folder / LEADERBOARD).read_text())
        return summary

    def is_finished(self, minutes: float) -> bool:
        """Whether so many minutes would try nothing that has not been tried."""
        if not (self.folder / LEADERBOARD).exists():
            return False
        is_late = any(one["status"] == LATE for one in self.summary["candidates"])
        return not is_late or minutes <= self.summary["minutes"]

    @property
    def predictor(self) -> Any:
        """What was chosen, ready to predict."""
        return load(self.folder / PREDICTOR)


@quiet()
def search(request: Request, page: Page = lambda *show: None) -> Auto:
    """Do a search, or go on with it; with more minutes with what there was no time for.

    Args:
        page: writes the leaderboard as a page, with raw samples by their place in the pool, and
            their rate.

    Raises:
        ValueError: a wrong override; data that cannot be read or have no classes; the folder holds
            another search.
        Failure: no candidate could learn the data.
    """
    data, auto = request.open(), Auto(request.folder)
    name = find_list(request.choice, request.data, data)
    candidates = read_list(name)
    with hold(request, request.contents(name)), warnings.catch_warnings():
        if auto.is_finished(request.minutes):
            console.print(f"finished  {request.folder}: nothing to do", soft_wrap=True)
            return auto
        warnings.simplefilter("ignore")  # of candidates that do not converge
        announce(request, data)
        Search(request, candidates, data).run(page)
    return auto


def announce(request: Request, data: Any) -> None:
    """Say what will be done."""
    counts = " / ".join(f"{n:,} {split}" for split, n in data.info["samples"].items())
    plan = f"{request.minutes:g} minutes, seed {request.config['seed']}"
    console.print(f"auto      {request.data}, {plan}")
    console.print(f"data      {request.data}: {counts}")
    for note in data.notes:
        console.print(note, soft_wrap=True)
    console.print(f"folder    {request.folder}", soft_wrap=True)


class Search:
    """A search at work."""

    def __init__(self, request: Request, candidates: Candidates, data: Any) -> None:
        self.request, self.data, self.folder = request, data, request.folder
        self.folds, self.pipelines = folds_of(data), candidates.pipelines
        several = self.folds and data.info["num_classes"] > 1
        self.listed = candidates.listed if several else candidates.listed[:1]
        self.learners = {one.name: make_learner(one, request, candidates.pipelines)
                         for one in self.listed}  # fmt: skip
        self.clock = Clock(self.folder / "clock.json", request.minutes)
        self.bar = Bar(self.clock)

    def run(self, page: Page) -> None:
        """From candidates to leaderboard."""
        with self.bar.show():
            outcomes = self.try_all()
            choice = self.learn_chosen(outcomes)
            self.bar.say("learning curve and test")
            with silence():
                curve = self.learning_curve(outcomes)
                summary = conclude(self.request, self.data, outcomes, choice, curve)
            summary["test_reads"] = self.test_reads + 1
            summary["seconds"] = round(self.clock.used, 1)
        page(self.folder, summary, *raw_samples(self.data, shown_places(summary)))
        replace(self.folder / LEADERBOARD, json.dumps(summary, indent=1))
        self.clock.save()

    def try_all(self) -> list[Outcome]:
        """Every candidate that there is time for."""
        if not self.folds:
            self.bar.line("note      no class has two samples: nothing is held out, none compared")
            return [Outcome(self.listed[0], FINISHED)]
        outcomes: list[Outcome] = []
        for candidate in self.listed:
            work = Work(self.place(candidate.name), self.folds, self.count)
            reserve = reserve_of(outcomes, self.clock, self.tests)
            outcome = attempt(candidate, self.learners[candidate.name], work, self.bar, reserve)
            outcomes.append(outcome)
            self.bar.line(describe(outcome))
            finished = [one for one in outcomes if one.status == FINISHED]
            if finished:
                best = max(finished, key=lambda one: one.accuracy)
                self.bar.best = f"{best.candidate.name} {100 * best.accuracy:.1f} %"
        if not any(one.status == FINISHED for one in outcomes):
            raise Failure(f"no candidate has learned these data: {outcomes[0].reason}")
        return outcomes

    def learning_curve(self, outcomes: list[Outcome]) -> list[tuple[int, float]]:
        """That of the baseline."""
        name = baseline_of(outcomes)
        if name is None:
            return []
        outcome = next(one for one in outcomes if one.candidate.name == name)
        return learning_curve(
            self.request, self.pipelines, outcome, self.folds, self.left(outcomes)
        )

    @property
    def count(self) -> int:
        """Samples of the pool."""
        return sum(len(rows) for rows in self.data.pool.values())

    @property
    def tests(self) -> int:
        """Samples of the test split."""
        return int(self.data.info["samples"].get("test", 0))

    @property
    def test_reads(self) -> int:
        """How often the test split has been read, by what was chosen with fewer minutes."""
        path = self.folder / LEADERBOARD
        return int(Auto(self.folder).summary.get("test_reads", 1)) if path.exists() else 0

    def left(self, outcomes: list[Outcome]) -> float:
        """Seconds that are left when the test split has been scored."""
        return self.clock.left - scoring_seconds(outcomes, self.tests)

    def place(self, name: str) -> Path:
        """The folder of a candidate."""
        return self.folder / "candidates" / name

    def learn_chosen(self, outcomes: list[Outcome]) -> Choice:
        """Choose, and learn again from all samples; one that cannot leaves the choice to others."""
        failed: dict[str, str] = {}
        while True:
            left = without(outcomes, failed)
            choice = read_choice(self.folder, self.clock.seconds) or self.choose(left)
            write_choice(self.folder, choice, self.clock.seconds)
            if not (now := self.learn_again(choice, outcomes, is_last=len(left) <= 1)):
                return choice
            failed |= now
            (self.folder / "choice.json").unlink()

    def choose(self, outcomes: list[Outcome]) -> Choice:
        """By what was held out; the first candidate, where nothing could be."""
        if not self.folds:
            return Choice({self.listed[0].name: 1.0}, {self.listed[0].name: 1.0})
        finished = [one for one in outcomes if one.status == FINISHED]
        if not finished:
            raise Failure("no candidate could be learned from all samples")
        return choose(finished, self.left(finished) + OVER * self.clock.seconds)

    def learn_again(self, choice: Choice, outcomes: list[Outcome], is_last: bool) -> dict[str, str]:
        """Those that could not be learned from all samples, and why."""
        failed = {}
        for name in choice.weights:
            folds = next((one.folds for one in outcomes if one.candidate.name == name), ())
            folder, mark = self.place(name) / "final", self.place(name) / "final.done"
            if mark.exists():
                continue
            self.bar.say(f"{name}, all samples")
            reserve = None if is_last else -self.clock.seconds / 4
            try:
                with silence():
                    self.learners[name].finish(folder, folds, [Watch(self.bar, reserve)])
            except Stopped:
                raise
            except Exception as error:
                if os.environ.get("ZOO_DEBUG") == "1":
                    raise
                failed[name] = "out of time" if isinstance(error, OutOfTime) else line(error)
                self.bar.line(f"failed    {name}, on all samples: {failed[name]}")
            else:
                mark.touch()
                shutil.rmtree(folder / "checkpoints", ignore_errors=True)
                self.clock.save()
        return failed
