"""Try what suits your data within some minutes, and keep the best as a predictor.

    zoo auto data=image_folder data.source=PATH             your own pictures, in 10 minutes
    zoo auto data=labelled_text data.source=FILE minutes=3  texts, in three
    zoo auto data=mnist data.train_samples=500 name=few     a set of the catalog
    zoo predict runs/auto/image_folder/NAME/predictor PATH  what came of it, at work

Tried are the strong baselines and the networks of conf/auto/, in that order; the best are averaged,
learned again from all training samples, and tested once. The same command with the same name=NAME
goes on where it stopped, with more minutes= with what there was no time for (docs/own_data.md).
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.automl.search import Auto

INTERMIXED = True  # flags may stand between overrides


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "-cd", "--config-dir", action="append", default=[], help="a folder like conf/ to add"
    )
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="data, seed, minutes, name, auto, trainer"
    )


def run(args: Namespace) -> None:
    from zoo.catalog import registry

    with registry.with_config_dirs(args.config_dir):
        show(start(args.overrides))


def start(words: Sequence[str]) -> "Auto":
    """Search, and write the page of what was found."""
    from zoo.automl.request import read_words
    from zoo.automl.search import search
    from zoo.pages import leaderboard

    return search(read_words(words), leaderboard.write)


def auto(data: str, minutes: float = 10, **overrides: Any) -> "Auto":
    """Choose among candidates for a data set as `zoo auto` does, and keep the best as a predictor.

    Args:
        data: image_folder, labelled_text, audio_folder or video_folder, with
            `**{"data.source": PATH}`; or one of `list_data()` with classes.
        minutes: that it may take.
        overrides: of data, seed and trainer, and name= of the folder, as for `zoo.train`.

    Returns:
        An `Auto`: its `folder`; `summary`, the leaderboard; `predictor`, whose `predict` takes raw
        data.

    Raises:
        ValueError: a wrong name, key or value; data that cannot be read or have no classes.
        Failure: no candidate could learn the data.
    """
    from zoo.catalog.overrides import as_overrides

    return start(as_overrides({"data": data, "minutes": minutes, **overrides}))


def show(auto_run: "Auto") -> None:
    """The candidates, the predictor and its score on the test split, and what comes next."""
    from zoo.automl import evidence
    from zoo.automl.advice import compare, reread
    from zoo.automl.final import next_commands
    from zoo.commands._tables import print_table
    from zoo.distributed.console import make_output

    summary = auto_run.summary
    print_table(evidence.table(summary), title=summary["command"])
    console = make_output(None, soft_wrap=True)
    scores = summary["test"]
    low, high = (scores[f"test/accuracy/{end}"] for end in ("low", "high"))
    test = f"{100 * scores['test/accuracy']:.1f} % ({100 * low:.1f} to {100 * high:.1f})"
    test = ", ".join(filter(None, (test, reread(summary))))
    console.print(f"test      {test}, {summary['seconds'] / 60:.1f} of {summary['minutes']:g} min")
    for line in compare(summary):
        console.print(f"compared  {line}")
    for line in summary["advice"]:
        console.print(f"advice    {line}")
    console.print(f"page      {auto_run.folder / 'leaderboard.html'}")
    for line in next_commands(auto_run.folder, summary):
        console.print(f"try       {line}")
