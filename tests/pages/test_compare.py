"""`zoo compare`: the order of the runs, what differs, their curves, and what is said of each."""

import csv
import io
import json
import re
from math import inf, nan

import pytest
from omegaconf import OmegaConf

from tests.training.test_report import Reader
from zoo.figures.html import draw
from zoo.figures.kinds import Curve, Panels
from zoo.pages import compare as page
from zoo.training.ranking import rank

HEAD = "epoch,step,val/loss,train/loss\n"
EVIL = "x[b]<script>alert('é')"


@pytest.fixture
def write(tmp_path):
    """Write a run's folder: what its command sets, its test metrics, its curve."""

    def run(place, scores=None, *, losses=(0.5, 0.25), choices=None, words="", target=None, **keys):
        (folder := tmp_path / "runs" / place).mkdir(parents=True)
        names = {"experiment": "image_cnn", "model": "image_cnn", "data": "digits"} | (
            choices or {}
        )
        config = OmegaConf.create({
            "choices": names, "seed": 0, "name": folder.name, "monitor": "val/loss", "mode": "min",
            "model": {"optimizer": {"lr": 0.1}, "widths": [4]}, "smoke": False, **keys,
            "command": f"zoo train {words}",
        })  # fmt: skip
        for file in ("composed.yaml", "config.yaml"):
            (folder / file).write_text(OmegaConf.to_yaml(config))
        rows = (f"{i},{10 * i + 9},{loss},{loss / 2}\n" for i, loss in enumerate(losses))
        (folder / "metrics.csv").write_text(HEAD + "".join(rows))
        if scores is not None:
            own = {"epochs": len(losses), "train_seconds": 90, "target": target, **scores}
            (folder / "results.json").write_text(json.dumps(own))
        return folder

    return run


def accuracy(value):
    return {"test/accuracy": value, "test/accuracy/low": value - 0.01, "test/accuracy/high": value}


def rows_of(*folders, ended=None):
    """The table as a dict for each row."""
    table = page.table(rank(folders, ended))
    return [dict(zip(table.header, row, strict=True)) for row in table.rows]


# --- the table -----------------------------------------------------------------------------------


def test_runs_stand_best_first_with_what_differs_and_what_became_of_each(write):
    rate = {"optimizer": {"lr": 0.2}, "widths": [4, 8]}
    folders = [
        write("e/s/0", accuracy(0.9)), write("e/s/1", losses=(0.5,), seed=1),
        write("e/s/2", accuracy(0.99), seed=1, smoke=True),
        write("e/s/10", accuracy(0.95), model=rate),
    ]  # fmt: skip
    table = page.table(rank(folders))
    assert table.header == (
        "run", "seed", "model.optimizer.lr", "model.widths", "test/accuracy", "95 % interval",
        "best val/loss", "epochs", "steps", "minutes", "status",
    )  # fmt: skip
    assert table.rows == [
        ("10", "0", "0.2", "[4, 8]", "95.00 %", "94.00 to 95.00 %", "0.25", "2", "20", "1.50", ""),
        ("0", "0", "0.1", "[4]", "90.00 %", "89.00 to 90.00 %", "0.25", "2", "20", "1.50", ""),
        ("2", "1", "0.1", "[4]", "99.00 %", "98.00 to 99.00 %", "0.25", "2", "20", "1.50", "smoke"),
        ("1", "1", "0.1", "[4]", "", "", "0.5", "1", "10", "", "unfinished"),
    ]
    jobs = {folder: {"seed": 7} for folder in [folders[0].with_name("gone"), *folders]}
    rows = rows_of(*jobs, ended=jobs)
    assert [row["status"] for row in rows] == ["", "", "smoke", "failed", "failed"]
    assert (rows[-1]["run"], rows[-1]["seed"]) == ("gone", "7")


@pytest.mark.parametrize(("metric", "keys", "best"), [
    ("test/mse", {}, "low"), ("test/f1", {}, "high"), ("test/fid", {}, "high"),
    ("test/fid", {"target": {"metric": "test/fid", "at_most": 1}}, "low"),
    ("test/fid", {"monitor": "val/fid", "mode": "min"}, "low"),
    ("test/f1", {"target": {"metric": "test/f1", "at_most": 1}}, "high"),
])  # fmt: skip
def test_the_direction_is_the_metrics(write, metric, keys, best):
    """The target of a control says that its share is no greater, and not that less is better."""
    scores = {"low": 0.1, "high": 0.2, "none": float("nan")}
    folders = [write(name, {metric: score}, **keys) for name, score in scores.items()]
    names = rank(folders).names
    assert (names[0], names[-1]) == (best, "none")


