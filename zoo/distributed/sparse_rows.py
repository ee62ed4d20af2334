"""Tables of rows that several processes change: what each has learned, brought together.

A dense table is not sent: of a few thousand words of text, a step changes a few thousand rows. The
changes of all processes are added up while a row is used seldom, as if one process had made them
after the other. Of a row that each has used so often that it stands where that process wants it,
adding would shoot over: such changes are averaged.

Shapes: V rows, D dimensions.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch.distributed as dist
from torch import Tensor

SUM_UP_TO = 32  # uses of a row up to which changes are added up


@contextmanager
def shared_rows(table: Tensor, uses: Tensor) -> Iterator[None]:
    """Bring what processes change of a table (V, D) within this block together at its end.

    Args:
        uses: how often this process will use each row (V,), in the table's type; those that none
            uses must stay as they are. At the beginning the tables must be equal.
    """
    every = uses.clone()
    dist.all_reduce(every)
    rows = every.nonzero()[:, 0]
    before = table[rows]
    yield
    changes = table[rows] - before
    dist.all_reduce(changes)
    parts = (SUM_UP_TO / every[rows, None]).clamp(1 / dist.get_world_size(), 1)
    table[rows] = before + parts * changes
