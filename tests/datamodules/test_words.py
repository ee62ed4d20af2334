"""Running text as windows of words (S63; reliability.md rows 20 and 21)."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

import zoo
from datamodules.batches import Key
from datamodules.inputs.words import ContextInput
from datamodules.words import Words, divide, docstrings, found, kept, python_docs
from tests.tiny import wikipedia_2015

PLAIN = {
    "name": "words", "hub": None, "about": {}, "vocabulary_size": 1000, "min_count": 1, "window": 2,
    "subsample": 1.0, "validation": 0.05, "test": 0.05, "batch_size": 4, "train_samples": None,
    "limit": None, "seed": 0,
}  # fmt: skip


def opened(source, **overrides):
    data = Words(source=str(source), **{**PLAIN, **overrides})
    data.setup("fit")
    return data


@pytest.fixture
def story(tmp_path):
    """A file of 40 paragraphs: frequent words among others that stand once."""
    path = tmp_path / "story.txt"
    paragraphs = [f"start{i} the a{i} of the b{i} the c{i} of end{i}" for i in range(40)]
    path.write_text("\n\n".join(paragraphs))
    return path


def key(number, size, start=0, stop=None):
    return Key(0, 0, number, size, start, size if stop is None else stop)


def named(data, batch):
    """The words of each window: those before, the centre, those after."""
    half = data.input.window
    return [
        (data.input.named(row[:half]), *data.input.named([centre]), data.input.named(row[half:]))
        for row, centre in zip(batch[0].tolist(), batch[1].tolist(), strict=True)
    ]


# --- windows --------------------------------------------------------------------------------------


def test_a_context_is_the_words_around_the_centre_in_its_document(story):
    """S63, against a walk over the documents by hand; each word is a centre once."""
    data, expected = opened(story), []
    for text in divide(found(story, story), 0.05, 0.05, None)["val"]:
        inside = [word for word in text.split() if word in data.input.vocabulary]
        for i, word in enumerate(inside):
            expected.append((inside[max(i - 2, 0) : i], word, inside[i + 1 : i + 3]))
    batches = [data.on_after_batch_transfer(batch, 0) for batch in data.val_dataloader()]
    assert [window for batch in batches for window in named(data, batch)] == expected
    assert data.facts["samples"]["val"] == len(expected)


def test_words_outside_the_vocabulary_are_dropped_before_windows_are_made(tmp_path):
    """S63, word2vec's way: a rare word between two frequent ones makes them neighbours."""
    path = tmp_path / "a.txt"
    path.write_text("\n\n".join(f"x rare{i} y z x y z" for i in range(30)))
    data = opened(path, min_count=2, window=1)
    assert data.input.vocabulary == ["x", "y", "z"]
    assert named(data, data.whole("train", 2)) == [([], "x", ["y"]), (["x"], "y", ["z"])]


def test_a_drawn_window_is_as_long_on_both_sides_and_each_length_is_as_likely(story):
    """S63: the dynamic window of word2vec."""
    data, rows = opened(story, window=4), torch.ones(4096, 9, dtype=torch.int32)
    contexts, _ = data.batch((rows,), key(0, len(rows)))
    before, after = contexts[:, :4].flip(1).cumprod(1).sum(1), contexts[:, 4:].cumprod(1).sum(1)
    assert torch.equal(before, after)
    assert torch.equal(before + after, contexts.sum(1))
    shares = torch.bincount(before, minlength=5) / len(rows)
    torch.testing.assert_close(shares, torch.tensor([0, 0.25, 0.25, 0.25, 0.25]), atol=0.03, rtol=0)


def test_drawn_windows_are_a_function_of_the_global_batch(story):
    data, rows = opened(story, window=4), torch.ones(32, 9, dtype=torch.int32)
    whole = data.batch((rows,), key(3, 32))[0]
    assert torch.equal(whole, data.batch((rows,), key(3, 32))[0])
    assert torch.equal(whole[16:], data.batch((rows[16:],), key(3, 32, 16))[0])
    assert not torch.equal(whole, data.batch((rows,), key(4, 32))[0])


def test_evaluation_draws_nothing(story):
    data, rows = opened(story, window=4), torch.ones(8, 9, dtype=torch.int32)
    assert data.batch((rows,), None)[0].all()


