"""Tables with labels as people have them: splits, columns, missing labels, files (S60, S66)."""

import gzip
import json
import shutil

import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from datamodules.sources import layouts
from datamodules.sources.columns import FIND, Columns
from tests import data
from tests.data import missing, refused
from tests.datamodules.tables import write

TEXTS = [f"film number {i}" for i in range(40)]
LABELS = ["pos", "neg"] * 20


def opened(location, kind=layouts.TEXTS, cols=FIND, broken="error"):
    return layouts.open_source(location, location.parent / "scratch", kind, cols, broken)


def content(source):
    """Of each split, what its rows hold and their classes."""
    return {
        split: [(raw, source.classes[i]) for raw, i in zip(rows.raws, rows.labels, strict=True)]
        for split, rows in source.splits.items()
    }


def lines(path, *rows, end="\n", encoding="utf-8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(row + end for row in rows), encoding=encoding, newline="")
    return path


@pytest.fixture
def pictures(tmp_path):
    """A folder with images/0.png to images/5.png."""
    folder = tmp_path / "pets"
    (folder / "images").mkdir(parents=True)
    for i in range(6):
        Image.new("L", (8, 8), 40 * i).save(folder / "images" / f"{i}.png")
    return folder


# --- splits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [
    {"train": "train", "test": "test"}, {"train": "Train", "val": "valid", "test": "TEST"},
    {"train": "reviews_train", "val": "reviews-dev", "test": "reviews.test"},
    {"train": "training_set", "val": "validation_set"},
])  # fmt: skip
@pytest.mark.parametrize("below", ["", "data"])
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_tables_with_the_names_of_splits_are_splits(tmp_path, names, below, ending):
    (tmp_path / "in" / below).mkdir(parents=True)
    for name in names.values():
        columns = {"text": [name, f"not {name}"], "label": ["a", "b"]}
        write(tmp_path / "in" / below / f"{name}.{ending}", columns)
    source = opened(tmp_path / "in")
    wanted = {split: [(name, "a"), (f"not {name}", "b")] for split, name in names.items()}
    assert (content(source), source.notes) == (wanted, [])


@pytest.mark.parametrize("layout", ["train.csv", "data/train.csv", "train/metadata.csv"])
def test_tables_of_files_are_splits_too(pictures, layout):
    for split, numbers in (("train", [0, 1, 2]), ("test", [3, 4])):
        table = pictures / layout.replace("train", split)
        rows = [f"images/{i}.png,{'odd' if i % 2 else 'even'}" for i in numbers]
        lines(table, "file_name,label", *rows)
        if table.parent != pictures:
            shutil.copytree(pictures / "images", table.parent / "images", dirs_exist_ok=True)
    splits = content(opened(pictures, layouts.PICTURES))
    assert {split: [raw.stem for raw, _ in rows] for split, rows in splits.items()} == {
        "train": ["0", "1", "2"], "test": ["3", "4"]
    }  # fmt: skip


def test_what_lies_beside_the_splits_is_named(tmp_path):
    lines(tmp_path / "in/train.csv", "id,text,target", "1,good,1", "2,bad,0")
    lines(tmp_path / "in/test.csv", "id,text", "3,fair")
    lines(tmp_path / "in/sample_submission.csv", "id,target", "3,0")
    source = opened(tmp_path / "in")
    assert content(source) == {"all": [("good", "1"), ("bad", "0")]}
    assert source.notes == ["tables    train.csv; passed over: sample_submission.csv, test.csv"]


@pytest.mark.parametrize("names", [
    ["a.csv", "b.csv"], ["train.csv", "more.csv"], ["train.csv", "train.tsv"],
    ["val.csv", "test.csv"],
])  # fmt: skip
def test_several_tables_are_not_guessed_between(tmp_path, names):
    for name in names:
        write(tmp_path / name, {"text": ["x"], "label": ["a"]})
    said = refused("several tables", opened, tmp_path)
    assert "call them train, val and test, or give one of them as data.source" in said


# --- columns --------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", [
    "file,label", "file_name,label", "filename,category", "image,class", "path,target",
    "Image Path,Class", "File,Label", "file, label", "FILE,LABEL", "\ufefffile,label",
])  # fmt: skip
def test_the_columns_of_files_are_found(pictures, header):
    lines(pictures / "metadata.csv", header, *(f"images/{i}.png,{'ab'[i % 2]}" for i in range(6)))
    wanted = [(pictures / f"images/{i}.png", "ab"[i % 2]) for i in range(6)]
    assert content(opened(pictures, layouts.PICTURES)) == {"all": wanted}


