"""Separated values: separators, stray quote marks, and pandas on what is well-formed (S60, S66)."""

import csv
import io
import random

import pandas as pd
import pytest

from datamodules.sources.separated import Separated


def read(text, usual=","):
    table = Separated(io.StringIO(text, newline=""), usual)
    return table, [*table.rows(len(table.names))]


def cells(text, usual=","):
    return [row.cells for row in read(text, usual)[1]]


# --- separators -----------------------------------------------------------------------------------


PARTS = ["a", "b c", ",", ";", "\t", "|", '"', "'", "\n", "\r\n", "\xe9"]


@pytest.mark.parametrize(("end", "quoting"), [
    ("\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_MINIMAL), ("\r", csv.QUOTE_ALL),
])  # fmt: skip
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("seed", range(3))
def test_random_tables_are_read_as_pandas_reads_them(separator, end, quoting, seed):
    draw, names = random.Random(seed), ["text", "the label", "n"]
    cell = lambda: "".join(draw.choices(PARTS, k=draw.randint(1, 6))) + "."  # noqa: E731
    written = [[cell() for _ in names] for _ in range(60)]
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=separator, lineterminator=end, quoting=quoting)
    writer.writerows([names, *written])
    table, rows = read(file.getvalue())
    file.seek(0)
    frame = pd.read_csv(file, sep=separator, dtype=str, keep_default_na=False)
    assert (table.names, table.separator) == ([*frame.columns], separator)
    assert [row.cells for row in rows] == frame.to_numpy().tolist() == written
    assert not any(row.stray or row.fault for row in rows)


@pytest.mark.parametrize(("text", "separator"), [
    ("text;label\ngood, very, good;pos", ";"), ("text,label\na; b; c,pos\nd; e,neg", ","),
    ("text, what is said;label\ngood;pos\nbad;neg", ";"),  # the rows decide
    ("text;label,second\na;b,c\nd,e;f", ","), ('"a;b",c\n1,2', ","), ("text\na,b;c", ","),
    ("sep=^\ntext^label\na^b", "^"), ('"sep=;"\r\ntext;label\r\na;b', ";"), ("", ","),
])  # fmt: skip
def test_the_header_tells_the_separator(text, separator):
    assert read(text)[0].separator == separator


def test_a_line_that_names_the_separator_is_counted_and_is_no_row():
    table, (row,) = read("sep=;\n\ntext;label\n\na, b;c\n")
    assert (table.names, row.number, row.cells) == (["text", "label"], 5, ["a, b", "c"])


def test_spaces_behind_all_separators_of_the_header_belong_to_them():
    assert cells('file, label\n"a, b.png", "cat"\n') == [["a, b.png", "cat"]]
    assert cells("file,label\na, cat\n") == [["a", " cat"]]


def test_blank_rows_are_passed_over_and_short_ones_kept():
    assert cells("text,label,\n\n,,\na,b,\n  \nc\n,,\n") == [["a", "b", ""], ["c"]]


# --- quote marks ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("line", "wanted"), [
    ('"never closed,neg', ['"never closed', "neg"]),
    ('"Alien" is good,pos', ['"Alien" is good', "pos"]),
    ('5" disk,pos', ['5" disk', "pos"]),  # no stray: it opens no cell
    ('good,"pos', ["good", '"pos']),
    ('"so "good", he said",pos', None), ('"good, bad,neg', None),
    ('"he said "hi" to me",pos', ['he said "hi" to me', "pos"]),
    ('"well, "hi" to me",pos', ['well, "hi" to me', "pos"]),
    (r'"well, \"hi\", then",pos', ['well, "hi", then', "pos"]),
    ('"good" ,"pos" ', ["good", "pos"]),
])  # fmt: skip
@pytest.mark.parametrize("at", [0, 7, 19])
def test_a_stray_quote_mark_takes_no_row_and_blames_its_own_line(line, wanted, at):
    lines = [f'"film, {i}",pos' if i % 2 else f"film {i},neg" for i in range(20)]
    told = read("\n".join(["text,label", *lines[:at], line, *lines[at:]]))[1]
    assert len(told) == 21
    row, number = told.pop(at), at + 2
    films = [f"film, {i}" if i % 2 else f"film {i}" for i in range(20)]
    assert [one.cells[0] for one in told] == films
    assert row.number == number
    if wanted is None:
        assert "opens a cell and does not close it" in row.fault
    else:
        assert (row.cells, row.fault) == (wanted, "")


def test_lines_between_two_stray_quote_marks_are_offered_as_rows():
    (row,) = read('text,label\n"bad film,neg\n\ngood,pos\nthe mark is ",neg\n')[1]
    assert row.cells == ["bad film,neg\n\ngood,pos\nthe mark is ", "neg"]
    lines = [(2, ['"bad film', "neg"]), (4, ["good", "pos"]), (5, ['the mark is "', "neg"])]
    assert [(one.number, one.cells) for one in row.apart] == lines
    assert read('text,label\n"two\nlines",pos\n')[1][0].apart == ()


def test_a_row_of_too_many_cells_is_a_fault():
    (row,) = read("text,label\ngood, very good,pos\n")[1]
    assert row.fault.startswith("has 3 cells and the first one 2: put texts")
    assert cells("text,label\na,b,,\n") == [["a", "b", "", ""]]


@pytest.mark.parametrize("line", ['"' * 200_001, '"a,' * 100_000, '","' * 100_000, "," * 300_000])
def test_quote_marks_and_separators_without_end_take_no_time(line):
    read("text,label\n" + line)
