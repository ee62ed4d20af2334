"""The lecture's autoencoder to the letter, the convolutional one, and de-noising (S80, S81)."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchmetrics.image import PeakSignalNoiseRatio

import zoo
from tests.data import learned, opened
from zoo.autoencoder import SHOWN, one_of_each, steps
from zoo.catalog.compose import compose
from zoo.config import schema
from zoo.nn.noise import psnr, seeded, spoil

GAUSSIAN = {"kind": "gaussian", "amount": 0.4}
MODELS = ["autoencoder", "autoencoder_2017", "autoencoder_denoising"]


def of_the_slide():
    """Slide 33 layer by layer, written from the slide and not from our file."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 784), nn.Sigmoid()
    )


def pictures(count, size=28, channels=1):
    return torch.rand(count, channels, size, size, generator=torch.Generator().manual_seed(0))


def test_the_lectures_network_is_the_slides_function():
    """S80: with the slide's weights in our file, both draw the same picture."""
    ours, slide = zoo.create_model("autoencoder_2017"), of_the_slide()
    slide.load_state_dict(dict(zip(slide.state_dict(), ours.state_dict().values(), strict=True)))
    images = pictures(4)
    torch.testing.assert_close(ours(images).flatten(1), slide(images))
    assert (ours.encode(images) >= 0).all()  # relu


@pytest.mark.parametrize(("size", "channels"), [(28, 1), (32, 3), (64, 3), (45, 1)])
@pytest.mark.parametrize("name", ["autoencoder", "autoencoder_2017"])
def test_a_picture_becomes_32_numbers_and_those_a_picture_of_its_size(name, size, channels):
    """S80."""
    model = zoo.create_model(name, image_size=size, channels=channels).eval()
    images = pictures(2, size, channels)
    codes = model.encode(images)
    assert codes.shape == (2, 32)
    drawn = model.decode(codes).detach()
    assert drawn.shape == images.shape
    assert 0 <= float(drawn.min()) <= float(drawn.max()) <= 1
    torch.testing.assert_close(model(images), drawn)


def test_the_code_has_as_many_numbers_as_asked_for():
    model = zoo.create_model("autoencoder", code_size=7).eval()
    assert model.encode(pictures(2)).shape == (2, 7)


def test_the_loss_is_the_binary_cross_entropy_a_pixel():
    """S80: Keras' mean over pixels of -(x log p + (1 - x) log(1 - p)), so that its 0.093 compares.

    The labels of the batch have no part in it.
    """
    model, images = zoo.create_model("autoencoder_2017"), pictures(3)
    drawn = model(images)
    found = model.scores((images, torch.tensor([1, 2, 3])), "train")
    formula = -(images * drawn.log() + (1 - images) * (1 - drawn).log())
    torch.testing.assert_close(found["loss"], formula.mean((1, 2, 3)))
    torch.testing.assert_close(found["loss"].mean(), F.binary_cross_entropy(drawn, images))
    torch.testing.assert_close(found["mse"].mean(), F.mse_loss(drawn, images))
    assert "psnr" not in found


def test_the_loss_stays_finite_where_the_sigmoid_is_one():
    model = zoo.create_model("autoencoder_2017")
    nn.init.constant_(model.decoder[0].bias, 1000.0)
    loss = model.scores((torch.zeros(1, 1, 28, 28), None), "train")["loss"]
    assert 900 < float(loss.detach()) < 1100


@pytest.mark.parametrize("stage", ["train", "val", "test"])
def test_denoising_keeps_the_target_clean(stage, monkeypatch):
    """S81: the network sees the spoiled pictures, and is judged against the clean ones."""
    model = zoo.create_model("autoencoder_2017", noise=GAUSSIAN)
    images = pictures(4)
    monkeypatch.setattr(model, "draw", seeded(5))
    found = model.scores((images, None), stage)
    drawn = model(spoil(images, GAUSSIAN, seeded(5)))
    torch.testing.assert_close(found["mse"].mean(), F.mse_loss(drawn, images))
    torch.testing.assert_close(found["loss"].mean(), F.binary_cross_entropy(drawn, images))


def test_psnr_is_that_of_torchmetrics(monkeypatch):
    """S81: the mean over pictures of the ratio of each."""
    model = zoo.create_model("autoencoder_2017", noise=GAUSSIAN)
    images = pictures(4)
    monkeypatch.setattr(model, "draw", seeded(5))
    found = model.scores((images, None), "test")["psnr"]
    oracle = PeakSignalNoiseRatio(data_range=(0.0, 1.0), dim=(1, 2, 3))
    oracle.update(model(spoil(images, GAUSSIAN, seeded(5))), images)
    torch.testing.assert_close(found.mean(), oracle.compute())
    assert float(psnr(torch.tensor(0.01))) == pytest.approx(20)
    assert float(psnr(torch.tensor(0.0))) == pytest.approx(100)


def test_gaussian_noise_has_the_deviation_asked_for_and_is_clipped():
    """S81."""
    grey = torch.full((8, 1, 100, 100), 0.5)
    assert float(spoil(grey, {"kind": "gaussian", "amount": 0.1}, seeded(0)).std()) == (
        pytest.approx(0.1, rel=0.02)
    )
    strong = spoil(grey, {"kind": "gaussian", "amount": 1.0}, seeded(0))
    assert (float(strong.min()), float(strong.max())) == (0, 1)