@pytest.mark.parametrize("header", ["Text,Label", "text, label", "TEXT,LABEL", "Review Text,stars"])
def test_the_columns_of_texts_are_found(tmp_path, header):
    path = lines(tmp_path / "a.csv", header, "good,a", "bad,b")
    assert content(opened(path)) == {"all": [("good", "a"), ("bad", "b")]}


def test_a_table_may_name_files_of_texts(tmp_path):
    table = lines(tmp_path / "a.csv", "file,label", "0.txt,a", "1.txt,b")
    wanted = [(lines(tmp_path / f"{i}.txt", "so"), "ab"[i]) for i in range(2)]
    assert content(opened(table)) == {"all": wanted}


def test_columns_of_files_can_be_named(pictures):
    rows = [f"{i},images/{i}.png,{'ab'[i % 2]},{'old' if i < 3 else 'new'}" for i in range(6)]
    table = lines(pictures / "list.csv", "n,where,breed,age", *rows)
    said = "columns n, where, breed, age: .*data.file_column=NAME data.label_column=NAME"
    refused(said, opened, table, layouts.PICTURES)
    for location in (pictures, table):
        options = {"file_column": "where", "label_column": "age", "batch_size": 1}
        read = data.opened("image_folder", source=str(location), **options)
        assert read.info["classes"] == ["new", "old"]
        digest = read.cache_key()
        read.hparams["label_column"] = "breed"
        assert read.cache_key() != digest


def test_a_column_that_no_table_of_the_folder_has_is_named(pictures):
    lines(pictures / "a.csv", "file,label", "images/0.png,a", "images/1.png,b")
    said = "holds no table with the column where and age"
    refused(said, opened, pictures, layouts.PICTURES, Columns(None, "where", "age"))


def test_the_named_columns_of_a_parquet_file_of_pictures_are_used(pictures, tmp_path):
    import datasets

    files = [{"bytes": (pictures / f"images/{i}.png").read_bytes(), "path": None} for i in range(4)]
    table = {"image": files, "label": [0, 1] * 2, "age": ["old", "old", "new", "new"]}
    kinds = {"image": datasets.Image(), "label": datasets.ClassLabel(names=["a", "b"])}
    features = datasets.Features({**kinds, "age": datasets.Value("string")})
    (tmp_path / "hub").mkdir()
    datasets.Dataset.from_dict(table, features).to_parquet(tmp_path / "hub/train.parquet")
    source = opened(tmp_path / "hub", layouts.PICTURES, Columns(None, "age"))
    labels = source.splits["train"].labels.tolist()
    assert (source.classes, labels) == (["new", "old"], [1, 1, 0, 0])
    other = Columns(None, "x")
    refused("no column 'x': found image", opened, tmp_path / "hub", layouts.PICTURES, other)


@pytest.mark.parametrize(("rows", "said"), [
    (["good film,pos", "bad film,neg"], "columns good film, pos: .*is a row, not a header, write"),
    (["text,text,label", "a,b,c"], "2 columns 'text': rename all but one"),
    (["text,label,label", "a,b,c"], "2 columns 'label'"),
    (["text,label", "x,a", "y,a"], r"1 class\(es\)"), (["text,label"], r"0 class\(es\)"),
    (["text,label,split", "x,a,trian"], "the split 'trian'"),
])  # fmt: skip
def test_a_table_with_a_mistake_is_told(tmp_path, rows, said):
    refused(said, opened, lines(tmp_path / "a.csv", *rows))


def test_a_header_of_files_that_is_a_row_is_told(pictures):
    table = lines(pictures / "a.csv", "images/0.png,cat", "images/1.png,dog")
    refused("is a row, not a header, write file,label in", opened, table, layouts.PICTURES)


def test_a_column_that_the_first_rows_of_a_jsonl_lack_is_found(tmp_path):
    rows = [{"text": "a"}, {"text": "b", "label": "x"}, {"label": "y", "text": "c"}]
    path = lines(tmp_path / "a.jsonl", *map(json.dumps, rows))
    refused("line 1 of .* has no label; data.broken=skip", opened, path)
    assert content(opened(path, broken="skip")) == {"all": [("b", "x"), ("c", "y")]}


# --- how they are written -------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "separator", "note"), [
    ("a.csv", ";", "separated by semicolons"), ("a.csv", "\t", "separated by tabs"),
    ("a.csv", "|", "separated by bars"), ("a.tsv", "\t", None), ("a.tab", "\t", None),
    ("a.tsv", ",", "separated by commas"),
])  # fmt: skip
def test_an_unusual_separator_is_a_note(tmp_path, name, separator, note, capsys):
    rows = [separator.join(row) for row in zip(TEXTS, LABELS, strict=True)]
    path = lines(tmp_path / name, f"text{separator}label", *rows)
    assert opened(path).notes == ([f"table     {name} is {note}"] if note else [])


