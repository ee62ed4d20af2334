"""What watches a run: finite losses, progress, speed, scores, checkpoints that are enough."""

import json
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor

from zoo.distributed.console import make_progress
from zoo.utilities.scores import is_part

SCHEMA = 2
WARM_UP = 5  # steps that speed is not counted over


class FiniteLoss(Callback):
    """Stop where a loss is not finite, before it spoils a checkpoint.

    That is before the update; where a model takes its steps without `backward`, after it.
    """

    def on_before_backward(self, trainer: Trainer, module: LightningModule, loss: Tensor) -> None:
        self.check(trainer, loss, "before the update")

    def on_train_batch_end(
        self, trainer: Trainer, module: LightningModule, outputs: Any, *_: Any
    ) -> None:
        if not module.automatic_optimization and outputs and "loss" in outputs:
            self.check(trainer, outputs["loss"], "before it was saved")

    def check(self, trainer: Trainer, loss: Tensor, when: str) -> None:
        """Raise FloatingPointError for a loss that is not finite."""
        if not torch.isfinite(loss):
            epoch, batch = trainer.current_epoch + 1, trainer.fit_loop.batch_idx + 1
            raise FloatingPointError(
                f"the loss is {loss.item()} in epoch {epoch}, batch {batch} (step "
                f"{trainer.global_step}): stopped {when}, the last checkpoint is good; "
                "try a smaller model.optimizer.lr or trainer.gradient_clip_val=1"
            )


class CheckpointMetadata(Callback):
    """Put into each checkpoint what rebuilds the model: class, arguments, info, config."""

    def __init__(self, config: Mapping[str, Any], info: Mapping[str, Any]) -> None:
        self.metadata = {"schema": SCHEMA, "model": config["model"], "info": info, "config": config}

    def on_save_checkpoint(
        self, trainer: Trainer, module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        checkpoint["zoo"] = self.metadata


class Throughput(Callback):
    """Training time and samples per second, without validation and the first steps."""

    def __init__(self, batch_size: int) -> None:
        self.batch_size, self.steps, self.seconds, self.before = batch_size, 0, 0.0, 0.0
        self.start_time = self.end_time = perf_counter()

    def state_dict(self) -> dict[str, float]:
        return {"before": self.before + perf_counter() - self.start_time}

    def load_state_dict(self, state_dict: dict[str, float]) -> None:
        self.before = state_dict["before"]

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        self.start_time = self.last = perf_counter()

    def on_train_epoch_start(self, trainer: Trainer, module: LightningModule) -> None:
        self.last = perf_counter()

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        now = perf_counter()
        self.steps += 1
        if self.steps > WARM_UP:
            self.seconds += now - self.last
        self.last = now

    def on_train_end(self, trainer: Trainer, module: LightningModule) -> None:
        self.end_time = perf_counter()

    def results(self) -> dict[str, float]:
        """Seconds of training, validation included, and samples per second of its steps.

        The seconds are those of all starts of the run, up to the checkpoints that were gone on
        from; the rate is that of the last start.
        """
        counted = max(self.steps - WARM_UP, 0) * self.batch_size
        rate = {"samples_per_second": round(counted / self.seconds, 1)} if counted else {}
        return {"train_seconds": round(self.before + self.end_time - self.start_time, 2), **rate}


def throughput(trainer: Trainer) -> dict[str, float]:
    """The time and the speed of a run that has ended."""
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
    return next(one.results() for one in callbacks if isinstance(one, Throughput))


class SampleScores(Callback):
    """Collect what `test_step` returns for each sample."""

    def __init__(self) -> None:
        self.parts: list[dict[str, Tensor]] = []

    def on_test_batch_end(
        self, trainer: Trainer, module: LightningModule, outputs: Any, *_: Any
    ) -> None:
        self.parts.append({name: value.float().cpu() for name, value in (outputs or {}).items()})

    def values(self) -> dict[str, np.ndarray]:
        """Each metric's scores (N,) over all ranks."""
        parts = self.parts
        if torch.distributed.is_initialized():
            rank_parts: list[Any] = [None] * torch.distributed.get_world_size()
            torch.distributed.all_gather_object(rank_parts, parts)
            parts = [part for batch in zip(*rank_parts, strict=True) for part in batch]
        return {
            name: torch.cat([part[name] for part in parts]).numpy()
            for name in (parts[0] if parts else {})
        }


class AnswerFile(Callback):
    """Write what `Trainer.predict` answers as it comes, one JSON object a line.

    A line has `input`, the number of the sample, and `answer`, as `zoo predict --jsonl`.

    Args:
        path: of the file, which is written anew.

    Raises:
        ValueError: on several devices, each of which has a part of the answers.
    """

    def __init__(self, path: str | Path) -> None:
        self.path, self.count = Path(path), 0

    def on_predict_start(self, trainer: Trainer, module: LightningModule) -> None:
        if trainer.world_size > 1:
            raise ValueError(f"answers go to one file from one device: got {trainer.world_size}")
        self.count = 0
        self.path.write_text("")

    def on_predict_batch_end(
        self, trainer: Trainer, module: LightningModule, outputs: Any, *_: Any
    ) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            for answer in outputs:
                line = {"input": self.count, "answer": answer}
                print(json.dumps(line, ensure_ascii=False, default=np.ndarray.tolist), file=file)
                self.count += 1


class ProgressBar(Callback):
    """A progress bar over the whole training, drawn once a second, and a line for each epoch."""

    def __init__(self) -> None:
        self.epoch, self.stepped = 0, False
        self.progress = make_progress()

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        self.epoch, self.stepped = trainer.current_epoch, False
        steps = float(trainer.estimated_stepping_batches)
        total = steps if isfinite(steps) else None
        self.task = self.progress.add_task("training", total=total, completed=trainer.global_step)
        self.progress.start()

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        self.stepped = True
        self.progress.advance(self.task)

    def on_train_epoch_start(self, trainer: Trainer, module: LightningModule) -> None:
        if trainer.current_epoch > self.epoch:
            self._line(trainer, trainer.current_epoch)
        self.epoch = trainer.current_epoch

    def on_train_end(self, trainer: Trainer, module: LightningModule) -> None:
        self.progress.stop()

    def on_fit_end(self, trainer: Trainer, module: LightningModule) -> None:
        self._line(trainer, self.epoch + 1)

    def on_exception(
        self, trainer: Trainer, module: LightningModule, exception: BaseException
    ) -> None:
        self.progress.stop()

    def _line(self, trainer: Trainer, epoch: int) -> None:
        """The metrics of the epoch that has ended, unless it had ended before this start."""
        if not self.stepped:
            return
        metrics = [
            f"{name} {float(value):.4f}"
            for name, value in sorted(trainer.callback_metrics.items())
            if not is_part(name)
        ]
        last = "" if trainer.max_epochs == -1 else f"/{trainer.max_epochs}"
        line = f"epoch {epoch:>3}{last}  " + "  ".join(metrics)
        self.progress.console.print(line, soft_wrap=True)
