"""The adversarial game (S87): two steps that do not mix, labels, averages, and what it is for."""

import math
from inspect import signature

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import zoo
from zoo.catalog.compose import compose
from zoo.figures import raster
from zoo.training import csv_logger

TINY = {
    "model": {"width": 4, "noise": 8}, "data": {"limit": 100, "batch_size": 20},
    "trainer": {"max_epochs": 2}, "baseline": None, "judge": None, "monitor": "val/loss",
}  # fmt: skip


class Stepping:
    """A model with optimisers and without a Trainer."""

    def __init__(self, name="gan", **changes):
        self.model = zoo.create_model(name, width=4, **changes)
        self.optimizers = self.model.configure_optimizers()
        self.model.optimizers = lambda use_pl_optimizer=True: self.optimizers
        self.model.manual_backward = lambda loss: loss.backward()
        self.model.log = lambda *_, **__: None

    def step(self, batch):
        self.model.training_step(batch, 0)


def batch(count=8):
    return torch.rand(count, 1, 28, 28) * 2 - 1, torch.arange(count) % 10


def tensors(network):
    return [p.detach().clone() for p in network.parameters()]


def changed(network, before):
    return [not torch.equal(a, b) for a, b in zip(network.parameters(), before, strict=True)]


@pytest.fixture(scope="module")
def conditional():
    torch.manual_seed(0)
    return zoo.create_model("gan_conditional").eval()


@pytest.mark.parametrize("name", ["gan", "gan_conditional"])
@pytest.mark.parametrize("still", ["generator", "discriminator"])
def test_each_step_touches_only_its_own_network(name, still):
    """S87: with one of the two optimisers stopped, its network stays as it was to the bit."""
    game = Stepping(name)
    networks = {"generator": game.model.generator, "discriminator": game.model.discriminator}
    stopped = game.optimizers[list(networks).index(still)]
    stopped.step = lambda: None
    before = {name: tensors(network) for name, network in networks.items()}
    game.step(batch(20))
    assert not any(changed(networks.pop(still), before[still]))
    ((moved, network),) = networks.items()
    assert all(changed(network, before[moved]))


def test_a_step_leaves_no_gradient_and_no_frozen_parameter_behind():
    game = Stepping()
    game.step(batch())
    for p in game.model.parameters():
        assert p.grad is None
        assert p.requires_grad


