"""The report: what it compares, what it draws, and that it loads and runs nothing."""

import base64
import html
import io
import re
import wave
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from tests.data import refused
from zoo.figures.html import LOUD, draw
from zoo.figures.kinds import (
    Audio,
    Bars,
    Confusion,
    Curve,
    Grid,
    Intervals,
    Scatter,
    Strip,
    Table,
    Text,
    Tinted,
)
from zoo.figures.raster import GAP
from zoo.figures.svg import HEIGHT, POINTS
from zoo.figures.table import confused, numeric_columns
from zoo.training import report
from zoo.training.comparison import comparison
from zoo.training.report import curves, format_score

RESULTS = {
    "experiment": "image_cnn", "model": "image_cnn", "data": "digits", "seed": 0,
    "test/accuracy": 0.985, "test/accuracy/low": 0.977, "test/accuracy/high": 0.992,
    "test/loss": 0.05, "baseline": "logistic regression", "baseline/test/accuracy": 0.902,
    "target": {"metric": "test/accuracy", "at_least": 0.98}, "parameters": 461000,
    "samples": {"train": 4000, "test": 500}, "train_seconds": 80.1,
    "versions": {"torch": "2.14.1"}, "commit": None, "bundled": True, "smoke": False,
    "command": "zoo train experiment=image_cnn seed=0",
}  # fmt: skip
EVIL = "<script>alert('x')</script> & \"co\""
PICTURES = {
    "Grid": Grid([np.zeros((4, 4), np.uint8)] * 2, ["one", EVIL], columns=2),
    "Sheet": Grid(np.zeros((3, 4, 4, 3), np.uint8)), "Text": Text([EVIL], [EVIL]),
    "Strip": Strip([np.zeros((3, 4, 4, 1), np.uint8)], [EVIL]), "Bars": Bars([EVIL], [1.0], EVIL),
    "Intervals": Intervals([EVIL], [1.0], [(0.5, 2.0)], EVIL),
    "Tinted": Tinted([[(EVIL, 1.0), ("a", -0.5)]], [EVIL], EVIL),
    "Audio": Audio([np.zeros(8)], 8000, [EVIL]), "Table": Table(("name", "n"), [(EVIL, "1")]),
    "Curve": Curve({"a": ([0, 1], [1.0, 2.0]), EVIL: ([0, 1], [2.0, 1.0])}, EVIL, EVIL),
    "Scatter": Scatter(np.eye(2), [EVIL, "b"], [(0, 1)], [EVIL, "two"]),
    "Confusion": Confusion(np.array([[3, 1], [0, 2]]), ["fine", EVIL]),
}  # fmt: skip


@pytest.fixture
def run(tmp_path):
    """Write a run's folder with these results, and its report; give the page."""

    def write(results, figures=None, metrics=""):
        (tmp_path / "config.yaml").write_text("model:\n  width: 32 # <b>\n")
        if metrics:
            (tmp_path / "metrics.csv").write_text(metrics)
        return report.write(tmp_path, results, figures or {}).read_text(encoding="utf-8")

    return write


class Reader(HTMLParser):
    """Collects the tags of a page, and checks that they are closed in order."""

    OPEN = ("meta", "img", "wbr", "path", "circle")

    def __init__(self, page):
        super().__init__()
        self.tags, self.stack = [], []
        self.feed(page)
        assert not self.stack

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in self.OPEN:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag


def said(**changes):
    """The comparison as {first cell: (value, interval, verdict)}."""
    return {name: tuple(rest) for name, *rest in comparison({**RESULTS, **changes}).rows}


def test_baseline_model_and_target_stand_in_one_table():
    assert comparison(RESULTS).header[1] == "test/accuracy"
    assert said() == {
        "logistic regression": ("90.20 %", "", ""),
        "image_cnn": ("98.50 %", "97.70 to 99.20 %", "better than the baseline"),
        "target": ("at least 98.00 %", "", "met"),
    }


