"""`python -m benchmarks.own_data`: the data it writes, its cells, and the table of them."""

from importlib import import_module

import numpy as np
import pytest

import zoo
from benchmarks.own_data import cells, methods
from benchmarks.own_data import data as own
from benchmarks.own_data.cells import in_errors, measure, plan, read
from benchmarks.own_data.data import write_data
from benchmarks.own_data.methods import Cell
from benchmarks.own_data.table import table


@pytest.mark.parametrize(("name", "count"), [
    ("mnist", 20), ("cifar10", 20), ("rotten_tomatoes", 8), ("free_spoken_digit", 20),
    ("drone_video", 8),
])  # fmt: skip
def test_a_part_of_a_data_set_is_read_as_ones_own(name, count, tmp_path, monkeypatch):
    """With its classes in proportion, all of its test split, and other samples by another seed."""
    import_module(f"tests.tiny.{name}").write(tmp_path / "data" / name)
    monkeypatch.setenv("ZOO_DATA", str(tmp_path / "data"))
    own = write_data(name, count, 0, tmp_path)
    data, of = (zoo.create_data(one, **more) for one, more in
                ((own.kind, {"source": str(own.source)}), (name, {})))  # fmt: skip
    for one in (data, of):
        one.prepare_data()
        one.setup("fit")
    samples = data.info["samples"]
    assert samples["train"] + samples["val"] == min(count, of.info["samples"]["train"])
    assert samples["test"] == of.info["samples"]["test"]
    assert data.info["classes"] == sorted(of.info["classes"])
    assert write_data(name, count, 0, tmp_path) == own
    other = write_data(name, count // 2, 1, tmp_path)
    mine, its = ({f.read_bytes() for f in one.source.rglob("*") if f.is_file()}
                 for one in (own, other))  # fmt: skip
    assert its - mine or len(its) < len(mine)


def test_held_out_samples_are_other_training_samples(tmp_path, monkeypatch):
    import_module("tests.tiny.mnist").write(tmp_path / "data" / "mnist")
    monkeypatch.setenv("ZOO_DATA", str(tmp_path / "data"))
    own, held_out = (write_data("mnist", 10, 0, tmp_path, one) for one in (False, True))
    train, same, test, others = (
        {f.read_bytes() for f in folder.rglob("*") if f.is_file()}
        for folder in (own.source / "train", held_out.source / "train",
                       own.source / "test", held_out.source / "test")
    )  # fmt: skip
    assert train == same
    assert others
    assert not others & (train | test)


def test_grey_clips_of_a_program_become_folders_of_frames(tmp_path, monkeypatch):
    monkeypatch.setattr(own, "HELD_OUT", 4)
    clips = [*write_data("moving_digits", 8, 0, tmp_path, held_out=True).source.glob("*/*/*")]
    assert [len([*clip.glob("*.png")]) for clip in clips] == [10] * 12


def test_a_cell_is_measured_once(tmp_path, monkeypatch):
    right, single = np.array([1, 1, 1, 0, 1, 1], bool), np.array([1, 0, 0, 0, 1, 0], bool)
    given = {"right": right, "single_right": single, "single": "a", "what": "a, b"}
    calls = []
    monkeypatch.setitem(methods.METHODS, "auto", lambda *of: calls.append(of) or dict(given))
    monkeypatch.setattr(cells, "write_data", lambda *of: methods.Own("image_folder", tmp_path))
    cell = Cell("mnist", 600, 3, 10, "auto")
    found = measure(cell, tmp_path)
    assert found == measure(cell, tmp_path) == read(10, folder=tmp_path)[0]
    assert (len(calls), read(5, folder=tmp_path)) == (1, [])
    assert (found["accuracy"], found["right"], found["kind"]) == (5 / 6, "111011", "image_folder")
    differences = right.astype(float) - single
    error = differences.std() / np.sqrt(6)
    assert found["against_single"] == pytest.approx(differences.mean() / error)
    assert in_errors(right, right) == 0


def row(method, seed, accuracy, data="mnist", kind="image_folder", **more):
    return {"data": data, "samples": 600, "seed": seed, "minutes": 10, "method": method,
            "kind": kind, "accuracy": accuracy, **more}  # fmt: skip


def test_the_table_has_means_over_seeds_losses_among_them():
    rows = [
        row("default", 0, 0.5), row("default seed=1", 0, 0.4),
        row("auto", 0, 0.9, against_single=0.5, right="1110", single_right="1100"),
        row("auto", 1, 0.8, against_single=-1.26, right="1110", single_right="1011"),
        row("baseline", 0, 0.8), row("baseline", 1, 0.91),
        row("baseline", 0, 0.7, "imdb", "labelled_text"),
        row("fastText", 0, 0.75, "imdb", "labelled_text"),
    ]  # fmt: skip
    found = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table(rows).split("\n")]
    assert found[0] == [
        "data", "samples", "seeds", "`zoo train`", "`zoo train` `seed=1`", "`zoo auto`",
        "baseline", "fastText", "`zoo auto` - baseline",
        "`zoo auto` - its best, in errors (worst seed)",
    ]  # fmt: skip
    gains = np.array([0, 0.5, 0.5, -0.5])  # the means over both seeds of each sample
    errors = f"{gains.mean() / (gains.std() / 2):+.1f} (-1.3)"
    assert found[2] == ["mnist", "600", "2", "50.0", "40.0", "85.0", "**85.5**", "",
                        "-0.5 (-11.0 to +10.0)", errors]  # fmt: skip
    assert found[3] == ["imdb", "600", "1", "", "", "", "70.0", "**75.0**", "", ""]
    assert [cells[0] for cells in found[4:]] == ["all of `image_folder`", "all of `labelled_text`"]
    assert found[4][3:] == found[2][3:]


def test_the_cells_are_those_of_each_seed_and_fasttext_is_for_texts():
    found = plan(["mnist:600", "imdb:1000"], [0, 1], 10, ["auto", "fastText"])
    assert [one.name for one in found] == [
        "mnist-600-0-10-auto", "mnist-600-1-10-auto", "imdb-1000-0-10-auto",
        "imdb-1000-0-10-fastText", "imdb-1000-1-10-auto", "imdb-1000-1-10-fastText",
    ]  # fmt: skip
    (one,) = plan(["mnist:600"], [0], 10, ["default model.lr=[1,2]"], held_out=True)
    assert one.name == "mnist-600-0-10-default_model.lr=_1_2_-held_out"
    assert (one.overrides, one.held_out) == (["model.lr=[1,2]"], True)
    with pytest.raises(ValueError, match="'mnist' has no number of samples: mnist:600 is wanted"):
        plan(["mnist"], [0], 10, ["auto"])


@pytest.mark.slow
def test_the_baseline_and_the_default_are_those_of_a_run(tmp_path, monkeypatch):
    """Both answer the test split of a few digits; a command that fails is one line."""
    import_module("tests.tiny.mnist").write(tmp_path / "data" / "mnist")
    monkeypatch.setenv("ZOO_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    run_zoo = methods.run_zoo
    monkeypatch.setattr(methods, "run_zoo", lambda *words: run_zoo(*words, "trainer=smoke"))
    for method in ("baseline", "default"):
        found = measure(Cell("mnist", 20, 0, 1, method))
        assert len(found["right"]) == sum(1 for f in tmp_path.glob("runs/own_data/data/*/test/*/*"))
    with pytest.raises(ValueError, match="netwerk"):
        measure(Cell("mnist", 20, 0, 1, "baseline baseline.netwerk=x"))
    with pytest.raises(RuntimeError, match="no data named"):
        run_zoo("train", "data=mnits")
