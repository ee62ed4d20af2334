"""Models and data under Lightning's own Trainer, without the zoo's command (design.md 3.2)."""

import json

import pytest
import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.tuner import Tuner
from torch.utils.data import DataLoader, TensorDataset

import zoo
from datamodules.utilities.windows import Windows
from tests.data import bare_trainer, opened, refused
from zoo.catalog.compose import as_overrides, compose
from zoo.config import schema
from zoo.training.callbacks import AnswerFile
from zoo.training.seeding import SeedEachStep

MODELS, DATA = zoo.list_models(), zoo.list_data()
MODERN = [name for name in MODELS if not name.endswith(("_2017", "_denoising", "_conditional"))]
pytestmark = pytest.mark.filterwarnings("ignore:.*many workers")  # that a loader could have
ONE = {f"limit_{stage}_batches": 1 for stage in ("val", "test", "predict")}


@pytest.fixture
def pair(tiny):
    """A model of the catalog, and its own data in miniature."""

    def make(name):
        choice = compose([f"experiment={name}"])["choices"]["data"]
        config = compose([f"experiment={name}", *as_overrides({"data": tiny(choice)})])
        return zoo.create_model(name), schema.build(config["data"], "data")

    return make


@pytest.mark.parametrize("name", MODELS)
def test_a_model_learns_and_is_tested_under_a_plain_trainer(name, pair):
    """Each stage alone, and without one before it."""
    model, data = pair(name)
    before = [weight.detach().clone() for weight in model.parameters()]
    trainer = bare_trainer(max_epochs=1, limit_train_batches=1, **ONE)
    trainer.fit(model, datamodule=data)
    assert trainer.global_step == 1
    assert any(not old.equal(new) for old, new in zip(before, model.parameters(), strict=True))
    assert trainer.callback_metrics["val/loss"].isfinite()
    for stage in ("validate", "test"):
        fresh, other = pair(name)
        (scores,) = getattr(bare_trainer(**ONE), stage)(fresh, datamodule=other, verbose=False)
        assert all(key.startswith(stage[:3]) or key.startswith("test") for key in scores)
    assert model.input is not None


@pytest.mark.parametrize("name", [name for name in MODERN if name != "gan"])
def test_predict_answers_for_the_test_split(name, pair):
    model, data = pair(name)
    (answers,) = bare_trainer(**ONE).predict(model, datamodule=data)
    inputs, *_ = next(iter(data.predict_dataloader()))
    with torch.inference_mode():
        assert str(answers) == str(model.eval().predict_batch(inputs))


@pytest.mark.parametrize("name", MODERN)
def test_a_model_learns_from_loaders_of_the_users_own(name, pair):
    """Batches are pairs of tensors, from a TensorDataset; where a batch is no row, as they are."""
    model, data = pair(name)
    data.setup()
    model.input = data.input  # of which cbow takes the counts
    loaders = []
    for batches in (data.train_dataloader(), data.val_dataloader()):
        batch = next(iter(batches))
        rows = len(batch[0]) == len(batch[1])
        loaders.append(
            DataLoader(TensorDataset(*batch), len(batch[0])) if rows
            else DataLoader([batch], batch_size=None)
        )  # fmt: skip
    trainer = bare_trainer(max_epochs=1)
    trainer.fit(model, *loaders)
    assert trainer.global_step == 1
    assert trainer.callback_metrics["val/loss"].isfinite()


@pytest.mark.parametrize("name", DATA)
def test_batches_by_hand_are_those_that_a_trainer_gives(name, tiny):
    """To the bit: order, augmentation and normalisation; a pass is an epoch."""
    seen = []

    class Mine(LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(1, 1)

        def training_step(self, batch, batch_idx):
            seen.append(batch)
            return self.layer.weight.sum()

        def validation_step(self, batch, batch_idx):
            assert isinstance(batch[0], torch.Tensor | Windows)

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters())

    data = zoo.create_data(name, **tiny(name))
    bare_trainer(max_epochs=2, limit_train_batches=1, **ONE).fit(Mine(), datamodule=data)
    by_hand = opened(name, **tiny(name)).train_dataloader()
    assert len(seen) == 2
    for batch in seen:
        torch.testing.assert_close(next(iter(by_hand)), batch, rtol=0, atol=0, equal_nan=True)
        assert isinstance(batch[0], torch.Tensor)
        assert isinstance(batch[1], torch.Tensor)


