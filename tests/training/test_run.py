"""The folder of a run: who may write there, what goes on and what is left alone."""

import json
import os
import platform

import pytest

from tests.data import refused
from zoo.catalog.compose import compose
from zoo.training.run import differences, is_complete, locate_run, lock_run


@pytest.fixture(scope="module")
def config():
    return {**compose(["name=a"]), "command": "zoo train"}


@pytest.fixture
def run(config):
    return locate_run(config)


def changed(config, **keys):
    return {**config, **keys}


def test_the_folder_is_named_by_experiment_and_name_and_without_one_is_its_own(config, tmp_path):
    assert locate_run(config).folder == tmp_path / "runs" / "image_cnn" / "a"
    folders = {locate_run(changed(config, name=None)).folder for _ in range(9)}
    assert len(folders) == 9  # of 65,536 names a second


@pytest.fixture
def begun(config, run):
    """A run that has its config and metrics."""
    with lock_run(run, config):
        (run.folder / "metrics.csv").touch()
    return run


def test_only_a_finished_run_with_the_same_config_has_nothing_to_do(config, begun):
    assert not is_complete(begun, config)
    (begun.folder / "results.json").write_text('{"test/accuracy": 0.5}')
    assert is_complete(begun, config)
    assert (begun.finished, begun.results) == (True, {"test/accuracy": 0.5})
    longer = changed(config, trainer={**config["trainer"], "max_epochs": 99})
    assert not is_complete(begun, longer)
    assert is_complete(begun, changed(config, command="another", force=True))


def test_a_start_that_was_killed_before_it_wrote_its_config_is_no_obstacle(config, run):
    assert not is_complete(run, config)
    run.folder.mkdir(parents=True)
    for name in (".lock", ".owner", "config.yaml.part"):
        (run.folder / name).touch()
    assert not is_complete(run, config)


def test_another_config_is_refused_with_the_difference_unless_forced(config, begun):
    assert begun.config == json.loads(json.dumps(config))
    other = changed(config, seed=5)
    refused("seed: 0 -> 5", is_complete, begun, other)
    assert not is_complete(begun, changed(other, force=True))


def test_a_folder_that_is_no_run_is_never_written_to(config, run):
    run.folder.mkdir(parents=True)
    (run.folder / "thesis.tex").write_text("mine")
    for one in (config, changed(config, force=True)):
        refused("is no run", is_complete, run, one)
    assert [path.name for path in run.folder.iterdir()] == ["thesis.tex"]


def test_a_second_process_on_the_folder_is_refused(config, run):
    with (
        lock_run(run, config),
        pytest.raises(ValueError, match=rf"written by process {os.getpid()} on {platform.node()}"),
        lock_run(run, config),
    ):
        pass


def test_the_lock_of_a_process_that_was_killed_is_taken_over_and_its_leftovers_go(config, run):
    run.checkpoints.mkdir(parents=True)
    (run.folder / ".owner").write_text("process 1 on elsewhere")
    (run.folder / ".lock").touch()
    (run.checkpoints / "last-3.ckpt.part").touch()
    with lock_run(run, config):
        assert str(os.getpid()) in (run.folder / ".owner").read_text()
        assert not list(run.folder.rglob("*.part"))
    left = {path.name for path in run.folder.iterdir()}
    assert left == {"config.yaml", "composed.yaml", "checkpoints"}


def test_a_folder_is_a_run_from_its_first_file_on(config, monkeypatch):
    """Another process of the run, or the start after a kill, looks for config.yaml."""
    names = []
    monkeypatch.setattr("zoo.training.run.replace", lambda path, text: names.append(path.name))
    with lock_run(locate_run(config), config):
        assert names == ["config.yaml", "composed.yaml"]


def test_a_run_that_failed_before_it_began_leaves_nothing(config, tmp_path):
    with pytest.raises(FileNotFoundError), lock_run(locate_run(config), config):
        raise FileNotFoundError("no data")
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_failed_later_keeps_what_it_has(config, run):
    checkpoint = run.folder / "checkpoints" / "last-7.ckpt"
    with pytest.raises(FloatingPointError), lock_run(run, config):  # noqa: PT012
        checkpoint.parent.mkdir()
        checkpoint.touch()
        raise FloatingPointError("nan")
    assert (run.lasts, run.config["name"]) == ([checkpoint], "a")


def test_devices_epochs_and_loggers_may_differ_and_nothing_else(config):
    trainer = {**config["trainer"], "max_epochs": 99, "devices": 2}
    assert differences(config, changed(config, trainer=trainer, logger={})) == []
    precision = {**config["trainer"], "precision": "16-mixed"}
    assert differences(config, changed(config, trainer=precision))
