"""Draws with given chances (S63): the cells hold exactly the chances, and draws follow them."""

import pytest
import torch

from zoo.words.alias_sampler import build_alias_table


def held(cells):
    """The chance with which each id is drawn, added up from all cells."""
    shares = torch.zeros(len(cells.mine), dtype=torch.float64)
    mine = cells.mine.clamp(max=1)
    return shares.add(mine).index_add(0, cells.other.long(), 1 - mine) / len(mine)


CHANCES = [
    torch.tensor([0.0, 0.0, 1.0]), torch.tensor([0.25, 0.25, 0.25, 0.25]),
    1 / torch.arange(1, 30_001) ** 0.75,  # of words
    torch.rand(1000, generator=torch.Generator().manual_seed(0)) ** 8,
]  # fmt: skip


@pytest.mark.parametrize("chances", CHANCES)
def test_the_cells_hold_the_chances(chances):
    wanted = chances.double() / chances.double().sum()
    torch.testing.assert_close(held(build_alias_table(chances)), wanted, rtol=1e-9, atol=1e-15)


def test_draws_follow_the_chances_and_never_give_what_has_none():
    torch.manual_seed(0)
    chances = torch.tensor([0.0, 0.1, 0.2, 0.0, 0.7])
    drawn = build_alias_table(chances).draw(200, 500)
    assert drawn.shape == (200, 500)
    shares = drawn.flatten().bincount(minlength=5) / drawn.numel()
    assert shares[chances == 0].tolist() == [0, 0]
    torch.testing.assert_close(shares, chances, rtol=0, atol=0.006)  # four deviations
