"""What `zoo auto` ends with: the weighted mean of several classifiers, in a folder with a card.

Shapes: N samples, K classes.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from math import isclose, isfinite
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np
from sklearn.utils.metaestimators import available_if

from zoo.automl import cards
from zoo.automl.folders import copy_member, exchange, open_member, place_of
from zoo.automl.members import Judgement, Member, NetworkMember, as_probabilities
from zoo.automl.novelty import adopt_threshold
from zoo.nn.supervised import as_answers, warn, with_times
from zoo.utilities.files import PART

FROM_MEMBERS = ("choices", "data", "info", "licence", "limits")  # what a card has of the heaviest
AT_ONCE = 64  # samples that are read at once


class Part(NamedTuple):
    """A member to be: a network run's folder or a pipeline's, and what its scores count.

    Of a network that learned from all samples, `folds` are the runs of those that did not; see
    `adopt_threshold`.
    """

    name: str
    folder: Path
    weight: float
    temperature: float
    folds: Sequence[Path] = ()


class Predictor:
    """The weighted mean of its members' probabilities, each softmax(scores / temperature).

    It answers as a classifier of the zoo does. `input` is that of the member with the most weight,
    `novelty` what tells inputs that are unlike the training data, or None.

    Args:
        members: with the same classes.
        card: with a weight and a temperature for each, in this order.

    Raises:
        ValueError: weights or temperatures that are none; members with other classes.
    """

    def __init__(self, members: Sequence[Member], card: Mapping[str, Any]) -> None:
        self.members, self.card = list(members), dict(card)
        self.weights = [float(one["weight"]) for one in card["members"]]
        self.temperatures = [float(one["temperature"]) for one in card["members"]]
        check_numbers(self.weights, self.temperatures)
        self.classes = check_classes(members)
        order = sorted(zip(self.weights, self.members, strict=True), key=lambda pair: -pair[0])
        self.heaviest = order[0][1]
        self.input = self.heaviest.input
        networks = [one for _, one in order if isinstance(one, NetworkMember)]
        self.network: Any = networks[0].model if networks else None
        watchers = [*networks, *(one for _, one in order if one not in networks)]
        self.watcher = next((one for one in watchers if one.novelty is not None), None)
        self.novelty = None if self.watcher is None else self.watcher.novelty

    def predict(self, raws: Any, batch_size: int = AT_ONCE) -> list[dict[str, Any]]:
        """Answer for raw data as a person has it: one item or several.

        Returns:
            Dicts with `label`, `probability`, `probabilities`, and `warning` where an input is
            unlike the training data.

        Raises:
            ValueError: the data cannot be read.
        """
        answers = []
        for part in self.parts(raws, batch_size):
            probabilities, novelty = self.judge(part)
            answers += warn(as_answers(probabilities.tolist(), self.classes), novelty)
        return answers

    def predict_proba(self, raws: Any, batch_size: int = AT_ONCE) -> np.ndarray:
        """Probabilities (N, K), float64, of raw data."""
        return np.concatenate([self.judge(part).scores for part in self.parts(raws, batch_size)])

    def features(self, raws: Any, **options: Any) -> Any:
        """Features of raw data: those of the network with the most weight; see its `features`.

        Raises:
            ValueError: no member is a network.
        """
        if self.network is None:
            raise ValueError(f"no member is a network, which has features: {self.names()}")
        return self.network.features(raws, **options)

    def judge(self, raws: list[Any]) -> Judgement:
        """Probabilities (N, K) of raw samples, and how unlike the training data each is (N,)."""
        novelty, scores = None, []
        for member in self.members:
            judgement = member.judge(raws)
            scores.append(judgement.scores)
            novelty = judgement.novelty if member is self.watcher else novelty
        return Judgement(self.average(scores), novelty)

    def average(self, scores: Sequence[np.ndarray]) -> np.ndarray:
        """Probabilities (N, K) of the scores (N, K) of each member."""
        parts = zip(self.weights, scores, self.temperatures, strict=True)
        mean: np.ndarray = sum(w * as_probabilities(own, t) for w, own, t in parts)  # type: ignore[assignment]
        return mean

    def parts(self, raws: Any, size: int) -> Iterator[list[Any]]:
        """Raw samples, so many at once; what is open is read, for each member reads it anew."""
        samples = self.input.as_list(raws)
        for start in range(0, len(samples), size):
            part = samples[start : start + size]
            yield [raw.read() if hasattr(raw, "read") else raw for raw in part]

    def predict_windows(self, raw: Any) -> list[dict[str, Any]]:
        """Answer for each window of a sound or a clip; see `Classifier.predict_windows`.

        Raises:
            ValueError: the members read no windows, or other ones.
        """
        if not (seconds := getattr(self.input, "seconds", None)):
            raise ValueError(f"the members read no windows: {self.names()}")
        (sample,) = next(self.parts([raw], 1))
        judged = [member.judge_windows(sample) for member in self.members]
        starts = judged[0][0]
        if any(own != starts for own, _ in judged):
            raise ValueError(f"the members read windows of several lengths: {self.names()}")
        answers = as_answers(self.average([scores for _, scores in judged]).tolist(), self.classes)
        return with_times(answers, starts, self.input.sample_rate, seconds)

    @available_if(lambda self: self.reads_texts and len(self.members) == 1)
    def explain(self, raws: Any) -> list[dict[str, Any]]:
        """Answers with the words that pushed them; of a network of texts alone."""
        samples = self.input.as_list(raws)
        pairs = zip(self.predict(samples), self.network.explain(samples), strict=True)
        return [{**answer, "words": own["words"]} for answer, own in pairs]

    @available_if(lambda self: self.reads_texts)
    def predict_file(self, file: TextIO) -> dict[str, Any]:
        """Answer for all of a text, however long: the mean over windows of it; of networks alone.

        Raises:
            ValueError: a line cannot be read, or there are no words.
        """
        total, count = np.zeros(len(self.classes)), 0
        windows = self.input.windows(file)
        while part := list(islice(windows, AT_ONCE)):
            total, count = total + self.judge(part).scores.sum(0), count + len(part)
        if not count:
            raise ValueError("this text has no words")
        (answer,) = as_answers([(total / count).tolist()], self.classes)
        return {**answer, "windows": count}

    @property
    def reads_texts(self) -> bool:
        """Whether all members are networks of texts."""
        return all(isinstance(one, NetworkMember) and one.reads_texts for one in self.members)

    def names(self) -> str:
        """The members, for a line."""
        return ", ".join(f"{one.name} ({one.kind})" for one in self.members)


def save_predictor(parts: Sequence[Part], card: Mapping[str, Any], folder: Path) -> Path:
    """Write a predictor, completely or not at all, in place of one that is there.

    Args:
        parts: at least one; names are those of folders.
        card: what is said of it: `name`, `metrics` such as val/accuracy and val/calibration_error,
            which are those of the average out of fold. What is not said of the data and of where it
            comes from is taken from the member with the most weight.
        folder: which takes copies of the weights and cards of the parts.

    Raises:
        ValueError: weights that do not add up to 1; a name twice, or that is none; a part that is
            no classifier, or has other classes.
    """
    names = [part.name for part in parts]
    if len({*names}) < len(names):
        raise ValueError(f"members are called {', '.join(names)}: each needs a name of its own")
    check_numbers([part.weight for part in parts], [part.temperature for part in parts])
    new = folder.with_name(folder.name + PART)
    try:
        for part in parts:
            place = place_of(new, part.name)
            copy_member(part.folder, place)
            if part.folds and cards.kind_of(place) is None:
                adopt_threshold(place, part.folds)
        members = [open_member(new, name) for name in names]
        cards.seal(new, {"kind": "predictor", **describe(members, parts), **card})
        exchange(new, folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return folder


def update_card(folder: Path, **entries: Any) -> None:
    """Write further entries into a predictor's card, such as its scores on the test split."""
    cards.seal(folder, {**cards.read(folder, "predictor"), **entries})


