"""Labelled texts: layouts, vocabulary, cache, subsets, bad rows, and the grammar (S66)."""

import re
from collections import Counter

import numpy as np
import pytest
import torch

from datamodules import texts as module
from datamodules.bundled import negated_reviews as generator
from datamodules.bundled.negated_reviews import negated_reviews
from datamodules.inputs.tokenizer import words
from tests.data import opened, refused


def folders(place, texts, below="."):
    """Write class folders of text files, each text under its class."""
    for name, found in texts.items():
        folder = place / below / name
        folder.mkdir(parents=True)
        for i, text in enumerate(found):
            (folder / f"{i}.txt").write_bytes(text.encode("latin-1"))
    return str(place)


def many(word, count=20):
    return [f"{word} {i}" for i in range(count)]


# The grammar of negated_reviews


@pytest.fixture(scope="module")
def grammar():
    rows = negated_reviews().splits["all"]
    return list(rows.raws), rows.labels


def test_no_two_reviews_of_the_grammar_are_alike(grammar):
    """Not even to the tokeniser, so none of the test split was trained on."""
    texts, labels = grammar
    assert len({tuple(words(text)) for text in texts}) == len(texts) == 4_000
    assert np.bincount(labels).tolist() == [2_000, 2_000]


def test_the_grammar_gives_the_same_reviews_each_time(grammar):
    assert list(negated_reviews().splits["all"].raws) == grammar[0]


def test_the_words_of_the_grammar_are_as_frequent_in_both_classes(grammar):
    """What makes order decide: no word is said much more often of the one class."""
    counts = [Counter(), Counter()]
    for text, label in zip(*grammar, strict=True):
        counts[label].update(set(words(text)))
    for word in set(counts[0] | counts[1]):
        a, b = (count[word] for count in counts)
        assert abs(a - b) <= 4 * np.sqrt(a + b) + 1, word


def test_a_person_reads_the_grammars_labels():
    """Hand-made cases: the film has the last word, a negation turns what follows."""
    random = np.random.default_rng(1)
    for positive in [True, False] * 300:
        text = generator._review(positive, random)
        assert verdict(text) == positive, text


def verdict(text):
    """What a review says of the film, by rules written from English and not from the grammar."""
    said = " ".join(words(text))
    for cue in ("but got something", "but it was", "turned out", "i call it"):
        if cue in said:
            return judged(said.split(cue)[1])
    for film in generator.FILM:
        if f"{film} was" in said:
            clause = said.split(f"{film} was")[1]
            for end in (" although ", " even though "):
                clause = clause.split(end)[0]
            return judged(clause)
    raise AssertionError(text)


def judged(clause):
    """Whether a clause praises: its first adjective, turned by a negation before it."""
    found = clause.split()
    first = next(word for word in found if word in generator.GOOD + generator.BAD)
    before = " ".join(found[: found.index(first)])
    said = re.sub("nothing but|never less than", "", before).split()
    turns = {"not", "never", "hardly", "anything", "far", "no"} & set(said)
    return (first in generator.GOOD) != bool(turns)


# What a datamodule promises


@pytest.mark.parametrize(("name", "samples"), [
    ("imdb", {"train": 43, "val": 5, "test": 16}),
    ("rotten_tomatoes", {"train": 40, "val": 10, "test": 10}),
    ("labelled_text", {"train": 43, "val": 5, "test": 12}),
])  # fmt: skip
def test_official_splits_stay_whole_and_others_are_carved(name, samples, tiny):
    data = opened(name, **tiny(name))
    assert data.info["samples"] == samples
    ids, labels = data.on_after_batch_transfer(next(iter(data.train_dataloader())), 0)
    assert (ids.shape, ids.dtype) == ((8, data.info["max_length"]), torch.int64)
    assert (labels.shape, labels.dtype) == ((8,), torch.int64)
    assert list(data.padded_ids) == ["train"]  # a split is padded when it is asked for


def test_words_that_only_the_test_split_has_are_unknown(tmp_path):
    folders(tmp_path, {"x": many("one"), "y": many("two")}, "train")
    source = folders(tmp_path, {"x": ["one heretofore"], "y": ["two"]}, "test")
    data = opened("labelled_text", source=source)
    assert "heretofore" not in data.input.vocabulary
    assert data.samples("test", 2)[0][0, -2:].tolist() == [data.input("one")[0, -1], 1]
    assert data.arrays("test")[0] == ["one heretofore", "two"]  # what is no network sees all words


def test_batches_are_the_input_of_the_texts_that_arrays_gives(tiny):
    data = opened("imdb", **tiny("imdb"), max_length=40)
    texts, labels = data.arrays("test")
    ids, same = data.samples("test", len(texts))
    assert torch.equal(data.input(texts), ids)
    assert same.tolist() == labels.tolist()


@pytest.mark.parametrize("samples", [None, 16])
def test_the_vocabulary_is_what_counting_word_by_word_gives(tiny, samples):
    data = opened("imdb", **tiny("imdb"), train_samples=samples, vocabulary_size=12)
    counts = Counter(word for text in data.arrays("train")[0] for word in text.split())
    wanted = sorted(counts, key=lambda word: (-counts[word], word))[:10]
    assert data.input.vocabulary == wanted


def test_a_second_start_tokenises_nothing(tiny, monkeypatch):
    own = tiny("rotten_tomatoes")
    first = opened("rotten_tomatoes", **own)
    monkeypatch.setattr(module, "words_of", None)
    again = opened("rotten_tomatoes", **own, vocabulary_size=10, max_length=4)
    assert first.arrays("train")[0] == again.arrays("train")[0]
    assert len(again.input.vocabulary) == 8


