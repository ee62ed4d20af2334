"""What models share: random draws that neither devices nor interruptions change, scores, logits."""

from types import SimpleNamespace

import pytest
import torch
from pytorch_lightning import LightningDataModule, Trainer

from datamodules.batches import Key
from zoo.nn import ZooModule, two_logits


class Noisy(ZooModule):
    """A model of one weight whose loss is a draw for each sample."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))
        self.drawn = []

    def scores(self, batch, stage):
        first, second = self.draw(torch.randn, len(batch), 3), self.draw(torch.rand, len(batch))
        self.drawn.append((first, second))
        return {"loss": self.weight * second, "height": first[:, 0]}

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


def placed(start, stop, batch=0, epoch=0):
    """A model at work on those rows of a global batch of 8."""
    model = Noisy()
    key = Key(seed=1, epoch=epoch, batch=batch, size=8, start=start, stop=stop)
    model._trainer = SimpleNamespace(datamodule=SimpleNamespace(key=key))
    return model


def test_two_devices_draw_together_what_one_draws():
    one = placed(0, 8).draw(torch.randn, 8, 3)
    halves = [placed(0, 4).draw(torch.randn, 4, 3), placed(4, 8).draw(torch.randn, 4, 3)]
    assert torch.equal(one, torch.cat(halves))


def test_draws_differ_within_a_batch_and_between_batches_and_epochs():
    model = placed(0, 8)
    draws = [model.draw(torch.randn, 8), model.draw(torch.randn, 8)]
    draws += [
        placed(0, 8, batch=1).draw(torch.randn, 8),
        placed(0, 8, epoch=1).draw(torch.randn, 8),
    ]
    assert len({float(draw[0]) for draw in draws}) == 4


def test_a_models_draws_are_not_those_of_augmentation():
    key = Key(seed=1, epoch=0, batch=0, size=8, start=0, stop=8)
    by_model = placed(0, 8).draw(torch.rand, 8)
    assert not torch.equal(by_model, torch.rand(8, generator=key.generator()))


def test_outside_the_zoo_draws_are_torchs_own():
    torch.manual_seed(0)
    model = Noisy()
    drawn = model.draw(torch.randn, 5)
    torch.manual_seed(0)
    assert torch.equal(drawn, torch.randn(5))


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore:.*isinstance.*")
def test_scores_are_logged_as_means_over_samples_and_returned_one_a_sample(tmp_path):
    class Data(LightningDataModule):
        def test_dataloader(self):
            return torch.utils.data.DataLoader(torch.zeros(7), batch_size=5)

    model = Noisy()
    trainer = Trainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, default_root_dir=tmp_path,
    )  # fmt: skip
    returned = []
    model.on_test_batch_end = lambda outputs, *_: returned.append(outputs)
    means = trainer.test(model, datamodule=Data(), verbose=False)[0]
    heights = torch.cat([first[:, 0] for first, _ in model.drawn])
    assert means["test/height"] == pytest.approx(float(heights.mean()), rel=1e-5)
    assert [len(scores["test/height"]) for scores in returned] == [5, 2]


def test_two_logits_are_one_sigmoid():
    score = torch.tensor([[-2.0], [0.0], [3.0]])
    torch.testing.assert_close(two_logits(score).softmax(1)[:, 1:], score.sigmoid())
