"""The catalog: names, composing, the schema from signatures, the allow-list, and its contracts."""

import abc
import json
import re
from inspect import signature
from pathlib import Path
from types import SimpleNamespace

import hydra
import pytest
import torch

import zoo
from datamodules.utilities.windows import one_window
from tests.data import opened, refused
from zoo.catalog import registry
from zoo.catalog.compose import as_overrides, compose
from zoo.catalog.parsing import sweep_jobs
from zoo.config import schema
from zoo.config.schema import locate
from zoo.image_cnn import ImageCNN
from zoo.training import evaluator
from zoo.training.fit import run_experiment

ROOT = Path(__file__).resolve().parents[2]
MODELS, DATA, EXPERIMENTS = zoo.list_models(), zoo.list_data(), zoo.list_experiments()


# --- contracts that hold for every config ---------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_a_model_maps_its_example_and_has_as_many_parameters_as_its_file_says(name):
    model = zoo.create_model(name).eval()
    example = model.example_input_array
    assert len(model.postprocess(model(example))) == len(example)
    said = re.search(r"([\d,]+) parameters for .*digits", registry.describe("model", name))
    assert said is None or said[1] == f"{sum(p.numel() for p in model.parameters()):,}"


@pytest.mark.parametrize("name", MODELS)
def test_a_layout_other_than_the_examples_is_an_error_that_names_the_axis(name):
    """S02: where channels stand, how many axes, which size."""
    model = zoo.create_model(name)
    example = model.example_input_array
    if example.ndim > 3:  # pictures and clips
        last = "axis 1, the channels, should be 1; channels stand last"
        refused(last, model, example.movedim(1, -1))
    if example.ndim > 3 and "image_size" in model.hparams:
        refused("axis 2 should be 28", model, torch.zeros(2, 1, 32, 32))
    for other in (example[None], example[0]):
        refused(r" have the shape .*: \(B, .*\) is wanted$", model, other)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_an_experiment_on_bundled_data_whose_sizes_are_in_its_file(name):
    config = compose([f"experiment={name}"])
    assert config["choices"]["model"] == name
    info = opened(config["choices"]["data"], limit=64).info
    assert info["bundled"]
    written = {key: config["model"][key] for key in config["model"].keys() & info.keys()}
    assert written == {key: info[key] for key in written}


@pytest.mark.parametrize("name", DATA)
def test_data_give_batches_and_the_info_that_goes_with_them(name, tiny):
    data = zoo.create_data(name, **tiny(name))
    data.prepare_data()
    data.setup("fit")
    gathered = next(iter(data.batches("train", shuffle=True))).tensors[0]
    assert data.hparams.batch_size in (len(gathered), gathered.numel())  # samples, or words in rows
    assert json.loads(json.dumps(data.info)) == data.info
    inputs, *rest = data.samples("train", 8)
    assert (len(inputs), set(data.info["samples"])) == (8, {"train", "val", "test"})
    if "classes" in data.info:
        assert len(inputs) == len(rest[0])
        assert int(rest[0].max()) < data.info["num_classes"] == len(data.info["classes"])
    rebuilt = schema.build_input(data.info["input"])
    inputs = one_window(inputs)
    again = one_window(rebuilt(list(rebuilt.restore(inputs))))
    torch.testing.assert_close(again, inputs, atol=0.05, rtol=0.05)


@pytest.mark.parametrize("name", DATA)
def test_data_can_be_trained_on_in_part(name, tiny):
    """S07: `train_samples` and `limit` are taken by every data set."""
    samples = 2 * tiny(name)["batch_size"]
    data = opened(name, **tiny(name), train_samples=samples)
    assert len(data.train_dataloader()) >= 1
    assert data.info["samples"]["train"] <= samples
    assert {"source", "limit", "seed"} <= set(data.hparams)


