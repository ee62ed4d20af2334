"""Each argument of Lightning's Trainer changes what a run does, or is refused with the reason."""

from datetime import timedelta
from inspect import signature
from time import monotonic

import pytest
import torch
from pytorch_lightning import Trainer

from tests.data import refused
from tests.training.test_resume import ends_alike, trained
from zoo.catalog.compose import compose
from zoo.catalog.overrides import as_overrides
from zoo.config import run_config
from zoo.config.trainer import (
    FREE,
    NARROWER,
    OWNED,
    REQUIRED,
    TESTING,
    check_manual,
    refuse_owned,
)
from zoo.nn.supervised import Classifier
from zoo.training import csv_logger, resume
from zoo.training.run import Run, differences, step_of

CONSTANT = ("model.optimizer.schedule=constant",)


@pytest.fixture
def steps(monkeypatch):
    """The steps that runs take from here on: stage, first pixels, and what torch is set to."""
    taken = []

    def recorded(name):
        usual = getattr(Classifier, name)

        def step(self, batch, batch_idx):
            modes = {
                "deterministic": torch.are_deterministic_algorithms_enabled(),
                "detect_anomaly": torch.is_anomaly_enabled(),
                "benchmark": torch.backends.cudnn.benchmark,
                "inference_mode": torch.is_inference_mode_enabled(),
            }
            taken.append((name.removesuffix("_step"), batch[0].flatten()[:99].tolist(), modes))
            return usual(self, batch, batch_idx)

        monkeypatch.setattr(Classifier, name, step)

    for name in ("training_step", "validation_step", "test_step"):
        recorded(name)
    yield taken
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.benchmark = False


def course(steps):
    """The stages of the steps, in one word: ttv is two of training, then one of validation."""
    return "".join(stage[0] for stage, *_ in steps)


@pytest.mark.parametrize(("changes", "wanted"), [
    ((), "vttvttv"), (("limit_train_batches=1",), "vtvtv"), (("limit_val_batches=0",), "tttt"),
    (("val_check_interval=1",), "vtvtvtvtv"), (("val_check_interval=0.5",), "vtvtvtvtv"),
    (("check_val_every_n_epoch=2",), "vttttv"), (("num_sanity_val_steps=0",), "ttvttv"),
    (("check_val_every_n_epoch=null", "val_check_interval=3"), "vtttvt"),
    (("max_steps=3",), "vttvt"), (("max_steps=4", "max_epochs=9"), "vttvttv"),
    (("max_epochs=-1", "max_steps=3"), "vttvt"), (("overfit_batches=1",), "vtvtv"),
])  # fmt: skip
def test_what_a_run_does_in_which_order(changes, wanted, steps, tmp_path):
    asked = [f"trainer.{change}" for change in ("limit_val_batches=1", *changes)]
    trained(tmp_path, "image_cnn", *asked, *CONSTANT)
    assert course(steps) == wanted


def test_time_ends_a_run_that_has_no_number_of_epochs(steps, tmp_path):
    ended = ("trainer.max_epochs=-1", "trainer.max_time={seconds: 1}", "save_every=9", *CONSTANT)
    start = monotonic()
    trained(tmp_path, "image_cnn", *ended)
    assert monotonic() - start > 1
    assert course(steps).startswith("vt")


def test_validation_takes_so_many_batches(steps, tmp_path):
    trained(tmp_path, "image_cnn", "data.batch_size=2", "trainer.limit_val_batches=2")
    assert course(steps) == "vttvvttvv"


def test_overfitting_learns_the_same_batches_in_each_epoch(steps, tmp_path):
    trained(tmp_path, "image_cnn", "trainer.overfit_batches=2", "trainer.max_epochs=3")
    batches = [pixels for stage, pixels, _ in steps if stage == "training"]
    assert batches[:2] == batches[2:4] == batches[4:]
    assert batches[0] != batches[1]


MODES = {  # and the stages in which torch has them
    "deterministic": ("training", "test"), "benchmark": ("training", "test"),
    "detect_anomaly": ("training",), "inference_mode": ("test",),
}  # fmt: skip


@pytest.mark.parametrize("on", [
    ("deterministic", "inference_mode"), ("benchmark", "inference_mode"), ("detect_anomaly",),
])  # fmt: skip
def test_torch_is_set_as_asked(on, steps, command):
    asked = [f"trainer.{name}={name in on}" for name in MODES]
    command.ran("train", "debug=fast_dev_run", "data.limit=64", *asked)
    for name, stages in MODES.items():
        for stage in stages:
            found = {modes[name] for kind, _, modes in steps if kind == stage}
            assert found == {name in on}, (name, stage)


def test_gradients_are_clipped_by_norm_or_each_by_itself(tmp_path):
    norm, value = (
        trained(tmp_path / one, "image_cnn", "trainer.gradient_clip_val=1e-3",
                f"trainer.gradient_clip_algorithm={one}")
        for one in ("norm", "value")
    )  # fmt: skip
    assert not torch.equal(norm["head.weight"], value["head.weight"])


