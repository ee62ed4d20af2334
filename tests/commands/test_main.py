"""The program: its verbs, its help, its exit codes."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from omegaconf import OmegaConf

import zoo
from zoo.catalog import registry
from zoo.commands import main, show
from zoo.utilities import errors


def test_help_names_every_verb(command):
    out = command.ran("--help")
    assert all(f"zoo {verb}" in out for verb in main.verbs())


def test_a_wrong_verb_is_one_line_with_the_nearest(command):
    assert command("trian") == (2, "", "zoo: no verb named 'trian': did you mean 'train'?\n")


def test_list_shows_each_name_and_what_it_is(command):
    _, out, _ = command("list")
    weights = zoo.list_models(pretrained=True)
    for name in [*zoo.list_models(), *zoo.list_data(), *zoo.list_experiments(), *weights]:
        assert f"  {name} " in out


def test_list_runs_shows_scores_and_what_is_unfinished(command, tmp_path):
    assert "no runs in" in command.ran("list", "runs")
    for name in ("a", "b"):
        (tmp_path / "runs/image_cnn" / name).mkdir(parents=True)
        (tmp_path / "runs/image_cnn" / name / "config.yaml").touch()
    scores = {"test/accuracy": 0.5, "test/accuracy/low": 0.4}
    (tmp_path / "runs/image_cnn/a/results.json").write_text(json.dumps(scores))
    out = command.ran("list", "runs")
    said = [one in out for one in ("test/accuracy 0.5000", "unfinished", "/low")]
    assert said == [True, True, False]


def test_list_runs_has_a_line_for_a_search_and_none_for_what_it_tried(command, tmp_path):
    done, killed = (tmp_path / "runs/auto/digits" / name for name in ("done", "killed"))
    for place in (done, killed):
        (fold := place / "candidates/net/fold0").mkdir(parents=True)
        (fold / "config.yaml").touch()
        (fold / "results.json").write_text('{"test/accuracy": 0.1}')
        (place / "auto.yaml").touch()
    test = {"test/accuracy": 0.75, "test/loss": 1.0}
    (done / "leaderboard.json").write_text(json.dumps({"test": test}))
    (sweep := tmp_path / "runs/gan/sweep/0/wandb/files").mkdir(parents=True)
    (sweep / "config.yaml").touch()  # of a logger
    (sweep.parents[1] / "config.yaml").touch()
    assert sorted(line.split() for line in command.ran("list", "runs").splitlines()) == [
        ["runs/auto/digits/done", "test/accuracy", "0.7500"],
        ["runs/auto/digits/killed", "unfinished"],
        ["runs/gan/sweep/0", "unfinished"],
    ]


def test_show_prints_the_config_of_data_and_experiments_or_the_nearest_names(command):
    assert "batch_size: 64" in command.ran("show", "digits")
    assert "target:" in command.ran("show", "mnist_image_cnn")
    assert "did you mean 'mnist'?" in command.refused("show", "mnst")
    err = command.refused("show", "zzz")
    assert re.search(r"there are audio_folder, .* and \d+ more$", err.strip())
    assert len(err) < 700


@pytest.mark.parametrize("name", zoo.list_models())
def test_show_names_every_layer_at_80_columns(name, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    model = zoo.create_model(name)
    show.print_layers(model)
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert max(map(len, lines)) <= 80
    first = next(number for number, line in enumerate(lines, 1) if "─" in line)
    names = [line.split()[0] for line in lines[first:-2]]
    assert names == [layer.name for layer in show.layers(model)]


def test_show_has_the_layers_of_both_networks_of_a_gan():
    model = zoo.create_model("gan_conditional")
    shown = sum(layer.parameters for layer in show.layers(model))
    assert shown == sum(p.numel() for p in model.parameters())


def test_list_says_which_experiments_have_no_target_yet(command):
    for line in command.ran("list", "experiments").splitlines()[1:]:
        path = registry.conf_folder() / "experiment" / f"{line.split()[0]}.yaml"
        assert ("no target yet" in line) == ("target" not in OmegaConf.load(path))


@pytest.mark.parametrize(("error", "code"), [
    (ValueError("a  b\nc"), 2), (FileNotFoundError("gone"), 2), (ImportError("install x"), 2),
    (PermissionError(13, "no"), 2), (errors.Failure("broken"), 1), (RuntimeError("torch"), 1),
    (FloatingPointError("nan"), 1), (KeyboardInterrupt(), 130),
    (BrokenPipeError(32, "a socket's, not stdout's"), 2),
])  # fmt: skip
def test_an_error_is_one_line_and_its_exit_code(error, code, capsys):
    def work():
        raise error

    assert (errors.exit_code(work), capsys.readouterr().err.count("\n")) == (code, 1)


def test_zoo_debug_shows_the_traceback(monkeypatch):
    monkeypatch.setenv("ZOO_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        errors.exit_code(lambda: 1 / 0)


@pytest.mark.parametrize(("rest", "unbuffered"), [
    ("--help", ""), ("--help", "1"), ("list", ""), ("show image_cnn", "1"),
    ("show image_cnn.mnist", ""),
])  # fmt: skip
def test_a_verb_whose_reader_has_enough_ends_well(rest, unbuffered, monkeypatch):
    """As in `zoo list | head`: printed by print or by rich, at once or at the end."""
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    reader, writer = os.pipe()
    os.close(reader)
    words = [sys.executable, "-m", "zoo", *rest.split()]
    done = subprocess.run(words, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_what_is_worth_trying_next_repeats_no_override():
    from zoo.commands.train import suggestions

    ran = {"experiment": "image_cnn", "model": "image_cnn", "smoke": False, "target": {}}
    ran["samples"] = {"train": 1001}
    tried = suggestions({**ran, "command": "zoo train data.train_samples=50"})
    seeded = "zoo train data.train_samples=50 seed=1"
    assert tried == ["zoo reproduce image_cnn", "zoo show image_cnn", seeded]
    of_many = suggestions({**ran, "command": "zoo train"})
    assert of_many[2:] == ["zoo train seed=1", "zoo train data.train_samples=1000"]
    few = {**ran, "samples": {"train": 1000}, "command": "zoo train"}
    assert suggestions(few) == of_many[:3]  # there are no more to take
    smoke = {**ran, "smoke": True, "command": "zoo train data=mnist trainer=smoke"}
    assert suggestions(smoke) == ["zoo train data=mnist"]


@pytest.mark.parametrize(("words", "share", "said"), [
    ("data=image_folder 'data.source=my pets' trainer.max_epochs=3 seed=2", 0.9,
     ["zoo auto data=image_folder 'data.source=my pets' seed=2"]),
    ("data=image_folder data.source=pets", 0.7, []), ("experiment=image_mlp", 0.9, []),
])  # fmt: skip
def test_a_run_that_loses_to_its_baseline_names_the_search(words, share, said):
    from zoo.commands.train import suggestions

    ran = {"experiment": "x", "model": "x", "smoke": False, "samples": {"train": 9}}
    scores = {"test/accuracy": 0.8, "baseline/test/accuracy": share}
    tried = suggestions({**ran, **scores, "command": f"zoo train {words}"})
    assert [one for one in tried if one.startswith("zoo auto")] == said


@pytest.mark.slow
def test_interrupting_a_run_is_exit_code_130_and_keeps_its_checkpoints(tmp_path):
    small = ["data.limit=400", "model.widths=[8]", "trainer.max_epochs=5000", "name=a"]
    words = [sys.executable, "-m", "zoo", "train", *small]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    for _ in range(600):
        if len(list(tmp_path.glob("runs/image_cnn/a/checkpoints/last*.ckpt"))) == 2:
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    saved = zoo.Run(tmp_path / "runs/image_cnn/a").lasts[0].stem.removeprefix("last-")
    assert f"stopped by SIGINT after step {int(saved):,}, which is saved" in err.splitlines()[-1]


def test_showing_weights_prints_their_card(command):
    out = command.ran("show", "image_cnn.mnist")
    said = ("data seen", "licence of the data", "limits", "FLOPs", "receptive field", "commit")
    assert all(one in out for one in said)
