"""A run that is stopped and started again ends as one that never stopped, bit for bit."""

import shutil
from pathlib import Path

import pytest
import torch

import zoo
from zoo.training import fit, launch, resume
from zoo.training.callbacks import Speed
from zoo.training.evaluate import quiet
from zoo.training.run import Run

LITTLE = (  # two epochs of two steps, each with its own checkpoint
    "data.limit=64", "data.batch_size=16", "trainer.max_epochs=2", "trainer.limit_train_batches=2",
    "trainer.log_every_n_steps=1", "save_every=1e-9", "judge=null", "monitor=val/loss",
)  # fmt: skip
MIDDLE, BOUNDARY = 1, 2  # steps


@quiet()
def trained(folder: Path, name: str, *changes: str) -> dict[str, torch.Tensor]:
    """The weights after training an experiment in a folder, from the checkpoint that lies there."""
    config = launch.composed([f"experiment={name}", *LITTLE, *changes])
    data = fit.open_data(config, None)
    model = fit.made(config, data.facts)
    fit.fit(config, Run(folder), model, data, Speed(1))
    return model.state_dict()


def stopped(whole: Path, step: int) -> Path:
    """A copy of a run's folder as a kill after that step would leave it."""
    folder = whole.with_name(f"after-{step}")
    (folder / "checkpoints").mkdir(parents=True)
    shutil.copy(whole / "metrics.csv", folder)  # with rows of steps that are to be done again
    for file in (whole / "checkpoints").glob(f"last-{step}.ckpt*"):
        shutil.copy(file, folder / "checkpoints")
    return folder


@pytest.mark.parametrize("name", zoo.list_models())
def test_every_model_ends_with_the_same_weights_and_metrics(name, tmp_path, monkeypatch):
    """In the middle of an epoch and at its end; with dropout, augmentation and noise on."""
    monkeypatch.setattr(resume, "KEPT", 99)
    whole = tmp_path / "whole"
    whole.mkdir()
    wanted = trained(whole, name)
    for step in (MIDDLE, BOUNDARY):
        folder = stopped(whole, step)
        found = trained(folder, name)
        for key, tensor in wanted.items():
            assert torch.equal(found[key], tensor), f"{key} after step {step}"
        assert (folder / "metrics.csv").read_text() == (whole / "metrics.csv").read_text()
