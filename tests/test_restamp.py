"""Rows that stood get today's digest where the net has found their runs equal."""

from scripts import restamp


def test_only_rows_that_stood_and_came_out_alike_are_restamped(monkeypatch):
    monkeypatch.setattr(restamp.reproduce, "digest_of", lambda name: f"today's of {name}")
    names = ("alike", "other", "unknown", "earlier")
    row = {"digest": "old", "metric": "test/loss"}
    rows = {name: {**row, "earlier_code": name == "earlier"} for name in names}
    alike = {"weights": "a", "metrics.csv val/loss": "b"}
    alike |= {"test/loss": "c", "baseline/test/loss": "d"}
    before = dict.fromkeys(("alike", "other", "earlier"), alike)
    today = {**alike, "baseline/loss": "e", "test/f1": "new"}
    after = {**dict.fromkeys(names, today), "other": {**today, "test/loss": "e"}}
    figures = restamp.restamp(rows, before, after)
    assert figures["alike"]["digest"] == "today's of alike"
    assert {figures[name]["digest"] for name in ("other", "unknown", "earlier")} == {"old"}