def test_salt_and_pepper_are_as_many_and_together_the_share_asked_for():
    """S81."""
    spoiled = spoil(torch.full((8, 1, 100, 100), 0.5), {"kind": "salt_pepper", "amount": 0.3},
                    seeded(0))  # fmt: skip
    shares = [float((spoiled == level).float().mean()) for level in (0.0, 0.5, 1.0)]
    assert shares == pytest.approx([0.15, 0.7, 0.15], abs=0.01)


def test_a_mask_blackens_the_share_asked_for_and_nothing_else():
    """S81."""
    images = pictures(8, 100) + 0.01
    spoiled = spoil(images, {"kind": "mask", "amount": 0.3}, seeded(0))
    kept = spoiled != 0
    assert float(kept.float().mean()) == pytest.approx(0.7, abs=0.01)
    torch.testing.assert_close(spoiled[kept], images[kept])


@pytest.mark.parametrize(
    ("noise", "said"),
    [
        ({"kind": "fog", "amount": 0.4}, "model.noise"),
        ({"kind": "mask", "amount": 0.0}, "model.noise.*amount"),
        ({"kind": "mask"}, "model.noise.*amount"),
    ],
)
def test_a_wrong_noise_is_one_line_that_names_it(noise, said):
    config = compose(["experiment=autoencoder"])
    with pytest.raises(ValueError, match=said) as error:
        schema.check_arguments({**config["model"], "noise": noise}, "model")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", MODELS)
def test_a_wrong_layout_or_size_is_an_error_that_names_the_axis(name):
    """S02."""
    model = zoo.create_model(name)
    with pytest.raises(ValueError, match="axis 1, the channels, should be 1; channels stand last"):
        model(torch.zeros(2, 28, 28, 1))
    with pytest.raises(ValueError, match="axes 2 and 3 should be 28"):
        model.encode(torch.zeros(2, 1, 32, 32))


def test_the_denoising_model_differs_from_the_plain_one_in_its_noise_alone():
    """S81: by config."""
    plain, other = (compose([f"experiment={n}"])["model"] for n in MODELS[::2])
    assert (plain["noise"], other["noise"]) == (None, GAUSSIAN)
    assert {**plain, "noise": GAUSSIAN} == other


def test_predict_gives_the_picture_that_the_code_tells_of():
    data = opened("digits", limit=64, scaling="unit")
    model = zoo.create_model("autoencoder_2017")
    model.input = data.input
    pixels, _ = data.arrays("test")
    answers = model.predict(list(pixels[:2]))
    assert [(a.shape, str(a.dtype)) for a in answers] == [((28, 28, 1), "uint8")] * 2
    drawn = model(torch.from_numpy(pixels[:1]).permute(0, 3, 1, 2) / 255)[0, 0]
    torch.testing.assert_close(
        torch.from_numpy(answers[0][..., 0]).float(), drawn.detach() * 255, atol=0.51, rtol=0
    )


def test_figures_set_pictures_above_what_comes_out():
    """S80: one of each class first; the first row of the sheet is the pictures themselves."""
    model = zoo.create_model("autoencoder_2017").eval()
    images, labels = pictures(30), torch.arange(30) % 3
    shown = model.figures((images, labels))
    sheet = shown["Pictures, and below them what comes out"]
    assert (len(sheet.images), sheet.columns) == (2 * SHOWN, SHOWN)
    wanted = [*model.answer(images[:SHOWN]), *model.answer(model(images[:SHOWN]))]
    assert all((a == b).all() for a, b in zip(sheet.images, wanted, strict=True))
    assert len(shown["What each number of the code draws"].images) == 32


def test_figures_of_denoising_have_three_rows():
    """S81: clean, spoiled, restored."""
    shown = (
        zoo.create_model("autoencoder_denoising").eval().figures((pictures(12), torch.arange(12)))
    )
    assert len(shown["Pictures, spoiled, and restored"].images) == 3 * SHOWN


def test_one_of_each_class_comes_first():
    labels = torch.tensor([1, 1, 0, 1, 2])
    chosen = one_of_each(labels[:, None], labels)
    assert chosen[:, 0].tolist() == [0, 1, 2, 1, 1]


def test_the_way_between_two_codes_begins_and_ends_with_them():
    way = steps(torch.tensor([0.0, 2.0]), torch.tensor([1.0, 0.0]))
    assert way[[0, -1]].tolist() == [[0.0, 2.0], [1.0, 0.0]]
    torch.testing.assert_close(way.diff(dim=0), way.diff(dim=0)[:1].expand(len(way) - 1, 2))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["autoencoder", "autoencoder_2017"])
def test_it_overfits_a_batch(name):
    """S80: 16 digits fit into 32 numbers each."""
    data = opened("digits", limit=64, scaling="unit")
    torch.manual_seed(0)
    model, batch = zoo.create_model(name), data.whole("test", 16)
    learned(model, 400, 5e-3, lambda: model.scores(batch, "train")["loss"].mean())
    left = float(model.scores(batch, "train")["mse"].detach().mean())
    assert left < 0.004  # the mean digit alone has about 0.065
