"""What `zoo auto` says while it works: a bar of the time, what is tried, and the best so far."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from time import monotonic
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer
from rich.progress import BarColumn, Progress, TextColumn

from zoo.automl.clock import Clock, OutOfTime
from zoo.distributed.console import make_console

PATIENCE = 10.0  # seconds of training after which its end is estimated
PLAINLY, WITH_EARLY_END = 1.5, 4.0  # times the time that is left


class Bar:
    """The bar over the minutes."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.best = clock, ""
        console = make_console(stderr=True)
        self.progress = Progress(
            TextColumn("{task.description}", markup=False), BarColumn(20),
            TextColumn("{task.fields[left]}", markup=False), console=console,
            refresh_per_second=1, transient=True, disable=not console.is_terminal,
        )  # fmt: skip
        self.task = self.progress.add_task("", total=clock.seconds, left="")

    @contextmanager
    def show(self) -> Iterator["Bar"]:
        """Show it meanwhile."""
        with self.progress:
            yield self

    def say(self, what: str) -> None:
        """What is tried now."""
        best = f", best {self.best}" if self.best else ""
        self.progress.update(self.task, description=what + best)
        self.move()

    def line(self, text: str) -> None:
        """A line that stays, above the bar."""
        self.progress.console.print(text, soft_wrap=True)

    def move(self) -> None:
        """Bring the time up to date."""
        minutes, seconds = divmod(max(int(self.clock.left), 0), 60)
        left = f"{minutes}:{seconds:02} left"
        self.progress.update(self.task, completed=self.clock.used, left=left)


class Watch(Callback):
    """Keeps the clock and the bar of a training, and ends it when there is no time for it.

    Args:
        reserve: seconds that must be left when it ends; None: it may take what it takes.
        times: how often it is to be done, this one included, at least.
    """

    def __init__(self, bar: Bar, reserve: float | None, times: int = 1) -> None:
        self.bar, self.reserve, self.times = bar, reserve, times
        self.began, self.first = monotonic(), 0

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        self.began, self.first = monotonic(), trainer.global_step

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        self.bar.clock.tick()
        self.bar.move()
        if self.reserve is None:
            return
        left = self.bar.clock.left - self.reserve
        ends_early = trainer.early_stopping_callback is not None
        if left < 0 or self._rest(trainer) > (WITH_EARLY_END if ends_early else PLAINLY) * left:
            raise OutOfTime

    def _rest(self, trainer: Trainer) -> float:
        """Seconds that it will still take, where they can be told."""
        took, steps = monotonic() - self.began, trainer.global_step - self.first
        if took < PATIENCE or not steps:
            return 0.0
        total = float(trainer.estimated_stepping_batches)
        return took / steps * (total * self.times - trainer.global_step) if isfinite(total) else 0
