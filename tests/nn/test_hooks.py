"""What layers get and give is recorded in a copy of the model: nobody else meets a hook."""

import pytest
import torch
from torch import nn

from tests.data import refused
from zoo.nn.hooks import first_outputs, layer_outputs, record_calls


@pytest.fixture
def model():
    return nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))


def test_calls_come_in_order_with_what_went_in_and_out(model):
    x = torch.randn(4, 2)
    first, last = record_calls(model, ["2", "0"], x)
    assert [first.name, last.name] == ["0", "2"]
    assert first.inputs[0] is x
    torch.testing.assert_close(last.output, model(x))
    torch.testing.assert_close(last.inputs[0], first.output.relu())


class Curious(nn.Module):
    """Looks at the layers of another network while it works."""

    def __init__(self, other):
        super().__init__()
        self.look = lambda x: record_calls(other, ["0"], x)

    def forward(self, x):
        self.calls = self.look(torch.ones(7, 2))
        return x


def test_a_call_within_a_call_meets_no_hook_of_it(model):
    """And none is left behind; so do calls of several threads."""
    network = nn.Sequential(model, Curious(model))
    outer, curious = record_calls(network, ["0.0", "1"], torch.zeros(4, 2))
    (inner,) = curious.layer.calls
    assert (len(outer.output), len(inner.output)) == (4, 7)
    assert not model[0]._forward_hooks


def test_of_a_layer_that_is_called_again_the_first_output_counts():
    layer = nn.Linear(2, 2)
    twice = nn.Sequential(layer, nn.Tanh(), layer)
    x = torch.randn(4, 2)
    torch.testing.assert_close(first_outputs(twice, ["0"], x)["0"], layer(x))


def test_a_layer_without_a_tensor_and_one_of_changing_sizes_are_named(model):
    model.forward = model[0].forward  # the others are never called
    refused("layer 2 gives no tensor", layer_outputs, model, ["2"], [torch.zeros(1, 2)])
    sizes = [torch.zeros(1, 3, 2), torch.zeros(1, 4, 2)]
    said = r"layer 0 gives rows of other sizes .*\(3, 3\), \(4, 3\)"
    refused(said, layer_outputs, nn.Sequential(model[0]), ["0"], sizes)
