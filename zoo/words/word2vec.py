"""word2vec's steps along a text, block by block, with gradients written by hand.

Mikolov et al. 2013, https://arxiv.org/abs/1310.4546 (negative sampling, equation 4), and
https://arxiv.org/abs/1301.3781 (the continuous bag of words and skip-gram, section 3). The mean of
a context passes each of its words the n-th part of the gradient, which word2vec.c forgets (Irsoy et
al. 2021, "Corrected CBOW performs as well as skip-gram", https://arxiv.org/abs/2012.15332).

A block is some hundred centres in a row. The rows that it needs are read, then changed by all of
its gradients. Its centres share sets of negatives, which they take in turn: neighbours have others,
as a word is in the contexts of all of them and should meet many. So a step is a few products of
matrices instead of thousands of vectors: windows are a band about the diagonal, cut into bands of
`BAND` centres.

On a CPU a compiled kernel does the same (word2vec.cpp) for the continuous bag of words; elsewhere,
and without a compiler, PyTorch.

Shapes: N centres of a text, T of a block, R of a band, w words on either side, E = R + 2 w, V ids,
D dimensions, S sets of K negatives.
"""

from collections.abc import Iterator
from ctypes import CDLL, c_float, c_int64, c_void_p
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from datamodules.utilities.native import kernel

SOURCE = Path(__file__).with_suffix(".cpp")
COMPILED, IN_TORCH = 128, 512  # centres of a block, powers of two
FEW_WORDS = 32  # words of the vocabulary for each centre of a block, about
BAND = 16  # centres of a band, and its multiples
SHARED = 16  # centres that share a set of negatives
DRAWN = 8  # negatives of a set
Mode = Literal["cbow", "skip_gram"]


class Tables(NamedTuple):
    """What is learned: the vectors of words, and what predicts them, both (V, D)."""

    vectors: Tensor
    outputs: Tensor


class Run(NamedTuple):
    """Words in a row, how far each of them looks, and what they are compared with.

    Between two texts stand w zeros, and so before the first and behind the last.
    """

    ids: Tensor  # (N + 2 w,), int32; 0 where there is no word
    reach: Tensor  # (N,), uint8: words on either side of the centre ids[i + w]
    negatives: Tensor | None  # (blocks, S, K), int32; None: all words, by the full softmax
    weight: float  # of each negative

    @property
    def window(self) -> int:
        """w."""
        return (len(self.ids) - len(self.reach)) // 2


