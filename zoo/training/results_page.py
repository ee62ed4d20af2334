"""The pages of the measured scores: docs/results.md, and ten rows of them in README.

A row says what is wanting: a bar that is no better than the baseline is a lower bound and nothing
to be proud of, a model may lose to its baseline or take longer than was said, and a score may have
been measured with other code or on other vectors than today's.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import OmegaConf

from zoo.catalog import registry
from zoo.catalog.compose import compose_section
from zoo.training.comparison import bar, lower_is_better, reaches
from zoo.utilities.scores import format_range, format_score

Figure = Mapping[str, Any]
Figures = Mapping[str, Figure]
START = "<!-- results: written by `zoo reproduce --all` -->"
END = "<!-- /results -->"
TOPICS = {  # the rows of README
    "image_cnn": "images: digits",
    "cifar10_image_cnn_2017": "images: photographs",
    "video_conv3d": "video",
    "imdb_text_cnn": "text, convolutional",
    "imdb_text_lstm": "text, recurrent",
    "wikipedia_2015_cbow": "word vectors",
    "autoencoder": "autoencoder",
    "tinyshakespeare_char_rnn": "text generation",
    "gan_conditional": "image generation",
    "wavenet": "audio generation",
}
COLUMNS = (
    "experiment", "data", "metric", "score", "bar", "baseline", "verdict", "parameters", "minutes",
    "seeds", "device",
)  # fmt: skip
README_COLUMNS = ("topic", "model on data", "metric", "score", "baseline", "minutes", "command")
HEAD = """# Results

Written by `zoo reproduce --all`; `zoo reproduce NAME` repeats a row, from code that is committed.
The mean over the seeds is judged; ↑ says that higher is better, ↓ that lower is. Minutes are those
of the slowest seed's training, of those that the target allows, and of the baseline's.

A target is **met** by a score within its bar and its minutes. A bar that is no better than the
baseline is a **lower bound**: it tells that training works, not that the model is of use. A
**control** is met by a score that is *not* better. **Measured with earlier code** is what has not
been run again since its config, or the code or weights behind it, changed.

"""


# --- what there is to say of a figure -------------------------------------------------------------


def better(metric: str, one: float, other: float) -> bool:
    """Whether a score of a metric is better than another."""
    return one < other if lower_is_better(metric) else one > other


def bound(figure: Figure) -> float:
    """The number of the bar."""
    low, high = figure["at_least"], figure["at_most"]
    return float(low if low is not None else high)


def is_reached(figure: Figure) -> bool:
    """Whether the mean is within the bar."""
    return reaches(figure["mean"], figure)


def is_slow(figure: Figure) -> bool:
    """Whether a seed took longer than the target says."""
    return bool(figure["minutes"] > figure["minutes_at_most"])


def is_lower_bound(figure: Figure) -> bool:
    """Whether the bar is no better than the baseline."""
    baseline = figure["baseline_score"]
    return baseline is not None and not better(figure["metric"], bound(figure), baseline)


def loses(figure: Figure) -> bool:
    """Whether the baseline is better than the model."""
    baseline = figure["baseline_score"]
    return baseline is not None and better(figure["metric"], baseline, figure["mean"])


def remarks(figure: Figure, of_targets: bool = True) -> list[str]:
    """What has to be said of a figure besides its numbers; of its target, too, or not."""
    notes = {
        "misses its bar": not is_reached(figure),
        f"loses to {figure['baseline']}": loses(figure),
        "lower bound": of_targets and is_lower_bound(figure),
        f"slower than its {figure['minutes_at_most']:g} minutes": of_targets and is_slow(figure),
        "measured with earlier code": figure.get("earlier_code", False),
    }
    return [text for text, applies in notes.items() if applies]


def verdict(figure: Figure) -> str:
    """Whether a target is met, in time and by a bar that says something, and what else there is.

    The score of a control is wanted no better than the bar: what was taken away was needed.
    """
    is_control = (figure["at_most"] is not None) != lower_is_better(figure["metric"])
    is_met = is_reached(figure) and not is_slow(figure) and not is_lower_bound(figure)
    return ", ".join([*["control"] * is_control, *["met"] * is_met, *remarks(figure)])


def score(figure: Figure) -> str:
    """The mean, and the range over the seeds."""
    metric, values = figure["metric"], figure["values"]
    mean = format_score(metric, figure["mean"])
    spread = format_range(metric, min(values), max(values))
    return f"{mean} ({spread})" if len(values) > 1 else mean


# --- the pages ------------------------------------------------------------------------------------


def page(figures: Figures) -> str:
    """docs/results.md."""
    rows = (_row(name, figure) for name, figure in sorted(figures.items()))
    return HEAD + _head(COLUMNS) + "".join(rows)


def with_table(readme: str, figures: Figures) -> str:
    """The README with the ten rows between its marks."""
    before, start, rest = readme.partition(START + "\n")
    _, end, after = rest.partition(END)
    rows = (_short_row(name, figures[name]) for name in TOPICS if name in figures)
    return before + start + _head(README_COLUMNS) + "".join(rows) + end + after


def _short_row(name: str, figure: Figure) -> str:
    module = compose_section("model", figure["model"])["_target_"].split(".")[1]
    return _cells(
        TOPICS[name],
        f"[{figure['model']}](zoo/{module}.py) on {figure['data']}",
        _metric(figure),
        ", ".join([f"**{score(figure)}**", *remarks(figure, of_targets=False)]),
        _baseline(figure),
        f"{figure['minutes']:.1f}",
        f"`zoo train experiment={name}`",
    )


def _row(name: str, figure: Figure) -> str:
    seconds = figure.get("beside", {}).get("baseline/train_seconds")
    return _cells(
        f"`{name}`",
        _data(figure),
        _metric(figure),
        f"**{score(figure)}**",
        bar(figure["metric"], figure),
        _baseline(figure, "" if seconds is None else f", {seconds:.1f} s"),
        verdict(figure),
        f"{figure['parameters']:,}",
        f"{figure['minutes']:.1f} of {figure['minutes_at_most']:g}",
        str(len(figure["seeds"])),
        f"{figure['device']}, {figure['precision']}",
    )


def _metric(figure: Figure) -> str:
    return f"{figure['metric']} {'↓' if lower_is_better(figure['metric']) else '↑'}"


def _baseline(figure: Figure, more: str = "") -> str:
    """The baseline's score and name."""
    value = figure["baseline_score"]
    if value is None:
        return ""
    return f"{format_score(figure['metric'], value)} ({figure['baseline']}{more})"


def _data(figure: Figure) -> str:
    """The name of the data, and what was done to them."""
    section: Any = OmegaConf.load(registry.file("data", figure["data"]))
    note = "bundled" if figure["bundled"] else section.get("about", {}).get("copy", "")
    return str(figure["data"]) + (f" ({note})" if note else "")


def _head(columns: Sequence[str]) -> str:
    return _cells(*columns) + "|" + "---|" * len(columns) + "\n"


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |\n"
