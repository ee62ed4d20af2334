"""What an earlier zoo wrote is read as if it were today's: cards, runs, checkpoints.

schema_1.tar.xz holds what the code of commit f3a6432 wrote: the cards of all released weights, and
of `text_mlp trainer=smoke trainer.max_steps=4 trainer.max_epochs=2 model.embedding=2 model.hidden=4
data.limit=200 baseline=null` a finished run, what its `save_pretrained` wrote, and a run of equal
config that was killed after the first epoch.
"""

import csv
import json
import shutil
import tarfile
from io import StringIO
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf
from safetensors.torch import load_file

import zoo
from tests.data import refused
from tests.pretrained.test_store import change_card
from zoo.config.migrate import CLASSES, GAINED, KEYS, migrate
from zoo.config.schema import locate, parameters
from zoo.pretrained import store
from zoo.text_mlp import TextMLP
from zoo.training.run import Run

SIZES = [
    "trainer=smoke", "trainer.max_steps=4", "trainer.max_epochs=2", "model.embedding=2",
    "model.hidden=4", "data.limit=200", "baseline=null", "trainer.accelerator=cpu",
    "trainer.precision=32-true",
]  # fmt: skip
ANSWERS = [0.6770311594009399, 0.6775651574134827]  # how sure that both are positive
TEXTS = ["a good film", "not a good film at all"]


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    folder = tmp_path_factory.mktemp("old")
    with tarfile.open(Path(__file__).with_name("schema_1.tar.xz")) as archive:
        archive.extractall(folder, filter="data")
    return folder


# --- cards ----------------------------------------------------------------------------------------


SINCE = {"sound_cnn.plucked_strings"}  # weights whose card never was of schema 1
AGAIN = {"char_rnn.tinyshakespeare"}  # that were learned again, whose card has other figures


@pytest.mark.parametrize("name", sorted(store.released().keys() - SINCE - AGAIN))
def test_each_released_card_of_schema_1_is_lifted_to_todays(name, old, tmp_path):
    today = store.released()[name]
    shutil.copy(old / "cards" / f"{name}.json", tmp_path)
    assert json.loads((tmp_path / f"{name}.json").read_text())["schema"] == 1
    assert store.read(tmp_path / today.name) == json.loads(today.with_suffix(".json").read_text())
    assert store.read(today) == json.loads(today.with_suffix(".json").read_text())


@pytest.mark.parametrize("name", sorted(AGAIN))
def test_the_card_of_weights_that_were_learned_again_is_lifted(name, old, tmp_path):
    today = store.read(store.released()[name])
    shutil.copy(old / "cards" / f"{name}.json", tmp_path)
    lifted = store.read(tmp_path / f"{name}.safetensors")
    assert lifted["info"]["input"] == today["info"]["input"]
    assert lifted["model"].keys() == today["model"].keys()


def test_all_released_cards_are_kept(old):
    assert {path.stem for path in (old / "cards").iterdir()} == store.released().keys() - SINCE


@pytest.mark.parametrize("target", sorted({*CLASSES.values(), *GAINED}))
def test_each_class_that_has_moved_or_gained_arguments_is_there(target):
    assert f"{locate(target).__module__}.{locate(target).__name__}" == target
    assert GAINED.get(target, {}).keys() <= parameters(locate(target)).keys()


def test_names_are_renewed_wherever_they_stand_and_all_else_is_kept():
    old = {"a": [{"_target_": "zoo.windows.StackedWindows", "b": 1}], "_target_": ["no name"]}
    new = {"a": [{"_target_": "zoo.baselines.windows.StackedWindows", "b": 1}]}
    assert migrate(old) == {**new, "_target_": ["no name"]}
    assert migrate({"facts": {"seen": {"proof": None}}}) == {"info": {"seen": {"proof": None}}}


@pytest.mark.parametrize(("name", "gained"), [
    ("image_cnn.fashion_mnist", {"flip_tta": False}),
    ("text_cnn.negated_reviews", {"embeddings": "random", "vectors": None}),
    ("text_lstm.negated_reviews", {"embeddings": "random", "vectors": None}),
    ("cbow.python_docs", {"mode": "cbow", "add_outputs": False, "threads": 1}),
])  # fmt: skip
def test_an_argument_that_a_model_has_gained_since_does_what_was_done_before(
    name, gained, tmp_path
):
    """A card without it gives what one with the old value gives, whatever the recipe's is today."""
    model = zoo.load(name)
    store.save(model, model.card, tmp_path)
    change_card(tmp_path, lambda card: [card["model"].pop(key) for key in gained])
    loaded, example = zoo.load(tmp_path), model.example_input_array
    example = torch.rand_like(example) if example.is_floating_point() else example
    expected = zoo.load(name, **gained)(example)
    torch.testing.assert_close(loaded(example), expected, rtol=0, atol=0)


