"""Proofs: what is judged, what is kept, and what stands."""

import json
import subprocess
from types import SimpleNamespace

import pytest

from tests.data import SMALL, refused
from zoo.catalog.compose import as_overrides, compose
from zoo.training import checkout, reproduce
from zoo.training.results_page import is_reached
from zoo.utilities.errors import Failure

PROOF = {"metric": "test/accuracy", "at_least": 0.9, "seeds": [0, 1], "minutes": 1}


def results(value, **more):
    return {
        "test/accuracy": value, "model": "image_cnn", "data": "digits", "bundled": True,
        "parameters": 10, "precision": "32-true", "device": "CPU", "train_seconds": 30.0,
        "baseline": "logistic", "baseline/test/accuracy": 0.8, "baseline/train_seconds": 90.0,
        **more,
    }  # fmt: skip


def test_the_mean_over_the_seeds_is_judged():
    at_most = {**PROOF, "at_least": None, "at_most": 0.9}
    for target, other, met in ((PROOF, 0.93, True), (PROOF, 0.91, False), (at_most, 0.93, False)):
        assert is_reached(reproduce.figure_of(target, [results(0.88), results(other)])) == met


def test_the_slowest_seed_gives_the_minutes_and_one_of_changed_code_the_commit():
    seeds = [results(0.9, commit="0123456789"), results(0.9, commit="0123456789+")]
    seeds.append(results(0.9, train_seconds=90.0, commit="0123456789"))
    figure = reproduce.figure_of(PROOF, seeds)
    assert (figure["minutes"], figure["commit"]) == (1.5, "0123456789+")


def test_a_recipe_without_a_proof_says_so(monkeypatch):
    monkeypatch.setattr(reproduce, "_config", lambda name: {"target": None})
    refused("has no proof", reproduce.measure, "image_cnn", "")


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """Figures in a folder of their own; runs are replaced by their results, which are counted."""
    ran, done = [], SimpleNamespace(results=results(0.95))
    monkeypatch.setattr(checkout, "changed_files", list)
    monkeypatch.setattr(reproduce, "docs", lambda: tmp_path)
    monkeypatch.setattr(reproduce, "names_with_target", lambda: ["image_cnn"])
    monkeypatch.setattr(reproduce, "_run", lambda name, seed, label: ran.append(seed) or done)
    return ran


def test_what_stands_is_not_run_again(measured, tmp_path):
    seeds = compose(["experiment=image_cnn"])["target"]["seeds"]
    for _ in range(2):
        with pytest.raises(Failure, match=r"beyond the minutes: image_cnn"):
            reproduce.reproduce_all()  # 0.95 is under its 0.98
        assert measured == seeds
    figures = json.loads((tmp_path / "results.json").read_text())
    assert figures["image_cnn"]["mean"] == pytest.approx(0.95)


def test_a_figure_of_changed_code_does_not_stand_nor_one_of_another_digest():
    now = {"digest": reproduce.digest_of("image_cnn"), "commit": "0123456789"}
    assert reproduce.stands("image_cnn", now)
    assert reproduce.stands("image_cnn", {**now, "commit": None})  # installed, outside a checkout
    assert not reproduce.stands("image_cnn", {**now, "commit": "0123456789+"})
    assert not reproduce.stands("image_cnn", {**now, "digest": "another"})


def test_a_figure_is_judged_by_todays_target_and_marked_where_other_code_made_it():
    old = reproduce.figure_of(PROOF, [results(0.99)]) | {"digest": "another"}
    figure = reproduce.update_targets({"image_cnn": old, "gone": old})
    assert list(figure) == ["image_cnn"]
    assert figure["image_cnn"]["earlier_code"]
    assert figure["image_cnn"]["at_least"] == compose([])["target"]["at_least"]


