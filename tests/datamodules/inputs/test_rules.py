"""The rules of an input that may change stand in its card: an old card keeps the old rule."""

import pytest

from tests.data import refused
from zoo.config import schema

OLD = {  # as cards were before they named the rule
    "text": {"vocabulary": ["a"], "max_length": 2, "padding": "pre", "truncating": "pre"},
    "text_ngrams": {
        "vocabulary": ["a"], "max_length": 2, "padding": "pre", "truncating": "pre", "ngrams": 8,
        "tokenizer": "words",
    },
    "words": {"vocabulary": ["a", "b"], "counts": [2, 1], "window": 1},
    "sound": {"sample_rate": 8000, "levels": 16, "length": 10},
    "clip": {
        "image_size": 8, "channels": 1, "frames": 2, "rate": None, "unfold": False,
        "mean": [0.5], "std": [0.2],
    },
}  # fmt: skip
RULES = {
    "text": ("tokenizer", "words"), "words": ("tokenizer", "words"), "sound": ("windows", "one"),
    "clip": ("windows", "one"), "text_ngrams": ("grams", "once_3_4"),
}  # fmt: skip


@pytest.mark.parametrize("kind", OLD)
def test_a_card_that_names_no_rule_means_the_first_one(kind):
    old, (rule, first) = {"kind": kind, **OLD[kind]}, RULES[kind]
    assert schema.build_input(old).config() == {**old, rule: first}
    assert schema.build_input({**old, rule: first}).config() == {**old, rule: first}


@pytest.mark.parametrize("kind", OLD)
def test_a_rule_that_is_not_there_is_refused_in_one_line(kind):
    rule, first = RULES[kind]
    said = f"^input.{rule} is 'later': it should be '{first}'( or '.*')?$"
    refused(said, schema.build_input, {"kind": kind, **OLD[kind], rule: "later"})
