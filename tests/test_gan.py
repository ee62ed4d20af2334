"""The adversarial game (S87): two steps that do not mix, labels, averages, and what it is for."""

import math
from inspect import signature

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import zoo
from tests.data import refused, seeded
from zoo.catalog.compose import compose
from zoo.figures import raster
from zoo.training import csv_logger

TINY = {
    "model": {"width": 4, "noise": 8}, "data": {"limit": 100, "batch_size": 20},
    "trainer": {"max_epochs": 2}, "baseline": None, "evaluator": None, "monitor": "val/loss",
}  # fmt: skip


class Stepping:
    """A model with optimisers and without a Trainer."""

    def __init__(self, name="gan", **changes):
        self.model = zoo.create_model(name, width=4, **changes)
        self.optimizers = self.model.configure_optimizers()
        self.model.optimizers = lambda use_pl_optimizer=True: self.optimizers
        self.model.manual_backward = lambda loss: loss.backward()
        self.model.log = lambda *_, **__: None


def batch(count=8):
    return torch.rand(count, 1, 28, 28) * 2 - 1, torch.arange(count) % 10


def tensors(network):
    return [p.detach().clone() for p in network.parameters()]


@pytest.fixture(scope="module")
def conditional():
    return seeded("gan_conditional")


@pytest.mark.parametrize("name", ["gan", "gan_conditional"])
@pytest.mark.parametrize("still", ["generator", "discriminator"])
def test_each_step_touches_only_its_own_network(name, still):
    """S87: with one of the two optimisers stopped, its network stays as it was to the bit."""
    game = Stepping(name)
    networks = {"generator": game.model.generator, "discriminator": game.model.discriminator}
    stopped = game.optimizers[list(networks).index(still)]
    stopped.step = lambda: None
    before = {name: tensors(network) for name, network in networks.items()}
    game.model.training_step(batch(20), 0)
    for name, network in networks.items():
        moved = [not torch.equal(*two) for two in zip(tensors(network), before[name], strict=True)]
        assert not any(moved) if name == still else all(moved)


def test_a_step_leaves_no_gradient_and_no_frozen_parameter_behind():
    game = Stepping()
    game.model.training_step(batch(), 0)
    assert all(p.grad is None and p.requires_grad for p in game.model.parameters())
    betas = [o.defaults["betas"][0] for o in game.optimizers]
    assert betas == [0.5, 0.5]  # DCGAN, section 4