# --- thinning -------------------------------------------------------------------------------------


def test_the_probability_of_keeping_a_word_is_that_of_word2vec_c():
    """Of a word with a share f: (sqrt(f / t) + 1) * t / f, as its source has it."""
    counts, t = torch.tensor([900, 90, 9, 1, 0]), 0.01
    f = counts[:3].double() / 1000
    torch.testing.assert_close(kept(counts, t)[:3], (((f / t).sqrt() + 1) * t / f).clamp(max=1))
    assert kept(counts, t)[3:].tolist() == [1, 1]
    assert (kept(counts, 1.0) == 1).all()  # thins nothing


def test_thinning_keeps_each_word_with_its_probability_and_always_as_many(story):
    data = opened(story, subsample=0.02)
    batches, seen = data.train_dataloader(), Counter()
    sizes = set()
    for epoch in range(200):
        batches.set_epoch(epoch)
        order = batches.order()
        sizes.add(len(order))
        seen.update(batches.tensors[0][order, 2].tolist())
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) >= len(batches) * 4
    counts = torch.tensor([0, 0, *data.input.counts])
    expected = (counts * kept(counts, 0.02))[2:] * 200
    rates = torch.tensor([seen[i] for i in range(2, len(counts))]) / expected
    assert (rates[:2] - 1).abs().max() < 0.02  # the, of
    assert abs(float(rates.mean()) - 1) < 0.02


def test_windows_close_over_the_words_that_were_thinned_out(story):
    """As in word2vec.c: where a frequent word is left out, those beside it become neighbours."""
    data = opened(story, subsample=0.001, window=1)
    contexts, centres = data.on_after_batch_transfer(next(iter(data.train_dataloader())), 0)
    rare = [w for w in named(data, (contexts, centres)) if w[1] not in ("the", "of")]
    beside = {word for before, _, after in rare for word in before + after}
    assert beside - {"the", "of"}


def test_the_thinned_text_is_a_function_of_seed_and_epoch(story):
    def text(epoch, **overrides):
        batches = opened(story, subsample=0.02, **overrides).train_dataloader()
        batches.set_epoch(epoch)
        return next(iter(batches)).tensors[0]

    assert torch.equal(text(1), text(1))
    assert not torch.equal(text(1), text(2))
    assert not torch.equal(text(1), text(1, seed=1))


def test_too_little_left_by_thinning_is_an_error_that_says_how_much(story):
    with pytest.raises(ValueError, match=r"thinning keeps \d+ of 20 words"):
        opened(story, subsample=1e-4, train_samples=20, batch_size=16).train_dataloader()


# --- splits and vocabulary ------------------------------------------------------------------------


def test_no_document_is_in_two_splits_and_none_is_lost():
    texts = [str(i) for i in range(50)]
    splits = divide(texts, 0.1, 0.2, None)
    assert {name: len(part) for name, part in splits.items()} == {"train": 35, "val": 5, "test": 10}
    assert sorted(text for part in splits.values() for text in part) == sorted(texts)
    assert divide(texts, 0.1, 0.2, None) == splits


def test_fewer_training_words_are_the_first_of_more(story):
    few, more = (opened(story, train_samples=n).arrays("train") for n in (30, 100))
    assert np.count_nonzero(few) == 30
    assert few[few > 0].tolist() == more[more > 0][:30].tolist()


def test_the_vocabulary_is_the_most_frequent_words_of_the_training_text(story):
    data = opened(story, vocabulary_size=4)
    assert data.input.vocabulary == ["the", "of"]
    assert data.input.counts == [3 * 36, 2 * 36]
    assert data.facts["vocabulary_size"] == 4


def test_a_line_of_any_length_is_cut_into_documents(tmp_path):
    path = tmp_path / "text8"
    path.write_text("a b c d " * 5000)
    assert opened(path).facts["samples"]["train"] == 18_000


def test_a_folder_of_texts_is_read_whole(tmp_path):
    for i in range(5):
        (tmp_path / f"{i}.txt").write_text(f"one two three four w{i}\n\nfive six seven eight w{i}")
    assert sum(opened(tmp_path).facts["samples"].values()) >= 5 * 8