def test_the_notes_of_a_table_are_those_of_its_data(tmp_path):
    path = lines(tmp_path / "a.csv", "text;label", *["good;a", "bad;b"] * 9)
    notes = data.opened("labelled_text", source=str(path), batch_size=4).notes
    assert "table     a.csv is separated by semicolons" in notes


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_line_ends_and_byte_order_marks_are_read(tmp_path, end, encoding):
    rows = ["text\tlabel", "caf\xe9\ta", "", "tea\tb"]
    path = lines(tmp_path / "a.csv", *rows, end=end, encoding=encoding)
    source = opened(path)
    assert content(source) == {"all": [("caf\xe9", "a"), ("tea", "b")]}
    assert ("is in UTF-" in source.notes[0]) == (encoding in ("utf-16", "utf-32"))


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl"])
def test_a_compressed_table_is_read_and_a_damaged_one_is_a_line(tmp_path, ending):
    plain = write(tmp_path / f"in.{ending}", {"text": ["a", "b"], "label": ["x", "y"]})
    path = tmp_path / f"a.{ending}.gz"
    path.write_bytes(packed := gzip.compress(plain.read_bytes()))
    assert content(opened(path)) == {"all": [("a", "x"), ("b", "y")]}
    for damaged in (packed[:-12], b"text,label\na,b\n"):
        path.write_bytes(damaged)
        refused(r"a\..*\.gz cannot be read", opened, path)


@pytest.mark.parametrize(("content", "said"), [
    (b"text,label\ngood,caf\xe9\nbad,b\n", r"line 2 of .*'caf\\udce9', which is not UTF-8"),
    ("text,label\na,b\n".encode("utf-16-le"), "holds NUL .* a table in UTF-8 is wanted"),
    ("text,label\na,b\n".encode("utf-16")[:-1], "cannot be read: .*utf-16"),
])  # fmt: skip
def test_other_encodings_are_a_line(tmp_path, content, said):
    (tmp_path / "a.csv").write_bytes(content)
    refused(said, opened, tmp_path / "a.csv")


# --- stray quote marks ----------------------------------------------------------------------------


@pytest.mark.parametrize("stray", [
    {20: '"%s,%s'}, {6: '"%s,%s', 26: '"%s,%s'}, {6: '"%s,%s', 26: '%s",%s'}, {39: '"%s,%s'},
    {0: '"%s,%s', 39: '%s",%s'}, {3: '" %s "x" ,%s'},
])  # fmt: skip
@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_stray_quote_marks_take_no_row(tmp_path, stray, name):
    rows = [stray.get(i, "%s,%s") % row for i, row in enumerate(zip(TEXTS, LABELS, strict=True))]
    rows = [row.replace(",", "\t") for row in rows] if name == "a.tsv" else rows
    head = "text\tlabel" if name == "a.tsv" else "text,label"
    source = opened(lines(tmp_path / name, head, *rows))
    (read,) = content(source).values()
    assert [label for _, label in read] == LABELS
    assert [raw.replace('"', "").replace("x", "").strip() for raw, _ in read] == TEXTS
    assert f"the first is in line {min(stray) + 2}" in source.notes[0]


def test_a_quote_mark_that_cannot_be_read_names_its_line_or_is_skipped(tmp_path):
    rows = [f"{text},{label}" for text, label in zip(TEXTS, LABELS, strict=True)]
    rows[9] = '"good, they say,pos'
    path = lines(tmp_path / "a.csv", "text,label", *rows)
    refused(r"line 11 of .*a\.csv has a quote mark .*; data.broken=skip", opened, path)
    source = opened(path, broken="skip")
    assert [raw for raw, _ in content(source)["all"]] == TEXTS[:9] + TEXTS[10:]
    assert len(source.skipped) == 1


def test_texts_of_several_lines_stay_whole(tmp_path):
    texts = ["one, two\nthree, four", "a,b\nc,d", "x\n\ny"] * 4
    path = write(tmp_path / "a.csv", {"text": texts, "label": LABELS[:12]})
    source = opened(path)
    assert ([raw for raw, _ in content(source)["all"]], source.notes) == (texts, [])