def test_the_gradients_of_each_step_are_those_of_the_papers_losses():
    """Goodfellow et al. 2014: eq. 1 for D with G held; -log D(G(z)) for G with the new D held."""
    torch.manual_seed(0)
    game, (real, labels), noise = Stepping(), batch(), torch.randn(8, 64)
    game.model.draw = lambda *_: noise
    generator, discriminator = game.model.generator, game.model.discriminator
    seen = []
    for network, optimizer in zip((generator, discriminator), game.optimizers, strict=True):
        weights = list(network.parameters())
        optimizer.step = lambda n=network, w=weights: seen.append((n, [p.grad.clone() for p in w]))
    game.model.training_step((real, labels), 0)
    drawn = generator(noise, labels)
    first, second = (discriminator(x, labels).sigmoid() for x in (real, drawn))
    value, fooled = (first.log() + (1 - second).log()).mean(), -second.log().mean()
    losses = {discriminator: -value, generator: fooled}
    assert len(seen) == 2
    for network, found in seen:
        wanted = torch.autograd.grad(losses[network], list(network.parameters()), retain_graph=True)
        torch.testing.assert_close(found, list(wanted), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("size", [28, 32])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", ["gan", "gan_conditional"])
def test_pictures_have_the_size_of_the_data(name, channels, size):
    model = zoo.create_model(name, channels=channels, image_size=size)
    drawn = model(torch.randn(3, 64))
    assert drawn.shape == (3, channels, size, size)
    assert drawn.abs().max() <= 1
    assert model.discriminator(drawn, torch.arange(3)).shape == (3,)
    refused("image_size is 30", zoo.create_model, name, image_size=30)


def test_weights_start_as_in_the_paper():
    """DCGAN, section 4: normal with deviation 0.02."""
    model = zoo.create_model("gan")
    for layer in (*model.generator.layers, *model.discriminator.layers):
        if isinstance(layer, torch.nn.Conv2d | torch.nn.ConvTranspose2d | torch.nn.Linear):
            assert float(layer.weight.detach().std()) == pytest.approx(0.02, rel=0.15)


def test_another_label_changes_the_picture_and_another_noise_too(conditional):
    noise, (three, four) = conditional.noise(1, 0), torch.tensor([[3], [4]])
    drawn = conditional(noise, three)
    assert not torch.equal(drawn, conditional(noise, four))
    assert not torch.equal(drawn, conditional(conditional.noise(1, 1), three))
    assert torch.equal(drawn, conditional(noise, three))
    plain = zoo.create_model("gan").eval()
    assert torch.equal(plain(noise, torch.zeros(1, dtype=torch.long)), plain(noise))


def test_the_discriminator_sees_the_label_by_projection(conditional):
    """Miyato & Koyama 2018, equation 5: what the label adds is linear in the features."""
    (real, labels), net = batch(4), conditional.discriminator
    features = net.layers(real)
    wanted = F.linear(features, net.head.weight, net.head.bias)[:, 0]
    wanted = wanted + (net.embedding.weight[labels] * features).sum(1)
    torch.testing.assert_close(net(real, labels), wanted)


def test_an_answer_is_pixels_from_black_to_white():
    output = torch.tensor([-1.0, 0.0, 1.0]).view(3, 1, 1, 1).expand(3, 1, 4, 4)
    pixels = zoo.create_model("gan").postprocess(output)
    assert [int(p[0, 0, 0]) for p in pixels] == [0, 128, 255]
    assert (pixels[0].shape, pixels[0].dtype) == ((4, 4, 1), np.uint8)


def test_a_sample_depends_on_the_seed_and_class_and_not_on_the_count(conditional):
    few, many = (conditional.sample(count=n, seed=1).images for n in (3, 300))
    assert np.array_equal(few, many[:3])
    assert not np.array_equal(few, conditional.sample(count=3, seed=2).images)
    assert set(signature(conditional.sample).parameters) == {"count", "label", "seed"}
    assert raster.png(conditional.sample(count=4)).startswith(b"\x89PNG")
    wanted = conditional.generate(conditional.noise(2, 0), torch.tensor([7, 7]))
    assert np.array_equal(conditional.sample(count=2, label="7").images, wanted)


def test_what_cannot_be_drawn_is_one_line(conditional):
    plain = zoo.create_model("gan")
    refused("was not told classes", plain.sample, label="7")
    refused("no label named 'seven'", conditional.sample, label="seven")
    refused("count is 0", plain.sample, count=0)


def test_a_walk_has_its_two_noises_at_its_ends_and_a_column_shares_one(conditional):
    path = np.stack(conditional.walk(1, 5)).astype(int)
    ends = np.stack(conditional.generate(conditional.noise(2, 0), torch.zeros(2, dtype=int)))
    assert abs(path[[0, -1]] - ends).max() <= 1
    wanted = conditional.generate(conditional.noise(3, 0)[2:], torch.tensor([4]))[0]
    assert np.array_equal(conditional.by_class(3)[4 * 3 + 2], wanted)
    found = conditional.figures(batch(40))
    assert len(found) == 4
    assert all(raster.png(grid) for grid in found.values())


@pytest.fixture
def unjudged(trained):
    """One small run without a judge."""
    return trained("gan", **TINY, ema=0.9)


def test_without_a_judge_it_trains_and_tests_on_its_losses(unjudged):
    assert math.isfinite(unjudged.results["test/loss"])
    assert "test/frechet" not in unjudged.results
    assert (unjudged.folder / "checkpoints/best.ckpt").exists()


def test_a_step_of_the_run_is_one_of_both_networks(unjudged):
    """72 samples of 80, in batches of 20: three steps an epoch, not six."""
    told = torch.load(unjudged.lasts[0], weights_only=True)
    steps = 2 * (unjudged.results["samples"]["train"] // 20)
    assert told["global_step"] == steps
    states = [state for one in told["optimizer_states"] for state in one["state"].values()]
    assert {state["step"].item() for state in states} == {float(steps)}


def test_facts_of_other_data_set_its_sizes():
    """S87: 32 x 32 in colour, by a config alone."""
    data = compose(["experiment=gan", "data=cifar10"])["data"]
    assert data["scaling"] == "symmetric"
    assert not any(value for key, value in data["augment"].items() if key != "fill_mode")


@pytest.mark.slow
def test_a_short_training_halves_the_distance_of_the_first_epoch():
    """S87: the Frechet distance falls; all classes are drawn at the end of a whole recipe only."""
    run = zoo.train("gan_conditional", name="a", baseline=None, trainer={"max_epochs": 4})
    rows = csv_logger.read(run.folder / "metrics.csv")
    found = [float(row["val/frechet"]) for row in rows if row["val/frechet"]]
    assert len(found) == 4
    assert found[-1] < found[0] / 2
    assert run.results["test/frechet"] < found[0] / 2
