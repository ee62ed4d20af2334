"""Answer for raw inputs: pictures, texts, clips or sounds.

    zoo predict image_cnn.mnist digit.png photos/      files, and all that lie in a folder
    zoo predict text_cnn.imdb "not bad at all"         a text in quotes, or a .txt file
    zoo predict text_cnn.imdb --explain review.txt     and the words that pushed the answer
    cat texts.txt | zoo predict text_cnn.imdb -        standard input: a text a line
    zoo predict text_cnn.imdb texts.txt --lines        a file the same way; it may be of any size
    zoo predict text_cnn.imdb book.txt --whole         a text of any length, window by window
    zoo predict sound_classifier birds.wav --windows   each window of a sound or clip by itself
    zoo predict cbow "paris - france + italy"          an analogy, a word, or a gap: "the _ sat"
    zoo predict char_rnn "def "                        a prompt
    zoo predict gan 0 1 2                              seeds
    zoo predict image_cnn.mnist                        eight examples, the truth beside the answer
    zoo predict runs/auto/pets/a cat.png               the predictor that `zoo auto` ended with

Of a model's or an experiment's name the newest finished run below ./runs is taken, else the
released weights. Answers that are pictures go to a file; all others are written as they come, in
the order of the inputs. Empty lines are passed over. A line that cannot be read is named by its
number on standard error, the others are answered, and the exit code is 2.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from zoo.commands._answers import Answer, print_table, write
from zoo.commands._inputs import UTF8, RawInput, collect_inputs
from zoo.commands._progress import AT_ONCE, make_bar, track_parts
from zoo.utilities.protocols import require_zoo_module

LARGE = 2**22  # bytes of a text from which on it is, too
INTERMIXED = True  # options may stand between name and inputs

Predict = Callable[[list[Any]], list[Any]]


class Failures:
    """What could not be read: a line is named at once, of other inputs the first at the end."""

    def __init__(self) -> None:
        self.first, self.count = "", 0

    def add(self, raw_input: RawInput, error: Exception) -> None:
        line = f"{raw_input.place}{error}"
        if raw_input.place:
            print(f"zoo: {line}", file=sys.stderr)
        self.first, self.count = self.first or line, self.count + 1

    def check(self) -> None:
        """Raise ValueError if there was any."""
        if self.count:
            more = f" (and {self.count - 1} more)" if self.count > 1 else ""
            raise ValueError(self.first + more)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "name", metavar="NAME|RUN|WEIGHTS", help="a name of `zoo list weights`, a run or a file"
    )
    parser.add_argument("inputs", nargs="*", metavar="INPUT", help="a file, a folder, a text or -")
    parser.add_argument(
        "--explain", action="store_true", help="of texts: the words that pushed the answer"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--lines", action="store_true", help="a file holds a text a line")
    what.add_argument(
        "--whole", action="store_true", help="read all of a text: the mean over windows of it"
    )
    what.add_argument(
        "--windows", action="store_true", help="of a sound or a clip: a line for each window"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="one JSON list, with all that is known")
    how.add_argument("--jsonl", action="store_true", help="the same, one JSON object a line")
    how.add_argument("--csv", action="store_true", help="a row for each input")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="for pictures, or the page of examples"
    )


def run(args: Namespace) -> None:
    from zoo.automl.load import find, load
    from zoo.commands.main import output_file

    output = output_file(args.output, args.name, ".png" if args.inputs else ".html")
    model = load(find(args.name))
    check(args, model)
    if not args.inputs:
        show_examples(model, output)
        return
    inputs = collect_inputs(args, getattr(model.input, "suffixes", frozenset()))
    one_by_one = args.explain or args.whole or args.windows
    parts = track_parts(inputs, 1 if one_by_one else AT_ONCE)
    failures = Failures()
    answers = predict_all(make_predict(args, model), parts, failures)
    if args.windows:
        answers = name_windows(answers)
    write(args, model, answers, output)
    failures.check()


def check(args: Namespace, model: Any) -> None:
    """Refuse what this model cannot do.

    Raises:
        ValueError: naming the option.
    """
    if not hasattr(model, "members"):  # a predictor's
        require_zoo_module(model, "predict")
    kind, texts = type(model).__name__, "take a classifier of texts, such as text_cnn"
    if args.explain and not hasattr(model, "explain"):
        raise ValueError(f"--explain: {kind} cannot say which words pushed its answer; {texts}")
    if args.whole and not hasattr(model, "explain"):
        raise ValueError(f"--whole: {kind} does not read texts window by window; {texts}")
    has_windows = hasattr(model, "predict_windows") and getattr(model.input, "seconds", None)
    if args.windows and not has_windows:
        sounds = "take a classifier of sounds, or of clips at a rate"
        raise ValueError(f"--windows: {kind} has none with a time; {sounds}")
    if args.explain and args.whole:
        raise ValueError("--explain is about one window: leave out --whole")
    if args.lines and ".txt" not in getattr(model.input, "suffixes", ()):
        raise ValueError(f"--lines: {kind} takes no texts; leave it out")
    if (args.lines or args.whole or args.explain or args.windows) and not args.inputs:
        raise ValueError(
            "--explain, --lines, --whole and --windows need an INPUT: a file, a text or -"
        )
    if not args.inputs and hasattr(model, "members"):
        raise ValueError("a predictor shows no examples: give it an INPUT, a file, a text or -")


# --- what is answered -----------------------------------------------------------------------------


def make_predict(args: Namespace, model: Any) -> Predict:
    """What answers for a list of raw inputs."""
    from datamodules.inputs.text import read_text

    if args.whole:
        return lambda raws: [predict_long_text(model, raw) for raw in raws]
    if args.windows:
        return lambda raws: [model.predict_windows(raw) for raw in raws]
    predict: Predict = model.explain if args.explain else model.predict
    if ".txt" not in getattr(model.input, "suffixes", ()):
        return predict
    return lambda raws: predict([read_text(raw) for raw in raws])


def predict_long_text(model: Any, text: Path | TextIO) -> Any:
    """Answer for all of a text, which is read bit by bit."""
    if not isinstance(text, Path):
        return model.predict_file(text)
    small = text.stat().st_size < LARGE
    try:
        name = str(text).replace("{", "{{").replace("}", "}}")
        with make_bar(name, small) as progress, progress.open(text, **UTF8) as file:
            return model.predict_file(file)
    except ValueError as error:
        raise ValueError(f"{text}: {error}") from error


def predict_all(
    predict: Predict, parts: Iterator[list[RawInput]], failures: Failures
) -> Iterator[Answer]:
    """Name and answer of each input, a part at once; what cannot be read is kept apart."""
    for part in parts:
        for raw_input, answer in zip(part, predict_part(predict, part), strict=True):
            if isinstance(answer, Exception):
                failures.add(raw_input, answer)
            else:
                yield raw_input.name, answer


def name_windows(answers: Iterator[Answer]) -> Iterator[Answer]:
    """An answer for each window, called after its file and its seconds."""
    for name, windows in answers:
        for window in windows:
            yield f"{name} {window['begin']:.1f}-{window['end']:.1f} s", window


def predict_part(predict: Predict, part: Sequence[RawInput]) -> list[Any]:
    """Answers, and errors in the place of those for which there is none."""
    try:
        return predict([raw_input.raw for raw_input in part])
    except (ValueError, OSError) as error:
        if len(part) == 1:
            return [error]
        half = len(part) // 2
        return predict_part(predict, part[:half]) + predict_part(predict, part[half:])


# --- without inputs -------------------------------------------------------------------------------


def show_examples(model: Any, output: Path) -> None:
    """Answer for eight test samples and draw the truth beside each."""
    from zoo.pages import examples

    sheet = examples.make_examples(model)
    output.write_text(sheet.page(), encoding="utf-8")
    if sheet.answers:
        print_table(zip(sheet.truths, sheet.answers, strict=True), first="truth")
    print(f"page      {output}")