def test_a_metric_that_all_have_is_compared_and_else_each_its_own(write):
    """But for the loss, which differs in what it means."""
    cnn = write("a", {"test/accuracy": 0.9, "test/loss": 0.3, "test/f1": 0.8})
    mlp = write("b", {"test/f1": 0.85, "test/accuracy": 0.8, "test/loss": 0.4})
    rnn = write("c", {"test/loss": 0.1}, monitor="val/nats", losses=())
    assert [(row["run"], row["test/f1"]) for row in rows_of(mlp, cnn)] == [
        ("b", "85.00 %"), ("a", "80.00 %"),
    ]  # fmt: skip
    assert [row["score"] for row in rows_of(rnn, mlp, cnn)] == [
        "test/loss 0.1", "test/f1 85.00 %", "test/accuracy 90.00 %",
    ]  # fmt: skip
    assert "test/loss, test/f1, test/accuracy" in page.notes(rank([rnn, mlp, cnn]))[0]
    assert page.notes(rank([mlp, cnn])) == []


@pytest.mark.parametrize(("one", "other", "columns"), [
    (
        {"choices": {"model": "a"}, "words": "model=a"},
        {"choices": {"model": "b", "experiment": "digits_b"}, "model": {"x": 1}}, ["model"],
    ),
    (
        {"choices": {"experiment": "a"}, "words": "experiment=a seed=0", "ema": 0.9},
        {"choices": {"experiment": "b", "model": "b"}, "seed": 1}, ["experiment", "seed"],
    ),
    ({"baseline": None, "target": None}, {"logger": {"csv": 1}}, []),
    ({"data": {"seed": 0}}, {"seed": 1, "data": {"seed": 1}}, ["seed"]),
    ({"data": {"seed": 2}}, {"seed": 1, "data": {"seed": 1}}, ["seed", "data.seed"]),
    ({"ema": None}, {"ema": 0.9}, ["ema"]),
    ({"model": {"a": {}}}, {"model": {"a": {"b": True}}}, ["model.a", "model.a.b"]),
    (
        {"choices": {"model": "a"}, "words": "model=a '+model.a={b: 1}'", "model": {"a": {"b": 1}}},
        {"choices": {"model": "b"}, "model": {"a": {"c": 1}, "d": 2}},
            ["model", "model.a.b", "model.a.c"],
    ),
])  # fmt: skip
def test_what_differs_has_a_column_but_not_what_a_name_stands_for(write, one, other, columns):
    """Unless a command set it; nor has what changes no weight."""
    runs = [write("a", accuracy(0.9), **one), write("b", accuracy(0.8), **other)]
    header = page.table(rank(runs)).header
    assert [*header[1 : header.index("test/accuracy")]] == columns


@pytest.mark.parametrize(("file", "content", "status"), [
    ("results.json", b"{", "results.json cannot be read"),
    ("results.json", b"[1]", "results.json cannot be read"),
    ("composed.yaml", b"a: [", "config.yaml cannot be read"),
    ("metrics.csv", b"\xff", "metrics.csv cannot be read"),
    ("metrics.csv", b"epoch,step,val/loss\n1,x\n,,\n2,0,bad\n3", ""),
])  # fmt: skip
def test_a_damaged_file_is_named_and_hides_no_run(write, file, content, status, tmp_path):
    good, bad = write("a", accuracy(0.9)), write("b", accuracy(0.8), seed=1)
    (bad / file).write_bytes(content)
    ranking = rank([bad, good, tmp_path / "runs" / "none"])
    notes = dict(zip(ranking.names, (record.status for record in ranking.records), strict=True))
    assert notes == {"a": "", "b": status, "none": "unfinished"}
    Reader(page.html(ranking, tmp_path))


# --- the curves ----------------------------------------------------------------------------------


def test_each_run_is_a_line_named_by_what_differs(write):
    """Validation and training of the monitored metric and the loss, over epochs."""
    twice = [write("e/a", seed=1), write("e/b", seed=1), write("f/a", seed=2, losses=())]
    ranking = rank([*twice, write("f/b", accuracy(0.9), seed=3)])
    panels = page.panels(ranking).curves
    assert [*panels] == ["val/loss", "train/loss"]
    assert panels["train/loss"].lines == {
        "seed=3": ([1, 2], [0.25, 0.125]), "seed=1 (e/a)": ([1, 2], [0.25, 0.125]),
        "seed=1 (e/b)": ([1, 2], [0.25, 0.125]),
    }  # fmt: skip
    assert page.labels(ranking)[-1] == "seed=2"
    assert page.labels(rank(twice[:1])) == ["a"]


def test_runs_that_were_validated_once_are_drawn_over_steps(write):
    ranking = rank([write("a"), write("b", losses=(0.5,), seed=1)])
    curve = page.panels(ranking).curves["val/loss"]
    assert (curve.x_label, curve.lines["seed=1"]) == ("step", ([10], [0.5]))


@pytest.mark.parametrize(("lines", "limits"), [
    ([[2, 1], [3, 1], [9e6, 20]], (-inf, 3)), ([[2, 1], [9e6, nan]], (-inf, 2)),
    ([[-1, 1], [-2, 0.5], [-9e6, -3]], (-2, inf)), ([[2, 1], [8, 1]], (-inf, inf)),
    ([[1, 1], [1.5, 1.2]], (-inf, inf)), ([[1, 1], [2, 1], [99, 7]], (-inf, 2)),
    ([[0.5]], (-inf, inf)), ([[nan], []], (-inf, inf)),
])  # fmt: skip
def test_a_line_that_diverges_is_cut_off(lines, limits):
    assert page.usual_range(lines) == limits


