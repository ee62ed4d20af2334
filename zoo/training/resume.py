"""What a run needs to go on after a kill as if nothing had happened.

What a step draws is a function of its place (seeding.py); all else is in the checkpoint.
"""

from time import monotonic
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import (
    Checkpoint,
    GradientAccumulationScheduler,
    StochasticWeightAveraging,
)
from torch import Tensor

from datamodules.loading.batches import Batches
from zoo.distributed import collectives
from zoo.distributed.console import console
from zoo.distributed.signals import Signals
from zoo.training.csv_logger import CSVLogger
from zoo.training.run import Run
from zoo.utilities.compat import epoch_results, validates_next
from zoo.utilities.errors import Stopped, no_such
from zoo.utilities.protocols import is_zoo_module

CHECKPOINTS_TO_KEEP = 2  # newest checkpoints


class Progress(Callback):
    """Keep what Lightning does not: the place in the data, sums of means, rows, a decided end.

    It saves the place in the data, too, but has asked the loader for its batches before it would
    put it back, where a schedule needs to know how many there are.

    A checkpoint that was saved at the end of an epoch is older than the epoch's row of training
    metrics: that row is written anew.
    """

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.place: dict[str, Any] | None = None
        self.is_last_epoch = False

    def on_save_checkpoint(
        self, trainer: Trainer, module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        sums = {
            name: collectives.all_sum(torch.stack([mean.value, mean.cumulated_batch_size]).double())
            for name, mean in means(trainer).items()
        }
        rows = sum(logger.rows for logger in trainer.loggers if isinstance(logger, CSVLogger))
        loader = trainer.train_dataloader
        place = loader.state_dict() if isinstance(loader, Batches) else None
        if place and trainer.is_last_batch:  # of the epoch, which a limit may cut short
            place = {"batches": 0}
        progress = {"place": place, "sums": sums, "rows": rows, "ended": trainer.should_stop}
        checkpoint["progress"] = progress

    def on_load_checkpoint(
        self, trainer: Trainer, module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        progress = checkpoint["progress"]
        self.place, self.sums = progress["place"], progress["sums"]
        self.is_last_epoch = progress["ended"]

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        if self.place is not None:
            trainer.train_dataloader.load_state_dict(self.place)  # type: ignore[union-attr]

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        """Add the sums of the batches before the kill to that of the first after it."""
        if self.sums and trainer.is_global_zero:
            for name, mean in means(trainer).items():
                total, count = self.sums[name].to(mean.value.device)
                mean.value = mean.value + total.to(mean.value)
                mean.cumulated_batch_size = mean.cumulated_batch_size + count.long()
        self.sums = {}

    def on_train_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        weight = next(module.parameters())
        kind = torch.promote_types(torch.float32, weight.dtype)  # that of Lightning's own means
        for name, (total, count) in self.sums.items():
            module.log(name, (total / count).to(kind))
        self.sums = {}
        trainer.should_stop |= self.is_last_epoch


def means(trainer: Trainer) -> dict[str, Any]:
    """Lightning's running means of the training metrics of this epoch, by name."""
    results = [r for r in epoch_results(trainer) if r.is_tensor and r.meta.is_mean_reduction]
    return {result.meta.name: result for result in results}


def start_epoch_again(trainer: Trainer, module: LightningModule) -> None:
    """Let callbacks set up the epoch in which a run goes on, as they did when it began.

    The rates that an optimizer had then stay: to make a schedule sets them anew.
    """
    if not trainer.fit_loop.restarting or is_after_averaging(trainer):
        return
    groups = [group for optimizer in trainer.optimizers for group in optimizer.param_groups]
    settings = [{k: v for k, v in group.items() if k != "params"} for group in groups]
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(callback, GradientAccumulationScheduler | StochasticWeightAveraging):
            callback.on_train_epoch_start(trainer, module)
    for group, old in zip(groups, settings, strict=True):
        group.update(old)


def is_after_averaging(trainer: Trainer) -> bool:
    """Whether the mean of the weights is in the model, which Lightning puts there at the end.

    From then on no step is taken; an epoch may follow that measures normalisation.
    """
    return any(
        trainer.current_epoch > one.swa_end
        for one in trainer.callbacks  # type: ignore[attr-defined]
        if isinstance(one, StochasticWeightAveraging)
    )


class Checkpoints(Checkpoint):
    """Save after each validation, every few minutes between, and when a signal asks to stop.

    What all processes do at the end of a step they have agreed on there. Nothing is saved while
    gradients are summed up, nor after the last batch of an epoch or a run, as rows and validation
    come first.

    Args:
        run: whose folder takes best.ckpt and last-<step>.ckpt.
        monitor, mode: the metric of the best, and whether it is the min or the max; of epoch or
            step the max is the last.
        minutes: between two checkpoints, at most.
        is_optional: without such a metric the last is the best, which is said.

    Raises:
        Stopped: by a signal, after saving.
        ValueError: there is no such metric.
    """

    def __init__(
        self, run: Run, monitor: str, mode: str, minutes: float, is_optional: bool = False
    ) -> None:
        self.run, self.monitor, self.mode, self.seconds = run, monitor, mode, 60 * minutes
        self.is_optional = is_optional
        self.best: float | None = None
        self.signals = Signals()
        self.saved_at, self.saved_step = monotonic(), 0

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best = state_dict["best"]

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        start_epoch_again(trainer, module)  # the last to be asked, as Lightning orders callbacks
        self.signals.install()
        self.saved_at, self.saved_step = monotonic(), trainer.global_step

    def on_train_batch_end(
        self, trainer: Trainer, module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        late = monotonic() - self.saved_at > self.seconds
        signal, due = collectives.all_max(self.signals.received, late)
        summing = (batch_idx + 1) % trainer.accumulate_grad_batches
        ending = trainer.is_last_batch or trainer.global_step == trainer.max_steps
        ending |= validates_next(trainer) or is_after_averaging(trainer)
        if (signal or due) and not (summing or ending):
            self._save_last(trainer)
            self._stop(trainer, signal)

    def on_validation_end(self, trainer: Trainer, module: LightningModule) -> None:
        if trainer.state.fn != "fit":
            return
        place = {"epoch": trainer.current_epoch, "step": trainer.global_step}
        metrics = {**trainer.callback_metrics, **place}
        is_early = trainer.sanity_checking  # on one batch, before any training
        if not (is_early and self._is_of_training(module)):
            self._check_monitor(metrics)
        if is_early:
            return
        if self._better(metrics):
            trainer.save_checkpoint(self.run.best)
        if not is_after_averaging(trainer):
            self._save_last(trainer)
        self._stop(trainer, *collectives.all_max(self.signals.received))

    def on_train_end(self, trainer: Trainer, module: LightningModule) -> None:
        if self.saved_step != trainer.global_step:  # a last epoch without validation
            self._save_last(trainer)
        if is_after_averaging(trainer):
            trainer.save_checkpoint(self.run.best)
        self.signals.restore()
        self._stop(trainer, *collectives.all_max(self.signals.received))

    def on_exception(self, trainer: Trainer, module: Any, exception: BaseException) -> None:
        self.signals.restore()

    def _is_of_training(self, module: LightningModule) -> bool:
        """Whether the metric may be one that training logs; of others' modules by its name."""
        ours = is_zoo_module(module)
        return self.monitor.startswith("train/") if ours else not self.monitor.startswith("val")

    def _check_monitor(self, metrics: dict[str, Any]) -> None:
        """Refuse a metric that nothing logs; where it may be missing, take the last weights."""
        if self.monitor in metrics:
            return
        if not self.is_optional:
            raise ValueError(no_such("metric", self.monitor, metrics) + " (monitor)")
        names = ", ".join(sorted(metrics.keys() - {"epoch", "step"})) or "none"
        console.print(f"monitor   no {self.monitor}: the last weights count (logged: {names})")
        self.monitor, self.mode, self.is_optional = "step", "max", False

    def _better(self, metrics: dict[str, Any]) -> bool:
        """Whether the monitored metric is the best so far, which is kept."""
        value, best = float(metrics[self.monitor]), self.best
        better = best is None or (value < best if self.mode == "min" else value > best)
        self.best = value if better else best
        return better

    def _save_last(self, trainer: Trainer) -> None:
        """Save the newest checkpoint; remove all but two."""
        trainer.save_checkpoint(self.run.checkpoints / f"last-{trainer.global_step}.ckpt")
        for old in self.run.lasts[CHECKPOINTS_TO_KEEP:]:
            trainer.strategy.remove_checkpoint(old)
        self.saved_at, self.saved_step = monotonic(), trainer.global_step

    def _stop(self, trainer: Trainer, signal: int) -> None:
        if signal:
            raise Stopped(signal, trainer.global_step)
