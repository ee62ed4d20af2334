"""Sweeps: what Hydra's sweepers and launchers do with our configs, jobs and signals."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hydra.core.singleton import Singleton

import zoo
from zoo.catalog.compose import as_overrides
from zoo.training import sweep
from zoo.training.run import Run
from zoo.utilities.errors import Failure, Stopped

SMALL = [
    "data.limit=120", "data.batch_size=20", "model.widths=[4]", "trainer.max_epochs=1",
    "baseline=null",
]  # fmt: skip


@pytest.fixture
def jobs(monkeypatch):
    """The configs of jobs, none of which is run; `jobs.error` is raised by the first."""

    class Jobs(list):
        error = None

        def run(self, config, run, alone):
            self.append(config)
            if self.error and len(self) == 1:
                raise self.error

    done = Jobs()
    monkeypatch.setattr(sweep, "run_here", done.run)
    monkeypatch.setattr(sweep, "describe_score", lambda results: "none")
    monkeypatch.setattr(Run, "results", {})
    monkeypatch.setattr("zoo.commands.compare.summarise", lambda jobs: print(len(jobs)))
    return done


def test_a_sweep_checks_every_job_before_the_first_starts(command, jobs, tmp_path):
    assert "data.batch_size is 0" in command.refused("train", "-m", *SMALL, "data.batch_size=8,0")
    assert "did you mean 'seed'" in command.refused("train", "sead=1,2", "-m")
    assert (jobs, os.listdir(tmp_path)) == ([], [])


def test_each_job_has_the_recipe_of_its_model_and_hydra_writes_nothing(command, jobs, tmp_path):
    said = command.ran("train", "seed=3", "-m", "model=gan,image_mlp", "name=a")
    assert [job["choices"]["experiment"] for job in jobs] == ["gan", "image_mlp"]
    assert [job["name"] for job in jobs] == ["a/0", "a/1"]
    assert [job["command"] for job in jobs] == [
        "zoo train seed=3 model=gan", "zoo train seed=3 model=image_mlp",
    ]  # fmt: skip
    assert [job["model"]["_target_"] for job in jobs] == ["zoo.gan.GAN", "zoo.image_mlp.ImageMLP"]
    assert (said, os.listdir(tmp_path)) == ("2\n", [])


@pytest.mark.parametrize(("swept", "key", "values"), [
    ("experiment=glob(text_*,exclude=[*_2017,*_mlp])", "experiment", ["text_cnn", "text_lstm"]),
    ("seed=range(2)", "seed", [0, 1]), ("model.dropout=0.1,1e-3", "dropout", [0.1, 1e-3]),
])  # fmt: skip
def test_choices_ranges_and_globs_are_swept(swept, key, values, command, jobs):
    command.ran("train", "-m", swept)
    assert [(job | job["choices"] | job["model"])[key] for job in jobs] == values


def test_an_interval_needs_a_sweeper_that_draws(command, jobs):
    said = command.refused("train", "-m", "model.dropout=interval(0,0.5)")
    assert "model.dropout=interval(0,0.5) has no end of values" in said
    assert "hydra/sweeper=NAME" in said


PLUGIN = """
from pathlib import Path
from hydra.plugins.sweeper import Sweeper
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins

class Halving(Sweeper):
    def setup(self, *, hydra_context, task_function, config):
        self.config, self.hydra_context = config, hydra_context
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config)

    def sweep(self, arguments):
        (key, _), values = arguments[0].split("=", 1), []
        for number, value in enumerate((0.4, 0.2)):
            batch = [[f"{key}={value}", *arguments[1:]]]
            self.validate_batch_is_legal(batch)
            values.append(self.launcher.launch(batch, number)[0].return_value)
        Path("values").write_text(repr(values))

ConfigStore.instance().store(
    "halving", {"_target_": "hydra_plugins.halving.Halving"}, "hydra/sweeper", provider="a test")
"""


def test_a_sweeper_of_a_plugin_draws_and_gets_what_is_monitored(
    command, jobs, tmp_path, monkeypatch
):
    (tmp_path / "in/hydra_plugins").mkdir(parents=True)
    (tmp_path / "in/hydra_plugins/halving.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path / "in")
    Singleton.set_state(Singleton.get_state())  # looks for plugins again

    def run(config, run, alone):
        jobs.append(config)
        run.folder.mkdir(parents=True)
        rows = ["val/loss", "", str(config["model"]["dropout"] + 1), "9"]
        (run.folder / "metrics.csv").write_text("\n".join(rows))

    monkeypatch.setattr(sweep, "run_here", run)
    words = ["model.dropout=interval(0,0.5)", "name=a", "hydra/sweeper=halving"]
    assert command.ran("train", "-m", *words) == "2\n"
    assert [job["name"] for job in jobs] == ["a/0", "a/1"]
    assert json.loads((tmp_path / "values").read_text()) == [1.4, 1.2]


@pytest.mark.parametrize(("error", "code", "said", "done"), [
    (ValueError("wrong"), 1, "1 of 2 jobs failed: 0", 2),
    (Failure("broken"), 1, "1 of 2 jobs failed: 0", 2),
    (Stopped(15), 143, "stopped by SIGTERM", 1), (Stopped(2), 130, "stopped by SIGINT", 1),
    (KeyboardInterrupt(), 130, "interrupted", 1),
])  # fmt: skip
def test_a_job_that_fails_is_named_and_a_signal_ends_all(error, code, said, done, command, jobs):
    """A launcher of Hydra's goes on after any Exception."""
    jobs.error = error
    came, _, err = command("train", "-m", "seed=1,2")
    assert (came, f"zoo: {said}" in err) == (code, True)
    assert (len(jobs), os.path.exists("runs")) == (done, False)


