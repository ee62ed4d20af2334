"""Text of any kind as documents, one after another (S63; reliability.md rows 20 and 21)."""

from pathlib import Path

import pytest

from datamodules.inputs.text import LONG, LONGER
from datamodules.sources import documents
from datamodules.sources.documents import open_documents, pieces
from tests.data import missing, refused
from tests.datamodules.tables import write

TEXTS = ["one two three", "four five", "six"]


def read(location, told=None):
    return [*pieces(open_documents(location, location, told)())]


def table(path, column="text", texts=TEXTS, **others):
    """A table of texts in the format that its ending says."""
    return write(path, {"id": [*range(len(texts))], **others, column: texts})


# --- paragraphs -----------------------------------------------------------------------------------


def test_empty_lines_end_a_paragraph_and_line_ends_do_not_matter(tmp_path):
    path = tmp_path / "a.txt"
    for text in ("\ufeff\n\none\n two \n \t\n\n\nthree\n", "one\r\ntwo\r\n\r\nthree\r\n"):
        path.write_bytes(text.encode())
        assert read(path) == read(tmp_path) == ["one two", "three"]


def test_a_line_of_any_length_is_read_in_parts_and_loses_no_word(tmp_path):
    path, text = tmp_path / "text8", " ".join(f"w{i}" for i in range(400_000))
    path.write_text(text)
    assert max(len(part) for part, _ in open_documents(path, path, None)()) <= LONG < len(text) / 2
    assert " ".join(read(path)) == text
    assert {len(piece.split()) for piece in read(path)} == {documents.LONGEST}


def test_a_line_without_a_space_is_not_read_whole_either(tmp_path):
    path = tmp_path / "dna.txt"
    path.write_text("acgt" * LONG)
    assert [len(piece) for piece in read(path)] == [LONGER] * 2


def test_a_document_is_cut_into_pieces_of_at_most_1000_words():
    parts = [("a " * 700, False), ("b " * 700, True), ("c", True), ("", True)]
    assert [len(piece.split()) for piece in pieces(parts)] == [1000, 400, 1]


def test_a_text_can_be_read_again_from_its_start(tmp_path):
    text = open_documents(table(tmp_path / "a.csv"), tmp_path, None)
    assert [*text()] == [*text()]


# --- tables ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_a_table_has_a_document_a_row_and_a_folder_of_tables_is_read_whole(ending, tmp_path):
    for name in ("train-1", "train-2"):
        assert read(table(tmp_path / f"{name}.{ending}")) == TEXTS
    assert read(tmp_path) == TEXTS * 2


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_the_column_is_found_or_told(ending, tmp_path):
    usual = table(tmp_path / f"usual.{ending}", "Review Text", title=["x", "y", "z"])
    assert read(usual) == TEXTS
    assert read(usual, "title") == ["x", "y", "z"]
    assert read(table(tmp_path / f"only.{ending}", "said")) == TEXTS


def test_articles_of_the_hubs_layout_are_the_documents(tiny, tmp_path):
    articles = open_documents(Path(tiny("wikipedia_2015")["source"]), tmp_path, None)
    assert len([*pieces(articles())]) == 60


def test_a_row_without_a_text_has_no_words(tmp_path):
    table(tmp_path / "a.parquet", texts=["a", None, ""])
    (tmp_path / "b.jsonl").write_text('{"text": "a"}\n{"text": null}\n\n{"other": 1}\n')
    assert read(tmp_path / "a.parquet") == read(tmp_path / "b.jsonl") == ["a"]


# --- bad input, one line each ---------------------------------------------------------------------

BAD = {
    "a.txt": {
        b"a b c\n\n\xff": "a.txt: byte 7 is 0xff, which is not UTF-8: save it as UTF-8",
        "\ufeffä\nb\xff".encode("utf-8")[:-2] + b"\xe4": "a.txt: byte 7 is 0xe4",
        b"a b\0c": "a.txt: byte 3 is NUL, which is no text",
        b"a " * LONG + b"\xff": f"a.txt: byte {2 * LONG:,} is 0xff",
    },
    "a.jsonl": {
        b"": "a.jsonl is empty",
        b'{"text": "a"}\n{"text": ': "line 2 of .*a.jsonl is no JSON",
        b'{"text": "a"}\n["b"]': "line 2 of .*a.jsonl is no object",
        b'{"text": "a"}\n{"text": 5}': "line 2 of .*a.jsonl: a text is wanted.* got int",
        b'{"text": "a"}\n{"text": "\xff"}': "line 2 of .*a.jsonl: byte 0 is 0xff",
        b'{"a": "x", "b": "y"}': r"columns a, b: which .* the text .* data\.text_column=NAME",
    },
    "a.csv": {
        b"": "a.csv is empty",
        b"text,n\na,b,c": "line 2 of .*a.csv has 3 cells and the first one 2",
        b"n,title\n1,a\0": "NUL",
    },
    "a.parquet": {b"": "a.parquet cannot be read", b"PAR1": "a.parquet cannot be read"},
}


@pytest.mark.parametrize(("name", "content"), [(n, c) for n, cases in BAD.items() for c in cases])
def test_bad_files_are_errors_that_say_what_and_where(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    refused(BAD[name][content], read, tmp_path / name)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_column_that_is_missing_or_not_clear_is_told_with_those_that_are_there(ending, tmp_path):
    path = table(tmp_path / f"a.{ending}", "first", second=TEXTS)
    refused("no column 'third': found id, second, first", read, path, "third")
    refused("columns id, second, first: which of them is the text", read, path)


def test_a_folder_is_empty_or_of_several_kinds(tmp_path):
    missing(r"no \.txt files in .*, nor \.csv, \.jsonl", read, tmp_path)
    table(tmp_path / "a.csv")
    (tmp_path / "b.txt").write_text("a")
    refused(r"files of several kinds \(\.csv, \.txt\): give one", read, tmp_path)
    (tmp_path / "b.txt").rename(tmp_path / ".b.txt")
    assert read(tmp_path) == TEXTS
