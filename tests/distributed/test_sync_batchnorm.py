"""Batch normalisation over processes, against torch's over one batch with all rows."""

import pytest
import torch
import torch.distributed as dist
from torch import nn

from zoo.distributed.sync_batchnorm import SynchronisedBatchNorm


@pytest.fixture
def twin(monkeypatch):
    """As if a second process had the same rows: what is gathered is there twice."""
    monkeypatch.setattr(dist, "get_world_size", lambda: 2)
    monkeypatch.setattr(dist, "all_gather", lambda every, mine: [one.copy_(mine) for one in every])
    monkeypatch.setattr(dist, "all_reduce", lambda mine: mine.mul_(2))


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("momentum", [0.1, None])
@pytest.mark.parametrize(
    ("layer", "shape"), [(nn.BatchNorm1d, (6, 3)), (nn.BatchNorm1d, (6, 3, 5)),
                         (nn.BatchNorm2d, (6, 3, 4, 5)), (nn.BatchNorm3d, (4, 3, 2, 2, 2))],
)  # fmt: skip
def test_all_is_as_over_all_rows(layer, shape, affine, momentum, twin):
    torch.manual_seed(0)
    alone, ours = (layer(3, affine=affine, momentum=momentum).double() for _ in range(2))
    rows, slope = torch.randn(shape, dtype=torch.double), torch.randn(shape, dtype=torch.double)
    if affine:
        nn.init.normal_(alone.weight)
    ours.load_state_dict(alone.state_dict())
    SynchronisedBatchNorm().apply(ours)
    whole = torch.cat([rows, rows]).requires_grad_()
    mine = rows.clone().requires_grad_()
    wanted, found = alone(whole), ours(mine)
    (wanted * torch.cat([slope, slope])).sum().backward()
    (found * slope).sum().backward()
    torch.testing.assert_close(found, wanted[: len(rows)])
    torch.testing.assert_close(mine.grad, whole.grad[: len(rows)])
    torch.testing.assert_close(dict(ours.named_buffers()), dict(alone.named_buffers()))
    for name, parameter in alone.named_parameters():  # of two processes, which DDP averages
        torch.testing.assert_close(2 * ours.get_parameter(name).grad, parameter.grad)


def test_half_precision_comes_out_as_it_went_in(twin):
    layer = SynchronisedBatchNorm().apply(nn.BatchNorm2d(3))
    scaled = layer(torch.randn(8, 3, 4, 4, dtype=torch.bfloat16))
    assert scaled.dtype is torch.bfloat16
    assert scaled.float().mean((0, 2, 3)).abs().max() < 0.02


def test_in_evaluation_and_taken_back_it_is_the_layer_that_it_was(twin):
    layer, rows = nn.BatchNorm2d(3), torch.randn(4, 3, 2, 2)
    usual = layer.forward
    wanted = layer.eval()(rows)
    ours = SynchronisedBatchNorm()
    assert torch.equal(ours.apply(layer)(rows), wanted)
    assert ours.revert(layer.train()).forward == usual
