"""The page of `zoo auto`: how good the predictor is, what was tried, what to do with it and next.

leaderboard.json  ->  FOLDER/leaderboard.html
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from zoo.automl.advice import compare, reread
from zoo.automl.evidence import FINISHED, SCORE, table
from zoo.automl.scores import MISTAKES
from zoo.figures.evaluation import draw_answers
from zoo.figures.html import render
from zoo.figures.kinds import Curve, Intervals, Picture, Table
from zoo.training.comparison import interval_of
from zoo.utilities.files import replace
from zoo.utilities.scores import format_score

NAME, PREDICTOR = "leaderboard.html", "predictor"
COLUMNS = 8  # of pictures
SIDE = 128  # pixels that a picture has at most
ACCURACY = "test/accuracy"
MORE = {"test/loss": "log loss", "test/calibration_error": "expected calibration error"}

Summary = Mapping[str, Any]


def write(
    folder: Path, summary: Summary, thumbnails: Mapping[int, Any] | None = None, rate: float = 0
) -> Path:
    """Write the page; a reader never sees half of it.

    Args:
        folder: of the run: the predictor lies in it.
        summary: what leaderboard.json holds.
        thumbnails: raw samples by their place in the pool: pictures, texts, clips or waves, all of
            one kind. Of mistakes that are not among them the names stand in a table.
        rate: frames per second of clips, samples per second of waves.
    """
    replace(page := folder / NAME, html(folder, summary, thumbnails or {}, rate))
    return page


def html(folder: Path, summary: Summary, thumbnails: Mapping[int, Any], rate: float) -> str:
    """The whole page."""
    return render(
        "pages/leaderboard.html.j2",
        page_title=title(summary),
        subtitle=f"zoo auto, {summary['minutes']:g} minutes, {_path(folder)}",
        answer=answer(summary),
        judged=summary["predictor"]["samples"],
        intervals=intervals(summary),
        candidates=candidates(summary),
        about=about(summary),
        comparisons=compare(summary),
        curve=curve(summary),
        classes=per_class(summary),
        mistakes=samples(summary["mistakes"], thumbnails, rate),
        suspects=samples(summary["suspects"], thumbnails, rate),
        advice=summary["advice"],
        predictor=_path(folder / PREDICTOR),
        command=summary["command"],
    )


def _path(folder: Path) -> str:
    here, folder = Path.cwd(), folder.resolve()
    return str(folder.relative_to(here) if folder.is_relative_to(here) else folder)


# --- the answer ----------------------------------------------------------------------------------


def title(summary: Summary) -> str:
    """The data and the score on their test split."""
    test = summary.get("test") or {}
    if ACCURACY not in test:
        return str(summary["data"])
    return f"{summary['data']}: {format_score(ACCURACY, test[ACCURACY])} right"


def answer(summary: Summary) -> list[str]:
    """What the predictor is, and how good on what nothing was chosen by."""
    members, test = summary["predictor"]["members"], summary.get("test") or {}
    parts = ", ".join(f"{one['name']} ({100 * one['weight']:.0f} %)" for one in members)
    kind = f"the weighted average of {parts}" if len(members) > 1 else f"{members[0]['name']} alone"
    sentences = [f"The predictor is {kind}."]
    if ACCURACY in test:
        interval = interval_of(ACCURACY, dict(test))
        more = [f"95 % interval {interval}"] if interval else []
        more += [f"{name} {test[key]:.3g}" for key, name in MORE.items() if key in test]
        score = f"{format_score(ACCURACY, test[ACCURACY])} right ({', '.join(more)})"
        sentences.append(f"Of the test split, by which nothing was chosen, it answers {score}.")
    if note := reread(summary):
        sentences.append(f"{note.capitalize()}: a search of fewer minutes came before.")
    return sentences


# --- what was tried ------------------------------------------------------------------------------


def intervals(summary: Summary) -> Intervals:
    """The accuracies of the predictor and of what finished."""
    scored = [{"name": PREDICTOR, **summary["predictor"]}, *summary["candidates"]]
    scored = [one for one in scored if one["accuracy"] is not None]
    values = [[100 * one[key] for key in SCORE] for one in scored]
    return Intervals(
        [one["name"] for one in scored],
        [value for value, _, _ in values],
        [(low, high) for _, low, high in values],
        "per cent of the samples held out, with 95 % intervals",
    )


def candidates(summary: Summary) -> Table:
    """The table that is printed, without the accuracies that are drawn."""
    printed, every = table(summary), summary["candidates"]
    states = ["", *("" if one["status"] == FINISHED else one["status"] for one in every)]
    states = [state.replace(" ", "\N{NO-BREAK SPACE}") for state in states]  # one line on a phone
    rows = [
        (name, *rest, state) for (name, _, *rest), state in zip(printed.rows, states, strict=True)
    ]
    name, _, *rest = printed.header
    last = slice(None) if any(states) else slice(-1)
    return Table((name, *rest, "status")[last], [row[last] for row in rows])


def about(summary: Summary) -> dict[str, str]:
    """What each candidate is, and why it failed."""
    lines_of = {
        one["name"]: [
            text for text in (one["title"], one["reason"]) if text not in ("", one["name"])
        ]
        for one in summary["candidates"]
    }
    return {name: ": ".join(texts) for name, texts in lines_of.items() if texts}


def curve(summary: Summary) -> Curve | None:
    """The baseline's accuracy on more and more samples, if there are several points."""
    points = summary["curve"]
    if len(points) < 2:
        return None
    line = [count for count, _ in points], [100 * accuracy for _, accuracy in points]
    return Curve({str(summary["baseline"]): line}, "training samples", "per cent right", log_x=True)


def per_class(summary: Summary) -> Table:
    """The worst first."""
    order = sorted(summary["classes"], key=lambda one: (one["accuracy"] is None, one["accuracy"]))
    rows = [
        (one["name"], f"{one['samples']:,}", "-" if (a := one["accuracy"]) is None else _share(a))
        for one in order
    ]
    return Table(("class", "samples", "right"), rows)


def _share(value: float) -> str:
    return f"{100 * value:.0f} %"


def samples(
    listed: Sequence[Mapping[str, Any]], thumbnails: Mapping[int, Any], rate: float
) -> Picture | None:
    """Mistakes as they are, where all of them are at hand; else their names."""
    if not (listed := listed[:MISTAKES]):
        return None
    if any(one["index"] not in thumbnails for one in listed):
        rows = [(one["truth"], one["answer"], _share(one["probability"]), one["sample"])
                for one in listed]  # fmt: skip
        return Table(("truth", "answer", "sure", "sample"), rows)
    answers = [{"label": one["answer"], "probability": one["probability"]} for one in listed]
    raws = [_small(thumbnails[one["index"]]) for one in listed]
    return draw_answers(raws, [one["truth"] for one in listed], answers, rate, COLUMNS)


def _small(raw: Any) -> Any:
    """A picture (H, W) or (H, W, C) of at most 128 pixels a side; what is none as it is."""
    if isinstance(raw, str) or raw.ndim not in (2, 3) or max(raw.shape[:2]) <= SIDE:
        return raw
    picture = Image.fromarray(raw.squeeze())
    picture.thumbnail((SIDE, SIDE))
    return np.asarray(picture)