def test_by_hand_after_a_fit_and_as_a_users_own_loader(tiny):
    data = zoo.create_data("digits", **tiny("digits"))
    refused("not set up", data.val_dataloader)
    trainer, model = (
        bare_trainer(max_epochs=1, limit_train_batches=2),
        zoo.create_model("image_mlp"),
    )
    trainer.fit(model, datamodule=data)
    assert next(iter(data.val_dataloader()))[0].is_floating_point()
    weights = []
    by_hand = {
        "train_dataloaders": data.train_dataloader(),
        "val_dataloaders": data.val_dataloader(),
    }
    for loaders in ({"datamodule": data}, by_hand):
        torch.manual_seed(0)
        model = zoo.create_model("image_mlp")
        bare = bare_trainer(max_epochs=2, limit_train_batches=2, limit_val_batches=0)
        bare.fit(model, **loaders)
        weights.append(model.head.weight)
    assert weights[0].equal(weights[1])


WRONG = {
    "a tensor of shape": lambda images, labels: images,
    "of 3 items": lambda images, labels: (images, labels, labels),
    "a dict": lambda images, labels: {"image": images},
    "float, normalised: got torch.uint8": lambda images, labels: (images.byte(), labels),
}


@pytest.mark.parametrize(("said", "batch"), WRONG.items())
@pytest.mark.parametrize("name", ["image_mlp", "gan", "autoencoder"])
def test_a_batch_of_another_kind_is_refused_in_one_line(said, batch, name):
    images, labels = torch.zeros(4, 1, 28, 28), torch.zeros(4, dtype=torch.long)
    loader = DataLoader([batch(images, labels)], batch_size=None)
    trainer = bare_trainer(max_steps=1, limit_val_batches=0)
    refused(said, trainer.fit, zoo.create_model(name), loader, loader)


def test_word_vectors_need_counts_and_running_text(pair):
    model, data = pair("cbow")
    data.setup()
    windows = DataLoader([next(iter(data.val_dataloader()))], batch_size=None)
    fit = bare_trainer(max_steps=1).fit
    refused("set model.input = data.input", fit, model, windows, windows)
    model.input = data.input
    refused("N \\+ 2 w", fit, model, windows, windows)


def test_answers_go_to_a_file(tmp_path, tiny):
    data = zoo.create_data("digits", **tiny("digits"))
    file = AnswerFile(tmp_path / "answers.jsonl")
    model = zoo.load("image_cnn")
    answers = bare_trainer(callbacks=[file]).predict(model, datamodule=data)
    lines = [json.loads(line) for line in file.path.read_text().splitlines()]
    assert [line["input"] for line in lines] == list(range(data.info["samples"]["test"]))
    assert [line["answer"] for line in lines] == [answer for part in answers for answer in part]


# --- flags of the Trainer -------------------------------------------------------------------------


class Seen(Callback):
    """The labels of each batch that was trained on."""

    def __init__(self):
        self.labels = []

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        self.labels.append((batch[0].sum().item(), *batch[1].tolist()))


def seen(tiny, **options):
    data, callback = zoo.create_data("digits", **tiny("digits")), Seen()
    trainer = bare_trainer(callbacks=[callback], **{"max_epochs": 3, **options})
    trainer.fit(zoo.create_model("image_mlp"), datamodule=data)
    return callback.labels, trainer


@pytest.mark.filterwarnings("ignore:You requested to overfit")
def test_overfitting_sees_the_same_batches_each_epoch(tiny):
    batches, _ = seen(tiny, overfit_batches=2)
    assert batches[:2] == batches[2:4] == batches[4:]
    assert batches[0] != batches[1]


@pytest.mark.parametrize("options", [
    {"reload_dataloaders_every_n_epochs": 1}, {"accumulate_grad_batches": 2},
    {"val_check_interval": 2}, {"check_val_every_n_epoch": 2}, {"limit_val_batches": 0.5},
])  # fmt: skip
def test_these_flags_leave_the_batches_alone(options, tiny):
    batches, trainer = seen(tiny, **options)
    usual, other = seen(tiny)
    assert batches == usual
    assert trainer.global_step == other.global_step // options.get("accumulate_grad_batches", 1)


def test_a_part_of_each_epoch(tiny):
    usual, other = seen(tiny)
    each = other.num_training_batches
    batches, _ = seen(tiny, limit_train_batches=2)
    assert batches == [usual[epoch * each + i] for epoch in range(3) for i in (0, 1)]
    assert seen(tiny, fast_dev_run=1)[0] == usual[:1]