# --- labels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_rows_without_a_label_are_counted(tmp_path, ending):
    labels = ["pos", "NaN", "neg", "", "None", "neg"]
    path = write(tmp_path / f"a.{ending}", {"text": TEXTS[:6], "label": labels})
    place = "row 1 of all" if ending == "parquet" else f"line {2 if ending == 'jsonl' else 3} of"
    said = rf"{place}.* has no label \(NaN\); a class .* \(and 2 more rows\); data.broken=skip"
    refused(said, opened, path)
    source = opened(path, broken="skip")
    assert (source.classes, len(source.skipped)) == (["neg", "pos"], 3)
    assert content(source)["all"] == [(TEXTS[0], "pos"), (TEXTS[2], "neg"), (TEXTS[5], "neg")]
    none = write(tmp_path / f"none.{ending}", {"text": TEXTS[:2], "label": ["", "NaN"]})
    said = r"0 class\(es\)" if ending == "parquet" else "no row of .* can be read: .*has no label"
    refused(said, opened, none, broken="skip")


def test_null_labels_of_numbers_are_missing_too(tmp_path):
    table = pa.table({"text": ["a", "b", "c"], "label": [1.0, None, 2.0]})
    parquet.write_table(table, tmp_path / "a.parquet")
    source = opened(tmp_path / "a.parquet", broken="skip")
    assert content(source) == {"all": [("a", "1"), ("c", "2")]}
    labels = {"a": "1", "b": "NaN", "c": "true"}.items()
    path = lines(tmp_path / "a.jsonl", *(f'{{"text": "{a}", "label": {b}}}' for a, b in labels))
    assert content(opened(path, broken="skip")) == {"all": [("a", "1"), ("c", "True")]}


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_one_and_one_point_nought_are_a_class_over_all_splits(tmp_path, ending):
    for name, labels in (("train", ["1", "2"]), ("test", ["1.0", "2.0"])):
        write(tmp_path / f"{name}.{ending}", {"text": ["a", "b"], "label": labels})
    location = tmp_path if ending != "parquet" else tmp_path / "test.parquet"
    source = opened(location)
    assert source.classes == ["1", "2"]
    assert source.splits["all" if ending == "parquet" else "test"].labels.tolist() == [0, 1]


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize(("labels", "said"), [
    ([f"t{i}" for i in range(24)], "column 'label': the labels are nearly all different, 24 in 24"),
    ([i / 7 for i in range(24)], "the labels are real numbers.* are not predicted from a table"),
])  # fmt: skip
def test_labels_that_are_no_classes_name_their_column(tmp_path, ending, labels, said):
    path = write(tmp_path / f"a.{ending}", {"text": TEXTS[:24], "label": labels})
    refused(said, opened, path)


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_a_list_of_labels_is_refused(tmp_path, ending):
    path = write(tmp_path / f"a.{ending}", {"text": ["a", "b"], "label": [["x", "y"], ["x"]]})
    refused(r"has the label \['x', 'y'\]: one word or number", opened, path)


# --- files ----------------------------------------------------------------------------------------


def test_a_missing_file_is_told_or_skipped_and_counted(pictures):
    rows = [f"images/{i}.png,{'ab'[i % 2]}" for i in range(8)]
    table = lines(pictures / "a.csv", "file,label", *rows)
    missing(r"line 8 of .*a\.csv names 'images/6\.png', .*\(and 1", opened, table, layouts.PICTURES)
    source = opened(table, layouts.PICTURES, broken="skip")
    assert (len(content(source)["all"]), len(source.skipped)) == (6, 2)


@pytest.mark.parametrize("write_path", [
    lambda i, folder: rf"images\{i}.png", lambda i, folder: str(folder / f"images/{i}.png"),
    lambda i, folder: f"./images/{i}.png ", lambda i, folder: f"images/../images/{i}.png",
])  # fmt: skip
def test_paths_of_windows_and_absolute_ones_are_found(pictures, write_path):
    rows = [f"{write_path(i, pictures)},{'ab'[i % 2]}" for i in range(6)]
    source = opened(lines(pictures / "a.csv", "file,label", *rows), layouts.PICTURES)
    for i, raw in enumerate(source.splits["all"].raws):
        assert raw.samefile(pictures / f"images/{i}.png")


def test_files_in_the_folder_of_their_split_or_class_are_found(pictures):
    (pictures / "train/a").mkdir(parents=True)
    shutil.move(pictures / "images/0.png", pictures / "train/a/0.png")
    shutil.move(pictures / "images", pictures / "b")
    for split, rows in (("train", ["0.png,a", "1.png,b"]), ("test", ["2.png,b"])):
        lines(pictures / f"{split}.csv", "file,label", *rows)
    splits = opened(pictures, layouts.PICTURES).splits
    raws = [*splits["train"].raws, *splits["test"].raws]
    assert raws == [pictures / "train/a/0.png", pictures / "b/1.png", pictures / "b/2.png"]
