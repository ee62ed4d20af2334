"""What models share: random draws, scores, logits; batches of raw data, features, the head."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from pytorch_lightning import LightningDataModule
from torch import nn

import zoo
from datamodules.utilities.draws import Key
from tests.data import bare_trainer, opened, refused
from zoo.nn.hooks import first_outputs
from zoo.nn.module import ZooModule
from zoo.nn.shapes import receptive_field
from zoo.pretrained.load import attach


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


def test_draws_differ_within_a_batch_and_between_batches_and_epochs_and_from_augmentations():
    models = placed(0, 8), placed(0, 8, batch=1), placed(0, 8, epoch=1)
    draws = [models[i].draw(torch.rand, 8) for i in (0, 0, 1, 2)]
    key = Key(seed=1, epoch=0, batch=0, size=8, start=0, stop=8)
    draws.append(torch.rand(8, generator=key.generator()))
    assert len({float(draw[0]) for draw in draws}) == 5


def test_outside_the_zoo_draws_are_torchs_own():
    torch.manual_seed(0)
    model = Noisy()
    drawn = model.draw(torch.randn, 5)
    torch.manual_seed(0)
    assert torch.equal(drawn, torch.randn(5))


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore:.*isinstance.*")
def test_scores_are_logged_as_means_over_samples_and_returned_one_a_sample():
    class Data(LightningDataModule):
        def test_dataloader(self):
            return torch.utils.data.DataLoader(torch.zeros(7), batch_size=5)

    model, returned = Noisy(), []
    model.on_test_batch_end = lambda outputs, *_: returned.append(outputs)
    means = bare_trainer().test(model, datamodule=Data(), verbose=False)[0]
    heights = torch.cat([first[:, 0] for first, _ in model.drawn])
    assert means["test/height"] == pytest.approx(float(heights.mean()), rel=1e-5)
    assert [len(scores["test/height"]) for scores in returned] == [5, 2]


# --- what a loaded model gives besides answers ----------------------------------------------------


@pytest.fixture(scope="module")
def reader():
    """A small image model with its input, as a run leaves it."""
    model, data = zoo.create_model("image_cnn", widths=[4, 8]), opened("digits", limit=100)
    return attach(model, data.input, data.info).eval(), list(data.arrays("test")[0])


def test_a_list_is_answered_in_batches_as_one_by_one(reader):
    model, pictures = reader
    sizes = []
    hook = model.head.register_forward_hook(lambda _, given, made: sizes.append(len(made)))
    answers = model.predict(pictures[:10], batch_size=4)
    hook.remove()
    assert sizes == [4, 4, 2]
    for answer, picture in zip(answers, pictures, strict=False):
        (alone,) = model.predict(picture)
        assert answer["probability"] == pytest.approx(alone["probability"], abs=1e-5)
    assert len(model.predict(np.stack(pictures[:10]), batch_size=4)) == 10


def test_features_are_what_the_last_layer_sees(reader):
    """The last layer on them gives what the network gives."""
    model, pictures = reader
    seen = model.features(pictures[:5], batch_size=2)
    assert seen.shape == (5, 8)
    with torch.inference_mode():
        torch.testing.assert_close(model.head(seen), model(model.input(pictures[:5])))


def test_features_of_named_layers_are_their_outputs(reader):
    model, pictures = reader
    names = ["whitening", "blocks.0.halve.0"]
    found = model.features(pictures[:3], layers=names, batch_size=2)
    assert [*found] == names
    assert [tuple(found[name].shape) for name in names] == [(3, 8, 27, 27), (3, 4, 27, 27)]
    with torch.inference_mode():
        wanted = model.whitening(model.input(pictures[:3]))
    torch.testing.assert_close(found["whitening"], wanted)
    said = "no layer named 'block': did you mean 'blocks'"
    refused(said, model.features, pictures[:1], layers=["block"])


@pytest.mark.parametrize("name", ["image_cnn.digits", "image_cnn_2017.digits", "image_mlp.digits"])
def test_no_layer_writes_over_what_the_one_before_it_gave(name):
    """Features are what a layer gives, not what a later one made of it in place (S43)."""
    model, given = zoo.load(name), []
    for layer in model.modules():
        if not [*layer.children()]:
            layer.register_forward_hook(lambda *call: given.append((call[2], call[2].clone())))
    with torch.no_grad():
        model(torch.rand(2, 1, 28, 28))
    assert given
    assert all(torch.equal(kept, copied) for kept, copied in given)


@pytest.mark.parametrize("name", zoo.list_models())
def test_every_model_has_features_and_no_layer_is_hidden_by_a_method_of_its_name(name):
    """Of a batch as `forward` takes it; where there is no last layer by that name, an encoder's.

    torch keeps a layer called `embed` apart, and `self.embed` would still be the method.
    """
    model = zoo.create_model(name).eval()
    assert not [child for child, _ in model.named_children() if hasattr(type(model), child)]
    example = model.example_input_array
    if "gan" in name:
        said = "GAN has no layer called head: name those you want"
        refused(said, model.forward_features, example)
        assert len(first_outputs(model, ["generator.layers"], example)["generator.layers"]) == 1
    else:
        assert len(model.forward_features(example)) == 1


@pytest.mark.parametrize("name", zoo.list_models())
def test_only_the_head_depends_on_the_number_of_classes(name):
    """What starts anew on other classes is what a model names as its head, and no more."""
    model = zoo.create_model(name)
    if "num_classes" not in model.hparams:
        return
    more = model.hparams["num_classes"] + 3
    sizes = {key: value.shape for key, value in model.state_dict().items()}
    other = zoo.create_model(name, num_classes=more).state_dict()
    changed = {key for key, value in other.items() if value.shape != sizes[key]}
    assert all(key.startswith(model.head_prefixes) for key in changed)
    assert changed or name == "gan"  # which is not told classes


def test_the_receptive_field_is_what_gradients_reach():
    """S43: of the number in the middle of the last map, on a picture that is large enough."""
    torch.manual_seed(0)
    model = zoo.create_model("image_cnn", widths=[4, 4, 4]).eval()
    for weight in (p for p in model.blocks.parameters() if p.ndim == 4):
        torch.nn.init.normal_(weight)  # at first they pass their inputs on
    images = torch.randn(1, 1, 160, 160, requires_grad=True)
    maps = model.blocks(model.whitening(images))
    maps[0, :, 10, 10].sum().backward()
    reached = (images.grad[0, 0] != 0).any(0).nonzero()
    side = int(reached.max() - reached.min()) + 1
    pooled = 1 + 2 + 4  # a pooling passes on one of its two pixels
    assert side <= receptive_field([model.whitening, *model.blocks.modules()]) <= side + pooled
    assert model.receptive_field.startswith("51 x 51 pixels")


def test_a_receptive_field_follows_the_formula():
    """r = 1 + sum (k - 1) * strides before: two 3s are 5; after a stride of 2 a 3 adds 4."""
    three, half = nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3, stride=2)
    assert receptive_field([three, nn.ReLU(), three]) == 5
    assert receptive_field([half, three, three]) == 11
    assert receptive_field([nn.Conv3d(1, 1, (5, 3, 3)), nn.MaxPool3d((1, 2, 2))], axis=0) == 5
