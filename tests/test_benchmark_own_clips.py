"""`python -m benchmarks.own_clips`: which clips are learned from and held out, and its table."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from benchmarks import own_clips
from benchmarks.own_clips import Score, draw, line, main, write
from datamodules.sources.rows import Rows


def test_no_clip_is_both_learned_from_and_held_out_and_classes_are_in_proportion():
    rows = Rows([Path(str(i)) for i in range(400)], np.arange(400) % 4)
    parts, others = draw(rows, 60, 0), draw(rows, 60, 1)
    learned, held_out = ({*part.raws} for part in parts.values())
    assert not learned & held_out
    assert [np.bincount(part.labels).tolist() for part in parts.values()] == [[15] * 4, [75] * 4]
    assert {*others["train"].raws} != learned == {*draw(rows, 60, 0)["train"].raws}


def test_the_test_split_is_not_among_them(tmp_path, monkeypatch):
    import_module("tests.tiny.drone_video").write(tmp_path / "data" / "drone_video")
    monkeypatch.setenv("ZOO_DATA", str(tmp_path / "data"))
    assert write("drone_video", 20, 0, tmp_path) == 12
    files = [*tmp_path.glob("clips/*/*/*")]
    assert {file.resolve().parts[-3] for file in files} == {"train"}
    assert len({file.resolve() for file in files}) == 32


def test_grey_clips_of_a_program_become_folders_of_frames(tmp_path, monkeypatch):
    monkeypatch.setattr(own_clips, "HELD_OUT", 4)
    assert write("moving_digits", 8, 0, tmp_path) == 4
    clips = [*tmp_path.glob("clips/*/*/*")]
    assert [len([*clip.glob("*.png")]) for clip in clips] == [10] * 12


def test_a_line_has_means_over_seeds_losses_among_them(monkeypatch, capsys):
    scores = [Score(74, 0.75, 0.7, 1.0), Score(74, 0.8, 0.9, 2.0)]
    assert line("drone_video", 150, scores) == (
        "| drone_video | 150 | 2 x 74 | 77.5% | 80.0% | +2.5 (-5.0 to +10.0) | 1.5 |"
    )
    asked = []
    monkeypatch.setattr(own_clips, "measure", lambda *one: asked.append(one) or scores[0])
    main(["a:9", "b:8", "--seeds", "3,4", "--with", "model=x"])
    assert asked == [(name, n, s, ["model=x"]) for name, n in (("a", 9), ("b", 8)) for s in (3, 4)]
    assert capsys.readouterr().out.count("\n| ") == 2


@pytest.mark.slow
def test_a_score_is_a_runs_own(tmp_path, monkeypatch):
    import_module("tests.tiny.drone_video").write(tmp_path / "data" / "drone_video")
    monkeypatch.setenv("ZOO_DATA", str(tmp_path / "data"))
    score = own_clips.measure("drone_video", 24, 0, ["trainer.max_epochs=1"])
    assert score.held_out == 8
    assert score.baseline == 1  # each class has a grey of its own
    assert 0 <= score.network <= 1
