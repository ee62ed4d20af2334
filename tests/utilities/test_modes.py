"""A copy that shares tensors and nothing else; which layers train again."""

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

import zoo
from tests.data import bare_trainer
from zoo.utilities.modes import in_eval_mode, share, train_again


def network():
    shared = nn.Linear(3, 3)
    parts = nn.LSTM(3, 3), nn.BatchNorm1d(3), nn.Dropout(0.5), shared, nn.Sequential(shared)
    return nn.ModuleList([*parts, parametrizations.weight_norm(nn.Linear(3, 3))])


def test_a_copy_shares_its_tensors_and_no_mode_hook_or_layer():
    model = network()
    twin = share(model)
    for own, other in zip(model.state_dict(keep_vars=True).values(),
                          twin.state_dict(keep_vars=True).values(), strict=True):  # fmt: skip
        assert own is other
    assert not {*model.modules()} & {*twin.modules()}
    assert twin[3] is twin[4][0]
    twin.eval()[0].register_forward_hook(print)
    twin[4].append(nn.ReLU())
    assert all(layer.training and not layer._forward_hooks for layer in model.modules())
    assert len(model[4]) == 1
    x = torch.randn(2, 4, 3)
    for i in (0, 3, 5):
        torch.testing.assert_close(twin[i](x), model[i](x))


def test_a_model_of_which_no_layer_trains_is_not_copied():
    model = network().eval()
    assert in_eval_mode(model) is model
    model[2].train()
    assert not in_eval_mode(model)[2].training
    assert model[2].training


def test_a_copy_of_what_was_compiled_is_in_its_own_mode():
    """By layer.compile(), and by torch.compile(layer) within a model."""
    x = torch.ones(5, 40)
    whole, part = nn.Sequential(nn.Dropout(0.9)), nn.Sequential(nn.Dropout(0.9))
    whole.compile(backend="eager")
    part[0] = torch.compile(part[0], backend="eager")
    for model in (whole, part):
        assert (model(x) == 0).any()
        assert torch.equal(in_eval_mode(model)(x), x)
        assert (model(x) == 0).any()


def test_layers_train_again_but_for_frozen_ones_and_where_some_do():
    model = network().eval()
    model[0].requires_grad_(False)
    model[2].train()
    train_again(model)
    assert [layer.training for layer in model] == [False, False, True, False, False, False]
    train_again(model.eval())
    assert [layer.training for layer in model] == [False, True, True, True, True, True]


@pytest.mark.filterwarnings("ignore:.*does not have many workers", "ignore:Found .* in eval mode")
def test_a_loaded_model_trains_in_train_mode_by_lightnings_own_trainer():
    """Lightning keeps the mode: without dropout and batch statistics, in silence."""
    model, modes = zoo.load("image_cnn.digits", dropout=0.5), []
    model.blocks[0].requires_grad_(False)
    before = [layer.num_batches_tracked.clone() for layer in model.modules()
              if isinstance(layer, nn.BatchNorm2d)]  # fmt: skip
    model.dropout.register_forward_pre_hook(lambda layer, _: modes.append(layer.training))
    batches = [(torch.rand(4, 1, 28, 28), torch.arange(4))] * 2
    loader = torch.utils.data.DataLoader(batches, batch_size=None)
    bare_trainer(max_epochs=1).fit(model, loader, loader)
    after = [layer.num_batches_tracked for layer in model.modules()
             if isinstance(layer, nn.BatchNorm2d)]  # fmt: skip
    assert modes == [True, True, False, False]  # then validation
    steps = [int(b - a) for a, b in zip(before, after, strict=True)]
    assert steps == [0, 0, 2, 2, 2, 2]
