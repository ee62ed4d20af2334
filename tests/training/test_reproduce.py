"""Proofs: what is judged, what is kept, and what stands."""

import json
from pathlib import Path

import pytest

from zoo.catalog.compose import compose
from zoo.training import reproduce
from zoo.utilities.errors import Failure

PROOF = {"metric": "test/accuracy", "at_least": 0.9, "seeds": [0, 1], "minutes": 1}


def results(value, **more):
    return {
        "test/accuracy": value, "model": "image_cnn", "data": "digits", "embedded": True,
        "parameters": 10, "precision": "32-true", "device": "CPU", "train_seconds": 30.0,
        "baseline": "logistic", "baseline/test/accuracy": 0.8, "baseline/train_seconds": 90.0,
        **more,
    }  # fmt: skip


def test_the_mean_over_the_seeds_is_judged():
    assert reproduce.figure_of(PROOF, [results(0.88), results(0.93)])["met"]
    assert not reproduce.figure_of(PROOF, [results(0.88), results(0.91)])["met"]
    at_most = {**PROOF, "at_least": None, "at_most": 0.9}
    assert not reproduce.figure_of(at_most, [results(0.88), results(0.93)])["met"]


def test_the_slowest_seed_gives_the_minutes():
    slow = results(0.9, train_seconds=90.0)
    assert reproduce.figure_of(PROOF, [results(0.9), slow])["minutes"] == 1.5


def test_the_page_shows_score_spread_bar_and_baseline():
    page = reproduce.page({"image_cnn": reproduce.figure_of(PROOF, [results(0.95), results(0.97)])})
    row = page.splitlines()[-1]
    for cell in (
        "96.00 % (95.00 to 97.00 %)",
        "at least 90.00 %",
        "80.00 % (logistic, 90.0 s)",
        "(embedded)",
    ):
        assert cell in row


def test_what_was_done_to_the_data_stands_beside_their_score():
    """Part 2 of the features: CIFAR-10 is a re-compressed copy."""
    figure = reproduce.figure_of(PROOF, [results(0.9, data="cifar10", embedded=False)])
    assert "| cifar10 (compressed as JPEG) |" in reproduce.page({"cifar10_image_cnn": figure})


def test_the_readmes_table_is_replaced_and_the_rest_is_not():
    figures = {"image_cnn": reproduce.figure_of(PROOF, [results(0.95)])}
    page = f"before\n{reproduce.START}\nold\n{reproduce.END}\nafter\n"
    written = reproduce.with_table(page, figures)
    assert written.startswith(f"before\n{reproduce.START}\n")
    assert written.endswith(f"{reproduce.END}\nafter\n")
    assert "95.00 %" in written
    assert "old" not in written
    assert reproduce.with_table(written, figures) == written


def test_a_recipe_without_a_proof_says_so(monkeypatch):
    monkeypatch.setattr(reproduce, "_config", lambda name: {"proof": None})
    with pytest.raises(ValueError, match="has no proof"):
        reproduce.measured("image_cnn", "")


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """Figures in a folder of their own; runs are replaced by their results, which are counted."""
    ran = []

    class Done:
        results = results(0.95)

    monkeypatch.setattr(reproduce, "docs", lambda: tmp_path)
    monkeypatch.setattr(reproduce, "proven", lambda: ["image_cnn"])
    monkeypatch.setattr(
        reproduce, "_run", lambda name, seed, label: ran.append((seed, label)) or Done()
    )
    return ran


def test_what_stands_is_not_run_again(measured, tmp_path):
    with pytest.raises(Failure, match="below the bar: image_cnn"):
        reproduce.reproduce_all()  # 0.95 is under its 0.98
    seeds = compose(["experiment=image_cnn"])["proof"]["seeds"]
    assert [seed for seed, _ in measured] == seeds
    assert json.loads((tmp_path / "results.json").read_text())["image_cnn"][
        "mean"
    ] == pytest.approx(0.95)
    with pytest.raises(Failure):
        reproduce.reproduce_all()
    assert len(measured) == len(seeds)


def test_other_code_or_another_config_does_not_stand(monkeypatch):
    before = reproduce.digest("image_cnn")
    assert reproduce.digest("image_cnn") == before
    assert reproduce.digest("image_cnn_2017") != before
    code = reproduce._code
    monkeypatch.setattr(
        reproduce, "_code", lambda module: code(module) + ("x" if module == "zoo.nn.module" else "")
    )
    assert reproduce.digest("image_cnn") != before


def test_comments_and_layout_do_not_unsettle_a_figure(monkeypatch, tmp_path):
    import zoo.nn.optim

    text = tmp_path / "optim.py"
    text.write_text("# a comment\n" + Path(zoo.nn.optim.__file__).read_text())
    before = reproduce._code("zoo.nn.optim")
    monkeypatch.setattr(reproduce, "getfile", lambda module: str(text))
    assert reproduce._code("zoo.nn.optim") == before


def test_a_missed_bar_is_exit_code_1_and_one_line(measured, command):
    code, _, err = command("reproduce", "image_cnn")
    assert code == 1
    assert "misses its bar" in err.splitlines()[-1]


@pytest.mark.parametrize("arguments", [[], ["image_cnn", "--all"]])
def test_reproduce_wants_a_name_or_all(arguments, command):
    code, _, err = command("reproduce", *arguments)
    assert code == 2
    assert "NAME or --all" in err


@pytest.mark.slow
def test_a_proof_runs_its_seeds_through_the_real_command(monkeypatch, tmp_path):
    """Two seeds of a small recipe; interrupted and called again, finished runs are not repeated."""
    small = ["data.limit=100", "data.batch_size=20", "model.widths=[4]", "trainer.max_epochs=1"]
    composed = reproduce.launch.composed
    monkeypatch.setattr(
        reproduce.launch, "composed", lambda given: composed([*given, *small, "baseline=null"])
    )
    seeds = {**PROOF, "seeds": [0, 1], "at_least": 0.0}
    monkeypatch.setattr(reproduce, "_config", lambda name: {**compose([]), "proof": seeds})
    first = reproduce.measured("image_cnn", "p")
    folders = list((tmp_path / "runs" / "image_cnn").iterdir())
    times = {f: (f / "results.json").stat().st_mtime_ns for f in folders}
    assert sorted(f.name for f in folders) == ["p-0", "p-1"]
    assert reproduce.measured("image_cnn", "p")["values"] == first["values"]
    assert times == {f: (f / "results.json").stat().st_mtime_ns for f in folders}
