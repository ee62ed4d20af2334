"""Loggers: what each has of a run, and that a run which is killed and goes on has each row once."""

import json
import os
import shutil
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from subprocess import DEVNULL, Popen
from types import SimpleNamespace

import pytest
from mlflow import MlflowClient
from pytorch_lightning.loggers import Logger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.data import python
from tests.training.test_resume import BOUNDARY, LITTLE, MIDDLE, stopped, trained
from zoo.catalog.compose import compose
from zoo.commands.main import main
from zoo.training import csv_logger, loggers, resume, wandb_runs
from zoo.training.run import Run
from zoo.utilities.compat import wandb_rows

ROOT = Path(__file__).resolve().parents[2]
ALL = "logger=[csv,tensorboard,wandb,mlflow]"
SECOND = "logger.w._target_=pytorch_lightning."
SMALL = ("trainer=smoke", "data.limit=64", "data.batch_size=16", "name=a")


@pytest.fixture(autouse=True)
def places(monkeypatch):
    """No account, no server: as where nobody said anything."""
    for name in [*os.environ]:
        if name.startswith(("WANDB_", "MLFLOW_")):
            monkeypatch.delenv(name)


class Own(Logger):
    """What it is told, in a file."""

    def __init__(self, *, file: str, greeting: str = "hello") -> None:
        super().__init__()
        self.file = Path(file)
        self.file.write_text(greeting)

    name, version = "own", "0"

    def log_hyperparams(self, params, *_):
        self._write(f"seed {params['seed']}")

    def log_metrics(self, metrics, step=None):
        self._write(*(f"{name} {step}" for name in metrics))

    def _write(self, *lines):
        with self.file.open("a") as file:
            file.writelines(f"\n{line}" for line in lines)


def csv_rows(folder):
    """(metric, step) of metrics.csv, but for the epoch, as often as it stands there."""
    rows = csv_logger.read(folder / "metrics.csv")
    return Counter((k, int(row["step"])) for row in rows for k in row if row[k] and k not in
                   ("epoch", "step"))  # fmt: skip


def mlflow_run():
    """The only run in ./mlruns."""
    client = MlflowClient(Path("mlruns").resolve().as_uri())
    (run,) = client.search_runs([one.experiment_id for one in client.search_experiments()])
    return client, run


def mlflow_rows(_):
    client, run = mlflow_run()
    names = run.data.metrics.keys() - {"epoch"}
    return Counter(
        (name, metric.step)
        for name in names
        for metric in client.get_metric_history(run.info.run_id, name)
    )


def wandb_rows_of(folder):
    rows = [row for file in sorted(folder.glob("wandb/off*/*.wandb")) for row in wandb_rows(file)]
    numbers = [int(row["_step"]) for row in rows]
    assert len({*numbers}) == len(numbers), numbers
    return Counter(
        (name, int(row[wandb_runs.STEP]))
        for row in rows
        for name in row
        if name[0] != "_" and name not in ("epoch", wandb_runs.STEP)
    )


def tensorboard_rows(folder):
    events = EventAccumulator(str(folder / "tensorboard")).Reload()
    names = {*events.Tags()["scalars"]} - {"epoch"}
    return Counter((name, event.step) for name in names for event in events.Scalars(name))


BACKENDS = {"mlflow": mlflow_rows, "wandb": wandb_rows_of, "tensorboard": tensorboard_rows}


@loggers.closed()
def logged(folder, *changes):
    trained(folder, "image_cnn", ALL, *changes)


