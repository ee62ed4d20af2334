"""A run that is stopped and started again ends as one that never stopped, bit for bit."""

import random
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import zoo
from zoo.training import build, csv_logger, fit, launch, resume
from zoo.training.evaluate import quiet
from zoo.training.run import Run
from zoo.training.seeding import SeedEachStep

LITTLE = (  # two epochs of two steps, each with its own checkpoint
    "data.limit=32", "data.batch_size=16", "trainer.max_epochs=2", "trainer.limit_train_batches=2",
    "trainer.log_every_n_steps=1", "trainer.check_val_every_n_epoch=1", "save_every=1e-9",
    "trainer.precision=32-true",
)  # fmt: skip
FEW = ("data.limit=16", "data.batch_size=4")
LESS = {
    "cbow": ("data.limit=1000", "data.batch_size=1000", "data.vocabulary_size=200"),
    "wavenet": ("data.seconds=0.1",), "image_resnet": FEW, "video_unfolded": FEW,
}  # fmt: skip
MIDDLE, BOUNDARY = 1, 2  # steps


@quiet()
def trained(folder: Path, name: str, *changes: str) -> dict[str, torch.Tensor]:
    """The weights after training an experiment in a folder, from the checkpoint that lies there."""
    config = launch.compose_run([f"experiment={name}", *LITTLE, *LESS.get(name, ()), *changes])
    if config["evaluator"]:  # which would have to learn first
        config |= {"evaluator": None, "monitor": "val/loss"}
    data = build.open_data(config, None)
    model = build.build_model(config, data)
    fit.fit(config, Run(folder), model, data)
    return model.state_dict()


@pytest.fixture
def whole(tmp_path):
    """The folder of a run that nothing stops."""
    (tmp_path / "whole").mkdir()
    return tmp_path / "whole"


def ends_alike(whole: Path, step: int, wanted: dict[str, torch.Tensor], *name: str) -> None:
    """A run that is killed after this step and goes on is the whole one."""
    folder = stopped(whole, step)
    found = trained(folder, *name)
    for key, tensor in wanted.items():
        assert torch.equal(found[key], tensor), f"{key} after step {step}"
    assert (folder / "metrics.csv").read_text() == (whole / "metrics.csv").read_text(), step


def stopped(whole: Path, step: int) -> Path:
    """A copy of a run's folder as a kill after that step would leave it."""
    folder = whole.with_name(f"after-{step}")
    (folder / "checkpoints").mkdir(parents=True)
    shutil.copy(whole / "metrics.csv", folder)  # with rows of steps that are to be done again
    for file in (whole / "checkpoints").glob(f"last-{step}.ckpt*"):
        shutil.copy(file, folder / "checkpoints")
    return folder


LARGE = pytest.param("image_resnet", marks=pytest.mark.slow)  # whose checkpoints have 90 MB


@pytest.mark.parametrize("name", [*sorted({*zoo.list_models()} - {*LARGE.values}), LARGE])
def test_every_model_ends_with_the_same_weights_and_metrics(name, whole, monkeypatch):
    """In the middle of an epoch and at its end; with dropout, augmentation and noise on."""
    monkeypatch.setattr(resume, "CHECKPOINTS_TO_KEEP", 99)
    wanted = trained(whole, name)
    for step in (MIDDLE, BOUNDARY):
        ends_alike(whole, step, wanted, name)


def test_windows_augmentation_and_masks_are_drawn_again_as_they_were(whole):
    augment = "data.augment={shift_range:0.2,gain_db:6,noise:0.1}"
    masks = ("model.mask_bands=0.3", "model.mask_frames=0.3")
    changes = ("data.windows=spread", "data.seconds=0.3", augment, *masks)
    wanted = trained(whole, "sound_cnn", *changes)
    ends_alike(whole, MIDDLE, wanted, "sound_cnn", *changes)


def test_ngrams_and_their_shares_are_as_they_were(whole):
    """Fitted anew from the same texts, and then those of the checkpoint."""
    wanted = trained(whole, "text_cnn", "data.ngrams=4096")
    assert wanted["ngram_scores.weight"].any()
    ends_alike(whole, MIDDLE, wanted, "text_cnn", "data.ngrams=4096")


