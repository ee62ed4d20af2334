"""Rows of text -> running text without some of its frequent words, and the reach of each window.

Mikolov et al. 2013, https://arxiv.org/abs/1310.4546, section 2.3, and word2vec.c. Each word is kept
or not, and its window drawn, anew in each batch: what is drawn is a function of the global batch.
One draw serves both: where it is below the chance of being kept, their ratio is as good as new.

Shapes: V ids, R rows of L words, N places of running text, w words on either side.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from datamodules.utilities.draws import Key


def keep_probabilities(counts: Tensor, threshold: float) -> Tensor:
    """The probability with which each word is kept, from its count; both (V,).

    That of word2vec.c: sqrt(t / f) + t / f, at most 1, for a share f of the text. Section 2.3 of
    Mikolov et al. 2013 (https://arxiv.org/abs/1310.4546) prints sqrt(t / f) alone.
    """
    ratio = threshold / (counts.double() / counts.sum())  # infinite where there is none
    return (ratio.sqrt() + ratio).clamp(max=1)


def subsample(rows: Tensor, chances: Tensor, window: int, key: Key) -> tuple[Tensor, Tensor]:
    """Join rows (R, L), int32, to running text, without the words that are thinned out.

    Args:
        chances: with which each id is kept, (V,); 0, which is no word, should always be.
        window: w; each place draws a reach from 1 to it.

    Returns:
        ids (N + 2 w,), int32, with w zeros before, between and after the rows, and reaches (N,),
        uint8: that of place i is of the word `ids[i + w]`; those between words mean nothing.
    """
    draws = torch.rand((key.size, rows.shape[1]), generator=key.generator())  # of all ranks
    draws = key.local_rows(draws).to(rows.device)
    draws = draws / chances.index_select(0, rows.view(-1)).view_as(rows)
    draws, rows = (F.pad(one, (0, window)) for one in (draws, rows))  # what separates the rows
    places = (draws < 1).view(-1).nonzero()[:, 0]  # of words that stay; found once: masks cost more
    reach = (draws.view(-1).index_select(0, places) * window).to(torch.uint8) + 1
    ids = rows.view(-1).index_select(0, places)
    return F.pad(ids, (window, 0)), reach[: len(reach) - window]