def test_the_whole_grammar_fits_into_the_vocabulary_and_the_length_of_its_file():
    data = opened("negated_reviews")
    assert data.info["samples"] == {"train": 2_880, "val": 320, "test": 800}
    ids = torch.cat([torch.as_tensor(data.tensors(split)[0]) for split in data.splits])
    assert not (ids == 1).any()
    assert (ids[:, 0] == 0).all()  # the longest is shorter than a row


def test_rare_classes_weigh_more_in_the_training_loss(tmp_path):
    source = folders(tmp_path, {"a": many("good", 60), "b": many("bad", 30), "c": many("so", 10)})
    data = opened("labelled_text", source=source, train_samples=60)
    counts = np.bincount(data.arrays("train")[1])
    assert data.info["loss_weights"] == pytest.approx(60 / (3 * counts))
    assert counts[0] > counts[1] > counts[2]
    assert "loss_weights" not in opened("labelled_text", source=source, class_weights=None).info


def test_the_weights_of_equal_classes_are_one_and_their_mean_over_samples_always():
    assert module.balanced_weights(np.array([0, 1, 2] * 5), 3) == [1, 1, 1]
    weights = module.balanced_weights(np.array([0] * 7 + [2] * 2), 3)  # without the second class
    assert weights == pytest.approx([9 / 14, 1, 9 / 4])


def test_uneven_weights_are_printed_and_even_ones_are_not(tmp_path):
    source = folders(tmp_path, {"a": many("good", 60), "b": many("bad", 30)})
    uneven = opened("labelled_text", source=source)
    a, b = uneven.info["loss_weights"]
    assert f"weights   a {a:.3g}, b {b:.3g}: of the classes in the training loss" in uneven.notes
    assert not [line for line in opened("negated_reviews").notes if "weights" in line]


def test_the_notes_are_what_the_lecture_prints_of_texts(tiny):
    """S66: counts, shapes and lengths; known and unknown words besides."""
    data = opened("imdb", **tiny("imdb"))
    classes_line, words_line, shapes_line = data.notes
    assert classes_line.startswith("classes   2: neg ")
    train, test = ([text.split() for text in data.arrays(name)[0]] for name in ("train", "test"))
    share = np.mean([word not in data.input.vocabulary for text in test for word in text])
    known, met = len(data.input.vocabulary), len(set().union(*train))
    assert f"{known} known, {met} in the training texts" in words_line
    assert words_line.endswith(f"{share:.1%} of test")
    assert f"{max(map(len, train))} at most" in shapes_line
    assert f"train (43, {data.info['max_length']})" in shapes_line


# Bad rows: reliability 20 and 23


def test_texts_without_a_word_are_empty_and_counted_once(tmp_path):
    rows = ["text,label", *["good film,a", "bad film,b"] * 20, ",a", '" ",b', "...,a"]
    rows += ["?,a", "\N{GRINNING FACE},b"]
    (tmp_path / "a.csv").write_text("\n".join(rows), encoding="utf-8")
    data = opened("labelled_text", source=str(tmp_path / "a.csv"))
    assert sum(data.info["samples"].values()) == 45
    assert data.info["skipped"] == []
    assert sum(int((data.tensors(split)[0] == 0).all(1).sum()) for split in data.splits) == 5
    found = [line for line in data.notes if "empty" in line]
    assert found == ["empty     5 text(s) without a word: rows of padding"]
    assert not [line for line in opened("negated_reviews").notes if "empty" in line]
    (tmp_path / "b.csv").write_text("text,label\n" + "?,a\n!,b\n" * 20)
    said = "the training texts have no words"
    refused(said, opened, "labelled_text", source=str(tmp_path / "b.csv"))


def test_a_long_line_a_byte_order_mark_and_crlf_are_read(tmp_path):
    long = "word " * 2_000_000  # 10 MB
    lines = ["text,label", *["good,a", "bad,b"] * 20, f"{long},a"]
    (tmp_path / "a.csv").write_text("\r\n".join(lines), encoding="utf-8-sig", newline="")
    data = opened("labelled_text", source=str(tmp_path / "a.csv"))
    assert data.info["classes"] == ["a", "b"]
    assert max(len(text) for s in data.splits for text in data.texts(s)) == 2_000_000


@pytest.mark.real
def test_imdb_is_as_the_lecture_prints_it():
    """S66: 25,000 train and 25,000 test sequences; validation is carved from the former."""
    data = opened("imdb", max_length=80)
    assert data.info["classes"] == ["neg", "pos"]
    assert data.info["samples"] == {"train": 22_500, "val": 2_500, "test": 25_000}
    assert data.tensors("test")[0].shape == (25_000, 80)
    assert set(data.input.vocabulary[:3]) == {"the", "and", "a"}
    assert len(data.input.vocabulary) == 20_000 - 2


def test_buckets_know_how_long_each_text_is(tmp_path):
    """S66: cut texts by what stays of them."""
    texts = [" ".join(["word"] * count) for count in range(1, 21)]
    source = folders(tmp_path, {"x": texts, "y": texts})
    data = opened("labelled_text", source=source, max_length=8, buckets=True)
    for split in data.splits:
        assert data.lengths(split).tolist() == (data.tensors(split)[0] != 0).sum(1).tolist()
    assert opened("labelled_text", source=source, buckets=False).lengths("train") is None
