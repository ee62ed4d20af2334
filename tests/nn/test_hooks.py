"""Layers are watched while a block runs, in its thread, and left as they were."""

from threading import Thread

import pytest
import torch
from torch import nn

from zoo.nn.hooks import record_calls


@pytest.fixture
def model():
    return nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))


def test_calls_come_in_order_with_what_went_in_and_out(model):
    x = torch.randn(4, 2)
    with record_calls(model, ["2", "0"]) as calls:
        y = model(x)
    assert [call.name for call in calls] == ["0", "2"]
    assert calls[0].inputs[0] is x
    assert calls[1].output is y
    torch.testing.assert_close(calls[1].inputs[0], calls[0].output.relu())


def test_no_hook_stays_behind_not_even_after_an_exception(model):
    with pytest.raises(RuntimeError), record_calls(model, ["0"]) as calls:
        model(torch.randn(4, 5))
    model(torch.randn(4, 2))
    assert not calls
    assert not model[0]._forward_hooks


def test_another_threads_calls_are_not_recorded(model):
    with record_calls(model, ["0"]) as calls:
        thread = Thread(target=model, args=(torch.zeros(1, 2),))
        thread.start()
        thread.join()
        assert not calls
        model(torch.ones(1, 2))
    assert [call.inputs[0].tolist() for call in calls] == [[[1, 1]]]