@pytest.mark.parametrize(("profiler", "word"), [
    ("trainer.profiler=simple", "run_training_batch"), ("trainer.profiler=advanced", "cumtime"),
    ("+trainer.profiler={_target_: pytorch_lightning.profilers.AdvancedProfiler, "
     "line_count_restriction: 0.5}", "cumtime"),
])  # fmt: skip
def test_a_profile_lies_in_the_runs_folder(profiler, word, tmp_path):
    trained(tmp_path, "image_cnn", profiler, "trainer.max_epochs=1")
    assert word in (tmp_path / "fit-profile.txt").read_text()


@pytest.mark.parametrize("asked", ["trainer.fast_dev_run=true", "debug=fast_dev_run"])
def test_a_fast_dev_run_is_a_smoke_run_of_one_batch(asked, steps, command, tmp_path):
    small = ["data.limit=64", "data.batch_size=16", "name=a"]
    _, _, err = command("train", *small, asked)
    run = Run(tmp_path / "runs/image_cnn/a")
    assert course(steps) == "tvt"
    assert steps[-1][0] == "test"
    assert (run.results["smoke"], run.results["epochs"], run.lasts[0].stem) == (True, 1, "last-1")
    assert "1 steps, then test; a smoke run" in err
    assert "nothing to do" in command("train", *small, asked)[2]


@pytest.mark.parametrize(("debug", "wanted", "smoke"), [
    ("limit", "vtttvv" + "tt", True), ("overfit", "vtt" + "ttttt", True),
    ("profiler", "vtttttvvvvv" + "ttttt", False),
])  # fmt: skip
def test_a_debug_file_cuts_a_run_short(debug, wanted, smoke, steps, command, tmp_path):
    """Of 80 samples in batches of 16; what follows the last validation is the test."""
    epochs = 2 if debug == "overfit" else 1
    command.ran(
        "train",
        f"debug={debug}",
        "data.limit=80",
        "data.batch_size=16",
        "name=a",
        f"trainer.max_epochs={epochs}",
    )
    run = Run(tmp_path / "runs/image_cnn/a")
    assert (course(steps), run.results["smoke"]) == (wanted, smoke)
    assert (run.folder / "fit-profile.txt").exists() is (debug == "profiler")
    assert "debug" not in run.config["choices"]


def test_each_file_of_the_trainer_composes(monkeypatch):
    monkeypatch.setattr(run_config, "_check_devices", lambda section: None)
    for name, (kind, devices, strategy) in {
        "cpu": ("cpu", 1, "auto"), "gpu": ("gpu", 1, "auto"), "ddp": ("auto", 2, "ddp"),
        "fsdp": ("gpu", 2, "fsdp"), "default": ("auto", 1, "auto"),
    }.items():  # fmt: skip
        section = compose([f"trainer={name}"])["trainer"]
        asked = (section["accelerator"], section["devices"], section["strategy"])
        assert asked == (kind, devices, strategy)


TAKEN = {  # a value of each argument, but for those that the run owns
    "accelerator": "cpu", "strategy": "ddp", "devices": 1, "num_nodes": 2, "precision": "64-true",
    "fast_dev_run": False, "max_epochs": 3, "min_epochs": 2, "max_steps": 9, "min_steps": 1,
    "max_time": "00:00:01:00", "limit_train_batches": 0.5, "limit_val_batches": 0.5,
    "limit_test_batches": 2, "overfit_batches": 0.5, "val_check_interval": 0.5,
    "check_val_every_n_epoch": 2, "num_sanity_val_steps": -1, "log_every_n_steps": 1,
    "accumulate_grad_batches": 2, "gradient_clip_val": 0.5, "gradient_clip_algorithm": "value",
    "deterministic": "warn", "benchmark": True, "inference_mode": False, "profiler": "simple",
    "detect_anomaly": True, "enable_autolog_hparams": False,
}  # fmt: skip


def test_each_argument_of_the_trainer_is_taken_or_refused():
    """So that one which a release of Lightning adds is thought about."""
    assert {*TAKEN} | {*OWNED} == {*signature(Trainer).parameters}
    assert not {*TAKEN} & {*OWNED}
    assert {*NARROWER, *REQUIRED, *FREE, *TESTING} <= {*TAKEN}
    section = compose(["experiment=image_cnn", *as_overrides({"trainer": TAKEN})])["trainer"]
    assert section == {name: value for name, value in TAKEN.items() if name != "fast_dev_run"}


def test_a_time_may_be_pythons():
    overrides = as_overrides({"trainer.max_time": timedelta(days=100, hours=2, seconds=63.5)})
    assert compose(overrides)["trainer"]["max_time"] == "100:02:01:04"


