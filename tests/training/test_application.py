"""`zoo train` as a Hydra application: flags, keys, folders of configs, what is printed."""

import re

import pytest
from omegaconf import OmegaConf

from zoo.catalog import registry
from zoo.training import launch
from zoo.training.launch import compose_run


def test_cfg_prints_the_config_that_a_run_has(command, tmp_path):
    words = ["model=gan", "seed=3", "name=a"]
    said = command.ran("train", "--cfg", "job", *words)
    assert OmegaConf.to_container(OmegaConf.create(said)) == compose_run(words)
    assert OmegaConf.create(said).choices.experiment == "gan"
    part = command.ran(
        "train", "seed=3", "-c", "job", "-p", "model.generator_optimizer", "model=gan"
    )
    assert OmegaConf.create(part) == compose_run(words)["model"]["generator_optimizer"]
    assert command.ran("train", "--cfg", "job", "--package", "seed", "seed=3") == "3\n"
    assert not [*tmp_path.iterdir()]


def test_cfg_prints_hydras_section_and_all_of_it(command):
    words = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=3"]
    hydra = OmegaConf.create(command.ran("train", "--cfg", "hydra", *words)).hydra
    assert hydra.launcher.n_jobs == 3
    everything = OmegaConf.create(command.ran("train", "--cfg", "all", "--resolve", *words))
    assert everything.hydra.launcher == hydra.launcher
    assert everything.model._target_ == "zoo.image_cnn.ImageCNN"


@pytest.mark.parametrize(("what", "said"), [
    ("plugins", "JoblibLauncher"), ("searchpath", "/conf "), ("defaults", "experiment/gan"),
    ("defaults-tree", "experiment: gan"), ("config", "_target_: zoo.gan.GAN"),
])  # fmt: skip
def test_info_says_what_hydra_knows(what, said, command):
    out = command.ran("train", "--info", what, "experiment=gan")
    assert said in out
    assert "matplotlib" not in out


@pytest.mark.parametrize(("words", "said"), {
    "hydra.run.dir=x": "hydra.run.dir is 'x', which does nothing here: .* give name=NAME",
    "hydra.sweep.dir=x": "give name=NAME", "hydra.sweep.subdir=x -m seed=1,2": "give name=NAME",
    "hydra.output_subdir=.hydra": "config.yaml in the run's folder",
    "hydra.job.chdir=true": "stays in the working directory", "hydra.verbose=true": "ZOO_DEBUG=1",
    "hydra/job_logging=stdout": "on standard error",
    "hydra.job_logging.version=2": "on standard error",
    "hydra/hydra_logging=default": "on standard error",
    "hydra.rum.dir=x": "hydra.rum", "hydra.launcher.n_jobs=2 -m seed=1,2": "hydra.launcher.n_jobs",
    "hydra/launcher=jobli -m": "did you mean 'joblib'.; `pip install hydra-jobli-launcher`",
    "hydra/sweeper=optuna -m": "there are basic.*; `pip install hydra-optuna-sweeper`",
    "hydra/launcher=joblib hydra.launcher.n_jobs=2": "is for the jobs of a sweep: add -m",
    "--config-name x": "experiment=NAME", "--config-path=x": "--config-dir",
    "-cp x": "--config-dir",
    "--experimental-rerun x": "name=NAME", "-sc install=bash": "zoo completion",
    "--hydra-help": "docs/hydra.md", "--cfg job -m seed=1,2": "--multirun and --cfg: only one",
    "--resolve": "are for --cfg", "--cfg job -p modle": "--package is modle",
    "--config-dir nowhere": "nowhere: there is no such folder of configs",
    "hydra.searchpath=[pkg://nowhere.conf]": "'pkg://nowhere.conf': there is no such package",
    "seed=1,2": "--multirun", "experiment=glob(x*) -m": r"no experiment named 'glob\(x\*\)'",
    "data.source=~/pets": """'data.source="~/pets"'""", "name=кот": """'name="кот"'""",
    "name=a(b": """'name="a\\(b"'""", "name=42": """'name="42"'""",
    "--cfg": "expected one argument",
}.items())  # fmt: skip
def test_what_cannot_work_is_refused_in_one_line(words, said, command, tmp_path):
    assert re.search(said, command.refused("train", *words.split()))
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("key", ["hydra.job.chdir=false", "hydra.output_subdir=null", "--run"])
def test_what_is_as_it_is_anyway_is_taken(key, command, monkeypatch):
    done = []
    monkeypatch.setattr(launch, "execute", lambda *args: done.append(args))
    monkeypatch.setattr("zoo.commands.train.print_run", id)
    command.ran("train", key, "+hydra.job.env_set.SEEN=1")
    assert len(done) == 1


@pytest.mark.parametrize("flag", [
    "--config-dir=mine", "hydra.searchpath=[file://mine]", "hydra.searchpath=[pkg://pack.conf]",
])  # fmt: skip
def test_a_folder_of_configs_joins_the_catalog(flag, command, tmp_path, monkeypatch):
    """Its names stand in every group, its groups beside ours, and it is known no longer after."""
    folder = tmp_path / ("pack/conf" if "pkg" in flag else "mine")
    for group in ("experiment", "rate"):
        (folder / group).mkdir(parents=True)
    experiment = "# @package _global_\n# Slow.\ndefaults:\n- override /model: gan\nseed: 7\n"
    (folder / "experiment/slow.yaml").write_text(experiment)
    (folder / "rate/low.yaml").write_text("# @package model.generator_optimizer\nlr: 0.25\n")
    (tmp_path / "pack").mkdir(exist_ok=True)
    (tmp_path / "pack/__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    said = command.ran("train", "--cfg", "job", flag, "experiment=slow", "+rate=low")
    config = OmegaConf.create(said)
    assert (config.choices.experiment, config.seed) == ("slow", 7)
    assert config.model.generator_optimizer.lr == 0.25
    assert config.command.split()[:3] == [
        "zoo",
        "train",
        f"--config-dir={folder.relative_to(tmp_path)}",
    ]
    assert "slow" not in registry.names("experiment")
    assert "no experiment named 'slow'" in command.refused("train", "experiment=slow")


def test_list_and_show_take_a_folder_of_configs(command, tmp_path):
    (tmp_path / "mine/model").mkdir(parents=True)
    (tmp_path / "mine/model/tall.yaml").write_text("# Tall.\n_target_: zoo.image_cnn.ImageCNN\n")
    assert "tall                     Tall." in command.ran("list", "models", "--config-dir", "mine")
    assert "tall" not in command.ran("list", "models")
    (tmp_path / "mine/experiment").mkdir()
    (tmp_path / "mine/experiment/thin.yaml").write_text("# @package _global_\nseed: 9\n")
    assert "seed: 9" in command.ran("show", "thin", "--config-dir", "mine")
