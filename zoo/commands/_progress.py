"""How far `zoo predict` is, on standard error."""

import sys
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, TypeVar

AT_ONCE = 64  # inputs
MANY = 2 * AT_ONCE  # inputs from which on a bar is worth showing
Item = TypeVar("Item")


def track_parts(inputs: Iterator[Item], size: int) -> Iterator[list[Item]]:
    """Parts of that size, with a count on standard error where there are many."""
    parts = iter(lambda: list(islice(inputs, size)), [])
    yield from islice(parts, MANY // AT_ONCE)
    following = next(parts, None)
    if following is None:
        return
    with make_bar("{task.completed:,} more inputs") as progress:
        task = progress.add_task("", total=None)
        for part in chain([following], parts):
            yield part
            progress.advance(task, len(part))


def make_bar(what: str, disable: bool = False) -> Any:
    """A line of progress on standard error; rich fills in `{task.completed}` and the like."""
    from rich.progress import (
        Progress,
        SpinnerColumn,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    from zoo.distributed.console import make_console

    return Progress(
        SpinnerColumn(),
        TextColumn(f"predicting {what}", markup=False),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=make_console(stderr=True),
        redirect_stdout=sys.stdout.isatty(),  # else answers would go to standard error, too
        disable=disable,
    )
