"""Models and data under Lightning's own Trainer, without the zoo's command (design.md 3.2)."""

import json

import pytest
import torch
from pytorch_lightning import LightningModule, Trainer
from torch.utils.data import DataLoader, TensorDataset

import zoo
from datamodules.utilities.windows import Windows
from tests.data import bare_trainer, opened, refused
from zoo.catalog.compose import as_overrides, compose
from zoo.config import schema

MODELS, DATA = zoo.list_models(), zoo.list_data()
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
    trainer = bare_trainer(max_steps=1, **ONE)
    trainer.fit(model, datamodule=data)
    assert trainer.global_step == 1
    assert any(not old.equal(new) for old, new in zip(before, model.parameters(), strict=True))
    assert trainer.callback_metrics["val/loss"].isfinite()
    for stage in ("validate", "test"):
        fresh, other = pair(name)
        (scores,) = getattr(bare_trainer(**ONE), stage)(fresh, datamodule=other, verbose=False)
        assert all(key.startswith(stage[:3]) or key.startswith("test") for key in scores)
    assert model.input is not None


@pytest.mark.parametrize("name", [name for name in MODELS if name != "gan"])
def test_predict_answers_for_the_test_split(name, pair):
    model, data = pair(name)
    (answers,) = bare_trainer(**ONE).predict(model, datamodule=data)
    inputs, *_ = next(iter(data.predict_dataloader()))
    with torch.inference_mode():
        assert str(answers) == str(model.eval().predict_batch(inputs))


@pytest.mark.parametrize("name", MODELS)
def test_a_model_learns_from_loaders_of_the_users_own(name, pair):
    model, data = pair(name)
    data.setup()
    model.input, model.classes = data.input, data.info.get("classes")
    batches = list(data.val_dataloader())[:1] if name != "cbow" else list(data.train_dataloader())
    trainer = bare_trainer(max_steps=1)
    trainer.fit(model, DataLoader(batches, batch_size=None))
    assert trainer.global_step >= 1


@pytest.mark.parametrize("name", DATA)
def test_batches_by_hand_are_those_that_a_trainer_gives(name, tiny):
    """To the bit: order, augmentation and normalisation; a pass is an epoch."""
    seen = []

    class Mine(LightningModule):
        def training_step(self, batch, batch_idx):
            seen.append(batch)

        def configure_optimizers(self):
            return None

    data = zoo.create_data(name, **tiny(name))
    bare_trainer(max_epochs=2, limit_train_batches=1).fit(Mine(), datamodule=data)
    by_hand = opened(name, **tiny(name)).train_dataloader()
    assert len(seen) == 2
    for batch in seen:
        torch.testing.assert_close(next(iter(by_hand)), batch, rtol=0, atol=0, equal_nan=True)
        assert isinstance(batch[0], torch.Tensor)
        assert isinstance(batch[1], torch.Tensor)
