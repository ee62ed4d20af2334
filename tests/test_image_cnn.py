"""The lecture's network to the letter, and the small modern one (S40, S42-S44)."""

import pytest
import torch
from torch import nn

import zoo
from tests.data import refused, seeded
from zoo.commands.show import dense_cost, layers


@pytest.fixture(scope="module")
def lecture():
    return zoo.create_model("image_cnn_2017", channels=3, image_size=32).eval()


@pytest.fixture(scope="module")
def modern():
    return seeded("image_cnn")


def test_the_lectures_network_is_the_slides_function(lecture):
    """S44: slide 19 layer by layer; with its weights in our file, both give the same logits."""
    slide = nn.Sequential(
        nn.Conv2d(3, 32, 3, padding="same"), nn.ReLU(),
        nn.Conv2d(32, 32, 3, padding="valid"), nn.ReLU(),
        nn.MaxPool2d((2, 2)), nn.Dropout(0.25),
        nn.Conv2d(32, 64, 3, padding="same"), nn.ReLU(),
        nn.Conv2d(64, 64, 3, padding="valid"), nn.ReLU(),
        nn.MaxPool2d((2, 2)), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(2304, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, 10),
    ).eval()  # fmt: skip
    slide.load_state_dict(dict(zip(slide.state_dict(), lecture.state_dict().values(), strict=True)))
    images = torch.randn(4, 3, 32, 32)
    torch.testing.assert_close(lecture(images), slide(images))
    assert sum(p.numel() for p in lecture.parameters()) == 1_250_858


def test_dropouts_are_the_slides(lecture):
    assert [m.p for m in lecture.modules() if isinstance(m, nn.Dropout)] == [0.25, 0.25, 0.5]


@pytest.mark.parametrize("size", [(28, 28), (32, 32), (64, 64), (17, 40)])
def test_the_modern_network_takes_any_size_and_has_under_a_million_parameters(modern, size):
    """S43."""
    assert modern(torch.randn(2, 1, *size)).shape == (2, 10)
    assert sum(p.numel() for p in modern.parameters()) < 1_000_000


def test_an_answer_is_plain_python_with_probabilities_that_sum_to_one(modern):
    answer = modern.postprocess(torch.tensor([[0.0] * 9 + [5.0]]))[0]
    assert answer["label"] == "9"
    assert sum(answer["probabilities"].values()) == pytest.approx(1)
    assert answer["probability"] == answer["probabilities"]["9"]
    refused(r"zoo\.load", modern.predict, "cat.png")  # without an input


def test_a_dense_layer_for_the_same_map_costs_inputs_times_outputs_and_biases(lecture, command):
    """S40: the first convolution has 896 parameters; a dense layer would have 100 million."""
    first = layers(lecture)[0]
    assert first.parameters == 3 * 32 * 9 + 32
    assert first.dense == (3 * 32 * 32) * (32 * 32 * 32) + 32 * 32 * 32
    assert dense_cost([1, 2], [1, 3], "Conv1d") == 2 * 3 + 3
    out = command.ran("show", "image_cnn_2017")
    assert "conf/model/image_cnn_2017.yaml" in out
    assert f"{28 * 28 * 32 * 28 * 28 + 32 * 28 * 28:,}" in out  # the first one, on digits
