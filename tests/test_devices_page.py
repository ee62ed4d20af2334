"""docs/devices.md: its commands compose, its submission fits them, its costs are the models'."""

import re
import shlex
import subprocess
from functools import partial
from pathlib import Path

import pytest

import tests.test_docs
import zoo
from zoo.catalog.compose import compose
from zoo.catalog.parsing import sweep_jobs
from zoo.config import run_config

PAGE = (Path(__file__).parents[1] / "docs" / "devices.md").read_text()


blocks = partial(tests.test_docs.blocks, PAGE)


def trainings():
    """What follows `zoo train` in each command of the page."""
    text = "".join(blocks("sh") + blocks("bash")).replace("\\\n", " ")
    return [line.split("#")[0] for line in re.findall(r"zoo train(.*)", text)]


@pytest.fixture
def anywhere(monkeypatch):
    """As on a machine that has the devices."""
    monkeypatch.setattr(run_config, "_check_devices", lambda trainer: None)


@pytest.mark.parametrize("line", trainings())
def test_each_command_composes_and_its_batch_divides_by_its_devices(line, anywhere):
    words = shlex.split(line)
    jobs = sweep_jobs(words[1:]) if words[:1] == ["-m"] else [words]
    for config in map(compose, jobs):
        trainer = config["trainer"]
        assert config["data"]["batch_size"] % (trainer["devices"] * trainer["num_nodes"]) == 0
        assert trainer["strategy"] == "ddp"


def test_the_submission_asks_for_a_task_a_device_and_is_shell(anywhere):
    (script,) = blocks("bash")
    assert subprocess.run(["bash", "-n"], input=script, text=True).returncode == 0
    asked = dict(re.findall(r"^#SBATCH --([\w-]+)(?:=(\S+))?$", script, re.MULTILINE))
    (line,) = re.findall(r"srun .*zoo train(.*)", script.replace("\\\n", " "))
    config = compose(shlex.split(line))
    trainer = config["trainer"]
    assert int(asked["ntasks-per-node"]) == int(asked["gpus-per-node"]) == trainer["devices"]
    assert int(asked["nodes"]) == trainer["num_nodes"]
    assert asked["signal"].startswith("TERM@")  # to the processes, which save
    assert "requeue" in asked
    assert config["name"]  # without one the next start would not go on


@pytest.mark.parametrize(("code", "said"), [(143, "requeue 7\n"), (0, ""), (1, "")])
def test_the_submission_queues_itself_again_after_sigterm_only(code, said, tmp_path):
    """With stand-ins for srun and scontrol on the path."""
    for name, body in (("srun", f"exit {code}"), ("scontrol", 'echo "$@"')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "SLURM_JOB_ID": "7"}
    script = ["bash", "-c", *blocks("bash")]
    done = subprocess.run(script, capture_output=True, text=True, env=env)
    assert (done.returncode, done.stdout) == (code, said)


def test_the_table_of_costs_has_every_model_as_it_is():
    """4 bytes a parameter and backward pass; 2 (N - 1) / N of it for each of N processes."""
    wanted = []
    for name in sorted({*zoo.list_models()} - {"cbow"}):  # which sends rows, not gradients
        model = zoo.create_model(name)
        parameters = sum(parameter.numel() for parameter in model.parameters())
        mine = 4 * parameters * (2 if model.find_unused_parameters else 1) / 1e6
        sent = 2 * 7 / 8 * mine
        costs = [f"{cost:.2f}" for cost in (mine, sent, sent / 2.5, sent / 20)]
        wanted.append(f"| `{name}` | {parameters:,} | {' | '.join(costs)} |")
    (table,) = re.findall(r"<!-- costs -->\n(.*?)<!-- /costs -->", PAGE, re.DOTALL)
    assert table.splitlines()[2:] == wanted
