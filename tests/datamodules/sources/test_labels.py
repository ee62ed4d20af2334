"""Cells of a label column: missing ones, the spelling of a class, labels that are no classes."""

import pytest
from pandas._libs.parsers import STR_NA_VALUES

from datamodules.sources.labels import MISSING, check_classes, label_of, unify
from tests.data import refused


def test_missing_is_what_pandas_calls_so():
    assert MISSING == STR_NA_VALUES


@pytest.mark.parametrize("cell", ["", " ", None, float("nan"), "NA", " N/A", "None", "null"])
def test_a_missing_label_is_told_and_how_to_keep_a_class_of_that_name(cell):
    shown = str(cell or "").strip()
    said = refused("has no label", label_of, cell)
    assert (f"({shown}); a class that is called so needs another name" in said) == bool(shown)


@pytest.mark.parametrize("cell", ["none", "NONE", "nil", "no", "0", 0, False])
def test_words_that_are_like_them_are_classes(cell):
    assert label_of(cell) == str(cell)


@pytest.mark.parametrize("cell", [["a", "b"], {"a": 1}])
def test_several_labels_are_refused(cell):
    refused("has the label .*a.*: one word or number is wanted", label_of, cell)


def test_a_label_that_is_no_utf8_is_refused():
    refused(r"'caf\\udce9', which is not UTF-8: save the table as UTF-8", label_of, "caf\udce9")


@pytest.mark.parametrize(("names", "wanted"), [
    (["1", "1.0", "+1", "2.", "-3.00"], ["1", "1", "1", "2", "-3"]), (["1.0", "2.0"], ["1", "2"]),
    (["1.0", "1.5"], ["1.0", "1.5"]), (["1.0", "a"], ["1.0", "a"]), (["01", "1"], ["01", "1"]),
    (["true", "True", "FALSE"], ["True", "True", "False"]), (["true", "maybe"], ["true", "maybe"]),
    (["a", "A"], ["a", "A"]), ([], []),
])  # fmt: skip
def test_a_class_has_one_spelling(names, wanted):
    assert unify(names) == wanted


@pytest.mark.parametrize(("classes", "rows", "said"), [
    ([f"t{i}" for i in range(24)], 24, "^t: .* nearly all different, 24 in 24 .*'t0'.*label_col"),
    ([str(i) for i in range(24)], 24, "nearly all different.*not predicted.*low and high"),
    ([f"{i / 7:.3f}" for i in range(24)], 500, "real numbers, 24 in 500 rows.*'0.000'.*high"),
    ([f"{i},5" for i in range(24)], 500, "real numbers"),
])  # fmt: skip
def test_labels_that_are_no_classes_are_refused(classes, rows, said):
    refused(said, check_classes, classes, rows, "t")


@pytest.mark.parametrize(("classes", "rows"), [
    ([f"t{i}" for i in range(24)], 48), ([f"t{i}" for i in range(10)], 10),
    ([str(i / 2) for i in range(1, 11)], 30), ([str(i) for i in range(100)], 200), ([], 0),
])  # fmt: skip
def test_few_classes_stars_and_years_are_classes(classes, rows):
    check_classes(classes, rows, "t")