@pytest.mark.parametrize(("baseline", "row", "verdict"), [
    (0.995, "logistic regression", "the baseline wins"),
    (0.98, "image_cnn", "better than the baseline, but within the model's interval"),
    (0.99, "logistic regression", "the baseline wins, but within the model's interval"),
    (0.985, "image_cnn", "as good as the baseline"),
])  # fmt: skip
def test_the_winner_is_named_and_a_lead_within_the_interval_is_called_that(baseline, row, verdict):
    rows = said(**{"baseline/test/accuracy": baseline})
    assert (rows.pop(row)[2], [verdict for *_, verdict in rows.values()]) == (verdict, ["", "met"])


def test_of_a_name_that_counts_surprise_or_distance_less_is_better():
    for name in ("loss", "bits_per_sample", "nats", "bce", "frechet", "perplexity"):
        said = []
        for model in (1.0, 3.0):
            rows = comparison({f"test/{name}": model, f"baseline/test/{name}": 2.0}).rows
            said += [row[3] for row in rows]
        assert said == ["", "better than the baseline", "the baseline wins", ""], name


def test_less_is_better_where_the_target_says_so():
    results = {"test/loss": 2.0, "baseline/test/loss": 1.0, "model": "m", "baseline": "b"}
    rows = comparison({**results, "target": {"metric": "test/loss", "at_most": 2.5}}).rows
    assert (rows[0][3], rows[2]) == ("the baseline wins", ("target", "at most 2.5", "", "met"))


def test_a_missed_target_is_missed_and_a_smoke_run_is_not_judged():
    assert said(**{"test/accuracy": 0.9799})["target"][2] == "missed"
    assert said(**{"test/accuracy": float("nan")})["target"][2] == "missed"
    assert said(smoke=True)["target"][2] == "not judged: a smoke run"


def test_without_baseline_and_target_the_model_stands_alone_on_a_score_before_a_loss():
    table = comparison({"test/loss": 0.1, "test/accuracy": 0.9, "test/accuracy/low": 0.8})
    assert table.header[1] == "test/accuracy"
    assert [list(row) for row in table.rows] == [["model", "90.00 %", "", ""]]
    assert comparison({"experiment": "gan"}) == Table((), ())


def test_shares_are_per_cent_and_others_plain():
    assert format_score("val/top5_accuracy", 0.12345) == "12.35 %"
    assert format_score("test/coverage", 0.9) == format_score("test/neighbours", 0.9) == "90.00 %"
    assert format_score("test/bits_per_sample", 2.71828) == "2.718"


@pytest.mark.parametrize("missing", [[key] for key in RESULTS] + [list(RESULTS)])
def test_any_result_may_be_missing(run, missing):
    Reader(run({key: value for key, value in RESULTS.items() if key not in missing}, PICTURES))


def test_the_page_loads_and_runs_nothing_and_each_picture_has_a_text_in_its_place(run):
    page = run(RESULTS, PICTURES, "epoch,step,train/loss\n0,9,1\n1,19,0.5\n")
    tags = Reader(page).tags
    sources = [value for _, at in tags for key, value in at.items() if key in ("src", "href")]
    kinds = [source.split(",")[0] for source in sources]
    assert kinds == 4 * ["data:image/png;base64"] + ["data:audio/wav;base64"]
    assert not {tag for tag, _ in tags} & {"script", "link", "iframe", "object", "base"}
    assert "default-src 'none'; img-src data:; media-src data:; style-src" in page
    assert not re.search(r"https?:|url\(|@import", page)
    assert all(at.get("alt") for tag, at in tags if tag == "img")
    assert all(at.get("aria-label") for tag, at in tags if tag in ("svg", "audio"))


def test_whatever_a_name_holds_is_text(run):
    results = {**RESULTS, "experiment": EVIL, "baseline": EVIL, "command": EVIL, "device": EVIL}
    page = run(results, PICTURES | {EVIL: PICTURES["Table"]})
    assert [one in page for one in ("<script", "<b>", "&lt;script&gt;")] == [False, False, True]
    assert not [at for _, at in Reader(page).tags if 'co"' in at]  # no quote ended an attribute


def test_the_command_labels_and_facts_are_read_as_people_write_them(run):
    more = {"smoke": True, "devices": 2, "lock_free_threads": 3}
    page, other = run(RESULTS), run({**RESULTS, **more})
    assert "<pre>zoo train experiment=image_cnn seed=0</pre>" in page
    assert "Bundled data" in page
    for fact in ("461,000", "1 min 20 s", "torch 2.14.1", "train 4,000, test 500"):
        assert f"<dd>{fact}</dd>" in page
    assert not [word for word in ("None", "lock-free", "Smoke run") if word in page]
    for fact in ("devices</dt><dd>2</dd>", "lock-free threads</dt><dd>3</dd>", "Smoke run"):
        assert fact in other


