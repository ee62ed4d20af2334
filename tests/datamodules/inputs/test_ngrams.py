"""Which n-grams a text has, as numbers behind its words."""

from collections import Counter
from itertools import groupby
from math import log2
from zlib import crc32

import pytest
import torch
from sklearn.feature_extraction.text import CountVectorizer

from datamodules.inputs import ngrams as module
from datamodules.inputs.ngrams import REPEATS, RULES, NgramInput, ngrams_of
from datamodules.inputs.text import TextInput
from tests.data import opened

M = 1000
OPTIONS = {"vocabulary": ["good", "film"], "max_length": 4, "padding": "pre", "truncating": "pre"}


def number(gram, upper=False):
    return crc32(gram.encode()) % (M // 2) + upper * M // 2


def test_words_and_pairs_are_in_the_lower_half_and_letters_in_the_upper():
    words = {number(gram) for gram in ("ab", "cde", "ab cde")}
    letters = {number(gram, True) for gram in (" ab", "ab ", " ab ", " cd", "cde", "de ", " cde",
                                               "cde ")}  # fmt: skip
    found = ngrams_of(["ab", "cde", "ab"], M, "once_3_4")
    assert {*found} == words | letters | {number("cde ab")}
    assert len({*found}) == len(found)
    assert ngrams_of([], M, "once_3_4") == []


def test_counts_are_scikit_learns_and_a_number_stands_again_for_each_doubling():
    text = "banana a na na na na nananana"
    numbers = 2**30  # no two n-grams share one
    counts = Counter()
    for upper, options in [
        (0, {"ngram_range": (1, 2), "token_pattern": r"\S+"}),
        (1, {"analyzer": "char_wb", "ngram_range": (2, 5)}),
    ]:
        vectors = CountVectorizer(**options)
        row = vectors.fit_transform([text]).toarray()[0]
        for gram, count in zip(vectors.get_feature_names_out(), row, strict=True):
            counts[crc32(gram.encode()) % (numbers // 2) + upper * numbers // 2] = count
    found = ngrams_of(text.split(), numbers, "counted_2_5")
    assert Counter(found) == {n: 1 + int(log2(count)) for n, count in counts.items()}
    assert max(counts.values()) > 8
    neighbours = [number for number, _ in groupby(found)]
    assert len({*neighbours}) == len(neighbours)
    assert Counter(ngrams_of(["a"] * 2**12, M, "counted_2_5"))[number("a")] == REPEATS


def test_of_a_long_text_those_of_its_last_words_are_kept(monkeypatch):
    monkeypatch.setattr(module, "MOST", 30)
    text = [f"word{i}" for i in range(100)]
    options = 10**6, "once_3_4"
    found = ngrams_of(text, *options)
    assert len(found) == 30
    assert found == ngrams_of(text[-5:], *options)[:30]


@pytest.mark.parametrize("grams", RULES)
def test_a_row_has_the_words_of_a_text_and_then_its_ngrams(grams):
    """Words that are cut, and those that are unknown, have n-grams all the same."""
    texts = ["Good film!", "so very very good a film", ""]
    read = NgramInput(ngrams=M, grams=grams, **OPTIONS)
    ids = read(texts)
    assert torch.equal(ids[:, :4], TextInput(**OPTIONS)(texts))
    for row, text in zip(ids[:, 4:].tolist(), texts, strict=True):
        words = text.lower().strip("!").split()
        assert sorted(i - 4 for i in row if i) == sorted(ngrams_of(words, M, grams))
    assert read.restore(ids) == ["good film", "⁇ good ⁇ film", ""]
    rules = {"grams": grams, "tokenizer": "words"}
    assert read.config() == {"kind": "text_ngrams", "ngrams": M, **rules, **OPTIONS}


@pytest.fixture
def table(tmp_path):
    rows = [f"{'good' if i % 2 else 'bad'} film number {i},{'yn'[i % 2]}" for i in range(40)]
    (tmp_path / "rows.csv").write_text("\n".join(["text,label", *rows]))
    return str(tmp_path)


def test_the_data_give_the_rows_that_the_input_gives(table):
    data = opened("labelled_text", source=table, ngrams=M, train_samples=20)
    read, rows = data.input, data.row_indices("train")
    ids = data.tensors("train")[0]
    texts, _ = data.arrays("train")
    own = read(texts)
    used = ids[rows].long()
    assert torch.equal(used[:, : own.shape[1]], own)
    assert not used[:, own.shape[1] :].any()
    others = sorted({*range(len(ids))} - {*rows.tolist()})
    assert others
    assert not ids[others][:, read.max_length :].any()
    assert read.grams == "counted_2_5"
    assert (data.info["ngrams"], data.info["vocabulary_size"]) == (M, read.first)


@pytest.mark.parametrize("ngrams", [M, None])
def test_further_words_stand_behind_those_of_the_training_texts(table, ngrams):
    data = opened("labelled_text", source=table, ngrams=ngrams, vector_words=2)
    own = [*data.input.vocabulary]
    data.use_words(["film", "splendid", "awful"])
    assert data.input.vocabulary == [*own, "splendid"]  # of the first two
    assert data.info["input"]["vocabulary"] == data.input.vocabulary
    assert data.info["vocabulary_size"] == 2 + len(own) + 1
    data.setup()  # a Trainer does
    assert data.input.vocabulary == [*own, "splendid"]
    assert int(data.input(["splendid"])[0, data.input.max_length - 1]) == 2 + len(own)
