"""Running text as windows of words (S63; reliability.md rows 20 and 21)."""

import ast
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from datamodules.bundled.python_docs import docstrings, python_docs
from datamodules.inputs.words import ContextInput
from datamodules.sources.corpus import divide
from datamodules.sources.documents import open_documents, pieces
from datamodules.transforms.subsample import keep_probabilities, subsample
from datamodules.utilities.draws import Key
from datamodules.words import Words
from tests import data as data_set
from tests.data import bare_trainer, refused
from tests.datamodules.tables import write

PLAIN = {
    "name": "words", "hub": None, "about": {}, "text_column": None, "vocabulary_size": 1000,
    "min_count": 1, "window": 2, "subsample": 1.0, "validation": 0.05, "test": 0.05,
    "batch_size": 1000, "train_samples": None, "limit": None, "seed": 0,
}  # fmt: skip


def opened(source, **overrides):
    if isinstance(source, bytes):  # what a file of one's own holds
        Path("own.txt").write_bytes(source)
        source = "own.txt"
    data = Words(source=str(source), **{**PLAIN, **overrides})
    data.setup("fit")
    return data


def served(data, epoch=0, rank=0, world=1):
    """What training gets of an epoch: ids and reaches of each batch."""
    data.trainer = devices(rank, world)
    batches = data.batches("train", shuffle=True)
    batches.set_epoch(epoch)
    return [data.batch(batch.tensors, batch.key) for batch in batches]


@pytest.fixture
def story(tmp_path):
    """A file of 40 paragraphs: frequent words among others that stand once."""
    paragraphs = [f"start{i} the a{i} of the b{i} the c{i} of end{i}" for i in range(40)]
    (tmp_path / "story.txt").write_text("\n\n".join(paragraphs))
    return tmp_path / "story.txt"


@pytest.fixture
def long_story(tmp_path):
    """A file of some 16,000 words."""
    random = np.random.default_rng(0)
    texts = [" ".join(f"w{i}" for i in random.geometric(0.05, 200)) for _ in range(80)]
    (tmp_path / "long.txt").write_text("\n\n".join(texts))
    return tmp_path / "long.txt"


def devices(rank, world):
    """What a datamodule asks of its trainer."""
    return SimpleNamespace(global_rank=rank, world_size=world)


def named(data, batch):
    """The words of each window: those before, the centre, those after."""
    half = data.input.window
    return [
        (data.input.decode(row[:half]), *data.input.decode([centre]), data.input.decode(row[half:]))
        for row, centre in zip(batch[0].tolist(), batch[1].tolist(), strict=True)
    ]


# --- windows --------------------------------------------------------------------------------------


def test_a_context_is_the_words_around_the_centre_in_its_document(story):
    """S63, against a walk over the documents by hand; each word is a centre once."""
    data, expected = opened(story), []
    texts = [*pieces(open_documents(story, story, None)())]
    for i in divide(len(texts), 0.05, 0.05, None)["val"]:
        inside = [word for word in texts[i].split() if word in data.input.vocabulary]
        for i, word in enumerate(inside):
            expected.append((inside[max(i - 2, 0) : i], word, inside[i + 1 : i + 3]))
    batches = (data.on_after_batch_transfer(batch, 0) for batch in data.val_dataloader())
    assert [window for batch in batches for window in named(data, batch)] == expected
    assert data.info["samples"]["val"] == len(expected)


def test_words_outside_the_vocabulary_are_dropped_before_windows_are_made():
    """S63, word2vec's way: a rare word between two frequent ones makes them neighbours."""
    text = "\n\n".join(f"x rare{i} y z x y z" for i in range(30))
    data = opened(text.encode(), min_count=2, window=1)
    assert data.input.vocabulary == ["x", "y", "z"]
    assert named(data, data.samples("train", 2)) == [([], "x", ["y"]), (["x"], "y", ["z"])]


def test_evaluation_draws_nothing(story):
    rows = torch.ones(8, 9, dtype=torch.int32)
    assert opened(story, window=4).batch((rows,), None)[0].all()