def test_a_reader_never_sees_half_a_page(run, tmp_path, monkeypatch):
    """It is written as tests/utilities/test_files.py shows."""
    monkeypatch.setattr(report, "replace", lambda path, text: path.with_suffix(".whole").touch())
    with pytest.raises(FileNotFoundError):
        run(RESULTS)
    assert (tmp_path / "report.whole").exists()


def test_training_and_validation_of_a_metric_share_a_curve_and_the_loss_is_first(tmp_path):
    head = "epoch,step,lr,val/accuracy,train/loss,val/loss\n"
    rows = "0,9,0.1,,2.0,\n0,9,,0.5,,1.5\n1,19,0.1,,1.0,\n1,19,,0.6,,1.2\n"
    drawn = curves_of(tmp_path, head + rows)
    assert (list(drawn), drawn["loss"].x_label) == (["loss", "accuracy"], "epoch")
    assert drawn["loss"].lines == {"val": ([1, 2], [1.5, 1.2]), "train": ([1, 2], [2.0, 1.0])}


def curves_of(folder, text):
    (folder / "metrics.csv").write_text(text)
    return curves(folder / "metrics.csv")


def test_a_metric_logged_within_an_epoch_is_drawn_by_step_and_none_of_no_rows(tmp_path):
    head, rows = "epoch,step,train/loss\n", "0,49,2\n0,99,1\n1,149,0.5\n"
    assert curves(tmp_path / "metrics.csv") == curves_of(tmp_path, head) == {}
    wanted = Curve({"train": ([50, 100, 150], [2, 1, 0.5])}, "step", "")
    assert curves_of(tmp_path, head + rows)["loss"] == wanted


def decoded(page, kind):
    """The bytes of each picture or sound in the page."""
    return [base64.b64decode(data) for data in re.findall(f'data:{kind};base64,([^"]+)', page)]


@pytest.mark.parametrize(("length", "channels", "wanted", "told"), [
    (5, 3, [0, 1, 2, 3, 4], "<p>far, 5 frames, 0.2 s</p>"),
    (100, 1, [0, 9, 18, 27, 36, 45, 54, 63, 72, 81, 90, 99], "<p>far, 12 of 100 frames, 4 s</p>"),
])  # fmt: skip
def test_a_clip_is_a_row_of_frames_evenly_between_its_ends(length, channels, wanted, told):
    frames = np.arange(length, dtype=np.uint8)[:, None, None, None]
    page = draw("c", Strip([frames * np.ones((1, 96, 96, channels), np.uint8)], ["far"], rate=25))
    row = np.asarray(Image.open(io.BytesIO(decoded(page, "image/png")[0])))
    assert row.shape == (96, len(wanted) * (96 + GAP) - GAP, 4)
    assert row[0, :: 96 + GAP, 0].tolist() == wanted
    assert told in page


def test_a_passage_keeps_its_spaces_and_its_first_line_end():
    passage = "\n  a\tb \n\n<i>&amp;"
    page = draw("t", Text([passage]))
    inside = re.search(r"<pre>\n(.*?)</pre>", page, re.DOTALL).group(1)  # HTML drops the first \n
    assert html.unescape(inside) == passage
    assert "<i>" not in page


def test_words_are_tinted_by_their_weight_beside_the_greatest_of_their_passage():
    page = draw("t", Tinted([[("not", -4.0), ("a", 0.1), ("good", 2.0)], [("fine", 0.5)]]))
    assert re.findall(r'class="(\w+)" style="--tint:(\S+)" title="(\S+)">(\w+)', page) == [
        ("miss", "1.00", "-4.00", "not"), ("hit", "0.50", "+2.00", "good"),
        ("hit", "1.00", "+0.50", "fine"),
    ]  # fmt: skip
    assert "</span> a <span" in page  # too faint to be seen
    assert "<div>no weight</div>" in draw("t", Tinted([[("no", 0.0), ("weight", 0.0)]]))


