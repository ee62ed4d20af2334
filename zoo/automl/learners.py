"""A candidate at work: learn without a fold and score it; learn from all that there is.

A pipeline chooses its C by folds of what it learns from; a network is an ordinary run in a folder,
which goes on where it was stopped, and does not read the test split.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import numpy as np
from pytorch_lightning import Callback

from zoo.automl.candidates import Candidate
from zoo.automl.held_out import HeldOut, size_of
from zoo.automl.members import Member, NetworkMember, PipelineMember
from zoo.automl.novelty import fit_novelty
from zoo.automl.pipelines import save_pipeline
from zoo.automl.request import Request
from zoo.baselines.strong import StrongBaseline
from zoo.catalog.compose import compose
from zoo.catalog.overrides import as_overrides
from zoo.metrics.choice import BestPipeline
from zoo.pretrained.load import load
from zoo.training import checkpoints, launch
from zoo.training.evaluate import open_test_data
from zoo.training.run import Run

OURS = {  # of each network's run
    "baseline": None, "logger": ["csv"], "trainer.limit_test_batches": 0, "save_every": 0.5,
}  # fmt: skip
FIRST = "fold0"  # the folder of the first fold
LAST = {"monitor": "step", "mode": "max"}
UNVALIDATED = {"trainer.limit_val_batches": 0, "early_stopping": None}


class Learner(Protocol):
    """A candidate on the data."""

    def score(self, fold: str | None, folder: Path, watch: Sequence[Callback]) -> HeldOut:
        """Learn all but a fold (None: the training split), in a folder, and score what is left."""

    def finish(self, folder: Path, folds: Sequence[HeldOut], watch: Sequence[Callback]) -> None:
        """Learn from all, as the folds have shown how, and leave a member's folder."""


def make_learner(candidate: Candidate, request: Request, pipelines: Any) -> Learner:
    """What does the work of a candidate."""
    if candidate.overrides is None:
        return PipelineLearner(candidate.name, request, pipelines)
    return NetworkLearner(candidate.name, request, candidate.overrides)


class PipelineLearner:
    """One of a strong baseline's pipelines."""

    def __init__(self, name: str, request: Request, baseline: StrongBaseline) -> None:
        self.name, self.request, self.baseline = name, request, baseline

    def score(self, fold: str | None, folder: Path, watch: Sequence[Callback]) -> HeldOut:
        start, data = perf_counter(), self.request.open(fold)
        pipeline = self._fit(data)
        if folder.name == FIRST:  # writing takes its time: once, for its size
            self._save(pipeline, data, folder)
        fitted = {"labels": pipeline.classes_.tolist(), "temperature": pipeline.temperature_}
        card = {"title": pipeline.name_, "info": data.info, **fitted}
        member = PipelineMember(self.name, pipeline.best_, card, None)
        return scored(member, data, folder, start, 0, pipeline.name_)

    def finish(self, folder: Path, folds: Sequence[HeldOut], watch: Sequence[Callback]) -> None:
        data = self.request.open("all")
        pipeline = self._fit(data)
        novelty = fit_novelty(pipeline.best_, *data.arrays("train"))
        self._save(pipeline, data, folder, novelty)

    def _fit(self, data: Any) -> BestPipeline:
        """Choose C by folds of the training samples, and fit."""
        samples, labels = data.arrays("train")
        return self.baseline.chooser(samples, data, self.name).fit(samples, labels)

    def _save(self, pipeline: BestPipeline, data: Any, folder: Path, novelty: Any = None) -> None:
        """Write it, in place of what a start that was killed has left."""
        shutil.rmtree(folder, ignore_errors=True)
        save_pipeline(pipeline, self._card(data), folder, novelty)

    def _card(self, data: Any) -> dict[str, Any]:
        """What is said of the data; the model is the one that is tried on them first."""
        config, about = self.request.config, data.info["about"]
        return {
            "choices": config["choices"], "data": config["data"], "info": data.info,
            "seen": {self.request.data: about.get("part_of")}, "licence": about.get("licence"),
            "limits": about.get("limits"), "command": self.request.command,
        }  # fmt: skip


class NetworkLearner:
    """A network, trained as `zoo train` does.

    A fold is scored with the last weights, as those that learn from all samples will be: the best
    on the fold would look better than they are. Where a run ends early, its best weights count.
    """

    def __init__(self, name: str, request: Request, overrides: Sequence[str]) -> None:
        self.name, self.request = name, request
        self.words = [*request.own_overrides, *request.words, *overrides]
        self.title = " ".join(overrides)

    def score(self, fold: str | None, folder: Path, watch: Sequence[Callback]) -> HeldOut:
        start, run = perf_counter(), Run(folder)
        last = {} if compose(self.words)["early_stopping"] else LAST
        self._train(run, {**last, **({"data.fold": fold} if fold else {})}, watch)
        model = load(folder)
        data = open_test_data(run.config, model)
        own = scored(
            NetworkMember(self.name, model), data, folder, start, best_epochs(run), self.title
        )
        return own._replace(seconds=max(own.seconds, run.results["train_seconds"]))

    def finish(self, folder: Path, folds: Sequence[HeldOut], watch: Sequence[Callback]) -> None:
        """As long as the folds' runs, or, where these end early, as long as their best took."""
        epochs = max(round(float(np.mean([one.epochs for one in folds]))), 1) if folds else None
        length = {"trainer.max_epochs": epochs} if epochs else {}
        self._train(Run(folder), {"data.fold": "all", **UNVALIDATED, **length}, watch)

    def _train(self, run: Run, more: dict[str, Any], watch: Sequence[Callback]) -> None:
        """Do a run, or go on with it."""
        ours = as_overrides({**OURS, **more, "name": run.folder.name})
        config, card = launch.compose_with_command([*self.words, *ours])
        launch.execute(config, run, alone=True, card=card, watch=watch)


def scored(
    member: Member, data: Any, folder: Path, start: float, epochs: int, title: str
) -> HeldOut:
    """What a member says of the validation split; `start` is when it began to learn."""
    before = perf_counter()
    scores, labels = member.scores(data, "val")
    now = perf_counter()
    return HeldOut(
        data.pool["val"], scores, labels, now - start, size_of(folder), epochs, title,
        (now - before) / max(len(labels), 1),
    )  # fmt: skip


def best_epochs(run: Run) -> int:
    """After how many epochs a run had its best weights."""
    path = run.best if run.best.exists() else next(iter(run.lasts))
    return int(checkpoints.load(path)["epoch"]) + 1
