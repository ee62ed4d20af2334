"""One's own texts in a table: formats, columns that are found or named, and mistakes (S60, S66)."""

import subprocess
import sys

import pytest

from datamodules.sources import columns
from datamodules.sources.columns import FIND, Columns
from tests import data
from tests.data import refused
from tests.datamodules.tables import write

TEXTS = ["good film, quite", "bad\nfilm", "caf\u00e9 film"] * 20
LABELS = ["pos", "neg", "neither"] * 20


def opened(path, **overrides):
    return data.opened("labelled_text", source=str(path), batch_size=8, **overrides)


FORMATS = pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])


@FORMATS
@pytest.mark.parametrize("in_folder", [False, True])
def test_each_format_gives_the_same_texts(tmp_path, ending, in_folder):
    path = write(tmp_path / f"said.{ending}", {"text": TEXTS, "label": LABELS})
    data = opened(tmp_path if in_folder else path)
    assert data.info["classes"] == ["neg", "neither", "pos"]
    told = {"pos": "good film quite", "neg": "bad film", "neither": "caf\u00e9 film"}
    texts, labels = data.arrays("train")
    assert texts == [told[data.info["classes"][label]] for label in labels]
    assert sum(data.info["samples"].values()) == 60


@FORMATS
def test_columns_are_found_by_their_usual_names_and_can_be_named(tmp_path, ending):
    columns = {"id": list(range(60)), "Review Text": TEXTS, "stars": [1, 2, 10] * 20}
    path = write(tmp_path / f"a.{ending}", {**columns, "title": LABELS})
    found = opened(path)
    assert found.info["classes"] == ["1", "2", "10"]  # in the order of numbers
    assert "quite" in found.input.vocabulary
    named = opened(path, text_column="title", label_column="Review Text")
    assert named.info["num_classes"] == 3
    assert sorted(named.input.vocabulary) == ["neg", "neither", "pos"]


@FORMATS
def test_a_column_of_splits_is_kept(tmp_path, ending):
    splits = ["train"] * 40 + ["dev"] * 10 + ["Test"] * 10
    path = write(tmp_path / f"a.{ending}", {"text": TEXTS, "label": LABELS, "split": splits})
    assert opened(path).info["samples"] == {"train": 40, "val": 10, "test": 10}


@pytest.mark.parametrize(("names", "wanted"), [
    (["label", "text"], ("text", "label")), (["", "tweet", "target"], ("tweet", "target")),
    (["comment", "text", "label", "class"], ("text", "label")),  # by name, whatever else
    (["sentence", "Sentiment", "id"], ("sentence", "Sentiment")),
    # the only other one
    (["said", "label"], ("said", "label")), (["text", "verdict", "split"], ("text", "verdict")),
])  # fmt: skip
def test_what_a_person_would_call_the_columns_is_found(names, wanted):
    assert columns.choose("a.csv", names, FIND) == wanted


@pytest.mark.parametrize("names", [
    ["said", "verdict"], ["comment", "review", "label"], ["text", "stars", "class"], ["x"],
])  # fmt: skip
def test_columns_that_are_not_clear_are_listed_with_the_way_out(names):
    with pytest.raises(ValueError, match=rf"a\.csv has the columns {', '.join(names)}: .*label_co"):
        columns.choose("a.csv", names, FIND)


def test_what_is_no_text_leaves_one_column_that_is():
    names = ["said", "verdict"]
    assert columns.choose("a", names, FIND, ["said"]) == ("said", "verdict")
    assert columns.choose("a", names, Columns("verdict", None)) == ("verdict", "said")


def test_a_column_that_is_not_there_is_named(tmp_path, command):
    path = write(tmp_path / "a.csv", {"text": TEXTS, "label": LABELS})
    told = ["data=labelled_text", f"data.source={path}", "data.label_column=verdict"]
    assert "has no column 'verdict': found text, label" in command.failed("train", *told)


