"""How `zoo predict` shows answers: a table, CSV, JSON, a sheet of pictures."""

import csv
import json
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from textwrap import indent, shorten
from typing import Any

from zoo.commands._inputs import exists

ROWS = 1000  # of a table; more begin another one
Answer = tuple[str, Any]  # with the name of its input


def write(args: Namespace, model: Any, answers: Iterator[Answer], output: Path) -> None:
    """Write answers as they come, in the form that was asked for."""
    first = next(answers, None)
    if first is None:
        return
    answers = chain([first], answers)
    if is_picture(first[1]):
        write_pictures(model, list(answers), output)
    elif args.csv:
        print_csv(answers, [] if getattr(model, "novelty", None) is None else ["warning"])
    elif args.json:
        print_json(answers)
    elif args.jsonl:
        for answer in answers:
            print(as_json(answer))
    elif args.explain:
        print_explained(answers)
    else:
        print_table(answers)


def write_pictures(model: Any, answers: Sequence[Answer], output: Path) -> None:
    """One sheet: what was given above what came out, or the drawn pictures."""
    from zoo.figures.kinds import Grid
    from zoo.figures.raster import png

    pictures = [answer for _, answer in answers]
    if all(exists(name) for name, _ in answers):
        originals = [model.input.decode(name) for name, _ in answers]
        sheet = Grid([*originals, *pictures], columns=len(pictures))
    else:
        sheet = Grid(pictures)
    output.write_bytes(png(sheet))
    print(f"picture   {output}")


def is_picture(answer: Any) -> bool:
    return hasattr(answer, "shape")


def columns(answer: Any) -> dict[str, str]:
    """An answer as cells of a table."""
    if isinstance(answer, list):  # words and how near or how likely they are
        return {"words": ", ".join(f"{word} {share:.2f}" for word, share in answer)}
    hidden = ("probabilities", "begin", "end")  # of windows the name says where they are
    cells = {key: value for key, value in answer.items() if key not in hidden}
    if "probability" in cells:
        cells["probability"] = f"{100 * cells['probability']:.1f} %"
    if "next" in cells:
        cells["next"] = repr(cells["next"])
    if "words" in cells:
        from zoo.nn.text_classifier import strongest

        cells["words"] = strongest(cells["words"])
    return {key: str(value) for key, value in cells.items()}


def print_table(answers: Iterable[Answer], first: str = "input") -> None:
    """A row for each answer, with all columns that one of them has."""
    from rich.table import Table

    from zoo.distributed.console import make_output

    answers = iter(answers)
    while page := list(islice(answers, ROWS)):
        rows = [{first: name, **columns(answer)} for name, answer in page]
        header = list(dict.fromkeys(key for row in rows for key in row))
        table = Table(*header)
        for row in rows:
            table.add_row(*(row.get(key, "") for key in header))
        make_output(160).print(table)


def print_csv(answers: Iterator[Answer], more: list[str]) -> None:
    """The columns are those of the first answer, and what others may have besides."""
    writer = None
    for name, answer in answers:
        row = {"input": name, **columns(answer)}
        if writer is None:
            header = list(dict.fromkeys([*row, *more]))
            writer = csv.DictWriter(sys.stdout, header, lineterminator="\n")
            writer.writeheader()
        writer.writerow(row)


def print_json(answers: Iterator[Answer]) -> None:
    """One list, written item by item."""
    before = "[\n"
    for answer in answers:
        print(before + indent(as_json(answer, 1), " "), end="")
        before = ",\n"
    print("\n]")


def as_json(answer: Answer, spaces: int | None = None) -> str:
    return json.dumps({"input": answer[0], "answer": answer[1]}, indent=spaces, ensure_ascii=False)


def print_explained(answers: Iterator[Answer]) -> None:
    """The words of each text, green for the answer and red against it, and the strongest ones."""
    from zoo.distributed.console import make_output

    console = make_output(None, soft_wrap=True)
    for name, answer in answers:
        cells = columns(answer)
        strongest, label = cells.pop("words"), ", ".join(cells.values())
        console.print(f"input     {shorten(name, 80, placeholder=' ...')}")
        console.print(f"answer    {label}")
        console.print("words    ", tint_words(answer["words"]))
        console.print(f"strongest {strongest}\n")


def tint_words(weights: Sequence[tuple[str, float]]) -> Any:
    """Words in colours, bold where they pushed more than half as much as the strongest."""
    from rich.text import Text

    largest = max((abs(weight) for _, weight in weights), default=0.0)  # of a text without words
    words = Text()
    for word, weight in weights:
        colour = ("green" if weight > 0 else "red") if 10 * abs(weight) > largest else ""
        words.append(word, f"bold {colour}" if colour and 2 * abs(weight) > largest else colour)
        words.append(" ")
    return words