@pytest.mark.parametrize(("override", "said"), {
    "trainer.fast_dev_rum=1": "did you mean 'trainer.fast_dev_run'",
    "trainer.val_check_intervall=1": "did you mean 'trainer.val_check_interval'",
    "trainer.deterministic=maybe": "trainer.deterministic is 'maybe'",
    "trainer.max_time=tomorrow": "trainer.max_time is 'tomorrow'",
    "trainer.max_time={secs: 1}": "trainer.max_time",
    "trainer.val_check_interval=0": "trainer.val_check_interval is 0",
    "trainer.overfit_batches=-1": "trainer.overfit_batches is -1",
    "trainer.val_check_interval=1.5": "trainer.val_check_interval is 1.5: it should be less than",
    "trainer.devices=auto": "trainer.devices is 'auto'",
    "trainer.gradient_clip_algorithm=max": "'norm' or 'value'",
    "trainer.profiler=fast": "trainer.profiler is 'fast'",
    "+trainer.profiler={_target_: pytorch_lightning.profilers.SimpleProfiler, x: 1}": "profiler.x",
    "~trainer.devices": "trainer.devices is missing", "trainer.max_epochs=-1": "give trainer.max_t",
    "trainer.check_val_every_n_epoch=null": "give trainer.val_check_interval",
    "trainer.logger=1": "trainer.logger is not for a run: loggers are a group",
}.items())  # fmt: skip
def test_a_wrong_argument_is_refused_before_any_work(override, said):
    refused(said, compose, ["experiment=image_cnn", override])


@pytest.mark.parametrize("name", OWNED)
def test_what_the_run_sets_by_itself_is_refused(name):
    refused(f"trainer.{name} is not for a run: ", refuse_owned, {"devices": 1, name: 1})


def test_a_schedule_over_no_number_of_steps_is_refused(tmp_path):
    endless = ("trainer.max_epochs=-1", "trainer.max_time=00:00:00:09")
    refused(
        "needs the number of steps, and the Trainer has no end: set max_epochs or max_steps",
        trained,
        tmp_path,
        "image_cnn",
        *endless,
    )


@pytest.mark.parametrize("model", ["gan", "cbow"])
@pytest.mark.parametrize("override", [
    "trainer.gradient_clip_val=2", "trainer.accumulate_grad_batches=2", "callbacks=swa",
    "callbacks=accumulation",
])  # fmt: skip
def test_what_lightning_does_around_its_own_steps_is_refused_where_a_model_takes_them(
    model, override, tmp_path
):
    said = f"{override.partition('=')[0]}.* is for steps .*: (GAN|CBOW) steps its optimisers itself"
    refused(said, trained, tmp_path, model, override)


def test_a_callback_of_ones_own_with_a_like_name_is_let_be():
    section = {"_target_": "mine.ManualStochasticWeightAveraging"}
    check_manual({"trainer": {}, "callbacks": {"mine": section}}, "GAN")


def test_arguments_that_do_not_go_together_are_refused_in_lightnings_words(tmp_path):
    """An interval that no epoch has."""
    refused("`val_check_interval`", trained, tmp_path, "image_cnn", "trainer.val_check_interval=9")


def test_a_resumed_run_may_have_another_profiler_but_no_other_interval():
    free = ("trainer.profiler=simple", "trainer.detect_anomaly=true")
    more = ((), (*free, "trainer.val_check_interval=1"))
    old, new = (compose(["experiment=image_cnn", *one]) for one in more)
    assert differences(old, new) == ["trainer.val_check_interval: None -> 1"]


@pytest.mark.parametrize("changes", [
    ("trainer.val_check_interval=1",), ("trainer.val_check_interval=2", "data.limit=96"),
    ("trainer.check_val_every_n_epoch=null", "trainer.val_check_interval=3"),
    ("trainer.overfit_batches=2",), ("trainer.num_sanity_val_steps=1",),
    ("trainer.limit_val_batches=0",), ("trainer.max_epochs=-1", "trainer.max_steps=4", *CONSTANT),
    ("trainer.max_steps=4", "trainer.max_epochs=9", "ema=0.5", *CONSTANT),
    ("trainer.max_steps=3", "trainer.val_check_interval=1", "trainer.max_epochs=9"),
])  # fmt: skip
def test_every_course_goes_on_after_a_kill_as_if_nothing_were(changes, tmp_path, monkeypatch):
    monkeypatch.setattr(resume, "CHECKPOINTS_TO_KEEP", 99)
    more = ("trainer.limit_train_batches=3",) if "data.limit=96" in changes else ()
    whole = tmp_path / "whole"
    whole.mkdir()
    wanted = trained(whole, "image_cnn", *changes, *more)
    steps = sorted(step_of(path) for path in Run(whole).lasts)
    assert len(steps) > 1
    for step in {steps[len(steps) // 2], steps[-1]}:
        ends_alike(whole, step, wanted, "image_cnn", *changes, *more)
    assert csv_logger.read(whole / "metrics.csv")


@pytest.mark.parametrize("by", [("trainer.max_time={seconds: 1}",), ("callbacks=timer",
    "callbacks.timer.duration='00:00:00:01'")])  # fmt: skip
def test_a_run_that_time_ended_has_its_last_row_also_after_a_kill(by, tmp_path):
    """It was killed between its last checkpoint and that row."""
    whole, asked = tmp_path / "whole", ("trainer.max_epochs=-1", "save_every=9", *by, *CONSTANT)
    whole.mkdir()
    wanted = trained(whole, "image_cnn", *asked)
    ends_alike(whole, step_of(Run(whole).lasts[0]), wanted, "image_cnn", *asked)
