"""Batch normalisation over the rows of all processes, so that their number changes nothing.

Ioffe & Szegedy 2015, https://arxiv.org/abs/1502.03167, algorithm 1, on the global batch. torch's
own SyncBatchNorm does this on GPUs and refuses tensors on the CPU.

Shapes: B rows of this process, C channels.
"""

from types import MethodType
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from pytorch_lightning.plugins.layer_sync import LayerSync
from torch import Tensor, nn

BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d | nn.SyncBatchNorm


class SynchronisedBatchNorm(LayerSync):
    """What Lightning's Trainer does to a model for training in several processes, and undoes."""

    def apply(self, model: nn.Module) -> nn.Module:
        for layer in model.modules():
            if isinstance(layer, BatchNorm):
                layer.forward = MethodType(normalise, layer)  # type: ignore[method-assign]
        return model

    def revert(self, model: nn.Module) -> nn.Module:
        for layer in model.modules():
            layer.__dict__.pop("forward", None)
        return model


def normalise(layer: BatchNorm, x: Tensor) -> Tensor:
    """What a layer makes of rows (B, C, ...): while training, by the moments of all processes'."""
    if not layer.training or dist.get_world_size() == 1:
        return type(layer).forward(layer, x)  # type: ignore[arg-type]
    mean, variance, count = moments(x.detach().to(_at_least_float32(x)))
    follow(layer, mean, variance * count / (count - 1))
    scaled: Tensor = Normalise.apply(x, layer.weight, layer.bias, mean, variance, count, layer.eps)
    return scaled


def moments(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean (C,), variance (C,) and number () of the values of a channel, over all processes."""
    mean, variance = torch.batch_norm_update_stats(x, None, None, 0.0)
    count = mean.new_full((1,), x.numel() / x.shape[1])
    mine = torch.cat([mean, variance, count])
    every = [torch.empty_like(mine) for _ in range(dist.get_world_size())]
    dist.all_gather(every, mine)
    channels = len(mean)
    means, variances, counts = torch.stack(every).split([channels, channels, 1], 1)
    shares = counts / counts.sum()
    mean = (means * shares).sum(0)
    return mean, ((variances + (means - mean) ** 2) * shares).sum(0), counts.sum()


@torch.no_grad()
def follow(layer: BatchNorm, mean: Tensor, variance: Tensor) -> None:
    """Move a layer's running moments towards those of a batch."""
    if layer.running_mean is None or layer.running_var is None:
        return
    assert layer.num_batches_tracked is not None
    layer.num_batches_tracked += 1
    share = layer.momentum
    if share is None:  # the average over all batches
        share = 1 / float(layer.num_batches_tracked)
    layer.running_mean.lerp_(mean.to(layer.running_mean), share)
    layer.running_var.lerp_(variance.to(layer.running_var), share)


class Normalise(torch.autograd.Function):
    """Scale by given moments; the gradient reaches the rows of all processes through them."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, mean: Tensor,
                variance: Tensor, count: Tensor, eps: float) -> Tensor:  # fmt: skip
        ctx.save_for_backward(x, weight, mean, variance, count)
        ctx.eps = eps
        wide = F.batch_norm(x.to(_at_least_float32(x)), mean, variance, weight, bias, eps=eps)
        return wide.to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> Any:
        """Section 3's chain rule, with sums over all processes.

        First as if the moments were constants; then what they add, a line a + b x in each channel.
        """
        x, weight, mean, variance, count = ctx.saved_tensors
        x_wide, slope = x.to(mean.dtype), slopes[0].to(mean.dtype)
        slopes_x, tilt, level = torch.ops.aten.native_batch_norm_backward(
            slope, x_wide, weight, mean, variance, None, None, False, ctx.eps, [True] * 3
        )
        every = torch.stack([tilt, level]).to(mean.dtype)
        dist.all_reduce(every)
        inverse = (variance + ctx.eps).rsqrt()
        tilts, levels = every / count * (inverse if weight is None else inverse * weight)
        shape = [1, -1] + [1] * (x.ndim - 2)
        b = -tilts * inverse
        slopes_x = slopes_x.addcmul_(x_wide, b.view(shape)).sub_((levels + b * mean).view(shape))
        gradients = (None, None) if weight is None else (tilt.to(weight), level.to(weight))
        return slopes_x.to(x.dtype), *gradients, None, None, None, None


def _at_least_float32(x: Tensor) -> torch.dtype:
    """The type that sums are taken in."""
    return torch.promote_types(x.dtype, torch.float32)
