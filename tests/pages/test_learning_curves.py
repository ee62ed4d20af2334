"""`zoo curves`: what is run, what is drawn of it, and what is refused (S07)."""

import csv
import io
import re
from functools import partial

import numpy as np
import pytest
from PIL import Image

from zoo.baselines.incremental import Incremental
from zoo.baselines.pixels import StandardisedLogistic
from zoo.commands import curves as verb
from zoo.commands.main import Parser
from zoo.pages import learning_curves as pages
from zoo.training import launch, learning_curves
from zoo.training.learning_curves import Point

ALGORITHMS = ["logistic regression", "SGD, augmented", "image_cnn_2017", "image_cnn"]
POINTS = [
    Point("a", 100, 0, 0.50, 0.45, 0.55), Point("a", 100, 1, 0.60, 0.55, 0.65),
    Point("a", 1000, 0, 0.75, 0.7, 0.8), Point("b <c>", 100, 0, 0.5, 0.4, 0.6),
    Point("b <c>", 100, 1, 0.5, 0.4, 0.6),
]  # fmt: skip
SETTINGS = {
    "name": "mine", "data": "digits", "seeds": [0, 1], "steps": 800, "passes": 5, "smoke": False,
    "command": "zoo curves 'a=<b>'",
    "info": {"samples": {"val": 40, "test": 10}, "bundled": True},
    "algorithms": [{"name": "b <c>", "train": ["model=x"]}],
}  # fmt: skip


def asked(*words):
    """The settings that a command line makes."""
    parser = Parser()
    verb.add_arguments(parser)
    return verb.read_request(parser.parse_intermixed_args(words))


@pytest.fixture
def here(monkeypatch):
    """Train in this process: tests/training tests processes of their own."""
    do = launch.execute
    monkeypatch.setattr(launch, "execute", lambda config, run, alone: do(config, run, alone=True))


# --- the sweep ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_sweep_leaves_its_page_and_is_not_done_twice(command, here, monkeypatch, tmp_path):
    """Options may stand between the overrides."""
    words = ["curves", "trainer=smoke", "--samples", "16", "data.limit=40", "--name", "mine"]
    code, out, err = command(*words)
    assert code == 0, err
    folder = tmp_path / "runs" / "curves" / "mine"
    assert sorted(f.name for f in folder.iterdir()) == ["curves.csv", "curves.html", "curves.png"]
    assert out.splitlines()[-1] == f"page      {folder / 'curves.html'}"
    assert all(name in out for name in ALGORITHMS)
    rows = list(csv.DictReader(io.StringIO((folder / "curves.csv").read_text())))
    assert [row["algorithm"] for row in rows] == ALGORITHMS
    assert all(float(row["low"]) <= float(row["accuracy"]) <= float(row["high"]) for row in rows)
    assert "its numbers mean nothing" in (folder / "curves.html").read_text()
    trained = {f: f.stat().st_mtime_ns for f in tmp_path.glob("runs/*/*/weights.safetensors")}
    assert len(trained) == 2

    for learner in (StandardisedLogistic, Incremental):
        monkeypatch.setattr(learner, "fit", partial(pytest.fail, "fitted again"))
    again = command(*words)
    assert (again[:2], again[2].count("nothing to do")) == ((code, out), 2)
    assert {file: file.stat().st_mtime_ns for file in trained} == trained


@pytest.mark.slow
def test_it_goes_on_where_it_was_interrupted_each_run_a_process_of_its_own(command, monkeypatch):
    words = ["curves", "trainer=smoke", "--samples", "16", "data.limit=40"]
    with monkeypatch.context() as patch:
        patch.setattr(verb, "say", lambda line: interrupted() if "image_cnn_2017" in line else None)
        assert command(*words)[0] == 130
    code, _, err = command(*words)
    assert (code, err.count("nothing to do")) == (0, 1)
    assert err.count("train     image_cnn on digits") == 1


def interrupted():
    raise KeyboardInterrupt