@pytest.mark.parametrize("name", ["image_mlp", "cbow"])
@pytest.mark.parametrize("options", [
    {"max_epochs": -1}, {"max_time": {"seconds": 1}, "max_epochs": -1},
])  # fmt: skip
def test_a_schedule_needs_an_end(name, options, pair):
    model, data = pair(name)
    if name != "cbow":
        model.hparams["optimizer"]["schedule"] = "one_cycle"
    refused("set max_epochs or max_steps", bare_trainer(**options).fit, model, datamodule=data)


def test_training_without_a_schedule_ends_with_the_time(tiny):
    data, model = zoo.create_data("digits", **tiny("digits")), zoo.create_model("image_mlp")
    model.hparams["optimizer"]["schedule"] = "constant"
    trainer = bare_trainer(max_epochs=-1, max_time={"seconds": 1})
    trainer.fit(model, datamodule=data)
    assert trainer.global_step > 0


@pytest.mark.slow
def test_the_tuner_finds_a_rate_and_a_batch_size(tiny, tmp_path):
    data, model = zoo.create_data("digits", **tiny("digits")), zoo.create_model("image_mlp")
    trainer = bare_trainer(max_epochs=4, limit_val_batches=0, default_root_dir=tmp_path)
    tuner = Tuner(trainer)
    finder = tuner.lr_find(model, datamodule=data, num_training=16, update_attr=False)
    assert 1e-8 < finder.suggestion() < 1
    size = tuner.scale_batch_size(
        model, datamodule=data, max_trials=1, steps_per_trial=1, init_val=4
    )
    assert data.hparams["batch_size"] == size
    assert len(next(iter(data.train_dataloader()))[1]) == size


def test_a_wrong_monitor_is_refused_before_the_first_step(command, tmp_path):
    small = ["trainer=smoke", "data.limit=64", "monitor=val/los", "name=a"]
    assert "did you mean 'val/loss'" in command.failed("train", *small)
    assert not list(tmp_path.glob("runs/*/a/checkpoints/*"))


# --- from weights ---------------------------------------------------------------------------------


def test_fine_tuning_is_that_of_the_command_to_the_bit(tmp_path, tiny):
    """By SeedEachStep, and the layout in memory that a run has."""
    options = {**tiny("digits"), "seed": 3}
    run = zoo.train(
        "image_cnn", init="image_cnn", data=options, seed=3, name="a", baseline=None, ema=None,
        trainer={"max_epochs": 2, "precision": "32-true"},
    )  # fmt: skip
    wanted = torch.load(run.lasts[0], weights_only=True)["state_dict"]
    model = zoo.load("image_cnn").to(memory_format=torch.channels_last)
    model.hparams["optimizer"] = run.config["model"]["optimizer"]
    data = schema.build(run.config["data"], "data")
    clip = run.config["trainer"].get("gradient_clip_val")
    trainer = Trainer(
        max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False,
        callbacks=[SeedEachStep(3)], gradient_clip_val=clip, enable_progress_bar=False,
        enable_model_summary=False, log_every_n_steps=1,
    )  # fmt: skip
    trainer.fit(model, datamodule=data)
    for name, weight in model.state_dict().items():
        assert weight.equal(wanted[name]), name


def test_data_follow_a_model_and_may_not_exceed_it(tiny):
    """Read as by the model's input, its classes in its order, also if they were set up before."""
    model, data = zoo.load("image_cnn.mnist"), zoo.create_data("digits", **tiny("digits"))
    data.setup()
    data.setup()
    own = data.input.mean
    (scores,) = bare_trainer().test(model, datamodule=data, verbose=False)
    assert data.input.mean == model.input.mean != own
    right = [answer["label"] for answer in model.predict(list(data.arrays("test")[0]))]
    truth = [data.info["classes"][label] for label in data.arrays("test")[1]]
    share = sum(a == b for a, b in zip(right, truth, strict=True)) / len(truth)
    assert scores["test/accuracy"] == pytest.approx(share)
    model.classes = list("abcdefghij")
    refused("which the model does not know", bare_trainer().test, model, datamodule=data)
    small, data = zoo.create_model("image_cnn", num_classes=3), zoo.create_data("digits", limit=64)
    refused("num_classes=10, the model 3", bare_trainer().test, small, datamodule=data)
