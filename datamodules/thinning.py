"""Rows of text -> running text without some of its frequent words, and the reach of each window.

Mikolov et al. 2013, https://arxiv.org/abs/1310.4546, section 2.3, and word2vec.c. Each word is kept
or not, and its window drawn, anew in each batch: what is drawn is a function of the global batch.

Shapes: V ids, R rows of L words, N places of running text, w words on either side.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from datamodules.batches import Key


def kept(counts: Tensor, threshold: float) -> Tensor:
    """The probability with which each word is kept, from its count; both (V,).

    That of word2vec.c: sqrt(t / f) + t / f, at most 1, for a share f of the text. Section 2.3 of
    Mikolov et al. 2013 (https://arxiv.org/abs/1310.4546) prints sqrt(t / f) alone.
    """
    ratio = threshold / (counts.double() / counts.sum())  # infinite where there is none
    return (ratio.sqrt() + ratio).clamp(max=1)


def thinned(rows: Tensor, chances: Tensor, window: int, key: Key) -> tuple[Tensor, Tensor]:
    """Join rows (R, L), int32, to running text, without the words that are thinned out.

    Args:
        chances: with which each id is kept, (V,); 0, which is no word, should always be.
        window: w; each place draws a reach from 1 to it.

    Returns:
        ids (N + 2 w,), int32, with w zeros before, between and after the rows, and reaches (N,),
        uint8: that of place i is of the word `ids[i + w]`; those between words mean nothing.
    """
    generator, whole = key.generator(), (key.size, rows.shape[1])  # of all ranks
    draws = torch.rand(whole, generator=generator)
    reach = torch.randint(1, window + 1, whole, dtype=torch.uint8, generator=generator)
    draws, reach = (key.mine(one).to(rows.device) for one in (draws, reach))
    stays = draws < chances.index_select(0, rows.view(-1)).view_as(rows)
    stays = F.pad(stays, (0, window), value=True)  # what separates the rows
    places = stays.view(-1).nonzero()[:, 0]  # found once: two masks cost more
    ids, reach = (F.pad(one, (0, window)).view(-1).index_select(0, places) for one in (rows, reach))
    return F.pad(ids, (window, 0)), reach[: len(reach) - window]