def judged_here(words, env):
    """What a judge's process does; that there is one, tests/training/test_evaluator.py says."""
    run = zoo.Run(Path(words[-1]))
    run_experiment(run.config, run)
    return SimpleNamespace(returncode=0)


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=[pytest.mark.slow] * (name == "image_resnet")) for name in EXPERIMENTS
])  # fmt: skip
def test_an_experiment_runs_by_the_real_command(name, tmp_path, tiny, command, monkeypatch):
    """Two steps through the product itself, on the data's real format in miniature."""
    monkeypatch.setattr(evaluator, "subprocess", SimpleNamespace(run=judged_here))
    overrides = as_overrides({"data": tiny(compose([f"experiment={name}"])["choices"]["data"])})
    out = command.ran("train", f"experiment={name}", "trainer=smoke", "name=a", *overrides)
    run = zoo.Run(tmp_path / "runs" / name / "a")
    assert run.results["smoke"]
    written = {path.name for path in run.folder.iterdir()}
    assert {"config.yaml", "results.json", "metrics.csv", "report.html", "card.json"} <= written
    target = compose([f"experiment={name}"])["target"]
    assert "not judged" in out or not target or target["metric"] not in run.results


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_says_what_it_is_and_names_its_files(name):
    assert registry.describe("experiment", name)
    choices = compose([f"experiment={name}"])["choices"]
    pair = f"{choices['data']}_{choices['model']}"
    assert name in (choices["model"], pair) or name.startswith(f"{pair}_")


# --- names ----------------------------------------------------------------------------------------


def test_lists_can_be_filtered():
    assert zoo.list_models("*_2017") == [name for name in MODELS if name.endswith("_2017")]
    assert "digits" in DATA


@pytest.mark.parametrize("group", ["model", "data"])
def test_a_class_that_is_made_by_hand_says_what_fills_in_its_arguments(group):
    """In a line; and `help` shows the arguments themselves."""
    files = [path.read_text() for path in (registry.conf_folder() / group).glob("*.yaml")]
    targets = {*re.findall(r"^_target_: (\S+)", "\n".join(files), re.MULTILINE)}
    assert len(targets) > 6
    for cls in map(locate, targets):
        with pytest.raises(TypeError, match=rf"^.+ missing .+: use zoo.create_{group}\(NAME\).+$"):
            cls()
        assert [*signature(cls).parameters] == [*signature(cls.__init__).parameters][1:]


def test_a_class_of_ones_own_keeps_its_arguments_and_its_errors():
    """All arguments of a subclass are hyperparameters; what fails inside is said as it is."""

    class Mine(ImageCNN, abc.ABC):
        def __init__(self, extra, **rest):
            super().__init__(**rest)
            self.length = len(extra)

    arguments = dict(zoo.create_model("image_cnn").hparams)
    assert dict(Mine(extra="abc", **arguments).hparams) == {"extra": "abc", **arguments}
    with pytest.raises(TypeError, match=r"has no len\(\)$"):
        Mine(extra=3, **arguments)


def test_a_wrong_name_raises_with_the_nearest():
    for create, near in ((zoo.create_model, "image_cnn"), (zoo.create_data, "digits")):
        refused(f"did you mean '{near}'", create, near[:-1])


def test_overrides_of_a_model_are_its_constructor_arguments():
    model = zoo.create_model("image_cnn", widths=[8, 16], num_classes=3)
    assert model(torch.zeros(2, 1, 20, 24)).shape == (2, 3)


def test_a_hydra_of_the_callers_program_is_left_alone(tmp_path):
    (tmp_path / "mine.yaml").write_text("a: 1\n")
    with hydra.initialize_config_dir(str(tmp_path), version_base="1.3"):
        zoo.create_model("image_cnn", num_classes=7)  # which no other test composes
        assert hydra.compose("mine").a == 1


# --- composing ------------------------------------------------------------------------------------


def test_changing_the_data_drops_the_proof_and_renames_the_run():
    config = compose(["data=mnist"])
    assert (config["target"], config["choices"]["experiment"]) == (None, "mnist_image_cnn")
    assert compose([])["target"]
    config = compose(["data=image_folder", "data.source=pets"])
    assert (config["choices"]["model"], config["data"]["source"]) == ("image_cnn", "pets")


def test_a_sweep_is_every_combination():
    jobs = sweep_jobs(["seed=0,1", "data=digits,mnist", "model.widths=[8,16]"])
    both = [(seed, data) for seed in (0, 1) for data in ("digits", "mnist")]
    assert jobs == [[f"seed={s}", f"data={d}", "model.widths=[8,16]"] for s, d in both]


def test_numbers_keep_yamls_meaning():
    """OmegaConf reads 1e-3 as a number; PyYAML would hand a string to the optimiser."""
    config = compose(["model.optimizer.lr=1e-3"])
    assert config["model"]["optimizer"]["lr"] == 0.001
    assert isinstance(config["model"]["optimizer"]["weight_decay"], float)


