"""Dense layers on flattened, padded sequences (S70)."""

import pytest
import torch
import torch.nn.functional as F

import zoo
from tests.data import refused, seeded


@pytest.fixture
def model():
    return seeded("text_mlp", max_length=5, embedding=3, hidden=7)


def test_it_is_a_dense_layer_on_the_words_in_a_row(model):
    """S70: flatten. By hand: one row of 5 x 3 numbers a text, two matrices."""
    ids = torch.tensor([[4, 5, 6, 7, 8], [8, 7, 6, 5, 4]])
    rows = torch.stack([torch.cat([model.steps.read.weight[i] for i in text]) for text in ids])
    dense = model.hidden[1]
    wanted = F.linear((rows @ dense.weight.t() + dense.bias).relu(), model.head.weight)
    torch.testing.assert_close(model(ids), wanted + model.head.bias)


def test_what_is_shorter_is_padded_and_what_is_longer_is_refused(model):
    """S70: pad."""
    short = torch.tensor([[4, 5]])
    torch.testing.assert_close(model(short), model(torch.tensor([[0, 0, 0, 4, 5]])))
    refused("sequences have 6 steps: 5 at most are wanted", model, torch.ones(1, 6).long())


def test_a_word_elsewhere_is_another_feature(model):
    """Which is what convolution mends: its answer is the same."""
    here, there = torch.tensor([[9, 0, 0, 0, 0]]), torch.tensor([[0, 0, 0, 0, 9]])
    assert not torch.allclose(model(here), model(there), atol=1e-3)
    cnn = zoo.create_model("text_cnn").eval()
    torch.testing.assert_close(cnn(here), cnn(there))
