"""How `zoo predict` shows answers: a table, CSV, JSON."""

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from textwrap import indent, shorten
from typing import Any

ROWS = 1000  # of a table; more begin another one
Answer = tuple[str, Any]  # with the name of its input


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
    if "words" in said:
        from zoo.nn.text_classifier import strongest

        said["words"] = strongest(said["words"])
    return {key: str(value) for key, value in said.items()}


def print_table(answers: Iterable[Answer], first: str = "input") -> None:
    """A row for each answer, with all columns that one of them has."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    answers = iter(answers)
    while page := list(islice(answers, ROWS)):
        rows = [{first: name, **columns(answer)} for name, answer in page]
        header = list(dict.fromkeys(key for row in rows for key in row))
        table = Table(*header)
        for row in rows:
            table.add_row(*(escape(row.get(key, "")) for key in header))
        Console(highlight=False, width=None if sys.stdout.isatty() else 160).print(table)


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
    for one in answers:
        print(before + indent(as_json(one, 1), " "), end="")
        before = ",\n"
    print("\n]")


def as_json(one: Answer, spaces: int | None = None) -> str:
    return json.dumps({"input": one[0], "answer": one[1]}, indent=spaces, ensure_ascii=False)


def print_explained(answers: Iterator[Answer]) -> None:
    """The words of each text, green for the answer and red against it, and the strongest ones."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    for name, answer in answers:
        said = columns(answer)
        strongest, label = said.pop("words"), ", ".join(said.values())
        console.print(f"input     {shorten(name, 80, placeholder=' ...')}")
        console.print(f"answer    {label}")
        console.print("words    ", tinted(answer["words"]))
        console.print(f"strongest {strongest}\n")


def tinted(pushes: Sequence[tuple[str, float]]) -> Any:
    """Words in colours, bold where they pushed more than half as much as the strongest."""
    from rich.text import Text

    most = max(abs(push) for _, push in pushes)
    words = Text()
    for word, push in pushes:
        colour = ("green" if push > 0 else "red") if 10 * abs(push) > most else ""
        words.append(word, f"bold {colour}" if colour and 2 * abs(push) > most else colour)
        words.append(" ")
    return words