@pytest.mark.parametrize("world", [1, 2, 3])
def test_each_word_is_evaluated_once_on_any_number_of_devices(world, long_story):
    """S63; 3 devices, too, which no batch of 4,096 divides by."""
    data, seen = opened(long_story, test=0.4), []
    for rank in range(world):
        data.trainer = devices(rank, world)
        seen += [data.batch(b.tensors, None)[1] for b in data.batches("test")]
    ids = data.arrays("test")
    assert len(seen) > world  # several batches
    assert sorted(torch.cat(seen).tolist()) == sorted(ids[ids > 0].tolist())


# --- training: rows, thinned out and joined -------------------------------------------------------


def test_rows_are_joined_to_running_text_that_no_window_leaves():
    """S63: zeros as wide as a window before, between and after the rows."""
    rows = torch.tensor([[2, 3, 0, 0, 4], [5, 6, 7, 0, 0]], dtype=torch.int32)
    ids, reach = subsample(rows, torch.ones(8), 2, Key(0, 0, 0, 2, 0, 2))
    assert ids.tolist() == [0, 0, 2, 3, 0, 0, 4, 0, 0, 5, 6, 7, 0, 0, 0, 0]
    assert (ids.dtype, reach.dtype, len(reach)) == (torch.int32, torch.uint8, len(ids) - 4)
    assert {*reach[ids[2:-2] > 0].tolist()} <= {1, 2}
    assert all(part.is_contiguous() for part in (ids, reach))


@pytest.mark.parametrize("chance", [1.0, 0.3, 0.05])
def test_each_reach_is_as_likely(chance):
    """S63: the dynamic window of word2vec, of words however few of them are kept."""
    rows = torch.ones(2000, 1000, dtype=torch.int32)
    ids, reach = subsample(rows, torch.tensor([1, chance]), 4, Key(0, 0, 0, 2000, 0, 2000))
    reach = reach[ids[4:-4] > 0]
    assert len(reach) == pytest.approx(2e6 * chance, rel=0.02)
    shares = torch.bincount(reach.int(), minlength=5) / len(reach)
    torch.testing.assert_close(shares, torch.tensor([0, 0.25, 0.25, 0.25, 0.25]), atol=0.01, rtol=0)


def test_each_word_is_kept_with_its_probability(story):
    """S63: over 200 epochs, within 4 standard errors."""
    data = opened(story, subsample=0.02)
    seen = torch.cat([ids for epoch in range(200) for ids, _ in served(data, epoch)])
    counts = torch.tensor(data.input.counts)
    chances, most = keep_probabilities(counts, 0.02), 200 * counts
    shares = torch.bincount(seen, minlength=2 + len(counts))[2:] / most
    assert ((shares - chances).abs() <= 4 * (chances * (1 - chances) / most).sqrt()).all()
    assert chances[0] < 0.5  # the


def test_windows_close_over_the_words_that_were_thinned_out(story):
    """As in word2vec.c: where a frequent word is left out, those beside it become neighbours."""
    ids = served(opened(story, subsample=0.001))[0][0]
    assert ((ids[1:] > 3) & (ids[:-1] > 3)).any()  # neither `the` nor `of`: one is in between


def windows_of(ids, reach, window):
    """Every context with its centre, from running text, by hand."""
    ids, found = ids.tolist(), Counter()
    for i, r in enumerate(reach.tolist(), window):
        context = ids[i - r : i] + ids[i + 1 : i + r + 1]
        found[(ids[i], *filter(None, context))] += bool(ids[i])
    return found


def test_two_devices_train_on_the_windows_of_one(long_story):
    """S63: which words are kept, and how far each reaches, is a function of the global batch."""
    data = opened(long_story, subsample=0.02, batch_size=4000)
    one, other, alone = (
        [windows_of(*batch, 2) for batch in served(data, 3, rank, world)]
        for rank, world in ((0, 2), (1, 2), (0, 1))
    )
    assert [a + b for a, b in zip(one, other, strict=True)] == alone
    assert len(alone) > 2
    assert alone[0] != alone[1]


