"""One of two processes that train every model: `torchrun --nproc-per-node 2 pair.py FOLDER`.

The first leaves the weights, the losses of each step and how much was sent in FOLDER. What
`followed` gives without processes is what they are compared with.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from pytorch_lightning import Callback
from torch.nn.parallel import DistributedDataParallel

import zoo
from zoo.distributed import collectives, environment, sparse_rows, sync_batchnorm
from zoo.training import build, fit, launch, resume
from zoo.training.evaluate import quiet, test
from zoo.training.run import Run

LITTLE = (  # an epoch is three batches of 26 samples, and the last of the test split is one of five
    "data.limit=29", "data.batch_size=8", "evaluator=null", "monitor=val/loss", "ema=null",
    "trainer.accelerator=cpu", "trainer.precision=64-true", "trainer.max_epochs=2",
    "trainer.check_val_every_n_epoch=2",
)  # fmt: skip
OWN = {
    "cbow": ("data.limit=null", "data.batch_size=8000", "trainer.limit_train_batches=50"),
    # Its channels hardly vary on a dark background: normalisation makes much of what is rounded.
    "video_unfolded": ("model.optimizer.lr=3e-6",),  # a thousandth of the recipe's
    "wavenet": ("data.seconds=0.1",),  # its steps take half a second each, else
    "sound_classifier": ("data.seconds=0.1", "data.windows=spread"),
}


class Watch(Callback):
    """The running mean of the losses after each step, over all processes, and the numbers sent."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.sent = 0

    def on_train_start(self, trainer, module):
        if isinstance(trainer.strategy.model, DistributedDataParallel):
            trainer.strategy.model.register_comm_hook(self, count)

    def on_train_batch_end(self, trainer, *_):
        loss = resume.means(trainer)["train/loss"]
        both = collectives.all_sum(torch.stack([loss.value, loss.cumulated_batch_size]).double())
        self.losses.append(float(both[0] / both[1]))


def count(watch: Watch, bucket: dist.GradBucket) -> torch.futures.Future[torch.Tensor]:
    """Average a bucket of gradients as DDP does without a hook, and count its numbers."""
    watch.sent += bucket.buffer().numel()
    future = dist.all_reduce(bucket.buffer(), async_op=True).get_future()
    return future.then(lambda done: done.value()[0] / dist.get_world_size())


class Counting:
    """torch.distributed as normalisation and word vectors use it, and its numbers counted, too."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def __getattr__(self, name: str) -> Any:
        return getattr(dist, name)

    def all_gather(self, every: list[torch.Tensor], mine: torch.Tensor) -> None:
        self.watch.sent += mine.numel()
        dist.all_gather(every, mine)

    def all_reduce(self, mine: torch.Tensor) -> None:
        self.watch.sent += mine.numel()
        dist.all_reduce(mine)


def without_dropout(section: Mapping[str, Any]) -> dict[str, Any]:
    """A model's section without dropout, which each process draws for itself."""
    return {
        key: without_dropout(value) if isinstance(value, Mapping)
        else 0.0 if "dropout" in key else value
        for key, value in section.items()
    }  # fmt: skip


@quiet()
def followed(name: str, devices: int, folder: Path) -> dict[str, Any]:
    """Train an experiment for some steps: weights, losses, numbers sent, scores."""
    watch, make_callbacks = Watch(), fit.make_callbacks
    folder.mkdir(exist_ok=True)
    config = launch.compose_run([
        f"experiment={name}", *LITTLE, *OWN.get(name, ()), f"trainer.devices={devices}",
    ])  # fmt: skip
    config["model"] = without_dropout(config["model"])
    data = build.open_data(config, None)
    model = build.build_model(config, data)
    fit.make_callbacks = lambda *given: [watch, *make_callbacks(*given)]
    sync_batchnorm.dist = sparse_rows.dist = Counting(watch)
    try:
        trainer = fit.fit(config, Run(folder), model, data)
    finally:
        fit.make_callbacks, sync_batchnorm.dist, sparse_rows.dist = make_callbacks, dist, dist
    return {
        "weights": {key: value.cpu() for key, value in model.state_dict().items()},
        "losses": watch.losses, "sent": watch.sent / trainer.global_step,
        "backward passes": 2 if model.find_unused_parameters else 1,
        "test": test(config, model, data, None),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
    }  # fmt: skip


def main(folder: Path, names: list[str]) -> None:
    for name in names or zoo.list_models():
        found = followed(name, 2, folder / name)
        if environment.rank() == 0:
            torch.save(found, folder / name / "found.pt")
    collectives.leave()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