@pytest.mark.parametrize(("launcher", "settings", "total", "cores"), [
    ("basic", {}, 2, None), ("joblib", {"n_jobs": 2}, 8, 4), ("joblib", {"n_jobs": -1}, 2, 4),
    ("joblib", {"n_jobs": -1}, None, 1), ("joblib", {"n_jobs": -7}, 8, 4),
    ("submitit_local", {}, 3, 2), ("submitit_slurm", {}, 3, None),
])  # fmt: skip
def test_jobs_side_by_side_share_eight_cores(launcher, settings, total, cores, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    settings = sweep.DictConfig(settings)
    assert sweep.share_of_cores(launcher, settings, total) == cores


def test_a_hydra_mode_sweeps_without_a_flag_and_a_launcher_without_a_sweep_is_refused(
    command, jobs
):
    command.ran("train", "hydra.mode=MULTIRUN", "seed=1,2")
    assert len(jobs) == 2
    assert "add -m" in command.refused("train", "hydra/launcher=joblib")


@pytest.mark.slow
def test_a_job_that_fails_is_named_and_the_others_are_done(command, tmp_path):
    """A rate of 1e30 makes the first job's loss infinite or not a number.

    The sweep ends in one table, best first, and a page in its folder.
    """
    code, out, err = command("train", "-m", "name=both", "model.optimizer.lr=1e30,0.05", *SMALL)
    assert (code, err.splitlines()[-1]) == (1, "zoo: 1 of 2 jobs failed: 0")
    runs = [zoo.Run(tmp_path / f"runs/image_cnn/both/{job}") for job in (0, 1)]
    assert [run.finished for run in runs] == [False, True]
    rows = [re.findall(r"│ *([^│]*?) *(?=│)", line) for line in out.splitlines() if "│" in line]
    assert [(row[0], row[1], row[-1]) for row in rows] == [
        ("1", "0.05", ""),
        ("0", "1e+30", "failed"),
    ]
    assert rows[0][2] == f"{100 * runs[1].results['test/accuracy']:.2f} %"
    assert err.count("score     test/accuracy") == 1
    page = tmp_path / "runs/image_cnn/both/compare.html"
    assert out.splitlines()[-1] == f"page      {page}"
    assert "lr=0.05" in page.read_text()


@pytest.mark.slow
def test_a_launcher_leaves_the_weights_of_each_run_alone(command, tmp_path):
    """Two recipes, each with its own data size; nothing else is left below the folder."""
    small = {"trainer": "smoke", "data": {"limit": 64, "batch_size": 8}, "baseline": None}
    words = ["-m", "model=autoencoder,image_mlp", *as_overrides(small)]
    for launcher in ("joblib", "submitit_local"):
        command.ran("train", *words, f"name={launcher}", f"hydra/launcher={launcher}")
    for job, model in enumerate(("autoencoder", "image_mlp")):
        folder = zoo.train(model, **small, name="alone").folder
        names = ("alone", f"joblib/{job}", f"submitit_local/{job}")
        runs = [zoo.Run(folder.parent / name) for name in names]
        assert [run.results["model"] for run in runs] == [model] * 3
        assert len({(run.folder / "weights.safetensors").read_bytes() for run in runs}) == 1
    assert sorted(os.listdir(tmp_path / "runs")) == ["autoencoder", "compare.html", "image_mlp"]
    assert os.listdir(tmp_path) == ["runs"]


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_jobs_end_with_their_sweep(launcher, tmp_path):
    """SIGTERM reaches the parent alone; a process that is left would hold its run's lock."""
    words = [*SMALL, "trainer.max_epochs=5000", "seed=1", "name=a"]
    words = [sys.executable, "-m", "zoo", "train", "-m", *words, f"hydra/launcher={launcher}"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    folder = tmp_path / "runs/image_cnn/a"
    wait_for(lambda: len([*folder.glob("*/checkpoints/last-*.ckpt")]) == 2)
    process.terminate()
    _, err = process.communicate(timeout=60)
    assert (process.returncode, "stopped by SIGTERM" in err) == (143, True), err
    wait_for(lambda: not running(str(folder)))
    assert os.listdir(tmp_path / "runs") == ["image_cnn"]


def wait_for(happens):
    for _ in range(1200):
        if happens():
            return
        time.sleep(0.1)
    raise AssertionError("it does not come")


def running(folder):
    """The workers of runs below a folder, by what the system says of all processes."""
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline")]
    return [one for one in commands if b"zoo.training.worker" in one and folder.encode() in one]