@pytest.mark.parametrize(("line", "said"), [
    ('{"text": "x", "label": "a"', "line 3 of .* is no JSON"),
    ('["x", "a"]', "line 3 of .* is no object like"),
    ('{"text": "x"}', "line 3 of .* has no label"),
    ('{"text": 5, "label": "a"}', "line 3 of .*: a text is wanted"),
])  # fmt: skip
def test_a_line_that_is_wrong_is_named(tmp_path, line, said):
    lines = [f'{{"text": "x {i}", "label": "{"ab"[i % 2]}"}}' for i in range(40)]
    (tmp_path / "a.jsonl").write_text("\n".join([lines[0], "", line, *lines[1:]]))
    refused(said, opened, tmp_path / "a.jsonl")


def test_a_parquet_file_keeps_the_names_of_its_classes(tmp_path):
    import datasets

    kinds = {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "maybe"])}
    columns = {"text": TEXTS, "label": [0, 1] * 30}
    rows = datasets.Dataset.from_dict(columns, datasets.Features(kinds))
    rows.to_parquet(tmp_path / "a.parquet")
    assert opened(tmp_path / "a.parquet").info["classes"] == ["no", "maybe"]


def test_a_damaged_parquet_file_and_a_row_without_label_are_one_line(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 nothing")
    refused(r"[Pp]arquet", opened, tmp_path / "a.parquet")
    path = write(tmp_path / "b.parquet", {"text": ["a", "b", "c"], "label": ["x", "y", None]})
    refused("row 2 of all has no label", opened, path)


def test_numbers_are_ordered_as_numbers_and_words_as_words():
    assert columns.in_order({"10", "9", "-1"}) == ["-1", "9", "10"]
    assert columns.in_order({"10", "9", "b"}) == ["10", "9", "b"]


# Bad bytes: reliability 20


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl"])
def test_bytes_that_are_not_utf8_stop_are_skipped_or_are_replaced(tmp_path, ending):
    path = write(tmp_path / f"a.{ending}", {"text": TEXTS, "label": LABELS})
    path.write_bytes(path.read_bytes().replace(b"good", b"go\xe9d", 2))
    refused(r"line [12] of .*: byte 2 is 0xe9.*skip.*broken=replace", opened, path)
    assert sum(opened(path, broken="skip").info["samples"].values()) == 58
    data = opened(path, broken="replace")
    assert sum(data.info["samples"].values()) == 60
    assert {"go", "d"} <= set(data.input.vocabulary)


@pytest.mark.parametrize("bad", [b"\xff\xfe", b"a\0\0"])
def test_replaced_bytes_of_files_are_counted_in_one_printed_line(tmp_path, bad, command):
    for name in ("neg", "pos"):
        (tmp_path / "in" / name).mkdir(parents=True)
        for i in range(40):
            (tmp_path / "in" / name / f"{i}.txt").write_text(f"{name} {i}")
    (tmp_path / "in/neg/3.txt").write_bytes(b"quite " + bad)
    told = ["data=labelled_text", f"data.source={tmp_path / 'in'}", "trainer=smoke"]
    assert "3.txt: byte" in command.failed("train", *told)
    code, _, err = command("train", *told, "data.broken=replace")
    assert code == 0, err
    assert "replaced  2 bad bytes in 1 text(s)" in err


MILLION = """
import resource, sys
import zoo

data = zoo.create_data("labelled_text", source=sys.argv[1], batch_size=512)
data.setup("fit")
served = sum(len(data.on_after_batch_transfer(b, 0)[1]) for b in data.train_dataloader())
print(served, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


@pytest.mark.slow
def test_a_million_short_texts_take_less_than_four_gibibytes(tmp_path, own_cache):
    with (tmp_path / "a.csv").open("w") as file:
        file.write("text,label\n")
        for i in range(1_000_000):
            file.write(f"it is w{i % 7919} and w{i * i % 50021} of w{i % 4001},{'ab'[i % 2]}\n")
    told = [sys.executable, "-c", MILLION, str(tmp_path / "a.csv")]
    done = subprocess.run(told, capture_output=True, text=True, check=True)
    served, peak = map(int, done.stdout.splitlines()[-1].split())  # below the bars
    assert served == 720_000 // 512 * 512
    assert peak < 4 * 2**30
