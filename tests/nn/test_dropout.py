"""Our dropout against what it says and against PyTorch's (S02)."""

import pytest
import torch
from torch import nn

from zoo.nn.dropout import Dropout


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.9])
def test_as_many_are_dropped_and_the_others_scaled_as_pytorch_scales_them(share):
    x = torch.rand(400, 1001) + 1
    out = Dropout(share)(x)
    kept = out != 0
    assert (~kept).float().mean() == pytest.approx(share, abs=4 * (share / x.numel()) ** 0.5)
    torch.testing.assert_close(out[kept], x[kept] / (1 - share), rtol=2e-4, atol=0)


def test_each_number_is_drawn_apart():
    """Neighbours, rows and the four numbers of one draw know nothing of each other."""
    flat = ((Dropout(0.5)(torch.ones(1000, 1000)) != 0).double() * 2 - 1).flatten()
    for step in (1, 2, 3, 4, 1000):  # within four standard errors of a mean of a million signs
        assert abs((flat[step:] * flat[:-step]).mean()) < 4 / 1000


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.bfloat16])
def test_layout_and_type_stay_and_the_gradient_is_the_mask(layout, kind):
    x = (1 + torch.rand(3, 5, 7, 2, dtype=kind)).to(memory_format=layout).requires_grad_()
    out = Dropout(0.5)(x)
    assert out.dtype == kind
    assert out.is_contiguous(memory_format=layout)
    (grad,) = torch.autograd.grad(out.sum(), x)
    torch.testing.assert_close(grad, (out != 0).to(kind) * 2)


def test_what_pytorch_does_at_the_ends():
    x = torch.rand(5, 3)
    assert Dropout(0.5).eval()(x) is x
    assert torch.equal(Dropout(0.0)(x), x)
    assert torch.equal(Dropout(1.0)(x), nn.Dropout(1.0)(x))
    assert Dropout(0.5)(torch.rand(0, 3)).shape == (0, 3)
    assert Dropout(0.5)(torch.rand(())).shape == ()
    view = torch.rand(4, 6).t()[1:]
    assert Dropout(0.5)(view).shape == (5, 4)


def test_the_draws_are_those_of_the_seed():
    x = torch.ones(50, 50)
    drawn = [Dropout(0.5)(x) for _ in range(2) if torch.manual_seed(3)]
    assert torch.equal(*drawn)
    assert not torch.equal(drawn[0], Dropout(0.5)(x))