def test_each_point_is_a_run_of_its_size_and_seed_and_the_smallest_come_first():
    words = ["--samples", "3000,100", "--seeds", "1,0", "model.optimizer.lr=0.5"]
    jobs = learning_curves.plan_jobs(asked(*words))
    places = [(job.samples, job.algorithm, job.seed) for job in jobs]
    assert places == [(n, name, s) for n in (100, 3000) for name in ALGORITHMS for s in (0, 1)]
    for job in jobs:
        assert (job.config["data"]["train_samples"], job.config["seed"]) == (job.samples, job.seed)
        assert (job.baseline is None) == (job.algorithm in ("image_cnn", "image_cnn_2017"))
        assert job.config["model"]["optimizer"]["lr"] == 0.5
        assert job.config["target"] is job.config["baseline"] is None
        if job.baseline is None:
            assert job.config["choices"]["model"] == job.algorithm
    assert len({job.config["name"] for job in jobs}) == len(jobs)
    sgd = [job.baseline["estimator"]["random_state"] for job in jobs if "SGD" in job.algorithm]
    assert sgd == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("samples", "batch", "passes"), [(30, 30, 800), (100, 64, 800), (3000, 64, 18), (64_000, 64, 5)]
)
def test_each_size_gets_as_many_batches_and_each_sample_its_passes(samples, batch, passes):
    settings = {**learning_curves.read_settings(), "batch": 64, "smoke": False}
    network = learning_curves.resolve_algorithms(settings, samples, seed=0)[-1]["train"]
    wanted = {"data.batch_size": batch, "trainer.max_epochs": passes}
    wanted["trainer.check_val_every_n_epoch"] = max(1, passes // 10)
    assert {f"{key}={value}" for key, value in wanted.items()} <= set(network)


def test_other_overrides_are_another_sweep_and_more_sizes_are_not():
    assert asked("--samples", "100")["name"] == asked("--seeds", "7")["name"] == "digits"
    other = asked("model.optimizer.lr=0.2")["name"]
    assert re.fullmatch(r"digits-[0-9a-f]{6}", other)
    assert other == asked("model.optimizer.lr=0.2", "--samples", "99")["name"]
    assert other != asked("model.optimizer.lr=0.3")["name"]


def test_the_command_repeats_it():
    settings = asked("data.batch_size=32", "--samples", "50,20", "--name", "x")
    assert settings["command"] == "zoo curves data.batch_size=32 --samples 20,50 --name x"


def test_the_interval_of_a_baseline_is_that_of_its_answers(monkeypatch):
    """900 of 1,000 right: 1.96 standard errors of 0.3 / sqrt(1,000) on either side."""
    answered = {"baseline/test/accuracy": 0.9}
    monkeypatch.setattr(learning_curves, "baseline_results", lambda *_: answered)
    jobs = learning_curves.plan_jobs(asked("--samples", "50", "--seeds", "0"))
    (job,) = [one for one in jobs if "log" in one.algorithm]
    point = job.score()
    assert (point.samples, point.accuracy) == (50, 0.9)
    assert (point.low, point.high) == pytest.approx((0.8814, 0.9186), abs=0.003)


@pytest.mark.parametrize(("line", "said"), [
    ("--samples 100,5000", "digits has 3,600 training samples and 10 classes"),
    ("--samples 5", "numbers between these two"), ("--samples many", "'many' is not N,N,..."),
    ("--seeds -1", "--seeds"), ("--name a/b", "'a/b' is no name for a folder"),
    ("data=digts", "did you mean 'digits'?"),
    ("data=negated_reviews", "holds no pictures with classes"),
    ("model.dropuot=0.1", "did you mean 'model.dropout'?"),
    ("model.widths=[8,8]", "model.widths"),  # which image_cnn_2017 does not have
    ("model=image_cnn", "the curves set model"),
    ("data.train_samples=10", "the curves set data.train_samples"),
    ("seed=3", "leave out seed=3"),
])  # fmt: skip
def test_what_is_wrong_is_one_line_and_exit_code_2_before_any_work(line, said, command, tmp_path):
    assert said in command.failed("curves", *line.split())
    assert not list(tmp_path.iterdir())


# --- what is drawn --------------------------------------------------------------------------------


def test_an_interval_is_that_of_the_seeds_and_of_the_samples_where_seeds_tell_nothing():
    assert pages.summary(POINTS[:2]) == pytest.approx((55, 50, 60))
    assert pages.summary(POINTS[2:3]) == pytest.approx((75, 70, 80))
    assert pages.summary(POINTS[3:]) == pytest.approx((50, 40, 60))


def test_a_row_is_an_algorithm_and_a_column_a_size():
    found = pages.table(POINTS)
    assert found.header == ("", "100", "1,000")
    assert found.rows[0] == ("a", "55.0 (50.0 to 60.0)", "75.0 (70.0 to 80.0)")
    assert found.rows[1] == ("b <c>", "50.0 (40.0 to 60.0)", "")


def test_a_line_is_an_algorithm_with_its_intervals_as_a_band():
    found = pages.curve(POINTS)
    assert found.log_x
    assert tuple(found.lines["a"]) == ([100, 1000], pytest.approx((55, 75)))
    assert found.bands["a"] == (pytest.approx((50, 70)), pytest.approx((60, 80)))


def test_the_page_opens_from_disk_and_says_what_was_compared(tmp_path):
    page = pages.write(SETTINGS, POINTS)
    text = page.read_text()
    assert page == tmp_path / "runs" / "curves" / "mine" / "curves.html"
    assert text.count('class="band') == 2
    assert "<c>" not in text
    for said in (
        "b &lt;c&gt;", "zoo curves &#39;a=&lt;b&gt;&#39;", "about 800 updates", "10 test samples",
        "model=x",
    ):  # fmt: skip
        assert said in text
    assert not re.search(r'(src|href)="(?!data:|curves\.)', text)
    read = csv.DictReader(io.StringIO(page.with_suffix(".csv").read_text()))
    kinds = {key: type(value) for key, value in vars(POINTS[0]).items()}
    assert [Point(**{k: kinds[k](v) for k, v in row.items()}) for row in read] == POINTS


def test_the_picture_has_a_colour_for_each_algorithm():
    picture = np.asarray(Image.open(io.BytesIO(pages.png(pages.curve(POINTS), "digits"))))
    for colour in pages.COLOURS[:2]:
        levels = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        assert (picture[:, :, :3] == levels).all(axis=2).sum() > 100