def test_articles_of_the_hubs_layout_are_the_documents(tmp_path):
    wikipedia_2015.write(tmp_path / "wiki")
    assert len(found(tmp_path / "wiki", tmp_path / "scratch")) == 60


def test_the_documentation_of_python_is_docstrings_once_and_topics():
    texts = python_docs()
    assert str.__name__ in " ".join(texts)
    assert sum(text.startswith("An ordered dictionary") for text in texts) <= 1
    assert sum(len(text.split()) for text in texts) > 200_000
    source = b'"""Module."""\nclass A:\n    """Class."""\n    def f(self):\n        "Method."\n'
    assert docstrings(source) == ["Module.", "Class.", "Method."]


def test_the_digest_of_the_documentation_names_the_version(monkeypatch):
    data = zoo.create_data("python_docs")
    here = data.origin()
    monkeypatch.setattr("platform.python_version", lambda: "3.99.0")
    assert "Python 3.99.0" in data.origin() != here


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
    with pytest.raises(ValueError, match="write one _ where a word is missing"):
        fitted(sentence)


# --- bad input, one line each ---------------------------------------------------------------------

BAD = {
    "a text shorter than a window": (b"a b\n\na b\n\na b", {"window": 5}, "2 known words"),
    "one document": (b"a b c d e f g h", {}, r"1 document\(s\): three are needed"),
    "a vocabulary of one word": (b"\n\n".join([b"a a a a a"] * 9), {}, "vocabulary has 1 word"),
    "no frequent word": (b"a b c\n\nd e f\n\ng h i", {"min_count": 2}, "vocabulary has 0 word"),
    "no text": (b"", {}, r"0 document\(s\)"),
    "invalid UTF-8": (b"a b c\n\n\xff", {}, "byte 7 is 0xff"),
    "NUL": (b"a b\0c", {}, "byte 3 is NUL"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_an_error_that_says_what_was_wrong(what, tmp_path):
    """reliability.md rows 20 and 21."""
    content, overrides, said = BAD[what]
    (tmp_path / "bad.txt").write_bytes(content)
    with pytest.raises(ValueError, match=said):
        opened(tmp_path / "bad.txt", **overrides)


def test_bad_input_is_one_line_of_the_command(tmp_path, command):
    (tmp_path / "bad.txt").write_bytes(b"a b c\n\n\xff")
    source = f"data.source={tmp_path / 'bad.txt'}"
    code, _, err = command("train", "experiment=cbow", "data=words", source)
    assert code == 2
    assert [line for line in err.splitlines() if "0xff" in line] == err.splitlines()[-1:]


def test_marks_line_ends_and_long_lines_do_not_matter(tmp_path):
    """reliability.md row 20."""
    plain = "\n\n".join(f"one two three four five w{i}" for i in range(9))
    vocabularies = []
    for name, text in {"a": plain, "b": "\ufeff" + plain.replace("\n", "\r\n")}.items():
        (tmp_path / f"{name}.txt").write_bytes(text.encode())
        vocabularies.append(opened(tmp_path / f"{name}.txt").input.vocabulary)
    assert vocabularies[0] == vocabularies[1]


def test_a_folder_without_texts_and_a_table_without_a_text_column_are_named(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"no \.txt files in"):
        opened(tmp_path / "empty")
    pq.write_table(pa.table({"title": ["a"]}), tmp_path / "empty/train.parquet")
    with pytest.raises(ValueError, match="no column named text: found title"):
        opened(tmp_path / "empty")


def test_data_that_are_nowhere_are_an_error_that_names_the_ways_out():
    with pytest.raises(FileNotFoundError, match=r"data\.source=PATH, or put it in \$ZOO_DATA"):
        zoo.create_data("wikipedia_2015").prepare_data()


@pytest.mark.real
def test_the_real_wikipedia_is_articles_of_words():
    """A part of it; all of it is 24 million words."""
    data = zoo.create_data("wikipedia_2015", limit=200)
    data.setup("fit")
    assert isinstance(data, Words)
    assert data.facts["samples"]["train"] > 50_000
    assert {"the", "world", "history"} <= {*data.input.vocabulary}