def test_what_is_drawn_differs_by_epoch_and_seed(long_story):
    def text(epoch, **overrides):
        return served(opened(long_story, subsample=0.02, **overrides), epoch)[0][0]

    assert torch.equal(text(1), text(1))
    assert not torch.equal(text(1), text(2))
    assert not torch.equal(text(1), text(1, seed=1))


def test_a_trainer_gets_running_text_for_training_and_windows_for_validation(story):
    data = opened(story)
    data.trainer = bare_trainer()
    data.trainer.training = True
    ids, reach = data.on_after_batch_transfer(next(iter(data.train_dataloader())), 0)
    assert len(ids) == len(reach) + 4
    data.trainer.validating = True
    contexts, centres = data.on_after_batch_transfer(next(iter(data.val_dataloader())), 0)
    assert contexts.shape == (len(centres), 4)


def test_a_batch_that_the_text_or_the_devices_do_not_allow_says_what_to_set(story):
    data = opened(story, batch_size=4000)
    refused(r"is 4000: .* 360 words and .* has 1000; set .*=1000", data.train_dataloader)
    data.hparams["batch_size"], data.trainer = 3000, devices(0, 2)
    refused(r"2 devices cannot share .*: set data.batch_size=4000", data.train_dataloader)


def test_a_text_of_2000_words_is_enough(tmp_path):
    """What `data=words` has as its batch."""
    (tmp_path / "a.txt").write_text("\n\n".join("a b c d e f g h i j" * 50 for _ in range(4)))
    assert data_set.opened("words", source=str(tmp_path / "a.txt")).train_dataloader()


# --- thinning -------------------------------------------------------------------------------------


def test_the_probability_of_keeping_a_word_is_that_of_word2vec_c():
    """Of a word with a share f: (sqrt(f / t) + 1) * t / f, as its source has it."""
    counts, t = torch.tensor([900, 90, 9, 1, 0]), 0.01
    f = counts[:3].double() / 1000
    wanted = (((f / t).sqrt() + 1) * t / f).clamp(max=1)
    torch.testing.assert_close(keep_probabilities(counts, t)[:3], wanted)
    assert keep_probabilities(counts, t)[3:].tolist() == [1, 1]
    assert (keep_probabilities(counts, 1.0) == 1).all()  # thins nothing


# --- splits and vocabulary ------------------------------------------------------------------------


def test_no_document_is_in_two_splits_and_none_is_lost():
    splits = divide(50, 0.1, 0.2, None)
    assert {name: len(part) for name, part in splits.items()} == {"train": 35, "val": 5, "test": 10}
    assert sorted(np.concatenate([*splits.values()])) == [*range(50)]
    assert divide(50, 0.1, 0.2, None)["train"].tolist() == splits["train"].tolist()


def test_fewer_training_words_are_the_first_of_more(story):
    few, more = (opened(story, train_samples=n).arrays("train") for n in (30, 100))
    assert np.count_nonzero(few) == 30
    assert few[few > 0].tolist() == more[more > 0][:30].tolist()


def test_the_vocabulary_is_the_most_frequent_words_of_the_training_text(story):
    data = opened(story, vocabulary_size=4)
    assert data.input.vocabulary == ["the", "of"]
    assert data.input.counts == [3 * 36, 2 * 36]
    assert data.info["vocabulary_size"] == 4


def test_a_column_of_a_table_is_the_text(tmp_path):
    """S63: what else can be read is in test_documents.py."""
    columns = {"said": ["one two three"] * 9, "by": [f"ms x{i % 2} y" for i in range(9)]}
    path = write(tmp_path / "said.jsonl", columns)
    assert opened(path, text_column="by", window=1).input.vocabulary[:2] == ["ms", "y"]


def test_a_run_says_what_the_text_is(story):
    data = opened(story, vocabulary_size=4, subsample=0.01)
    words, kept_share, documents = data.notes
    unknown = "50.0% of train, 50.0% of val, 50.0% of test"
    assert words == f"words     2 known, 182 in the training text; unknown: {unknown}"
    expected = (keep_probabilities(torch.tensor([3, 2]), 0.01) * torch.tensor([0.6, 0.4])).sum()
    assert f"thinned   to {expected:.1%} of" in kept_share
    assert documents == "documents 36 train / 2 val / 2 test"