@pytest.mark.parametrize("step", [MIDDLE, BOUNDARY])
def test_each_row_stands_once_in_each_logger_after_a_kill(step, tmp_path, monkeypatch):
    """The rows behind the checkpoint are done again; of wandb's a kill has lost the last."""
    monkeypatch.setattr(resume, "CHECKPOINTS_TO_KEEP", 99)
    whole = tmp_path / "whole"
    whole.mkdir()
    logged(whole)
    wanted, ids = csv_rows(whole), json.loads((whole / "loggers.json").read_text())
    for name, rows in BACKENDS.items():
        assert rows(whole) == wanted, name
    folder = stopped(whole, step)
    shutil.copytree(whole / "tensorboard", folder / "tensorboard")
    shutil.copytree(whole / "wandb", folder / "wandb", symlinks=True)
    shutil.copy(whole / "loggers.json", folder)
    (file,) = folder.glob("wandb/off*/*.wandb")
    os.truncate(file, file.stat().st_size // 2)
    shutil.rmtree(whole / "wandb")
    time.sleep(1)  # wandb's folders bear the second
    logged(folder, "trainer.max_epochs=3")
    wanted = csv_rows(folder)
    assert len(wanted) > 20
    for name, rows in BACKENDS.items():
        assert rows(folder) == wanted, name
    assert json.loads((folder / "loggers.json").read_text()) == ids
    _, run = mlflow_run()
    assert (run.info.run_id, run.info.status) == (ids["mlflow"], "FINISHED")


def run_with_wandb(pid):
    """The processes of wandb that serve this one."""
    lines = [file.read_bytes() for file in Path("/proc").glob("[0-9]*/cmdline") if file.exists()]
    return [line for line in lines if b"wandb-core" in line and str(pid).encode() in line]


@pytest.mark.slow
@pytest.mark.parametrize("devices", [1, 2])
def test_a_run_that_is_killed_goes_on_as_one_run_of_each_logger(
    devices, tmp_path, monkeypatch, capfd
):
    """By kill -9 in the middle; of two processes one writes."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    processes = ("trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2")[: 3 * (devices - 1)]
    words = [sys.executable, "-m", "zoo", "train", "name=a", *LITTLE, *processes, ALL, "seed=1",
             "trainer.max_epochs=20"]  # fmt: skip
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    folder = tmp_path / "runs/image_cnn/a"
    with Popen(words, env=env, stdout=DEVNULL, stderr=DEVNULL) as process:
        while not any(int(path.stem[5:]) > 9 for path in Run(folder).lasts):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    ids = json.loads((folder / "loggers.json").read_text())
    limit = time.monotonic() + 20
    while run_with_wandb(process.pid) and time.monotonic() < limit:
        time.sleep(0.1)
    assert not run_with_wandb(process.pid)
    assert main(words[3:]) == 0
    assert "wandb:" not in "".join(capfd.readouterr())  # which says nothing but what we do
    wanted = csv_rows(folder)
    results = Run(folder).results
    scores = {k.replace("/low", "_low").replace("/high", "_high") for k in results}
    wanted |= Counter((name, 40) for name in scores if name.startswith("test/"))
    for name, rows in BACKENDS.items():
        assert rows(folder) == wanted, name
    assert json.loads((folder / "loggers.json").read_text()) == ids
    assert mlflow_run()[1].info.run_id == ids["mlflow"]


def test_each_logger_has_the_config_and_the_scores(command, tmp_path, monkeypatch):
    """One of the user's own, too; the environment stays as it was."""
    monkeypatch.setenv("ZOO_PACKAGES", "tests")
    own = ("logger.own._target_=tests.training.test_loggers.Own", "logger.own.file=own.txt")
    before = {name for name in os.environ if "WANDB" in name or "MLFLOW" in name}
    _, _, err = command("train", *SMALL, ALL, *own)
    folder = tmp_path / "runs/image_cnn/a"
    results = json.loads((folder / "results.json").read_text())
    _, run = mlflow_run()
    assert run.data.metrics["test/loss"] == pytest.approx(results["test/loss"])
    assert run.data.metrics["test/loss_low"] == pytest.approx(results["test/loss/low"])
    assert (run.data.params["model.dropout"], run.info.run_name) == ("0.0", "a")
    for rows in BACKENDS.values():
        assert rows(folder)["test/accuracy", 2] == rows(folder)["test/loss_high", 2] == 1
    assert {"hello", "seed 0", "val/loss 1", "test/f1 2"} <= {
        *Path("own.txt").read_text().split("\n")
    }
    assert [line.split()[0] for line in err.splitlines() if "wandb" in line[:9]] == ["wandb"]
    assert wandb_runs.current() is None
    now = {name for name in os.environ if "WANDB" in name or "MLFLOW" in name}
    assert now - before <= {*loggers.ENVIRONMENT, "WANDB_SERVICE"}


def opened(folder, *overrides, name="a"):
    """The loggers of a config as a run of that name opens them."""
    folder.mkdir(exist_ok=True)
    config = compose([*LITTLE, "logger=[mlflow]", *overrides])
    return loggers.make({**config, "name": name}, Run(folder), None)


def test_a_run_that_is_gone_is_begun_anew_with_its_rows(tmp_path, capsys):
    """Parameters that change stay: it is said which."""
    csv_logger.write(tmp_path / "metrics.csv", ["epoch", "step", "val/loss"], [
        {"epoch": "0", "step": "1", "val/loss": "0.5"},
        {"epoch": "1", "step": "3", "val/loss": "0.25"},
    ])  # fmt: skip
    (tmp_path / loggers.IDS).write_text(json.dumps({"mlflow": "0" * 32}))
    opened(tmp_path)
    assert mlflow_rows(tmp_path) == csv_rows(tmp_path)
    assert "is not there any longer" in capsys.readouterr().err
    opened(tmp_path, "trainer.max_epochs=7")
    assert "keeps the first trainer.max_epochs:" in capsys.readouterr().err
    client, run = mlflow_run()
    assert (run.data.params["trainer.max_epochs"], run.info.status) == ("2", "RUNNING")
    client.delete_run(run.info.run_id)
    opened(tmp_path)
    assert mlflow_run()[1].info.run_id != run.info.run_id


@pytest.mark.parametrize(("set_to", "section", "wanted"), [
    ({}, {}, {"project": "gan", "name": "s/1", "group": "s", "id": None, "mode": "offline"}),
    ({"WANDB_MODE": "online", "WANDB_PROJECT": "x"}, {},
     {"project": "x", "name": "s/1", "group": "s", "id": None}),
    ({}, {"offline": False, "name": "mine"},
     {"project": "gan", "name": "mine", "group": "s", "id": None, "offline": False}),
])  # fmt: skip
def test_what_wandb_is_told_of_a_job_of_a_sweep(set_to, section, wanted, tmp_path, monkeypatch):
    for name, value in set_to.items():
        monkeypatch.setenv(name, value)
    target = {"_target_": "pytorch_lightning.loggers.WandbLogger"}
    config = {
        "logger": {"w": {**target, **section}},
        "choices": {"experiment": "gan"},
        "name": "s/1",
    }
    told = loggers.with_defaults("w", config, Run(tmp_path))
    told.pop("settings")
    assert told == {**target, "save_dir": str(tmp_path), **wanted}


def test_where_mlflow_keeps_a_job_of_a_sweep(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "store").as_uri())
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "mine")
    opened(tmp_path / "a", name="s/1")
    client = MlflowClient((tmp_path / "store").as_uri())
    (run,) = client.search_runs([client.get_experiment_by_name("mine").experiment_id])
    assert (run.info.run_name, run.data.tags["sweep"]) == ("s/1", "s")
    assert not Path("mlruns").exists()