def test_the_gradients_of_each_step_are_those_of_the_papers_losses():
    """Goodfellow et al. 2014: eq. 1 for D with G held; -log D(G(z)) for G with the new D held."""
    torch.manual_seed(0)
    game, (real, labels) = Stepping(), batch()
    noise = torch.randn(8, 64)
    game.model.draw = lambda *_: noise
    seen = {}
    for name, optimizer in zip(("generator", "discriminator"), game.optimizers, strict=True):
        network = getattr(game.model, name)
        optimizer.step = lambda n=name, w=network: seen.update(
            {n: [p.grad.clone() for p in w.parameters()]}
        )
    game.step((real, labels))
    drawn = game.model.generator(noise, labels)
    first, second = (game.model.discriminator(x, labels) for x in (real, drawn))
    value = (first.sigmoid().log() + (1 - second.sigmoid()).log()).mean()
    fooled = -second.sigmoid().log().mean()
    for name, loss in (("discriminator", -value), ("generator", fooled)):
        wanted = torch.autograd.grad(
            loss, list(getattr(game.model, name).parameters()), retain_graph=True
        )
        torch.testing.assert_close(seen[name], list(wanted), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("size", [28, 32])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", ["gan", "gan_conditional"])
def test_pictures_have_the_size_of_the_data(name, channels, size):
    model = zoo.create_model(name, channels=channels, image_size=size)
    drawn = model(torch.randn(3, 64))
    assert drawn.shape == (3, channels, size, size)
    assert drawn.abs().max() <= 1
    assert model.discriminator(drawn, torch.arange(3)).shape == (3,)


def test_a_size_that_cannot_be_halved_twice_is_refused():
    with pytest.raises(ValueError, match="image_size is 30"):
        zoo.create_model("gan", image_size=30)


def test_weights_start_as_in_the_paper():
    """DCGAN, section 4: normal with deviation 0.02."""
    model = zoo.create_model("gan")
    for layer in (*model.generator.layers, *model.discriminator.layers):
        if isinstance(layer, torch.nn.Conv2d | torch.nn.ConvTranspose2d | torch.nn.Linear):
            assert float(layer.weight.detach().std()) == pytest.approx(0.02, rel=0.15)


def test_the_optimisers_take_the_papers_momentum():
    """DCGAN, section 4: beta1 = 0.5."""
    assert [o.defaults["betas"][0] for o in Stepping().optimizers] == [0.5, 0.5]


def test_another_label_changes_the_picture_and_another_noise_too(conditional):
    noise = conditional.noise(1, 0)
    three, four = (conditional(noise, torch.tensor([k])) for k in (3, 4))
    assert not torch.equal(three, four)
    assert not torch.equal(three, conditional(conditional.noise(1, 1), torch.tensor([3])))
    torch.testing.assert_close(three, conditional(noise, torch.tensor([3])), rtol=0, atol=0)


def test_the_discriminator_sees_the_label_by_projection(conditional):
    """Miyato & Koyama 2018, equation 5: what the label adds is linear in the features."""
    real, labels = batch(4)
    net = conditional.discriminator
    features = net.layers(real)
    wanted = F.linear(features, net.head.weight, net.head.bias)[:, 0]
    wanted = wanted + torch.einsum("bf,bf->b", net.embedding.weight[labels], features)
    torch.testing.assert_close(net(real, labels), wanted)


def test_without_labels_they_change_nothing():
    model = zoo.create_model("gan").eval()
    noise = model.noise(4, 0)
    assert torch.equal(model(noise, torch.zeros(4, dtype=torch.long)), model(noise))


def test_an_answer_is_pixels_from_black_to_white():
    output = torch.tensor([-1.0, 0.0, 1.0]).view(3, 1, 1, 1).expand(3, 1, 4, 4)
    pixels = zoo.create_model("gan").answer(output)
    assert [int(p[0, 0, 0]) for p in pixels] == [0, 128, 255]
    assert pixels[0].shape == (4, 4, 1)
    assert pixels[0].dtype == np.uint8


def test_a_sample_depends_on_the_seed_and_not_on_the_count(conditional):
    few, many = (conditional.sample(count=n, seed=1).images for n in (3, 300))
    assert np.array_equal(few, many[:3])
    assert not np.array_equal(few, conditional.sample(count=3, seed=2).images)
    assert set(signature(conditional.sample).parameters) == {"count", "label", "seed"}
    assert raster.png(conditional.sample(count=4)).startswith(b"\x89PNG")


def test_a_sample_is_of_the_class_that_is_asked_for(conditional):
    drawn = conditional.sample(count=2, label="7").images
    wanted = conditional.generate(conditional.noise(2, 0), torch.tensor([7, 7]))
    assert np.array_equal(drawn, wanted)


@pytest.mark.parametrize(
    ("name", "asked", "said"),
    [
        ("gan", {"label": "7"}, "was not told classes"),
        ("gan_conditional", {"label": "seven"}, "no label named 'seven'"),
        ("gan", {"count": 0}, "count is 0"),
    ],
)
def test_a_sample_that_cannot_be_drawn_is_one_line(name, asked, said):
    with pytest.raises(ValueError, match=said):
        zoo.create_model(name).sample(**asked)


def test_pictures_in_place_of_noise_are_refused(conditional):
    with pytest.raises(ValueError, match=r"\(B, 64\) is wanted"):
        conditional(torch.zeros(1, 1, 28, 28))


def test_a_walk_starts_and_ends_at_its_two_noises(conditional):
    path = np.stack(conditional.walk(1, 5)).astype(int)
    ends = np.stack(conditional.generate(conditional.noise(2, 0), torch.zeros(2, dtype=int)))
    assert abs(path[[0, -1]] - ends).max() <= 1


def test_by_class_shares_the_noise_down_a_column(conditional):
    shown = conditional.by_class(3)
    labels = torch.tensor([4])
    assert np.array_equal(
        shown[4 * 3 + 2], conditional.generate(conditional.noise(3, 0)[2:], labels)[0]
    )


def test_figures_are_pictures_that_can_be_drawn(conditional):
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
    samples = unjudged.results["samples"]["train"]
    assert told["global_step"] == 2 * (samples // 20)
    counts = [
        state["step"].item() for one in told["optimizer_states"] for state in one["state"].values()
    ]
    assert set(counts) == {float(told["global_step"])}


def test_the_average_of_the_weights_is_what_draws(unjudged):
    """The best checkpoint holds the average, and the run's weights are it, buffers too."""
    best = torch.load(unjudged.folder / "checkpoints/best.ckpt", weights_only=True)
    weights = unjudged.model.state_dict()
    for name, average in best["state_dict"].items():
        torch.testing.assert_close(weights[name], average, rtol=0, atol=0)
    name = "generator.layers.0.weight"
    assert not torch.equal(best["current_model_state"][name], weights[name])


def test_a_run_that_was_lengthened_equals_one_that_was_not(unjudged):
    """Resume: both optimisers and the average go on."""
    zoo.train("gan", name="b", **{**TINY, "ema": 0.9, "trainer": {"max_epochs": 1}})
    longer = zoo.train("gan", name="b", **{**TINY, "ema": 0.9})
    wanted = torch.load(unjudged.lasts[0], weights_only=True)["state_dict"]
    found = torch.load(longer.lasts[0], weights_only=True)["state_dict"]
    for name, tensor in wanted.items():
        torch.testing.assert_close(found[name], tensor, rtol=0, atol=0)


def test_facts_of_other_data_set_its_sizes():
    """S87: 32 x 32 in colour, by a config alone."""
    config = compose(["experiment=gan", "data=cifar10"])
    assert config["data"]["scaling"] == "symmetric"
    assert not any(
        config["data"]["augment"][k] for k in config["data"]["augment"] if k != "fill_mode"
    )


@pytest.mark.slow
def test_a_short_training_halves_the_distance_of_the_first_epoch():
    """S87: the Frechet distance falls; all classes are drawn at the end of a whole recipe only."""
    run = zoo.train("gan_conditional", name="a", baseline=None, trainer={"max_epochs": 4})
    rows = csv_logger.read(run.folder / "metrics.csv")
    found = [float(row["val/frechet"]) for row in rows if row["val/frechet"]]
    assert len(found) == 4
    assert found[-1] < found[0] / 2
    assert run.results["test/frechet"] < found[0] / 2