def test_the_documentation_of_python_is_docstrings_once_and_topics():
    texts = python_docs()
    assert str.__name__ in " ".join(texts)
    assert sum(text.startswith("An ordered dictionary") for text in texts) <= 1
    assert sum(len(text.split()) for text in texts) > 100_000  # of a fourth of the modules
    source = b'"""Module."""\nclass A:\n    """Class."""\n    def f(self):\n        "Method."\n'
    assert docstrings(source) == ["Module.", "Class.", "Method."]


@pytest.mark.parametrize("block", [
    "if 1:\n {}\nelif 2:\n {}\nelse:\n {}", "while 1:\n {}\nelse:\n {}", "with a:\n {}",
    "try:\n {}\nexcept A:\n {}\nelse:\n {}\nfinally:\n {}",
    "match a:\n case 1:\n  {}\n case 2:\n  {}",
    "async def f():\n class A:\n  {}\n {}",
])  # fmt: skip
def test_docstrings_in_any_block_are_those_of_a_walk_over_all(block):
    count = block.count("{}")
    tree = block.format(*(f"def f{number}():   'Says {number}.'" for number in range(count)))
    expected = [f"Says {number}." for number in range(count)]
    assert sorted(docstrings(tree.encode())) == expected
    walked = [one for one in ast.walk(ast.parse(tree)) if isinstance(one, ast.FunctionDef)]
    assert docstrings(tree.encode()) == [ast.get_docstring(one) for one in walked]


# --- what a sentence becomes ----------------------------------------------------------------------


@pytest.fixture
def fitted():
    return ContextInput(vocabulary=["a", "b", "c", "d"], counts=[4, 3, 2, 1], window=2)


def test_a_gap_is_seen_with_the_words_around_it(fitted):
    assert fitted("d c strange B _ a, c d").tolist() == [[4, 3, 2, 4]]
    assert fitted(["_ a", "a ___."]).tolist() == [[0, 0, 2, 0], [0, 2, 0, 0]]
    assert fitted("strange _ stranger").tolist() == [[0, 0, 0, 0]]


def test_contexts_are_restored_to_sentences_that_give_them_again(fitted):
    contexts = torch.tensor([[0, 2, 3, 4], [5, 4, 0, 0], [0, 0, 0, 0]])
    assert fitted.restore(contexts) == ["a _ b c", "d c _", "_"]
    assert torch.equal(fitted(fitted.restore(contexts)), contexts)


@pytest.mark.parametrize("sentence", ["no gap", "two _ of _ them", "a snake_case name", ""])
def test_a_sentence_needs_one_gap(fitted, sentence):
    refused("write one _ where a word is missing", fitted, sentence)


# --- bad input, one line each ---------------------------------------------------------------------

BAD = {
    "a text shorter than a window": (b"a b\n\na b\n\na b", {"window": 5}, "2 known words"),
    "one document": (b"a b c d e f g h", {}, r"1 document\(s\): three are needed"),
    "a vocabulary of one word": (b"\n\n".join([b"a a a a a"] * 9), {}, "vocabulary has 1 word"),
    "no frequent word": (b"a b c\n\nd e f\n\ng h i", {"min_count": 2}, "vocabulary has 0 word"),
    "no text": (b"", {}, "the text has 0 documents: there is no word"),
    "no word": (b"...\n\n- - -\n\n!", {}, "vocabulary has 0 word"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_an_error_that_says_what_was_wrong(what):
    """reliability.md rows 20 and 21."""
    content, overrides, said = BAD[what]
    refused(said, opened, content, **overrides)


@pytest.mark.real
def test_the_real_wikipedia_is_articles_of_words():
    """A part of it; all of it is 24 million words."""
    data = data_set.opened("wikipedia_2015", limit=200)
    assert isinstance(data, Words)
    assert data.info["samples"]["train"] > 50_000
    assert {"the", "world", "history"} <= {*data.input.vocabulary}