@pytest.mark.slow
@pytest.mark.parametrize("changes", [
    ("trainer.max_steps=3", "trainer.max_epochs=9"),
    ("trainer.accumulate_grad_batches=2", "trainer.limit_train_batches=4", "data.limit=64"),
    ("trainer.check_val_every_n_epoch=2", "trainer.max_epochs=4"),
    ("ema=0.9", "model.optimizer.schedule=constant"), ("trainer.precision=64-true",),
    ("early_stopping=1", "model.optimizer.lr=1e-9", "trainer.max_epochs=9"),
])  # fmt: skip
def test_every_way_to_train_ends_with_the_same_weights_and_metrics(changes, whole, monkeypatch):
    """After each step that has a checkpoint."""
    monkeypatch.setattr(resume, "CHECKPOINTS_TO_KEEP", 99)
    wanted = trained(whole, "image_cnn", *changes)
    steps = [int(path.stem.removeprefix("last-")) for path in Run(whole).lasts]
    assert len(steps) > 1
    for step in steps:
        ends_alike(whole, step, wanted, "image_cnn", *changes)


def test_a_run_that_saves_seldom_ends_as_one_that_saves_at_each_step(whole, tmp_path):
    often = trained(whole, "image_cnn")
    (tmp_path / "seldom").mkdir()
    seldom = trained(tmp_path / "seldom", "image_cnn", "save_every=60")
    assert all(torch.equal(often[key], tensor) for key, tensor in seldom.items())
    assert len(Run(whole).lasts) == resume.CHECKPOINTS_TO_KEEP


def test_a_row_that_was_not_written_before_the_kill_is_written_after_it(whole):
    """The checkpoint of an epoch's end is older than the row of its training metrics."""
    trained(whole, "image_cnn")
    folder, rows = stopped(whole, BOUNDARY * 2), csv_logger.read(whole / "metrics.csv")
    csv_logger.cut(folder / "metrics.csv", len(rows) - 1)
    trained(folder, "image_cnn")
    assert csv_logger.read(folder / "metrics.csv") == rows


def test_tensorboard_shows_what_was_done_again_once(whole):
    trained(whole, "image_cnn", "logger=[csv,tensorboard]")
    folder = stopped(whole, BOUNDARY + 1)
    shutil.copytree(whole / "tensorboard", folder / "tensorboard")
    trained(folder, "image_cnn", "logger=[csv,tensorboard]")
    events = EventAccumulator(str(folder / "tensorboard")).Reload()
    assert [event.step for event in events.Scalars("val/loss")] == [1, 3]


def test_data_that_changed_are_refused_with_both_digests(whole):
    trained(whole, "image_cnn")
    other = SimpleNamespace(info={"digest": "other"}, former_digest="another")
    with pytest.raises(ValueError, match=r"the data changed since this run began: \S+ -> other"):
        fit.find_checkpoint(Run(whole), other, force=False)
    assert fit.find_checkpoint(Run(whole), other, force=True) is not None


def test_a_run_goes_on_whose_digest_was_the_cache_key_of_its_data(whole):
    """As it was stored before it was of the content; one of other data is refused still."""
    trained(whole, "image_cnn")
    name = fit.checkpoints.load(fit.checkpoints.newest(Run(whole)))["zoo"]["info"]["digest"]
    same = SimpleNamespace(info={"digest": "of the content"}, former_digest=name)
    assert fit.find_checkpoint(Run(whole), same, force=False) == fit.checkpoints.newest(Run(whole))


def test_a_step_draws_the_same_whatever_was_drawn_before_it():
    """And each process draws its own."""

    def drawn(rank, batch):
        trainer = SimpleNamespace(current_epoch=1, global_rank=rank)
        module = SimpleNamespace(device=torch.device("cpu"))
        SeedEachStep(0).on_train_batch_start(trainer, module, None, batch)
        return random.random(), np.random.rand(), torch.rand(1).item()

    first = drawn(0, 3)
    others = [drawn(1, 3), drawn(0, 4)]
    torch.rand(7)
    assert (drawn(0, 3), len({*first, *others[0], *others[1]})) == (first, 9)
