"""The lecture's autoencoder to the letter, the convolutional one, and de-noising (S80, S81)."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchmetrics.functional.image import structural_similarity_index_measure
from torchmetrics.image import PeakSignalNoiseRatio

import zoo
from tests.data import bare_trainer, learned, opened, refused
from zoo.autoencoder import COLUMNS, one_of_each, steps
from zoo.catalog.compose import compose
from zoo.config import schema
from zoo.nn.noise import psnr, seeded, spoil

GAUSSIAN = {"kind": "gaussian", "amount": 0.4}
MODELS = ["autoencoder", "autoencoder_2017", "autoencoder_denoising"]


def pictures(count, size=28, channels=1):
    return torch.rand(count, channels, size, size, generator=torch.Generator().manual_seed(0))


def test_the_lectures_network_is_the_slides_function():
    """S80: slide 33 layer by layer; with its weights in our file, both draw the same picture."""
    ours, images = zoo.create_model("autoencoder_2017"), pictures(4)
    slide = nn.Sequential(nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 784), nn.Sigmoid())
    slide.load_state_dict(dict(zip(slide.state_dict(), ours.state_dict().values(), strict=True)))
    torch.testing.assert_close(ours(images).flatten(1), slide(images.flatten(1)))
    assert (ours.encode(images) >= 0).all()  # relu


CODES = [("autoencoder", {}), ("autoencoder", {"code_size": 7}), ("autoencoder_2017", {})]


@pytest.mark.parametrize(("size", "channels"), [(28, 1), (32, 3), (64, 3), (45, 1)])
@pytest.mark.parametrize(("name", "asked"), CODES)
def test_a_picture_becomes_a_code_and_that_a_picture_of_its_size(name, asked, size, channels):
    """S80: of 32 numbers, or as many as asked for."""
    model = zoo.create_model(name, image_size=size, channels=channels, **asked).eval()
    images = pictures(2, size, channels)
    codes = model.encode(images)
    assert codes.shape == (2, asked.get("code_size", 32))
    drawn = model.decode(codes).detach()
    assert drawn.shape == images.shape
    assert 0 <= float(drawn.min()) <= float(drawn.max()) <= 1
    torch.testing.assert_close(model(images), drawn)


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
    """S81: spoiled pictures are judged against the clean ones; torchmetrics has the same PSNR."""
    model, images = zoo.create_model("autoencoder_2017", noise=GAUSSIAN), pictures(4)
    monkeypatch.setattr(model, "draw", seeded(5))
    found = {name: score.mean() for name, score in model.scores((images, None), stage).items()}
    drawn = model(spoil(images, GAUSSIAN, seeded(5)))
    oracle = PeakSignalNoiseRatio(data_range=(0.0, 1.0), dim=(1, 2, 3))
    torch.testing.assert_close(found["psnr"], oracle(drawn, images))
    torch.testing.assert_close(found["mse"], F.mse_loss(drawn, images))
    torch.testing.assert_close(found["loss"], F.binary_cross_entropy(drawn, images))
    assert psnr(torch.tensor([0.01, 0.0])).tolist() == pytest.approx([20, 100])


def spoiled(images, kind, amount):
    return spoil(images, {"kind": kind, "amount": amount}, seeded(0))


def test_noise_is_as_strong_as_asked_for():
    """S81: a deviation, clipped; of salt and pepper as many, together the share."""
    grey = torch.full((8, 1, 100, 100), 0.5)
    assert float(spoiled(grey, "gaussian", 0.1).std()) == pytest.approx(0.1, rel=0.02)
    strong = spoiled(grey, "gaussian", 1.0)
    assert (float(strong.min()), float(strong.max())) == (0, 1)
    found = spoiled(grey, "salt_pepper", 0.3)
    shares = [float((found == level).float().mean()) for level in (0.0, 0.5, 1.0)]
    assert shares == pytest.approx([0.15, 0.7, 0.15], abs=0.01)


def test_a_mask_blackens_the_share_asked_for_and_nothing_else():
    """S81."""
    images = pictures(8, 100) + 0.01
    found = spoiled(images, "mask", 0.3)
    assert float((found != 0).float().mean()) == pytest.approx(0.7, abs=0.01)
    torch.testing.assert_close(found, images * (found != 0))


WRONG = [{"kind": "fog", "amount": 0.4}, {"kind": "mask", "amount": 0.0}, {"kind": "mask"}]


@pytest.mark.parametrize("noise", WRONG)
def test_a_wrong_noise_is_one_line_that_names_it(noise):
    given = {**compose(["experiment=autoencoder"])["model"], "noise": noise}
    said = "model.noise" if noise["kind"] == "fog" else "model.noise.*amount"
    assert "\n" not in refused(said, schema.check_arguments, given, "model")


def test_the_denoising_model_differs_from_the_plain_one_in_its_noise_alone():
    """S81: by config."""
    plain, other = (compose([f"experiment={n}"])["model"] for n in MODELS[::2])
    assert (plain["noise"], other["noise"]) == (None, GAUSSIAN)
    assert {**plain, "noise": GAUSSIAN} == other


def test_predict_gives_the_picture_that_the_code_tells_of():
    data, model = opened("digits", limit=64, scaling="unit"), zoo.create_model("autoencoder_2017")
    model.input = data.input
    pixels = data.arrays("test")[0][:2]
    answers = model.predict(list(pixels))
    assert [(a.shape, str(a.dtype)) for a in answers] == [((28, 28, 1), "uint8")] * 2
    drawn = model(torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255).permute(0, 2, 3, 1) * 255
    np.testing.assert_allclose(answers, drawn.detach(), atol=0.51)


def test_figures_set_pictures_above_what_comes_out():
    """S80: the first row of the sheet is the pictures themselves; S81: clean, spoiled, restored."""
    model = zoo.create_model("autoencoder_2017").eval()
    images, labels = pictures(30), torch.arange(30) % 3
    shown = model.figures((images, labels))
    sheet = shown["Pictures, and below them what comes out"]
    assert (len(sheet.images), sheet.columns) == (2 * COLUMNS, COLUMNS)
    wanted = [*model.postprocess(images[:COLUMNS]), *model.postprocess(model(images[:COLUMNS]))]
    assert all((a == b).all() for a, b in zip(sheet.images, wanted, strict=True))
    assert len(shown["What each number of the code draws"].images) == 32
    denoising = zoo.create_model("autoencoder_denoising").eval().figures((images, labels))
    assert len(denoising["Pictures, spoiled, and restored"].images) == 3 * COLUMNS


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
    model, batch = zoo.create_model(name), data.samples("test", 16)
    learned(model, 400, 5e-3, lambda: model.scores(batch, "train")["loss"].mean())
    left = float(model.scores(batch, "train")["mse"].detach().mean())
    assert left < 0.004  # the mean digit alone has about 0.065


def test_similarity_is_that_of_all_test_pictures():
    """Beside torchmetrics' function, on what the model makes of the pictures."""
    model, data = zoo.create_model("autoencoder_2017"), opened("digits", limit=100)
    found = bare_trainer().test(model, datamodule=data, verbose=False)[0]
    images = data.samples("test", 100)[0]
    outputs = model.eval()(images).detach()
    ssim = structural_similarity_index_measure(outputs, images, data_range=1.0)
    assert found["test/ssim"] == pytest.approx(float(ssim), rel=1e-4)


def test_pictures_smaller_than_its_window_have_no_similarity():
    assert [*zoo.create_model("autoencoder_2017", image_size=10).metrics()] == ["psnr"]
