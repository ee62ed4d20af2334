"""Texts that are held out of training splits, and the table of what was measured on them."""

import csv
import json

from benchmarks import own_texts


def test_no_text_is_learned_from_and_held_out(monkeypatch, tmp_path):
    pairs = [(f"text {i}", f"c{i % 2}") for i in range(1000)]
    monkeypatch.setattr(own_texts, "reviews", lambda name: pairs)
    own_texts.write_table("imdb", 150, 0, tmp_path)
    rows = {
        split: [
            tuple(row) for row in csv.reader((tmp_path / f"{split}.csv").read_text().splitlines())
        ][1:]
        for split in ("train", "test")
    }
    assert (len(rows["train"]), len(rows["test"])) == (150, own_texts.HELD_OUT)
    assert len({*rows["train"], *rows["test"]}) == 950
    assert {*rows["train"], *rows["test"]} <= {*pairs}


def test_a_row_is_the_mean_over_seeds(monkeypatch, tmp_path, capsys):
    cell = {"data": "imdb", "samples": 300, "model": "text_cnn", "overrides": {}}
    scores = [(0.75, 0.70), (0.70, 0.71)]
    lines = [json.dumps({**cell, "network": a, "baseline": b}) for a, b in scores]
    (tmp_path / "cells.jsonl").write_text("\n".join(lines))
    monkeypatch.setattr(own_texts, "CELLS", tmp_path / "cells.jsonl")
    own_texts.table()
    row = "| imdb | 300 | text_cnn | 2 | 70.5 % | 72.5 % | +2.0 |"
    assert capsys.readouterr().out.splitlines()[-1] == row
