"""word2vec's steps (S63): those of autograd on windows one by one; the kernel's are PyTorch's."""

import pytest
import torch
import torch.nn.functional as F

from datamodules.utilities import native
from zoo.words import word2vec
from zoo.words.word2vec import Run, Tables

WORDS, WINDOW, RATE = 40, 3, 0.1
CAPABLE = ("DEFAULT", "AVX2", "AVX512")  # processors, from narrow to wide


def text(count, window=WINDOW, words=WORDS, seed=0):
    """Ids of texts of several lengths with their gaps, and how far each place looks."""
    draw = torch.Generator().manual_seed(seed)
    ids = torch.randint(2, words, (count,), generator=draw, dtype=torch.int32)
    for start in (count // 5, count // 2, count // 2 + window + 1):  # the middle one has one word
        ids[start : start + window] = 0
    gap = torch.zeros(window, dtype=torch.int32)
    reach = torch.randint(1, window + 1, (count,), generator=draw, dtype=torch.uint8)
    return torch.cat([gap, ids, gap]), reach


def run(count, block, drawn, window=WINDOW, words=WORDS, sets=2):
    draw = torch.Generator().manual_seed(1)
    shape = (-(-count // block), sets, drawn)
    negatives = torch.randint(2, words, shape, generator=draw, dtype=torch.int32)
    return Run(*text(count, window, words), negatives, 5 / drawn)


def tables(size, words=WORDS, kind=torch.float64):
    draw = torch.Generator().manual_seed(2)
    vectors, outputs = (torch.randn(words, size, generator=draw, dtype=kind) / 3 for _ in "ab")
    vectors[0] = 0
    return Tables(vectors, outputs)


def copy(of):
    return Tables(*(table.clone() for table in of))


def loss(of, run, number, block, mode):
    """That of one block, window by window."""
    total, w = of.vectors.sum() * 0, run.window
    for i in range(number * block, min((number + 1) * block, len(run.reach))):
        centre, reach = i + w, int(run.reach[i])
        near = [j for j in range(centre - reach, centre + reach + 1) if j != centre and run.ids[j]]
        if not run.ids[centre] or not near:
            continue
        given = of.vectors[run.ids[near].long()]
        for h in given.mean(0, keepdim=True) if mode == "cbow" else given:
            scores, right = of.outputs @ h, int(run.ids[centre])
            if run.negatives is None:
                total = total + F.cross_entropy(scores[None], torch.tensor([right]))
                continue
            wrong = [k for k in run.negatives[number, i % 2].tolist() if k != right]
            total = total + F.softplus(-scores[right])
            total = total + run.weight * F.softplus(scores[wrong]).sum()
    return total


@pytest.mark.parametrize("mode", ["cbow", "skip_gram"])
@pytest.mark.parametrize("sampled", [True, False])
def test_the_steps_are_those_of_autograd_block_by_block(mode, sampled):
    """S63: the mean's gradient is one n-th for each word of a context."""
    block = 32
    given = run(150, block, 7)
    given = given if sampled else given._replace(negatives=None)
    found, wanted = tables(5), copy(tables(5))
    word2vec.descend_in_torch(found, given, block, RATE, mode)
    for number in range(-(-150 // block)):
        leaves = Tables(*(table.requires_grad_() for table in wanted))
        gradients = torch.autograd.grad(loss(leaves, given, number, block, mode), leaves)
        wanted = Tables(*((t - RATE * g).detach() for t, g in zip(leaves, gradients, strict=True)))
    torch.testing.assert_close(found, wanted)


SIZES = [  # of a vector, a block, sets, negatives that are drawn, a window
    (100, 128, 1, 16, 5), (96, 64, 4, 5, 3), (7, 16, 16, 1, 2), (61, 32, 8, 33, 1),
    (40, 128, 8, 8, 10), (200, 256, 16, 9, 8),
]  # fmt: skip


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("capable", CAPABLE)
def test_the_kernel_gives_the_same_numbers_on_one_thread(sizes, capable, monkeypatch):
    """Compiled for each kind of processor that this one can stand for."""
    own = torch.backends.cpu.get_cpu_capability()
    if CAPABLE.index(capable) > (CAPABLE.index(own) if own in CAPABLE else 0):
        pytest.skip(f"this processor has {own}")
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capable)
    library = native.kernel.__wrapped__(word2vec.SOURCE)
    monkeypatch.setattr(word2vec, "kernel", lambda source: library)
    size, block, sets, drawn, window = sizes
    given = run(1000, block, drawn, window, 300, sets)
    start = tables(size, 300, torch.float32)
    found, wanted = copy(start), copy(start)
    assert library is not None
    word2vec.descend(found, given, block, RATE, "cbow", 1)
    word2vec.descend_in_torch(wanted, given, block, RATE, "cbow")
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=2e-6)
    assert (found.vectors - start.vectors).abs().max() > 0.1  # far more than what rounding does


def descended(given, size, threads):
    found = tables(size, kind=torch.float32)
    word2vec.descend(found, given, 64, RATE, "cbow", threads)
    return found


def test_the_kernel_repeats_itself_on_one_thread():
    one, other = (descended(run(500, 64, 8), 24, 1) for _ in "ab")
    assert one.vectors.equal(other.vectors)
    assert one.outputs.equal(other.outputs)


def test_several_threads_take_all_steps_of_a_run_once():
    """Two stretches of four blocks that share no word, so that it does not matter who is first."""
    ids = torch.cat([text(256, words=20)[0], text(250, words=20)[0] + 20])
    ids[ids == 20] = 0
    reach = torch.full((len(ids) - 2 * WINDOW,), WINDOW, dtype=torch.uint8)
    negatives = torch.full((-(-len(reach) // 64), 1, 1), 1, dtype=torch.int32)
    given = Run(ids, reach, negatives, 0.0)  # negatives are everybody's
    torch.testing.assert_close(descended(given, 16, 1), descended(given, 16, 2))


def test_what_the_kernel_does_not_know_is_left_to_pytorch():
    """And the blocks of a small vocabulary are short."""
    single, double = (tables(8, 30_000, kind) for kind in (torch.float32, torch.float64))
    assert word2vec.block_size(single, "cbow", sampled=True) == word2vec.COMPILED
    assert word2vec.block_size(double, "cbow", sampled=True) == word2vec.IN_TORCH
    assert word2vec.block_size(single, "skip_gram", sampled=True) == word2vec.IN_TORCH
    assert word2vec.block_size(single, "cbow", sampled=False) == word2vec.IN_TORCH
    sizes = [word2vec.block_size(tables(1, words), "cbow", sampled=False) for words in (10, 5000)]
    assert sizes == [word2vec.BAND, 256]