WRONG = {
    "experiment=image_cn": "did you mean 'image_cnn'",
    "model=image_cn": "did you mean 'image_cnn'", "data=digit": "did you mean 'digits'",
    "trainer=smok": "did you mean 'smoke'", "model.widhts=[8]": "did you mean 'model.widths'",
    "+model.widhts=[8]": "did you mean 'model.widths'",
    "++trainer.max_epoch=1": "did you mean 'trainer.max_epochs'",
    "+sead=1": "did you mean 'seed'", "model.optimizer.ir=1": "did you mean 'model.optimizer.lr'",
    "data.augment.shift=0.1": "no key named 'data.augment.shift'",
    "model.dropout=abc": "model.dropout is 'abc'", "model.widths=8": "model.widths is 8",
    "model.num_classes=1e3": "model.num_classes is 1000.0", "seed=true": "seed is True",
    "trainer.max_epochs=two": "trainer.max_epochs is 'two'",
    "data.batch_size=0": "data.batch_size is 0", "data.batch_size=-8": "data.batch_size is -8",
    "model.dropout=2": "model.dropout is 2", "model.optimizer.lr=0": "model.optimizer.lr is 0",
    "model.optimizer.name=sdg": "model.optimizer.name is 'sdg'",
    "trainer.max_epochs=-5": "trainer.max_epochs is -5",
    "trainer.strategy=ddpp": "trainer.strategy is 'ddpp'",
    "data.validation=1": "data.validation is 1", "ema=1": "ema is 1", "mode=up": "mode is 'up'",
    "name=a/../../b": "name is 'a/../../b'", "model.dropout=": "model.dropout is empty",
    "name=": "name is empty", "model.dropout=${nope}": "nope",
    "model.dropout=${model.dropout}": "model.dropout",
    "model.optimizer=null": "model.optimizer is None", "~model.widths": "model.widths is missing",
    "data=image_folder": "data.source is missing: give it with data.source=",
    "model.widths=[8": "cannot read the override", "widths 8": "cannot read the override",
    "trainer.accelerator=gpu": "no GPU found", "trainer.devices=99": "use trainer.devices=",
    "experiment=null": "~experiment leaves it out", "logger=null": "logger=[] leaves it out",
    "~logger": "logger=[] leaves it out", "~callbacks": "callbacks=[] leaves it out",
    "model=mine.Net": "a class of your own is model._target_=mine.Net",
    # What Hydra's instantiate would call:
    "+model.optimizer._target_=os.mkdir": "no key named 'model.optimizer._target_'",
}  # fmt: skip


def test_a_key_that_is_missing_may_have_been_misspelt():
    said = r"data\.source is missing: give it with data\.source=\.\.\., not data\.sorce="
    refused(said, compose, ["data=image_folder", "data.sorce=pets"])
    refused(r"source=\.\.\.$", compose, ["data=image_folder", "data.limit=9"])


for key in ("model", "data", "logger.csv", "baseline"):  # no section builds what is not allowed
    WRONG[f"{key}._target_=pytorch_lightning.core.module.torch.load"] = f"{key}._target_ is"


@pytest.mark.parametrize(("override", "said"), WRONG.items())
def test_a_wrong_override_is_one_line_that_names_it(override, said, command, tmp_path):
    if torch.cuda.is_available() and "accelerator" in override:
        pytest.fail("this table is written for a machine without a GPU")
    assert said in command.refused("train", override)
    assert list(tmp_path.iterdir()) == []  # nothing left behind


# --- the allow-list -------------------------------------------------------------------------------

FORBIDDEN = [
    "os.system", "builtins.eval", "torch.load", "torch.nn.Linear", "logging.os.system",
    "hydra.utils.instantiate", "pytorch_lightning.core.module.torch.load", "zoo", "", "zoo..x",
    "pytorch_lightning.seed_everything", "pytorch_lightning.core.saving.load_from_checkpoint",
    "zoo.pretrained.load.load", "zoo.pretrained.store.os.system", "datamodules.images.Path",
    "sklearn.datasets.fetch_openml", "sklearn.utils.Bunch", "zooo.image_cnn.ImageCNN",
]  # fmt: skip


@pytest.mark.parametrize("target", FORBIDDEN)
def test_a_target_outside_the_allow_list_is_refused(target):
    refused("_target_ is", locate, target)
