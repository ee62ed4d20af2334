"""The pages of the scores: what a row says."""

import pytest

from tests.training.test_reproduce import PROOF, results
from zoo.training import reproduce, results_page


def figure(value=0.95, target=(), **more):
    return reproduce.figure_of({**PROOF, **dict(target)}, [results(value, **more)])


def cells(page):
    """The last row by column."""
    head, _, *rows = [line for line in page.splitlines() if line.startswith("|")]
    both = ([cell.strip() for cell in one.split("|")] for one in (head, rows[-1]))
    return dict(zip(*both, strict=True))


def row(value=0.95, **more):
    return cells(results_page.page({"image_cnn": figure(value, **more)}))


def test_a_row_shows_metric_score_spread_bar_and_baseline():
    both = reproduce.figure_of(PROOF, [results(0.95), results(0.97)])
    found = cells(results_page.page({"image_cnn": both}))
    assert found["score"] == "**96.00 % (95.00 to 97.00 %)**"
    assert (found["metric"], found["bar"]) == ("test/accuracy \u2191", "at least 90.00 %")
    assert (found["baseline"], found["data"]) == ("80.00 % (logistic, 90.0 s)", "digits (bundled)")
    assert found["minutes"] == "0.5 of 1"


def test_what_was_done_to_the_data_stands_beside_their_score():
    """Part 2 of the features: CIFAR-10 is a re-compressed copy."""
    assert row(data="cifar10", bundled=False)["data"] == "cifar10 (compressed as JPEG)"


VERDICTS = {
    "met": {}, "misses its bar": {"value": 0.85},
    "loses to logistic, lower bound": {"baseline/test/accuracy": 0.96},
    "lower bound": {"baseline/test/accuracy": 0.9},
    "slower than its 1 minutes": {"train_seconds": 61.0},
    "misses its bar, slower than its 1 minutes": {"value": 0.85, "train_seconds": 61.0},
    "control, met": {"target": {"at_least": None, "at_most": 0.96}, "baseline/test/accuracy": None},
}  # fmt: skip


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_target_is_met_in_its_minutes_and_by_a_bar_above_the_baseline(verdict):
    assert row(**VERDICTS[verdict])["verdict"] == verdict


def test_where_lower_is_better_the_comparisons_turn_round():
    more = {"test/mse": 0.2, "baseline/test/mse": 0.1}
    found = row(target={"metric": "test/mse", "at_least": None, "at_most": 0.3}, **more)
    assert found["verdict"] == "loses to logistic, lower bound"
    assert found["metric"] == "test/mse \u2193"


def test_what_earlier_code_has_measured_is_marked_on_both_pages():
    figures = {"image_cnn": figure() | {"earlier_code": True}}
    assert cells(results_page.page(figures))["verdict"] == "met, measured with earlier code"
    readme = results_page.with_table(f"{results_page.START}\n{results_page.END}", figures)
    assert "measured with earlier code" in readme


def test_the_readmes_table_is_replaced_and_the_rest_is_not():
    figures = {"image_cnn": figure(**{"baseline/test/accuracy": 0.96}), "image_mlp": figure()}
    page = f"before\n{results_page.START}\nold\n{results_page.END}\nafter\n"
    written = results_page.with_table(page, figures)
    assert written.startswith(f"before\n{results_page.START}\n")
    assert written.endswith(f"{results_page.END}\nafter\n")
    assert cells(written)["model on data"] == "[image_cnn](zoo/image_cnn.py) on digits"
    assert cells(written)["score"] == "**95.00 %**, loses to logistic"
    assert "old" not in written
    assert "image_mlp" not in written  # docs/results.md has it
    assert results_page.with_table(written, figures) == written


def test_the_readmes_rows_are_experiments_with_a_target():
    assert len(results_page.TOPICS) == 10
    assert set(results_page.TOPICS) <= set(reproduce.names_with_target())