def block_size(tables: Tables, mode: Mode, sampled: bool) -> int:
    """T: for the kernel few centres; for PyTorch, whose calls cost, as many as do not harm.

    Of a small vocabulary fewer, as a row takes all that a block asks of it at once.

    Args:
        sampled: whether there are negatives.
    """
    most = COMPILED if find_kernel(tables, mode, sampled) else IN_TORCH
    few = 1 << (len(tables.outputs) // FEW_WORDS).bit_length()
    return min(most, max(BAND, few))


def shape(count: int, block: int) -> tuple[int, int, int]:
    """How many negatives a run of N centres wants: (blocks, S, K)."""
    return -(-count // block), block // SHARED, DRAWN


def descend(tables: Tables, run: Run, block: int, rate: float, mode: Mode, threads: int) -> None:
    """Take the steps of a run, in place.

    Args:
        block: T, a multiple of `BAND`.
        rate: of learning.
        threads: of the kernel; with several, each takes stretches of the run and none waits for
            another (Recht et al. 2011, Hogwild, https://arxiv.org/abs/1106.5730), so that no two
            runs give the same numbers.
    """
    library = find_kernel(tables, mode, run.negatives is not None)
    if library is None:
        return descend_in_torch(tables, run, block, rate, mode)
    assert run.negatives is not None
    pointers = (*tables, run.ids, run.reach, run.negatives)
    sizes = (len(run.reach), block, *run.negatives.shape[1:], tables.vectors.shape[1], run.window)
    library.word2vec(
        *(c_void_p(one.data_ptr()) for one in pointers), *map(c_int64, sizes), c_int64(threads),
        c_float(rate), c_float(run.weight),
    )  # fmt: skip


def find_kernel(tables: Tables, mode: Mode, sampled: bool) -> CDLL | None:
    """The kernel, where it can do this case and could be compiled."""
    dtype, device = tables.vectors.dtype, tables.vectors.device.type
    has_kernel = sampled and mode == "cbow" and dtype == torch.float32 and device == "cpu"
    return kernel(SOURCE) if has_kernel else None


def uses(tables: Tables, run: Run) -> Tables:
    """How often a run has used each row of both tables, (V,)."""
    words = run.ids.long().bincount(minlength=len(tables.vectors)).to(tables.vectors)
    words[0] = 0
    if run.negatives is None:
        return Tables(words, torch.full_like(words, len(run.reach)))
    return Tables(words, words + run.negatives.flatten().long().bincount(minlength=len(words)))


# --- the same in PyTorch --------------------------------------------------------------------------


class Block(NamedTuple):
    """The words of a block: what is read, and who is in whose context."""

    around: Tensor  # (T + 2 w,) ids
    centres: Tensor  # (T,)
    near: Tensor  # (T / R, R, E), 1 where a word is in the context of a centre, else 0
    live: Tensor  # (T,), 1 where a centre has a context, else 0
    negatives: Tensor  # (S, K)


def descend_in_torch(tables: Tables, run: Run, block: int, rate: float, mode: Mode) -> None:
    """What `descend` does, in PyTorch."""
    step = bag if mode == "cbow" else pairs
    for one in blocks(run, block, tables.outputs):
        step(tables, one, rate, None if run.negatives is None else run.weight)


def blocks(run: Run, block: int, table: Tensor) -> Iterator[Block]:
    """The blocks of a run, the last of which is filled up with no words."""
    w, band = run.window, max(BAND, 1 << (2 * run.window - 1).bit_length())
    rest = -len(run.reach) % block
    ids = torch.cat([run.ids, run.ids.new_zeros(rest)]).long()
    near = bands(ids, torch.cat([run.reach, run.reach.new_zeros(rest)]), w, band)
    live = near.any(2).flatten().to(table)
    near = near.to(table)
    everything = torch.arange(len(table), device=ids.device).view(1, 1, -1)
    negatives = everything if run.negatives is None else run.negatives.long()
    for number, start in enumerate(range(0, len(ids) - 2 * w, block)):
        around = ids[start : start + block + 2 * w]
        parts = slice(start // band, (start + block) // band)
        here = slice(start, start + block)
        block_negatives = negatives[number % len(negatives)]
        yield Block(around, around[w:-w], near[parts], live[here], block_negatives)


def bands(ids: Tensor, reach: Tensor, w: int, band: int) -> Tensor:
    """Who is in whose context, (N / R, R, E) of bool, from ids (N + 2 w,) and reach (N,)."""
    width = band + 2 * w
    place, centre = torch.arange(width, device=ids.device), torch.arange(band, device=ids.device)
    apart = (place - w - centre[:, None]).abs()
    is_word = (ids != 0).unfold(0, width, band)  # (N / R, E)
    inside = (apart > 0) & (apart <= reach.view(-1, band, 1))
    return inside & is_word[:, None] & is_word[:, w:-w, None]


def bag(tables: Tables, block: Block, rate: float, weight: float | None) -> None:
    """A step of the continuous bag of words: the mean of a context predicts its centre."""
    vectors, outputs = tables
    near = block.near / block.near.sum(2, keepdim=True).clamp(min=1)
    live = rate * block.live
    rows = strips(vectors.index_select(0, block.around), near)
    means = torch.bmm(near, rows).flatten(0, 1)  # (T, D)
    right = outputs.index_select(0, block.centres)
    wrong = outputs.index_select(0, block.negatives.flatten()).view(*block.negatives.shape, -1)
    mine = in_turn(means, len(wrong))
    up, down = pull(means, right, torch.bmm(mine, wrong.mT), block, weight)
    up, down = (up * live)[:, None], down * in_turn(live[:, None], len(wrong))
    gradients = torch.addcmul(torch.bmm(down, wrong).transpose(0, 1).flatten(0, 1), right, up)
    outputs.index_add_(0, block.centres, means * up)
    outputs.index_add_(0, block.negatives.flatten(), torch.bmm(down.mT, mine).flatten(0, 1))
    gradients = torch.bmm(near.mT, gradients.view(*near.shape[:2], -1))
    vectors.index_add_(0, block.around, sum_overlapping(gradients, near))


def in_turn(rows: Tensor, sets: int) -> Tensor:
    """Rows (T, D) by the set that they take: (S, T / S, D)."""
    return rows.view(-1, sets, rows.shape[1]).transpose(0, 1)


def pull(
    means: Tensor, right: Tensor, scores: Tensor, block: Block, weight: float | None
) -> tuple[Tensor, Tensor]:
    """What the loss asks of the scores of centres (T,), and of negatives, both (S, T / S, K)."""
    if weight is None:
        return torch.ones_like(means[:, 0]), -scores.softmax(2)
    others = in_turn(block.centres[:, None], len(scores)) != block.negatives[:, None]
    return torch.sigmoid(-(means * right).sum(1)), -weight * torch.sigmoid(scores) * others


def pairs(tables: Tables, block: Block, rate: float, weight: float | None) -> None:
    """A step of skip-gram: each word of a context predicts the centre."""
    vectors, outputs = tables
    near, words = block.near, block.negatives.flatten()
    rows = strips(vectors.index_select(0, block.around), near)  # (T / R, E, D)
    right = outputs.index_select(0, block.centres).view(*near.shape[:2], -1)  # (T / R, R, D)
    wrong = outputs.index_select(0, words)
    if weight is None:
        up, counts = near, near.sum(1)[:, :, None]
        down = -counts * (rows @ wrong.T).softmax(2)
    else:
        up = near * torch.sigmoid(-torch.bmm(right, rows.mT))
        counts = torch.bmm(near.mT, negative_mask(block).to(near).view(*near.shape[:2], -1))
        down = -weight * counts * torch.sigmoid(rows @ wrong.T)  # (T / R, E, S K)
    gradients = rate * (torch.bmm(up.mT, right) + down @ wrong)
    outputs.index_add_(0, block.centres, rate * torch.bmm(up, rows).flatten(0, 1))
    outputs.index_add_(0, words, rate * torch.bmm(down.mT, rows).sum(0))
    vectors.index_add_(0, block.around, sum_overlapping(gradients, near))


def negative_mask(block: Block) -> Tensor:
    """Which negatives each centre has, (T, S K): those of its set, but not itself."""
    sets, size = block.negatives.shape
    turn = torch.arange(len(block.centres), device=block.centres.device) % sets
    whose = torch.arange(sets, device=block.centres.device).repeat_interleave(size)
    return (turn[:, None] == whose) & (block.centres[:, None] != block.negatives.flatten())


def strips(rows: Tensor, near: Tensor) -> Tensor:
    """Rows (T + 2 w, D) as those of each band (T / R, E, D), which overlap: a view."""
    count, band, width = near.shape
    size = rows.shape[1]
    return rows.as_strided((count, width, size), (band * size, size, 1))


def sum_overlapping(gradients: Tensor, near: Tensor) -> Tensor:
    """The sums (T + 2 w, D) of what each band adds to its rows, (T / R, E, D)."""
    count, band, width = near.shape
    rows = gradients.new_zeros((count - 1) * band + width, gradients.shape[2])
    for half in (slice(0, None, 2), slice(1, None, 2)):  # of which no two bands overlap
        strips(rows, near)[half].add_(gradients[half])
    return rows
