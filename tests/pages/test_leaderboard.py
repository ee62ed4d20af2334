"""The page of `zoo auto`: it opens from disk, says the answer first, and shows what it was told."""

import re

import numpy as np
import pytest

from tests.automl.test_evidence import EVERY, LATE, N, summed
from tests.training.test_report import EVIL, Reader
from zoo.figures.html import draw
from zoo.figures.kinds import Audio, Grid, Intervals, Strip, Table
from zoo.pages import leaderboard as page

TEST = {"test/accuracy": 0.9375, "test/accuracy/low": 0.91, "test/accuracy/high": 0.962,
        "test/loss": 0.24134, "test/calibration_error": 0.0231}  # fmt: skip
OWN = {"minutes": 10, "command": f"zoo auto 'data={EVIL}'", "data": "pets", "test": TEST}
FAILED = LATE._replace(name="bad", status="failed", reason=EVIL, title=EVIL)
SUMMARY = {**summed([*EVERY, FAILED], curve=[(60, 0.5), (240, 0.6)]), **OWN}


@pytest.fixture
def written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(summary, *thumbnails):
        (folder := tmp_path / "runs" / "pets").mkdir(parents=True, exist_ok=True)
        html = page.write(folder, summary, *thumbnails).read_text()
        Reader(html)
        assert "<script" not in html
        assert not re.search(r"https?://|(?:src|href)=.(?!data:)", html)
        return html

    return write


def test_the_page_says_the_answer_first_and_all_of_the_rest(written):
    html = written(SUMMARY)
    titles = re.findall(r"<h[12]>(.+?)</h", html)
    assert titles == [
        "pets: 93.75 % right", "The answer", "What to try next", "How to use it", "What was tried",
        "More data", *["Labels that look wrong"] * bool(SUMMARY["suspects"]), "Worst mistakes",
        "Classes", "How to repeat it",
    ]  # fmt: skip
    assert "is the weighted average of net (75 %), svm (25 %)." in html
    assert "93.75 % right (95 % interval 91.00 to 96.20 %, log loss 0.241, " in html
    assert "expected calibration error 0.0231)" in html
    assert "zoo predict runs/pets/predictor FILE" in html
    for line in SUMMARY["advice"]:
        assert "<li>" + line.replace("<", "&lt;").split("&")[0][:40].replace("'", "&#39;") in html


def test_without_test_curve_mistakes_or_scores_there_is_a_page(written):
    bare = {**SUMMARY, "test": None, "curve": [], "mistakes": [], "suspects": [], "advice": []}
    for one in (bare["predictor"], *bare["candidates"]):
        assert one["accuracy"] is None or one["accuracy"] > 0
    html = written({**bare, "predictor": {**bare["predictor"], "accuracy": None}})
    assert "<h1>pets</h1>" in html
    assert not re.search("test split, by|More data|mistakes|try next|>predictor<.*<i", html)


def test_what_was_tried_is_drawn_and_what_did_not_finish_is_named():
    drawn = page.intervals(SUMMARY)
    assert list(drawn.names) == ["predictor", "net", "svm", "weak"]
    best = SUMMARY["candidates"][0]
    assert (drawn.values[1], drawn.ranges[1]) == (
        100 * best["accuracy"], (100 * best["low"], 100 * best["high"]),
    )  # fmt: skip
    table = page.candidates(SUMMARY)
    assert table.header == ("", "log loss", "weight", "minutes", "MB", "status")
    states = ["".join(row[-1].split()) for row in table.rows]
    assert states == ["", "", "", "", "outoftime", "failed"]
    assert page.candidates(summed(EVERY[2:])).header[-1] == "MB"
    assert page.about(SUMMARY)["bad"] == f"{EVIL}: {EVIL}"
    assert "late" not in page.about(SUMMARY)
    assert page.about(summed([EVERY[2], EVERY[3]._replace(title="net")])).keys() == {"svm"}


def test_classes_stand_worst_first_and_those_without_samples_last():
    classes = [{"name": n, "samples": s, "accuracy": a}
               for n, s, a in (("a", 9, 1.0), ("b", 0, None), ("c", 1200, 0.5))]  # fmt: skip
    rows = page.per_class({"classes": classes}).rows
    assert rows == [("c", "1,200", "50 %"), ("a", "9", "100 %"), ("b", "0", "-")]


@pytest.mark.parametrize(("raw", "kind"), [
    (np.zeros((300, 200, 3), np.uint8), Grid), (np.zeros((200, 300, 1), np.uint8), Grid),
    (np.zeros((8, 8), np.uint8), Grid), (np.zeros((3, 8, 8, 1), np.uint8), Strip),
    (np.zeros(100), Audio), ("a film", Table),
])  # fmt: skip
def test_mistakes_are_shown_as_they_are(raw, kind, written):
    picture = page.samples(SUMMARY["mistakes"], dict.fromkeys(range(N), raw), 8000)
    assert isinstance(picture, kind)
    if kind is Grid:
        assert max(picture.images[0].shape) == min(128, max(raw.shape))
    written(SUMMARY, dict.fromkeys(range(N), raw), 8000)


def test_mistakes_without_pictures_are_named():
    table, first = page.samples(SUMMARY["mistakes"], {}, 0), SUMMARY["mistakes"][0]
    sure = f"{100 * first['probability']:.0f} %"
    assert table.rows[0] == (first["truth"], first["answer"], sure, first["sample"])
    assert len(page.samples(SUMMARY["mistakes"] * 9, {}, 0).rows) == 24


def test_intervals_share_a_scale_and_the_first_value_is_marked():
    drawn = draw("i", Intervals(["a", "b"], [60, 50], [(50, 70), (30, 55)], "%"))
    assert re.findall(r"left:([\d.]+)%;width:([\d.]+)%", drawn) == [
        ("50.0", "50.0"),
        ("0.0", "62.5"),
    ]
    assert re.findall(r'<b style="left:([\d.]+)%', drawn) == ["75.0", "50.0"]
    assert "--zero:75.0%" in drawn
    assert re.findall(r'class="number">([^<]+)', drawn)[0] == "60.0 (50.0 to 70.0)"
    assert "0.0%;width:0.0%" in draw("i", Intervals(["a"], [1], [(1, 1)]))