def test_rows_that_a_server_has_are_not_logged_again(tmp_path, monkeypatch):
    """As wandb's API gives them; without one there are those of the run's own file."""
    import wandb

    rows = [{"val/loss": 0.5, "val/f1": None, wandb_runs.STEP: 3, "_step": 0}, {"mine": 1}]
    api = SimpleNamespace(
        run=lambda path: SimpleNamespace(scan_history=lambda: {"a/b/c": rows}[path])
    )
    monkeypatch.setattr(wandb, "Api", lambda: api)
    run = SimpleNamespace(disabled=False, offline=False, url="https://", path="a/b/c")
    logger = SimpleNamespace(save_dir=str(tmp_path), experiment=run)
    known = wandb_runs.open_run(logger, "c")
    assert ("val/loss", 3) in known
    assert ("val/f1", 3) not in known
    assert wandb_runs.open_run(logger, None) == set()


@pytest.mark.parametrize(("words", "wanted"), [
    ((SECOND + "loggers.WandbLogger", "logger.w.projct=x"), "did you mean 'logger.w.project'"),
    ((SECOND + "loggers.WandbLogger", "logger.w.job_typ=x"), "did you mean 'logger.w.job_type'"),
    ((SECOND + "loggers.WandbLogger", "logger.w.offline=3"), "logger.w.offline is 3: it should be"),
    ((SECOND + "loggers.MLFlowLogger", "logger.w.run_nam=x"), "did you mean 'logger.w.run_name'"),
    ((SECOND + "loggers.CometLogger",), "needs the package comet_ml: pip install comet_ml"),
    ((SECOND + "callbacks.Timer",), "not a logger of"),
    ((SECOND + "loggers.NeptuneLogger",), "there is no such class"),
])  # fmt: skip
def test_a_logger_that_cannot_be_is_one_line(words, wanted, command):
    assert wanted in command.refused("train", *words)


@pytest.mark.parametrize("name", ["wandb", "mlflow"])
def test_a_missing_extra_is_named(name, command, monkeypatch):
    monkeypatch.setattr("zoo.config.loggers.find_spec", lambda package: None)
    assert f'pip install "lightning-zoo[{name}]"' in command.refused("train", f"logger=[{name}]")


def test_a_database_of_mlflow_needs_its_package(command, monkeypatch):
    monkeypatch.setattr("zoo.training.mlflow_runs.find_spec", lambda package: None)
    database = "logger.mlflow.tracking_uri='sqlite:///m.db'"
    assert "pip install mlflow" in command.failed("train", *SMALL, "logger=[mlflow]", database)


def test_a_run_may_have_no_logger(command):
    """Nothing but the file of metrics is missing, and it goes on for another epoch."""
    for epochs in (1, 2):
        words = (*SMALL[1:3], "baseline=null", "logger=[]", f"trainer.max_epochs={epochs}")
        command("train", *words, "name=mute")
        run = Run(Path("runs/image_cnn/mute"))
        assert run.results["epochs"] == epochs
    assert (run.folder / "report.html").is_file()
    assert not (run.folder / "metrics.csv").exists()


def test_lightnings_own_loggers_lie_in_the_runs_folder(tmp_path):
    target = SECOND + "loggers."
    opened(tmp_path / "a", "logger=[]", target + "CSVLogger")
    events = target + "TensorBoardLogger"
    (logger,) = opened(tmp_path / "b", "logger=[]", events, "logger.w.max_queue=1")
    logger.log_metrics({"a": 1}, 0)
    assert (tmp_path / "a/lightning_logs/version_0").is_dir()
    assert [*(tmp_path / "b/w").glob("events*")]


@pytest.mark.slow
def test_without_them_neither_wandb_nor_mlflow_is_imported():
    check = (
        "import sys; from zoo.training import fit, launch; "
        "launch.compose_run(['logger=[csv,tensorboard]']); "
        "assert not {'wandb', 'mlflow'} & {*sys.modules}"
    )
    python("-c", check, cwd=ROOT)
