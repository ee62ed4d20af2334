"""The weights that come with the package: complete, small, and worth what their cards say."""

from pathlib import Path

import numpy as np
import pytest
import torch

import zoo
from zoo.catalog.compose import compose
from zoo.config import schema
from zoo.pretrained import model_card, store
from zoo.training.evaluate import evaluate

ROOT = Path(__file__).resolve().parents[2]
SHELF = store.released()
CARDS = {name: store.read(path) for name, path in SHELF.items()}
SLICE = 256  # test samples that weights are scored on here
LARGE = {"mnist", "fashion_mnist", "cifar10", "imdb", "wikipedia_2015"}  # 2,000 samples will do
PROMISED = {  # besides every model on its bundled data
    "image_cnn.mnist", "image_cnn.fashion_mnist", "image_cnn.cifar10", "text_cnn.imdb",
    "text_lstm.imdb", "cbow.wikipedia_2015", "char_rnn.tinyshakespeare", "autoencoder.mnist",
    "gan.mnist", "video_conv3d.drone_video", "wavenet.free_spoken_digit",
    "sound_classifier.free_spoken_digit",
}  # fmt: skip


UNRELEASED = {"image_resnet"}  # 22 megabytes in half precision
RELEASED = [name for name in zoo.list_models() if name not in UNRELEASED]

COSTLY = ("cbow", "sound_classifier", "video", "wavenet")  # to score on a slice
BUNDLED = [name for name, card in CARDS.items() if card["info"]["bundled"]]


def test_every_model_has_weights_on_its_embedded_data_and_one_default_under_40_megabytes():
    pairs = (compose([f"experiment={name}"])["choices"] for name in RELEASED)
    assert {f"{pair['model']}.{pair['data']}" for pair in pairs} | PROMISED <= set(SHELF)
    models = [name.split(".")[0] for name in SHELF if CARDS[name]["default"]]
    assert sorted(models) == RELEASED
    assert sum(path.stat().st_size for path in (ROOT / "zoo" / "weights").iterdir()) < 40e6


@pytest.mark.parametrize("name", SHELF)
def test_a_card_says_all_that_it_should(name):
    card = CARDS[name]
    assert all(card[key] for key in ("licence", "limits", "commit"))
    assert card["choices"]["data"] in card["seen"]
    assert card["score"] in card["metrics"]
    command = f"zoo train experiment={card['choices']['experiment']}"
    assert (card["name"], card["command"]) == (name, command)
    assert "+" not in card["commit"]  # committed code
    assert card["flops"] > 0
    assert str(Path.home()) not in SHELF[name].with_suffix(".json").read_text()
    assert len(dict(model_card.describe(card))) >= 9


@pytest.mark.parametrize("name", SHELF)
def test_the_config_that_trained_them_is_still_the_recipe(name):
    """The arguments on the card are those that its command composes today, facts aside."""
    card = CARDS[name]
    config = compose([f"experiment={card['choices']['experiment']}"])
    info = card["info"].keys()
    for key in ("model", "data"):
        own = {k: v for k, v in card[key].items() if k not in info}
        assert own == {k: v for k, v in config[key].items() if k not in info}


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=[pytest.mark.slow] * name.startswith(COSTLY)) for name in BUNDLED
])  # fmt: skip
def test_embedded_weights_score_on_a_fixed_slice_what_their_card_says(name):
    """Within four standard errors of the slice; another Python's own text is another text."""
    card = CARDS[name]
    model = zoo.load(name)
    data = schema.build(card["data"], "data")
    data.use_input(model.input, card["info"], model.classes)
    data.setup("test")
    slack = 0.01 if card["info"]["digest"] in (data.info["digest"], data.former_digest) else 0.25
    torch.manual_seed(0)
    with torch.inference_mode():
        batches = zip(*(one.split(32) for one in data.samples("test", SLICE)), strict=True)
        scores = [model.scores(batch, "test") for batch in batches]  # all at once need much memory
    for metric in scores[0]:
        said = card["metrics"][f"test/{metric}"]
        values = torch.cat([one[metric] for one in scores]).numpy()
        error = values.std() / np.sqrt(len(values))
        assert abs(values.mean() - said) <= 4 * error + slack * abs(said), metric


@pytest.mark.real
@pytest.mark.parametrize("name", sorted(set(SHELF) - set(BUNDLED)))
def test_weights_score_on_real_data_what_their_card_says(name):
    """In the card's interval, wider by that of a part of the split; of a GAN by its loss alone,
    as its judge would have to learn first."""
    card, said = CARDS[name], CARDS[name]["metrics"]
    part = ["data.limit=2000"] if card["choices"]["data"] in LARGE else []
    metric = "test/loss" if card["score"] == "test/frechet" else card["score"]
    scores, _, _ = evaluate(name, ["evaluator=null", *part])
    wider = 1e-6 + (scores[f"{metric}/high"] - scores[f"{metric}/low"] if part else 0) / 2
    low, high = said[f"{metric}/low"] - wider, said[f"{metric}/high"] + wider
    assert low <= scores[metric] <= high


def test_the_command_lists_them_and_writes_the_page_of_the_zoo_from_the_cards(command):
    out = command.ran("list", "weights")
    assert all(name in out for name in SHELF)
    page = command.ran("list", "weights", "--markdown")
    assert page == model_card.page() == (ROOT / "docs" / "zoo.md").read_text()