def test_a_sound_in_the_page_is_the_wave_and_says_how_long_it_is():
    page = draw("s", Audio([np.linspace(-1, 1, 12_000)], 8000, ["rising"]))
    with wave.open(io.BytesIO(decoded(page, "audio/wav")[0])) as sound:
        assert (sound.getnframes(), sound.getframerate()) == (12_000, 8000)
    assert "<p>rising, 1.5 s</p>" in page


def outline(samples):
    """The upper and the lower line (2, P) of the waveform, from left to right, in [-1, 1]."""
    path = re.search(r'<path d="M([^"]+)Z"', draw("s", Audio([samples], 8000))).group(1)
    y = 1 - np.array([point.split()[1] for point in path.split("L")], dtype=float) / LOUD
    return np.stack([y[: len(y) // 2], y[len(y) // 2 :][::-1]])


def test_the_waveform_is_the_highest_and_the_lowest_value_of_each_moment():
    samples = np.random.default_rng(0).uniform(-1, 1, (POINTS, 20))
    expected = np.stack([samples.max(axis=1), samples.min(axis=1)])
    np.testing.assert_allclose(outline(samples.ravel()), expected, atol=0.05 / LOUD + 1e-9)
    assert outline(np.array([0.0, 0.5, -1.0])).tolist() == [[0, 0.5, -1]] * 2  # shorter: a line


def bars_of(*values):
    """(left, width) of each bar as drawn, in per cent; and where zero is."""
    page = draw("b", Bars([str(value) for value in values], values))
    bars = re.findall(r'<i style="left:([\d.]+)%;width:([\d.]+)%">', page)
    zero = float(re.search(r"--zero:([\d.]+)%", page).group(1))
    return [(float(left), float(width)) for left, width in bars], zero


def test_bars_begin_at_zero_and_share_a_scale():
    assert bars_of(1, 4, 0) == ([(0, 25), (0, 100), (0, 0)], 0)
    assert bars_of(3, -1) == ([(25, 75), (0, 25)], 25)
    assert bars_of(-2, -1) == ([(0, 100), (50, 50)], 100)
    assert bars_of(float("nan"), 2, float("inf")) == ([(0, 100)], 0)
    assert bars_of(0, 0) == ([(0, 0), (0, 0)], 0)


def test_the_values_of_bars_are_read_as_people_write_them():
    values = [np.int64(12345), np.float32(-0.5), 1 / 3, float("nan")]
    page = draw("b", Bars(["a", "b", "c", "d"], values, "words"))
    assert re.findall(r'class="number">([^<]+)<', page) == ["12,345", "-0.5", "0.3333", "nan"]
    assert "<p>words</p>" in page


@pytest.mark.parametrize("empty", [
    Grid([]), Strip([]), Text([]), Tinted([]), Audio([], 8000), Bars([], []), Intervals([], [], []),
    Scatter(np.zeros((0, 2)), []),
])  # fmt: skip
def test_a_picture_of_nothing_says_so(empty):
    assert "<p>none</p>" in draw("nothing", empty)


@pytest.mark.parametrize(
    "wrong", [Text(["a"], ["b", "c"]), Tinted([[]], ["b", "c"]), Bars(["a"], [1, 2])]
)
def test_a_caption_too_many_is_an_error(wrong):
    refused("zip", draw, "wrong", wrong)


def path_of(curve):
    """The points (P, 2) of the first line as drawn, in SVG units."""
    path = re.search(r'class="line line0" d="M([^"]+)"', draw("c", curve)).group(1)
    return np.array([point.split() for point in path.split("L")], dtype=float)


def test_a_larger_value_is_drawn_higher_and_a_later_one_further_right():
    points = path_of(Curve({"a": ([0, 1, 2], [0.1, 0.3, 0.2])}, "x", "y"))
    assert (np.diff(points[:, 0]) > 0).all()
    assert points[1, 1] < points[2, 1] < points[0, 1]


def test_labels_are_round_numbers_around_the_values():
    drawn = draw("c", Curve({"a": (range(1, 31), np.linspace(0.38, 0.97, 30))}, "epoch", ""))
    labels = re.findall(r"<text[^>]*>([^<]+)</text>", drawn)
    assert labels == ["0.2", "0.4", "0.6", "0.8", "1", "10", "20", "30", "epoch"]


def test_what_is_not_finite_is_left_out_of_a_curve_and_of_its_band():
    nan = float("nan")
    gone = Curve({"a": ([0, 1, 2], [1.0, nan, 2.0]), "b": ([0], [float("inf")])}, "", "")
    band = Curve({"a": ([1, 2, 3], [5.0, 6.0, 7.0])}, "", "", {"a": ([4, nan, 6], [8, 8, 8])})
    assert [len(path_of(curve)) for curve in (gone, band)] == [2, 2]
    assert "no finite value" in draw("c", Curve({"b": ([0], [nan])}, "", ""))


def test_a_single_value_is_a_dot_and_a_single_name_is_drawn():
    assert "<circle" in draw("c", Curve({"a": ([1], [0.5])}, "", ""))
    assert draw("plane", Scatter(np.ones((1, 2)), ["a"])).count("<circle") == 1


def test_equal_ratios_are_equally_far_apart_on_a_logarithmic_axis():
    """S07."""
    sizes = Curve({"a": ([100, 1000, 10_000], [0.1, 0.3, 0.2])}, "samples", "", log_x=True)
    steps = np.diff(path_of(sizes)[:, 0])
    assert steps[0] == pytest.approx(steps[1], abs=0.11)
    many = Curve({"a": (range(3, 2_001), range(3, 2_001))}, "", "", log_x=True)
    for curve, wanted in ((sizes, "100 1000 10000"), (many, "10 30 100 300 1000")):
        labels = re.findall(r'<text[^>]*class="middle">([^<]+)</text>', draw("c", curve))
        assert " ".join(labels) == wanted
    assert "no finite value" in draw("c", Curve({"a": ([0], [1.0])}, "", "", log_x=True))


def test_a_band_goes_from_the_lowest_to_the_highest_around_its_line():
    """S07: there and back, and within the frame, though it is wider than the line."""
    lines = {"a": ([1, 2, 3], [5.0, 6.0, 7.0]), "b": ([1, 3], [6.0, 6.0])}
    curve = Curve(lines, "", "", {"a": ([1.0, 5.0, 6.0], [7.0, 8.0, 12.0])})
    drawn = draw("c", curve)
    assert drawn.count('class="band') == 1
    path = re.search(r'class="band line0" d="M([^"]+)Z"', drawn).group(1)
    band = np.array([point.split() for point in path.split("L")], dtype=float)
    middle = path_of(curve)
    assert band[:3, 0].tolist() == band[:2:-1, 0].tolist() == middle[:, 0].tolist()
    assert (band[:3, 1] > middle[:, 1]).all()
    assert (band[:2:-1, 1] < middle[:, 1]).all()
    assert 0 < band[:, 1].min() < band[:, 1].max() < HEIGHT


def test_a_long_line_is_thinned_to_the_means_of_neighbours():
    points = path_of(Curve({"a": (np.arange(8_000), np.tile([0.0, 1.0], 4_000))}, "", ""))
    assert len(points) == POINTS
    assert np.ptp(points[:, 1]) == 0  # the zigzag is gone


def test_many_lines_are_told_apart_and_named_from_the_top_down():
    """S64: the sections of analogies; where colours come again, the stroke is another."""
    drawn = draw("c", Curve({f"s{i}": ([1, 2], [0.0, float(i)]) for i in range(15)}, "epoch", ""))
    keys = re.findall(r'<li class="([^"]+)">(\w+)</li>', drawn)
    assert [name for _, name in keys] == [f"s{i}" for i in range(14, -1, -1)]
    assert len({key for key, _ in keys}) == 15
    assert [keys[i][0] for i in (0, 6, 12)] == ["line0", "line0 dashed", "line0 dotted"]
    few = draw("c", Curve({"a": ([1, 2], [0, 1]), "b": ([1, 2], [0, 9])}, "", ""))
    assert re.findall(r"<li[^>]*>(\w+)</li>", few) == ["a", "b"]


def test_the_parts_of_a_metric_are_drawn_with_it(tmp_path):
    """S64: analogies and their sections are one picture."""
    names = ["analogy", "analogy/gram8_plural", "analogy/family", "analogies"]
    head = ",".join(["epoch", "step", *(f"val/{name}" for name in names), "train/loss"])
    found = curves_of(tmp_path, f"{head}\n0,9,0.1,0.2,0.3,0.4,3\n1,19,0.2,0.3,0.4,0.5,2\n")
    assert [*found] == ["loss", "analogy", "analogies"]
    assert [*found["analogy"].lines] == ["val", "family", "gram8 plural"]
    assert found["analogy"].lines["family"] == ([1, 2], [0.3, 0.4])


def drawn_dots(drawn):
    found = re.findall(r'<circle class="dot (\w+)" cx="([\d.]+)" cy="([\d.]+)"', drawn)
    return [key for key, *_ in found], np.array([place for _, *place in found], dtype=float)


def test_names_stand_at_their_places_at_one_scale():
    """S64: twice as far apart is twice as far apart, in both directions; up is up."""
    drawn = draw("plane", Scatter(np.array([[0, 0], [2, 0], [0, 1]]), [*"abc"], [(0, 1)], [*"xyx"]))
    keys, dots = drawn_dots(drawn)
    across, up = dots[1] - dots[0], dots[2] - dots[0]
    assert across[0] == pytest.approx(-2 * up[1], abs=0.3)
    assert across[0] > 0
    assert (across[1], up[0], keys) == (0, 0, ["line0", "line1", "line0"])
    assert re.findall(r"<text[^>]*>(\w)</text>", drawn) == ["a", "b", "c"]
    assert drawn.count('<path class="rule"') == 1
    assert re.findall(r"<li[^>]*>(\w)</li>", drawn) == ["x", "y"]


def test_a_name_without_room_is_a_dot_that_tells_it():
    """S64: the first names are the most important."""
    names = [f"word{i}" for i in range(60)]
    points = np.random.default_rng(0).normal(size=(60, 2)) / 50
    points[:2] = [[-1, -1], [1, 1]]
    drawn = draw("plane", Scatter(points, names))
    shown = re.findall(r'class="(?:start|end|middle)">(\w+)</text>', drawn)
    hidden = re.findall(r"<g><title>(\w+)</title>", drawn)
    assert (sorted(shown + hidden), shown[:2]) == (sorted(names), names[:2])
    assert len(hidden) > 10


def test_columns_of_numbers_are_set_to_the_right_but_not_the_names():
    rows = [
        ("1", "90.2 %", "met", "1,000", "7.67 to 12.3 %"), ("2", "-", "", "3e-4", ""),
        ("3", "1.5", "7", "", "9.1 (8.0 to 9.2)"),
    ]  # fmt: skip
    table = Table(("class", "share", "said", "n", "range"), rows)
    assert numeric_columns(table) == [False, True, False, True, True]
    assert draw("t", table).count('class="number"') == 3 * 4


def test_a_column_of_long_texts_is_marked_for_the_phone():
    drawn = draw("t", Table(("name", "text"), [("a", "short"), ("b", "x" * 61)]))
    assert drawn.count('class="long"') == 1 + 2
    assert 'class="long"' not in draw("t", Table(("name", "text"), [("b", "x" * 60)]))


def test_a_cell_of_the_confusion_matrix_is_tinted_by_its_share_of_the_truth():
    drawn = draw("c", Confusion(np.array([[3, 1], [0, 0]]), ["a", "b"]))
    assert 'class="miss" style="--tint:0.50" title="a taken for b: 1">1</td>' in drawn
    assert drawn.count("<td></td>") == 1 + 2  # the corner and the empty row


def test_many_classes_are_summed_up_by_their_most_confused_pairs():
    counts = np.diag(np.full(100, 50))
    counts[3, 7], counts[8, 2] = 4, 9
    confusion = Confusion(counts, [f"c{i}" for i in range(100)])
    assert confused(confusion).rows == [("c8", "c2", "9"), ("c3", "c7", "4")]
    assert "Most often confused" in draw("c", confusion)
    thousand = Confusion(np.ones((1000, 1000), int), [str(i) for i in range(1000)])
    assert len(draw("c", thousand)) < 10_000


def test_what_is_no_picture_is_named():
    with pytest.raises(TypeError, match="'Attention' is no picture"):
        draw("Attention", "a string")