def test_what_is_cut_off_is_said_and_drawn_at_the_edge(write):
    runs = [write("a", losses=(2, 1), seed=1), write("b", losses=(3, 1), seed=2)]
    runs.append(write("c", losses=(nan, 9e6), seed=3))
    curve = page.panels(rank(runs)).curves["val/loss"]
    assert (curve.limits, curve.y_label) == ((-inf, 3), "cut off: seed=3 reaches 9e+06")
    drawn = draw("x", Panels({"a": curve}))
    places = dict(re.findall(r"<title>(seed=\d)</title><\w+ class=\"[^\"]+\" (.+?)/>", drawn))
    top = re.match(r'd="M[\d.]+ ([\d.]+)L', places["seed=2"]).group(1)
    assert f'cy="{top}"' in places["seed=3"]
    assert "seed=3 9e+06 to 9e+06" in drawn
    more = {str(i): ([1], [10.0 * i]) for i in range(5)}
    assert page._beyond(more, (0, 1)).endswith("reaches 30, 1 more")


def test_a_line_looks_the_same_in_each_panel_and_too_many_are_grey():
    lines = {f"r{i}": ([1, 2], [i, i]) for i in range(50)}
    drawn = draw("x", Panels({"a": Curve(lines, "", ""), "b": Curve({"r1": lines["r1"]}, "", "")}))
    keys = re.findall(r'<title>(\w+)</title><path class="line ([^"]+)"', drawn)
    assert keys[-1] == ("r1", "line1")
    assert dict(keys)["r7"] == "line1 dashed"
    assert sum(key == "others" for _, key in keys) == 32
    legend = re.findall(r'<li class="([^"]+)">([^<]+)</li>', drawn)
    assert (len(legend), legend[0], legend[-1]) == (19, ("line0", "r0"), ("others", "32 more"))


# --- the command ---------------------------------------------------------------------------------


def test_a_sweep_is_its_jobs_and_the_page_lies_in_it(write, command, tmp_path):
    """Job 10 after job 2; what a logger leaves in a run is no run."""
    for job in (10, 2):
        folder = write(f"image_cnn/lr/{job}", accuracy(0.9), seed=job)
    (folder / "wandb" / "files").mkdir(parents=True)
    (folder / "wandb" / "files" / "config.yaml").touch()
    (folder / "report.html").touch()
    out = command.ran("compare", "image_cnn/lr")
    place = tmp_path / "runs" / "image_cnn" / "lr" / "compare.html"
    assert out.splitlines()[-1] == f"page      {place}"
    assert [line.split()[1] for line in out.splitlines() if line.startswith("│")] == ["2", "10"]
    html = place.read_text()
    Reader(html)
    assert re.findall(r'<a href="([^"]+)">(\w+)</a>', html) == [("2/report.html", "2")]
    assert re.findall("(?:src|href)=.(?!2/report)", html) == []
    again = command.ran("compare", "runs/image_cnn/lr/2", "image_cnn/lr/2", "image_cnn")
    assert again == out


def test_csv_holds_the_rows_with_the_numbers_as_they_were_measured(write, command, tmp_path):
    write(f"e/{EVIL}", {"test/accuracy": 1 / 3, "test/accuracy/low": 0.25}, seed=1)
    write("e/b")
    code, out, err = command("compare", "e", "--csv")
    assert (code, err) == (0, f"page      {tmp_path}/runs/e/compare.html\n")
    first, second = csv.DictReader(io.StringIO(out))
    assert first == {
        "run": EVIL, "seed": "1", "metric": "test/accuracy", "score": str(1 / 3), "low": "0.25",
        "high": "", "monitor": "val/loss", "best": "0.25", "epochs": "2", "steps": "20",
        "minutes": "1.5", "status": "",
    }  # fmt: skip
    assert (second["run"], second["score"], second["status"]) == ("b", "", "unfinished")


def test_names_are_shown_as_they_are(write, command, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    write(f"e/{EVIL}", accuracy(0.9), choices={"experiment": EVIL, "model": "y" * 300})
    write("e/b", accuracy(0.8))
    assert EVIL in command.ran("compare", "e")
    html = (tmp_path / "runs" / "e" / "compare.html").read_text()
    Reader(html)
    assert "<script" not in html
    assert "x[b]&lt;script&gt;" in html


@pytest.mark.parametrize(("words", "said"), [
    (["image_cn"], "no run or sweep named 'image_cn': did you mean 'image_cnn'?"),
    (["empty"], r"no runs in .*empty: `zoo list runs` names those there are"),
    ([], "the following arguments are required: RUN|SWEEP"),
])  # fmt: skip
def test_a_name_that_is_no_run_is_one_line(write, command, tmp_path, words, said):
    write("image_cnn/a")
    (tmp_path / "empty").mkdir()
    assert re.search(said, command.refused("compare", *words))
