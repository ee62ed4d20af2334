"""Rows that stood get today's digest where the net has found their runs equal."""

from scripts import restamp


def test_only_rows_that_stood_and_came_out_alike_are_restamped(monkeypatch):
    monkeypatch.setattr(restamp.reproduce, "digest_of", lambda name: f"today's of {name}")
    names = ("alike", "other", "unknown", "earlier")
    rows = {name: {"digest": "old", "earlier_code": name == "earlier"} for name in names}
    before = {"alike": ["a"], "other": ["b"], "earlier": ["d"]}
    after = {"alike": ["a"], "other": ["c"], "earlier": ["d"], "unknown": ["e"]}
    figures = restamp.restamp(rows, before, after)
    assert figures["alike"]["digest"] == "today's of alike"
    assert {figures[name]["digest"] for name in ("other", "unknown", "earlier")} == {"old"}
