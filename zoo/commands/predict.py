"""Answer for raw inputs: pictures, texts, clips or sounds.

    zoo predict image_cnn.mnist digit.png photos/      files, and all that lie in a folder
    zoo predict text_cnn.imdb "not bad at all"         a text in quotes, or a .txt file
    cat texts.txt | zoo predict text_cnn.imdb -        standard input: a text a line
    zoo predict cbow "paris - france + italy"          an analogy, a word, or a gap: "the _ sat"
    zoo predict char_rnn "def "                        a prompt
    zoo predict gan 0 1 2                              seeds
    zoo predict image_cnn.mnist                        eight examples, the truth beside the answer

Of a model's or an experiment's name the newest finished run below ./runs is taken, else the
released weights. Answers that are pictures go to a file.
"""

import csv
import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

AT_ONCE = 64  # inputs
MANY = 2 * AT_ONCE  # inputs from which on a bar is worth showing


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "name", metavar="NAME|RUN|WEIGHTS", help="a name of `zoo list weights`, a run or a file"
    )
    parser.add_argument("inputs", nargs="*", metavar="INPUT", help="a file, a folder, a text or -")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="one JSON list, with all that is known")
    how.add_argument("--csv", action="store_true", help="a row for each input")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="for pictures, or the page of examples"
    )


def run(given: Namespace) -> None:
    from zoo import load
    from zoo.commands.main import output_file
    from zoo.training.run import weights_of

    output = output_file(given.output, given.name, ".png" if given.inputs else ".html")
    model = load(weights_of(given.name))
    if not given.inputs:
        show_examples(model, output)
        return
    named = list(collected(given.inputs, getattr(model.input, "suffixes", frozenset())))
    if not named:
        raise FileNotFoundError(f"{', '.join(given.inputs)}: no inputs for {given.name} in there")
    answers, broken = answered(model, named)
    if answers and is_picture(answers[0][1]):
        write_pictures(model, answers, output)
    elif answers:
        kind = "json" if given.json else "csv" if given.csv else "table"
        {"json": print_json, "csv": print_csv, "table": print_table}[kind](answers)
    if broken:
        more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
        raise ValueError(broken[0] + more)


# --- what is asked --------------------------------------------------------------------------------


def collected(words: Sequence[str], suffixes: frozenset[str]) -> Iterator[tuple[str, Any]]:
    """Each input with its name: files as paths, or what they say; texts as they are."""
    texts = ".txt" in suffixes
    for word in words:
        if word == "-":
            yield from standard_input(texts)
        elif _exists(word):
            for path in found(Path(word), suffixes):
                yield str(path), read(path) if texts else str(path)
        else:
            yield word, word


def _exists(word: str) -> bool:
    try:
        return Path(word).exists()
    except OSError:  # too long for a name
        return False


def standard_input(texts: bool) -> Iterator[tuple[str, Any]]:
    """Of texts a line each, else one file."""
    if not texts:
        yield "-", sys.stdin.buffer.read()
        return
    for line in sys.stdin:
        if line.strip():
            yield line.strip(), line.strip()


def found(path: Path, suffixes: frozenset[str]) -> list[Path]:
    """A file, or all files of the right kind in a folder; a folder of frames is a clip."""
    if path.is_file():
        return [path]
    inside = sorted(f for f in path.rglob("*") if f.suffix.lower() in suffixes)
    return inside or ([path] if suffixes & {".mp4"} and any(path.iterdir()) else [])


def read(path: Path) -> str:
    """The text of a file."""
    from datamodules.inputs.text import read_text

    return read_text(path)


# --- what is answered -----------------------------------------------------------------------------


def answered(
    model: Any, named: Sequence[tuple[str, Any]]
) -> tuple[list[tuple[str, Any]], list[str]]:
    """Name and answer of each input, and what is to be said of those that cannot be read."""
    answers: list[tuple[str, Any]] = []
    broken: list[str] = []
    for part in with_bar([named[i : i + AT_ONCE] for i in range(0, len(named), AT_ONCE)]):
        names, raws = zip(*part, strict=True)
        try:
            answers += zip(names, model.predict(list(raws)), strict=True)
        except (ValueError, OSError):
            for name, raw in part:  # find which
                try:
                    answers.append((name, model.predict([raw])[0]))
                except (ValueError, OSError) as error:
                    broken.append(str(error))
    return answers, broken


def with_bar(parts: list[Any]) -> Iterator[Any]:
    """The parts, with a progress bar where there are many."""
    if len(parts) * AT_ONCE <= MANY:
        return iter(parts)
    from rich.console import Console
    from rich.progress import track

    return iter(track(parts, description="predicting", console=Console(stderr=True)))


def is_picture(answer: Any) -> bool:
    return hasattr(answer, "shape")


def columns(answer: Any) -> dict[str, str]:
    """An answer as cells of a table."""
    if isinstance(answer, list):  # words and how near or how likely they are
        return {"words": ", ".join(f"{word} {share:.2f}" for word, share in answer)}
    said = {key: value for key, value in answer.items() if key != "probabilities"}
    if "probability" in said:
        said["probability"] = f"{100 * said['probability']:.1f} %"
    if "next" in said:
        said["next"] = repr(said["next"])
    return {key: str(value) for key, value in said.items()}


def tabled(
    answers: Sequence[tuple[str, Any]], first: str
) -> tuple[list[str], list[dict[str, str]]]:
    """All columns that some answer has, and a row for each."""
    rows = [{first: name, **columns(answer)} for name, answer in answers]
    return list(dict.fromkeys(key for row in rows for key in row)), rows


def print_table(answers: Sequence[tuple[str, Any]], first: str = "input") -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    header, rows = tabled(answers, first)
    table = Table(*header)
    for row in rows:
        table.add_row(*(escape(row.get(key, "")) for key in header))
    Console(highlight=False, width=None if sys.stdout.isatty() else 160).print(table)


def print_csv(answers: Sequence[tuple[str, Any]]) -> None:
    header, rows = tabled(answers, "input")
    writer = csv.DictWriter(sys.stdout, header, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def print_json(answers: Sequence[tuple[str, Any]]) -> None:
    found = [{"input": name, "answer": answer} for name, answer in answers]
    print(json.dumps(found, indent=1, ensure_ascii=False))


def write_pictures(model: Any, answers: Sequence[tuple[str, Any]], output: Path) -> None:
    """One sheet: what was given above what came out, or the drawn pictures."""
    from zoo.commands.sample import save
    from zoo.pictures import Grid, png

    made = [answer for _, answer in answers]
    if all(_exists(name) for name, _ in answers):
        given = [model.input.decode(name) for name, _ in answers]
        sheet = Grid([*given, *made], columns=len(made))
    else:
        sheet = Grid(made)
    save(output, png(sheet), "picture")


# --- without inputs -------------------------------------------------------------------------------


def show_examples(model: Any, output: Path) -> None:
    """Answer for eight test samples and draw the truth beside each."""
    from zoo.pages import examples

    shown = examples.of(model)
    if shown.answers:
        print_table(list(zip(shown.truths, shown.answers, strict=True)), first="truth")
    output.write_text(shown.page(), encoding="utf-8")
    print(f"page      {output}")