def describe(members: Sequence[Member], parts: Sequence[Part]) -> dict[str, Any]:
    """What the members say of a predictor's card."""
    listed = [
        {"name": one.name, "kind": one.kind, "title": one.title, "weight": part.weight,
         "temperature": part.temperature}
        for one, part in zip(members, parts, strict=True)
    ]  # fmt: skip
    predictor = Predictor(members, {"members": listed})
    heaviest, watcher = predictor.heaviest.card, predictor.watcher
    own = {key: heaviest[key] for key in FROM_MEMBERS if key in heaviest}
    data_seen = {name: of for one in members for name, of in one.card.get("seen", {}).items()}
    data = heaviest.get("choices", {}).get("data", "data")
    warns = None if watcher is None else watcher.name
    return {"name": f"predictor.{data}", **own, "seen": data_seen, "metrics": {}, "members": listed,
            "warns": warns}  # fmt: skip


def check_numbers(weights: Sequence[float], temperatures: Sequence[float]) -> None:
    """Refuse weights that are no shares, and temperatures that are no divisors."""
    if not all(weight > 0 for weight in weights) or not isclose(sum(weights), 1, abs_tol=1e-6):
        raise ValueError(f"the weights are {weights}: they must be above 0 and add up to 1")
    if not all(isfinite(one) and one > 0 for one in temperatures):
        raise ValueError(f"the temperatures are {temperatures}: they must be above 0, and finite")


def check_classes(members: Sequence[Member]) -> list[str]:
    """The classes, which all members have in one order."""
    first = members[0]
    for one in members:
        if one.classes != first.classes:
            raise ValueError(
                f"{one.name} has the classes {', '.join(one.classes)}, and {first.name} "
                f"{', '.join(first.classes)}: members have the same, in one order"
            )
    return first.classes
