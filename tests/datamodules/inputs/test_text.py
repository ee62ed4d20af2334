"""Text -> word ids and back: the tokeniser's rules, padding as in Keras, bad input (S60-S62)."""

import io
import random

import numpy as np
import pytest
import torch

from datamodules.inputs import text as texts
from datamodules.inputs.text import PADDING, UNKNOWN, TextInput, read_text
from datamodules.inputs.tokenizer import words
from tests.data import refused

SLIDE = "The quick brown fox jumps over the brown lazy dog"


def text_input(vocabulary, max_length=6, **changes):
    own = {"padding": "pre", "truncating": "pre", **changes}
    return TextInput(vocabulary=vocabulary, max_length=max_length, **own)


def test_the_slides_sentence_is_ten_words_of_eight_kinds():
    """S61: "The" and "the" are one word, and both "brown" are one."""
    ids = text_input(sorted(set(words(SLIDE))), max_length=10)(SLIDE)[0].tolist()
    assert (len(ids), len(set(ids)), min(ids)) == (10, 8, 2)  # 0 is padding, 1 the unknown word
    assert (ids[0], ids[2]) == (ids[6], ids[7])


@pytest.mark.parametrize(("text", "wanted"), [
    ("It's GOOD, isn't it?!", ["it's", "good", "isn't", "it"]),
    ("don\u2019t 'quote' rock'n'roll", ["don't", "quote", "rock'n'roll"]),
    ("3.5 of 1,000 in 1999.", ["3.5", "of", "1,000", "in", "1999"]),
    ("one<br /><BR>two", ["one", "two"]),
    ("snake_case e-mail mp3", ["snake", "case", "e", "mail", "mp3"]),
    ("\u00c9t\u00e9 e\u0301te\u0301", ["\u00e9t\u00e9", "\u00e9t\u00e9"]),
    ("a\r\nb\tc\N{NO-BREAK SPACE}d", ["a", "b", "c", "d"]),
    ("... !!! \N{SNOWMAN}", []),
])  # fmt: skip
def test_the_rules_of_the_tokeniser(text, wanted):
    """S60."""
    assert words(text) == wanted


def test_words_joined_by_spaces_are_the_same_words():
    draw = random.Random(0)
    planes = [(32, 127), (0x80, 0xD800), (0xE000, 0x11000), (0x300, 0x370), (39, 47)]
    for _ in range(3000):
        text = "".join(chr(draw.randrange(*draw.choice(planes))) for _ in range(20))
        assert words(" ".join(words(text))) == words(text)


@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("truncating", ["pre", "post"])
@pytest.mark.parametrize("lengths", [(0, 12), (0, 5), (8, 12), (5, 6)])
def test_all_rows_at_once_are_padded_as_keras_does_row_by_row(padding, truncating, lengths, keras):
    """S66: of random lengths, none, some or all of them longer than a row of five."""
    draw = np.random.default_rng(0)
    rows = [draw.integers(2, 99, size).tolist() for size in draw.integers(*lengths, 50)]
    one = text_input([], 5, padding=padding, truncating=truncating)
    flat = np.array([i for row in rows for i in row], np.int32)
    padded = one.pad_flat(flat, np.cumsum([len(row) for row in rows]))
    wanted = keras.utils.pad_sequences(rows, maxlen=5, padding=padding, truncating=truncating)
    assert padded.dtype == np.int32
    np.testing.assert_array_equal(padded, wanted)
    np.testing.assert_array_equal(np.concatenate([one.pad([row]) for row in rows]), wanted)


def test_what_is_restored_gives_the_same_ids():
    one = text_input(["good", "don't", "3.5"])
    batch = one(["Good, GOOD unheard-of 3.5!", "I don't"])
    assert batch[0].tolist() == [PADDING, 2, 2, UNKNOWN, UNKNOWN, 4]
    assert torch.equal(one(one.restore(batch)), batch)
    assert one.restore(batch)[1] == "\N{DOUBLE QUESTION MARK} don't"


def test_a_file_may_have_a_byte_order_mark_and_any_line_ends(tmp_path):
    """Reliability 20."""
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfgood\r\nfilm\r\n")
    assert text_input(["good", "film"], 2)(tmp_path / "a.txt").tolist() == [[2, 3]]


def test_a_text_of_ten_megabytes_is_cut():
    """Reliability 20."""
    assert text_input(["end"], 2)("word " * 2_000_000 + "the end").tolist() == [[1, 2]]


@pytest.mark.parametrize(("data", "said"), [
    (b"good \xff film", "byte 5 is 0xff"), (b"\xef\xbb\xbfgood\xe9", "byte 7 is 0xe9"),
    ("good".encode("utf-16"), "byte 0 is 0xff"), ("good".encode("utf-16-le"), "byte 1 is NUL"),
])  # fmt: skip
def test_what_is_no_text_is_refused_with_the_place(data, said, tmp_path):
    """Reliability 20: the message names the file and the byte."""
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    refused(f"a.txt.*{said}", text_input(["good"]), [path])
    refused(said, text_input(["good"]), data)


def test_no_texts_and_things_that_are_no_text_are_refused():
    no_text = "a text is wanted, or the path of one: got int"
    half = "character 2 is U\\+D83D, half of a surrogate pair"
    for raws, said in (([], "list is empty"), ([3], no_text), (["a \ud83d"], half)):
        refused(said, text_input(["good"]), raws)


@pytest.mark.parametrize("empty", ["", " ", "?!", "\N{GRINNING FACE}", b"", b"\xef\xbb\xbf"])
def test_a_text_without_a_word_is_a_row_of_padding(empty, tmp_path):
    (tmp_path / "a.txt").write_bytes(empty if isinstance(empty, bytes) else empty.encode())
    one = text_input(["good"], 2)
    assert one([empty, "good", tmp_path / "a.txt"]).tolist() == [[0, 0], [0, 2], [0, 0]]
    assert one.read(empty) == []


def test_halves_of_a_character_that_stand_together_are_it():
    """As JSON's escapes leave them, where a reader does not join them."""
    assert read_text("a \ud83d\ude00 \udce9".replace("\udce9", "b")) == "a \N{GRINNING FACE} b"


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_text(tmp_path / "none.txt")


@pytest.mark.parametrize("long", [1, 5, 2**20])
def test_the_windows_of_a_text_hold_its_words_in_order(long, monkeypatch):
    """S71: also where lines are longer than what is read at once, which cuts no word."""
    monkeypatch.setattr(texts, "LONG", long)
    text = "It's a quick brown\n\nfox, 1,000 times it jumped over\n the lazy ☺ dog"
    windows = list(text_input([], max_length=4).windows(io.StringIO(text)))
    assert [len(window.split()) for window in windows] == [4, 4, 4, 1]
    assert " ".join(windows).split() == words(text)
    assert list(text_input([]).windows(io.StringIO("..."))) == []


def test_a_line_of_a_long_text_that_cannot_be_read_is_named():
    refused("line 2: byte 1 is NUL", list, text_input([]).windows(io.StringIO("a\nb\0")))


@pytest.mark.parametrize(("truncating", "wanted"), [("pre", "d e f"), ("post", "a b c")])
def test_what_is_read_of_a_text_is_what_a_row_holds(truncating, wanted):
    made = text_input(list("abcdef"), max_length=3, truncating=truncating)
    assert made.read("A, b c d e f") == wanted.split()
    assert made.restore(made("A, b c d e f")) == [wanted]
