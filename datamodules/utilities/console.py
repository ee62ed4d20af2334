"""How far a long preparation is, on stderr; no text is taken for rich's markup."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import chain, islice
from typing import Any

import numpy as np

MANY = 10_000  # items from which on a bar is worth showing
SILENT: ContextVar[bool] = ContextVar("silent", default=False)  # of this thread


@contextmanager
def silence() -> Iterator[None]:
    """Neither lines nor bars from this thread."""
    token = SILENT.set(True)
    try:
        yield
    finally:
        SILENT.reset(token)


def with_bar(items: Sequence[Any] | np.ndarray, description: str) -> Iterator[Any]:
    """The items, with a progress bar where there are many."""
    return iter(items) if len(items) < MANY else track(items, description, len(items))


def with_late_bar(items: Iterable[Any], description: str) -> Iterator[Any]:
    """The items, with a bar from where there are many: nobody knows how many."""
    left = iter(items)
    yield from islice(left, MANY)
    for following in left:  # the bar takes all of them
        yield from track(chain([following], left), description, None, MANY)


def track(
    items: Iterable[Any], description: str, total: int | None, completed: int = 0
) -> Iterator[Any]:
    """The items, with a progress bar if somebody may be watching."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    text, bar = TextColumn("{task.description}", markup=False), BarColumn()
    columns = text, bar, MofNCompleteColumn(), TimeElapsedColumn()
    disable = SILENT.get() or not console.is_terminal
    with Progress(*columns, console=console, disable=disable) as progress:
        yield from progress.track(items, total, completed, description=description)