@pytest.mark.parametrize("arguments", [["image_cnn"], ["--all"]])
def test_changed_code_is_not_measured_and_a_file_is_named(arguments, monkeypatch, command):
    monkeypatch.setattr(checkout, "changed_files", lambda: ["zoo/nn.py", "conf/train.yaml"])
    line = command.refused("reproduce", *arguments)
    assert all(one in line for one in ("zoo/nn.py and 1 more", "commit or stash"))


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A checkout with one file of code and the pages that `zoo reproduce` writes, committed."""
    for name in ("zoo/nn.py", "docs/results.json", "README.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("as it was\n")
    author = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    for arguments in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "all"]):
        subprocess.run(["git", "-C", tmp_path, *arguments], check=True)
    monkeypatch.setattr(checkout.zoo, "__file__", str(tmp_path / "zoo" / "__init__.py"))
    return tmp_path


def test_only_files_that_shape_a_run_change_a_commit(tree):
    """`zoo reproduce --all` writes docs/results.json and README while it goes on."""
    before = checkout.commit()
    assert len(before) == 10
    (tree / "docs" / "results.json").write_text("written")
    (tree / "README.md").write_text("written")
    assert (checkout.commit(), checkout.changed_files()) == (before, [])
    checkout.refuse_changes()
    (tree / "zoo" / "nn.py").write_text("other")
    (tree / "zoo" / "new.py").write_text("new")
    assert checkout.commit() == before + "+"
    assert checkout.changed_files() == ["zoo/nn.py", "zoo/new.py"]
    refused(r"zoo/nn\.py and 1 more differs from the commit", checkout.refuse_changes)


@pytest.mark.parametrize("without", ["checkout", "git"])
def test_without_checkout_or_git_nothing_is_refused(without, tmp_path, monkeypatch):
    if without == "git":
        monkeypatch.setenv("PATH", str(tmp_path))
    else:
        monkeypatch.setattr(checkout.zoo, "__file__", str(tmp_path / "zoo" / "__init__.py"))
    assert checkout.commit() is None
    checkout.refuse_changes()


@pytest.mark.parametrize(("found", "said"), [
    (results(0.95), "misses its bar"), (results(0.99, train_seconds=3600.0), "slower than its"),
])  # fmt: skip
def test_a_missed_bar_or_time_is_exit_code_1(found, said, measured, command, monkeypatch):
    monkeypatch.setattr(reproduce, "_run", lambda *_: SimpleNamespace(results=found))
    assert said in command.failed("reproduce", "image_cnn", code=1)


@pytest.mark.parametrize("arguments", [[], ["image_cnn", "--all"]])
def test_reproduce_wants_a_name_or_all(arguments, command):
    assert "NAME or --all" in command.failed("reproduce", *arguments)


@pytest.mark.slow
def test_the_committed_figures_are_judged_by_todays_targets_and_code():
    """`python -m scripts.restamp` judges them again."""
    figures = reproduce.read_figures()
    assert reproduce.update_targets(figures) == figures


@pytest.mark.slow
def test_a_proof_runs_its_seeds_through_the_real_command(monkeypatch, tmp_path):
    """Two seeds of a small recipe; interrupted and called again, finished runs are not repeated."""
    small = as_overrides(SMALL)
    composed = reproduce.launch.compose_run
    smaller = lambda given: composed([*given, *small])  # noqa: E731
    monkeypatch.setattr(reproduce.launch, "compose_run", smaller)
    seeds = {**PROOF, "seeds": [0, 1], "at_least": 0.0}
    monkeypatch.setattr(reproduce, "_config", lambda name: {**compose([]), "target": seeds})
    first = reproduce.measure("image_cnn", "p")
    folders = list((tmp_path / "runs" / "image_cnn").iterdir())
    times = {f: (f / "results.json").stat().st_mtime_ns for f in folders}
    assert sorted(f.name for f in folders) == ["p-0", "p-1"]
    assert reproduce.measure("image_cnn", "p")["values"] == first["values"]
    assert times == {f: (f / "results.json").stat().st_mtime_ns for f in folders}
