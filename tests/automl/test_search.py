"""A search end to end: what it leaves, budgets, kills, failures, and sets that are hardly any."""

import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

import zoo
from tests.data import refused
from zoo.automl.request import read_words
from zoo.automl.search import search
from zoo.catalog import registry
from zoo.pages import leaderboard
from zoo.utilities.errors import Failure, Stopped

LIST = registry.conf_folder() / "auto" / "image_folder.yaml"
PIPELINES = LIST.read_text().partition("\ncandidates:")[0]
QUICK = {"rbf_svm_gradients": "pipeline", "mlp": "[model=image_mlp, trainer.max_epochs=2]"}
PAIR = dict.fromkeys(["rbf_svm_gradients", "rbf_svm_looks"], "pipeline")


def write(folder, counts, wrong=0.0, seed=0):
    """Class folders of pictures with a bright line in a place of the class."""
    values = np.random.default_rng(seed)
    for number, count in enumerate(counts):
        (folder / f"c{number}").mkdir(parents=True)
        for i in range(count):
            place = number if values.random() >= wrong else values.integers(len(counts))
            pixels = values.integers(0, 90, (16, 16), dtype=np.uint8)
            pixels[place % 16] = pixels[:, place // 16] = 200
            Image.fromarray(pixels).save(folder / f"c{number}" / f"{i}.png")
    return folder


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Words of a search among such candidates."""

    def make(candidates, *words):
        folder = tmp_path / "conf" / "auto"
        folder.mkdir(parents=True, exist_ok=True)
        lines = [f"  {name}: {value}" for name, value in candidates.items()]
        (folder / "own.yaml").write_text("\n".join([PIPELINES, "candidates:", *lines]))
        monkeypatch.setenv(registry.CONFIG_DIRS, str(tmp_path / "conf"))
        return [f"data.source={tmp_path / 'in'}", "data=image_folder", "auto=own", "name=a", *words]

    return make


def found(words):
    return search(read_words(words), leaderboard.write)


def test_a_search_leaves_a_predictor_with_its_evidence(ask, tmp_path, capsys):
    write(tmp_path / "in", [20, 20])
    words = ask({**QUICK, "bad": "[model=image_cnn, model.blocks=none]"})
    auto = found(words)
    summary, place = auto.summary, auto.folder / "candidates"
    status = {one["name"]: one["status"] for one in summary["candidates"]}
    assert status == {"rbf_svm_gradients": "finished", "mlp": "finished", "bad": "failed"}
    with np.load(place / "mlp" / "scores.npz") as scores:
        assert scores["scores"].shape == (32, 2)  # 29 training samples and 3 to validate
        assert not np.isnan(scores["scores"]).any()
        assert np.bincount(scores["labels"]).tolist() == [16, 16]
    weights = {one["name"]: one["weight"] for one in summary["candidates"] if one["weight"]}
    assert sum(weights.values()) == pytest.approx(1)
    assert {path.parent.name for path in place.glob("*/final")} == {*weights}
    assert not [*place.rglob("*.ckpt")]
    results = (place / "mlp" / "fold0" / "results.json").read_text()
    assert "test/" not in results  # which no run of a search reads
    picture = tmp_path / "in" / "c1" / "0.png"
    assert auto.predictor.predict([picture])[0]["label"] == "c1"
    assert summary["test"]["test/accuracy"] >= 0.5
    assert all("c" in one["sample"] for one in summary["mistakes"])
    said = capsys.readouterr().err
    assert "failed    bad: no key named" in said
    found(words)
    assert "nothing to do" in capsys.readouterr().err
    refused("has another config: minutes: 10.0 -> 3.0", found, [*words, "minutes=3"])


def test_what_has_finished_counts_when_the_time_is_over(ask, tmp_path):
    """As after a kill at the very end: nothing of it is dropped, and nothing new is tried."""
    write(tmp_path / "in", [12, 12])
    first = found(ask(PAIR))
    before = {one["name"]: one["weight"] for one in first.summary["candidates"]}
    for name in ("leaderboard.json", "choice.json"):
        (first.folder / name).unlink()
    (first.folder / "clock.json").write_text('{"seconds": 599.9}')
    again = found(ask({**PAIR, "mlp": QUICK["mlp"]})).summary["candidates"]
    assert {one["name"]: one["status"] for one in again} == {
        **dict.fromkeys(PAIR, "finished"), "mlp": "out of time",
    }  # fmt: skip
    assert before.keys() < {one["name"] for one in again}


def test_with_no_time_the_first_candidate_is_the_result(ask, tmp_path):
    write(tmp_path / "in", [12, 12])
    summary = found(ask(QUICK, "minutes=0.001")).summary
    assert [one["status"] for one in summary["candidates"]] == ["finished", "out of time"]
    assert summary["predictor"]["members"] == [{"name": "rbf_svm_gradients", "weight": 1.0}]


def test_more_minutes_go_on_with_what_there_was_no_time_for(ask, tmp_path, monkeypatch, capsys):
    write(tmp_path / "in", [12, 12])
    few, more = (ask(PAIR, f"minutes={minutes}") for minutes in (0.001, 9))
    first = found(few)
    old, place = first.summary, first.folder / "candidates"
    done = place / "rbf_svm_gradients" / "final.done"
    assert old["candidates"][1]["status"] == "out of time"

    def times():
        kept = (done, *place.rglob("fold*/scores.npz"), first.folder / "predictor" / "card.json")
        return {path: path.stat().st_mtime_ns for path in kept}

    before = times()
    with monkeypatch.context() as context:  # killed when all of it has been tried
        context.setattr("zoo.automl.search.choose", lambda *_: (_ for _ in ()).throw(Stopped(15)))
        with pytest.raises(Stopped):
            found(more)
    assert first.summary == old
    assert zoo.load(first.folder).names() == "rbf_svm_gradients (pipeline)"
    after = times()
    assert before.items() < after.items()
    refused("has another config: minutes: 9.0 -> 0.001", found, few)
    summary = found(more).summary
    assert [one["status"] for one in summary["candidates"]] == ["finished"] * 2
    changed = {path.name for path, time in times().items() if after[path] != time}
    assert changed == {"card.json"}  # nothing is tried or learned twice
    assert (old["test_reads"], summary["test_reads"], summary["minutes"]) == (1, 2, 9)
    members = [one["name"] for one in summary["predictor"]["members"]]
    assert [one.name for one in first.predictor.members] == members
    assert "The test split was read twice" in (first.folder / "leaderboard.html").read_text()
    capsys.readouterr()
    for words in (more, [*more[:-1], "minutes=20"]):  # nothing is left to be tried
        found(words)
        assert "nothing to do" in capsys.readouterr().err


@pytest.mark.parametrize("counts", [[12, 2], [5, 5], [3, 1]])
def test_a_set_that_is_hardly_one_has_a_result(counts, ask, tmp_path):
    write(tmp_path / "in", counts)
    auto = found(ask({"rbf_svm_gradients": "pipeline"}))
    assert len(auto.summary["predictor"]["members"]) == 1
    answer = auto.predictor.predict([tmp_path / "in" / "c0" / "0.png"])[0]
    assert sum(answer["probabilities"].values()) == pytest.approx(1)


def test_samples_of_classes_of_one_are_learned_from_and_not_compared(ask, tmp_path):
    write(tmp_path / "in" / "train", [1, 1, 1])
    write(tmp_path / "in" / "val", [1, 0, 0], seed=1)
    write(tmp_path / "in" / "test", [1, 1, 1], seed=2)
    for name in ("val/c1", "val/c2"):
        (tmp_path / "in" / name).rmdir()
    (tmp_path / "in" / "val" / "c0" / "0.png").unlink()
    Image.new("L", (12, 12)).save(tmp_path / "in" / "val" / "c0" / "1.png")
    assert found(ask({"rbf_svm_gradients": "pipeline"})).summary["candidates"]


@pytest.mark.parametrize(("counts", "said"), [
    ([1, 1], "are too few: the training split needs"), ([12], "two or more are needed"),
])  # fmt: skip
def test_too_few_samples_or_classes_are_one_line(counts, said, ask, tmp_path):
    write(tmp_path / "in", counts)
    refused(said, found, ask(QUICK))


@pytest.mark.slow
@pytest.mark.parametrize(("counts", "wrong"), [([4] * 200, 0.0), ([60, 60], 0.1)])
def test_many_classes_and_wrong_labels_have_a_result(counts, wrong, ask, tmp_path):
    write(tmp_path / "in", counts, wrong)
    summary = found(ask(QUICK)).summary
    assert summary["predictor"]["accuracy"] > (0.5 if wrong else 0.05)


def test_nothing_that_learns_is_a_failure(ask, tmp_path):
    write(tmp_path / "in", [12, 12])
    with pytest.raises(Failure, match="no candidate has learned these data: no key named"):
        found(ask({"bad": "[model=image_cnn, model.blocks=none]"}))


START = """
import sys
from zoo.automl.request import read_words
from zoo.automl.search import search
search(read_words(sys.argv[1:]))
"""


@pytest.mark.slow
def test_killed_at_random_it_chooses_as_if_it_had_not_been(ask, tmp_path):
    write(tmp_path / "in", [10, 10], wrong=0.2)
    words = ask({**QUICK, "mlp": "[model=image_mlp, trainer.max_epochs=1]"})
    whole = found([*words[:-1], "name=whole"]).summary
    place, draw = tmp_path / "runs" / "auto" / "image_folder" / "a", random.Random(0)
    for files in sorted(draw.sample(range(2, 60), 5)):  # of 75, that are there when it is killed
        with subprocess.Popen([sys.executable, "-c", START, *words]) as process:
            while process.poll() is None and sum(1 for _ in place.rglob("*/*")) < files:
                time.sleep(0.05)
            assert process.poll() is None
            process.send_signal(draw.choice([signal.SIGKILL, signal.SIGTERM]))
        assert not (place / "leaderboard.json").exists()
    again = found(words).summary
    for summary in (whole, again):
        for one in summary["candidates"]:  # skops' files differ by the addresses of objects
            one.update(seconds=0, bytes=0)
    for key in ("candidates", "predictor", "test", "mistakes"):
        assert again[key] == whole[key]
