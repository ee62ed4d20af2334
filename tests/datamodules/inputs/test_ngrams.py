"""Which n-grams a text has, as numbers behind its words."""

from zlib import crc32

import pytest
import torch

from datamodules.inputs import ngrams as module
from datamodules.inputs.ngrams import NgramInput, ngrams_of
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
    found = ngrams_of(["ab", "cde", "ab"], M)
    assert {*found} == words | letters | {number("cde ab")}
    assert len({*found}) == len(found)
    assert ngrams_of([], M) == []


def test_of_a_long_text_those_of_its_last_words_are_kept(monkeypatch):
    monkeypatch.setattr(module, "MOST", 30)
    text = [f"word{i}" for i in range(100)]
    found = ngrams_of(text, 10**6)
    assert len(found) == 30
    assert found == ngrams_of(text[-5:], 10**6)[:30]


def test_a_row_has_the_words_of_a_text_and_then_its_ngrams():
    """Words that are cut, and those that are unknown, have n-grams all the same."""
    texts = ["Good film!", "so very very good a film", ""]
    read = NgramInput(ngrams=M, **OPTIONS)
    ids = read(texts)
    assert torch.equal(ids[:, :4], TextInput(**OPTIONS)(texts))
    for row, text in zip(ids[:, 4:].tolist(), texts, strict=True):
        words = text.lower().strip("!").split()
        assert sorted(i - 4 for i in row if i) == sorted(ngrams_of(words, M))
    assert read.restore(ids) == ["good film", "⁇ good ⁇ film", ""]
    assert read.config() == {"kind": "text_ngrams", "ngrams": M, "tokenizer": "words", **OPTIONS}


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
