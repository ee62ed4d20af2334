"""What people read on a terminal: what a run says on stderr, once for all of its processes.

No text goes through rich's markup: a folder called `x[/b]` and `logger=[csv]` are what they are.
"""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from datamodules.utilities.console import SILENT
from zoo.distributed.environment import rank

WIDTH = 110  # characters of a table that is not for a terminal


class _Console(Console):
    """A console that `datamodules.utilities.console.silence` silences."""

    @property
    def quiet(self) -> bool:
        return self._quiet or SILENT.get()

    @quiet.setter
    def quiet(self, value: bool) -> None:
        self._quiet = value


def make_console(**options: Any) -> Console:
    """A console that shows each text as it is; the only place that makes one."""
    return _Console(highlight=False, markup=False, emoji=False, **options)


def make_output(width: int | None = WIDTH, **options: Any) -> Console:
    """A console on stdout, of that width where it is no terminal (None: 80 characters)."""
    return make_console(width=None if sys.stdout.isatty() else width, **options)


def make_progress(on: Console | None = None, **options: Any) -> Progress:
    """A bar with count and remaining time, drawn once a second, if somebody may be watching."""
    on = on or make_console(file=sys.stderr, quiet=rank() > 0)
    text = TextColumn("{task.description}", markup=False)
    return Progress(
        text, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=on,
        refresh_per_second=1, transient=True, disable=SILENT.get() or not on.is_terminal,
        **options,
    )  # fmt: skip


def track(items: Iterable[Any], title: str, count: int, on: Console | None = None) -> Iterator[Any]:
    """The items, with a progress bar."""
    with make_progress(on) as progress:
        yield from progress.track(items, count, description=title)


console = make_console(stderr=True, quiet=rank() > 0)