# --- runs -----------------------------------------------------------------------------------------


def test_a_finished_run_loads_and_scores_as_before(old, command):
    run = Run(old / "finished")
    results = json.loads((run.folder / "results.json").read_text())
    assert "embedded" in results
    assert run.results["bundled"] is True
    assert run.config["target"]["metric"] == "test/accuracy"
    answers = run.model.predict(TEXTS)
    assert [answer["label"] for answer in answers] == ["positive"] * 2
    assert [answer["probability"] for answer in answers] == pytest.approx(ANSWERS, rel=1e-5)
    out = command.ran("test", str(run.folder))
    assert f"{results['test/loss']:.4g} ({results['test/loss/low']:.4g} to" in out


def test_what_save_pretrained_wrote_is_read_and_written_in_todays_terms(old, tmp_path):
    model = TextMLP.from_pretrained(old / "saved")
    probabilities = [answer["probability"] for answer in model.predict(TEXTS)]
    assert probabilities == pytest.approx(ANSWERS, rel=1e-5)
    model.save_pretrained(tmp_path)
    card = json.loads((tmp_path / "card.json").read_text())
    assert (card["schema"], card["info"]["input"]["kind"]) == (2, "text")
    assert "facts" not in card


def test_an_unfinished_run_goes_on_by_the_same_command_to_the_same_end(old, command, tmp_path):
    """Its config, with other keys, is no other config; the end is that of the run never killed."""
    folder = tmp_path / "runs" / "text_mlp" / "unfinished"
    shutil.copytree(old / "unfinished", folder)
    assert {"judge", "proof"} <= set(OmegaConf.load(folder / "composed.yaml"))
    code, _, err = command("train", "experiment=text_mlp", "name=unfinished", *SIZES)
    assert (code, "resume    from step 2 (last-2.ckpt)" in err) == (0, True), err
    expected = load_file(old / "finished" / "weights.safetensors")
    for name, tensor in load_file(folder / "weights.safetensors").items():
        torch.testing.assert_close(tensor, expected[name], rtol=1e-4, atol=1e-6)
    finished = Run(old / "finished")
    files = [(run.folder / "metrics.csv").read_text() for run in (finished, Run(folder))]
    steps = [[row["step"] for row in csv.DictReader(StringIO(file))] for file in files]
    assert steps[0] == steps[1]
    assert Run(folder).results["test/loss"] == pytest.approx(finished.results["test/loss"])
    assert "evaluator" in OmegaConf.load(folder / "composed.yaml")


def test_a_logger_of_before_is_that_of_today(tmp_path):
    logger = {"csv": {"_target_": "zoo.training.metrics.CSVLogger", "save_dir": "."}}
    OmegaConf.save(OmegaConf.create({"logger": logger}), tmp_path / "config.yaml")
    assert Run(tmp_path).config["logger"]["csv"]["_target_"] == "zoo.training.csv_logger.CSVLogger"


@pytest.mark.parametrize(("words", "now"), [
    ("train judge=null", "evaluator"), ("train proof=null", "target"),
    ("train proof.at_least=0.9", "target"), ("train ~proof.metric", "target.metric"),
    ("train ~judge", "evaluator"), ("train +model.mirror=true", "model.flip_tta"),
    ("train model.mirror=true", "model.flip_tta"), ("train -m judge=a,b", "evaluator"),
    ("test image_cnn.mnist judge=null", "evaluator"), ("test image_cnn.mnist ~judge", "evaluator"),
    ("test image_cnn.mnist ++proof.at_least=1", "target.at_least"),
])  # fmt: skip
def test_an_override_with_an_old_key_is_one_line_that_names_the_new_one(words, now, command):
    assert command.refused(*words.split()).endswith(f" is called {now} now\n")


def test_an_old_argument_in_python_is_one_line_that_names_the_new_one():
    said = r"model\.mirror is called model\.flip_tta now"
    assert "\n" not in refused(said, zoo.create_model, "image_cnn", mirror=True)
    assert {"judge", "proof", "mirror"} <= KEYS.keys()
