"""Tables of rows that several processes change: what each has learned, brought together.

A dense table is not sent: of a few thousand words of text, a step changes a few thousand rows. A
row becomes the mean of the processes', weighted by how often each of them has used it; so a rare
word, which one of them has seen, keeps all that it has learned there.

Shapes: V rows, D dimensions.
"""

import torch.distributed as dist
from torch import Tensor


def bring_together(table: Tensor, uses: Tensor) -> None:
    """Make a table (V, D) the same in all processes again, in place.

    Args:
        uses: how often this process has used each row (V,), in the table's type; what none has used
            must be equal everywhere.
    """
    every = uses.clone()
    dist.all_reduce(every)
    rows = every.nonzero()[:, 0]
    sums = table[rows] * uses[rows, None]
    dist.all_reduce(sums)
    table[rows] = sums / every[rows, None]
