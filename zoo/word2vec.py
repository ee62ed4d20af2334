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
from ctypes import c_float, c_int64, c_void_p
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from datamodules.native import kernel

SOURCE = Path(__file__).with_suffix(".cpp")
BAND = 16  # centres, at least
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
    weight: float = 1.0  # of each negative

    @property
    def window(self) -> int:
        """w."""
        return (len(self.ids) - len(self.reach)) // 2


def descend(tables: Tables, run: Run, block: int, rate: float, mode: Mode, threads: int) -> None:
    """Take the steps of a run, in place.

    Args:
        block: T; it is brought to the next multiple of R.
        rate: of learning.
        threads: of the kernel; with several, each takes its part of the run and none waits for
            another (Recht et al. 2011, Hogwild, https://arxiv.org/abs/1106.5730), so that no two
            runs give the same numbers.
    """
    band = max(BAND, 2 * run.window)
    block = -(-block // band) * band
    library = kernel(SOURCE) if fits(tables, run, mode) else None
    if library is None:
        return in_torch(tables, run, block, rate, mode)
    assert run.negatives is not None
    pointers = (*tables, run.ids, run.reach, run.negatives)
    sizes = (len(run.reach), block, *run.negatives.shape[1:], tables.vectors.shape[1], run.window)
    library.word2vec(
        *(c_void_p(one.data_ptr()) for one in pointers), *map(c_int64, sizes), c_int64(threads),
        c_float(rate), c_float(run.weight),
    )  # fmt: skip


def fits(tables: Tables, run: Run, mode: Mode) -> bool:
    """Whether the kernel knows this case."""
    kind, device = tables.vectors.dtype, tables.vectors.device.type
    sampled = run.negatives is not None and mode == "cbow"
    return sampled and kind == torch.float32 and device == "cpu"


def uses(tables: Tables, run: Run) -> Tables:
    """How often a run has used each row of both tables, (V,)."""
    words = run.ids.long().bincount(minlength=len(tables.vectors)).to(tables.vectors)
    words[0] = 0
    if run.negatives is None:
        return Tables(words, torch.ones_like(words))
    return Tables(words, words + run.negatives.flatten().long().bincount(minlength=len(words)))


# --- the same in PyTorch --------------------------------------------------------------------------


class Block(NamedTuple):
    """The words of a block: what is read, and who is in whose context."""

    around: Tensor  # (T + 2 w,) ids
    centres: Tensor  # (T,)
    near: Tensor  # (T / R, R, E), 1 where a word is in the context of a centre
    negatives: Tensor  # (S K,)
    mine: Tensor  # (T, S K), whether a centre looks at a negative


def in_torch(tables: Tables, run: Run, block: int, rate: float, mode: Mode) -> None:
    """What `descend` does, in PyTorch."""
    step = bag if mode == "cbow" else pairs
    for one in blocks(run, block, len(tables.outputs)):
        step(tables, one, rate, None if run.negatives is None else run.weight)


def blocks(run: Run, block: int, words: int) -> Iterator[Block]:
    """The blocks of a run; its end is filled up with no words."""
    w, band = run.window, max(BAND, 2 * run.window)
    rest = -len(run.reach) % band
    ids = torch.cat([run.ids, run.ids.new_zeros(rest)]).long()
    reach = torch.cat([run.reach, run.reach.new_zeros(rest)])
    near = bands(ids, reach, w, band)
    everything = torch.arange(words, device=ids.device).view(1, 1, -1)
    negatives = everything if run.negatives is None else run.negatives.long()
    for number, start in enumerate(range(0, len(reach), block)):
        around = ids[start : start + block + 2 * w]
        drawn = negatives[number % len(negatives)]
        parts = slice(start // band, (start + block) // band)
        yield Block(around, around[w:-w], near[parts], *taken(around[w:-w], drawn))


def taken(centres: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
    """The negatives (S K,) of all sets, and which of them each centre (T,) takes: (T, S K).

    The sets are taken in turn, so that neighbours have others; no centre is its own negative.
    """
    sets, size = drawn.shape
    turn = torch.arange(len(centres), device=centres.device) % sets
    whose = torch.arange(sets, device=centres.device).repeat_interleave(size)
    words = drawn.flatten()
    return words, (turn[:, None] == whose) & (centres[:, None] != words)


def bands(ids: Tensor, reach: Tensor, w: int, band: int) -> Tensor:
    """Who is in whose context, (N / R, R, E) of 0 and 1, from ids (N + 2 w,) and reach (N,)."""
    width = band + 2 * w
    place, centre = torch.arange(width, device=ids.device), torch.arange(band, device=ids.device)
    apart = (place - w - centre[:, None]).abs()
    known = (ids != 0).unfold(0, width, band)  # (N / R, E)
    inside = (apart > 0) & (apart <= reach.view(-1, band, 1))
    return (inside & known[:, None] & known[:, w:-w, None]).float()


def bag(tables: Tables, block: Block, rate: float, weight: float | None) -> None:
    """A step of the continuous bag of words: the mean of a context predicts its centre."""
    vectors, outputs = tables
    near = (block.near / block.near.sum(2, keepdim=True).clamp(min=1)).to(vectors)
    given = strips(vectors.index_select(0, block.around), near)
    means = torch.bmm(near, given).flatten(0, 1)  # (T, D)
    live = near.any(2).flatten()
    right, wrong = outputs[block.centres], outputs[block.negatives]
    up, down = pull(means, right, wrong, block, weight)
    up, down = up * (rate * live), down * (rate * live)[:, None]
    asked = torch.addmm(right * up[:, None], down, wrong).view(*near.shape[:2], -1)
    outputs.index_add_(0, block.centres, means * up[:, None])
    outputs.index_add_(0, block.negatives, down.T @ means)
    vectors.index_add_(0, block.around, joined(torch.bmm(near.mT, asked), near))


def pull(
    means: Tensor, right: Tensor, wrong: Tensor, block: Block, weight: float | None
) -> tuple[Tensor, Tensor]:
    """What the loss asks of the scores of centres (T,), and of negatives (T, K)."""
    scores = means @ wrong.T
    if weight is None:
        return torch.ones_like(scores[:, 0]), -scores.softmax(1)
    return torch.sigmoid(-(means * right).sum(1)), -weight * torch.sigmoid(scores) * block.mine


def pairs(tables: Tables, block: Block, rate: float, weight: float | None) -> None:
    """A step of skip-gram: each word of a context predicts the centre."""
    vectors, outputs = tables
    near = block.near.to(vectors)
    given = strips(vectors.index_select(0, block.around), near)  # (T / R, E, D)
    right = outputs[block.centres].view(*near.shape[:2], -1)  # (T / R, R, D)
    wrong = outputs[block.negatives]
    if weight is None:
        up, counts = near, near.sum(1)[:, :, None]
        down = -counts * (given @ wrong.T).softmax(2)
    else:
        up = near * torch.sigmoid(-torch.bmm(right, given.mT))
        counts = torch.bmm(near.mT, block.mine.to(near).view(*near.shape[:2], -1))
        down = -weight * counts * torch.sigmoid(given @ wrong.T)  # (T / R, E, K)
    asked = rate * (torch.bmm(up.mT, right) + down @ wrong)
    outputs.index_add_(0, block.centres, rate * torch.bmm(up, given).flatten(0, 1))
    wrongs = torch.bmm(down.mT, given).sum(0)
    outputs.index_add_(0, block.negatives, rate * wrongs)
    vectors.index_add_(0, block.around, joined(asked, near))


def strips(rows: Tensor, near: Tensor) -> Tensor:
    """Rows (T + 2 w, D) as those of each band (T / R, E, D), which overlap: a view."""
    count, band, width = near.shape
    size = rows.shape[1]
    return rows.as_strided((count, width, size), (band * size, size, 1))


def joined(asked: Tensor, near: Tensor) -> Tensor:
    """The sums (T + 2 w, D) of what each band asks of its rows, (T / R, E, D)."""
    count, band, width = near.shape
    rows = asked.new_zeros((count - 1) * band + width, asked.shape[2])
    for half in (slice(0, None, 2), slice(1, None, 2)):  # of which no two bands overlap
        strips(rows, near)[half].add_(asked[half])
    return rows
