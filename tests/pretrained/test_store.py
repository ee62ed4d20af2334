"""Weights and cards: what was saved is what is loaded, and nothing else is."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

import zoo
from tests.data import SMALL, missing, refused
from zoo.catalog.compose import as_overrides
from zoo.gan import GAN
from zoo.image_cnn import ImageCNN
from zoo.pretrained import layers, store
from zoo.pretrained.quantize import pack, unpack

INPUT = {
    "kind": "image", "image_size": 28, "channels": 1, "mean": [0.1], "std": [0.3],
    "background": None, "steps": {},
}  # fmt: skip
INFO = {"classes": list("abcdefghij"), "input": INPUT}

CARD = store.read(store.released()["image_cnn.digits"])
FULL = {key: CARD[key] for key in CARD.keys() - {"model", "info"}}  # what else stands on a card


@pytest.fixture
def folder(saved):
    return saved[1]


def rewrite(folder, change):
    """Change the tensors of a file, and the digest so that it fits."""
    path = folder / "weights.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)
    change_card(folder, lambda card: card.update(sha256=sha256(path)))


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def change_card(folder, change):
    card = json.loads((folder / "card.json").read_text())
    change(card)
    (folder / "card.json").write_text(json.dumps(card))


def test_a_loaded_model_gives_the_same_output_in_eval_mode_and_takes_raw_pictures(saved):
    model, folder = saved
    images = torch.randn(3, 1, 28, 28)
    for source in (folder, folder / "weights.safetensors", str(folder)):
        loaded = zoo.load(source)
        assert not loaded.training
        torch.testing.assert_close(loaded(images), model(images), rtol=0, atol=0)
    answers = loaded.predict([np.zeros((40, 30), np.uint8), np.ones((28, 28, 3))])
    assert [answer["label"] in "abcdefghij" for answer in answers] == [True, True]


@pytest.mark.parametrize("count", [100, pytest.param(2000, marks=pytest.mark.slow)])
def test_of_so_many_flipped_bits_none_is_accepted(count, folder):
    """Bare safetensors accepts 1,938 of 2,000 such files (reliability.md, section 0)."""
    path = folder / "weights.safetensors"
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    for place in random.integers(0, len(whole), count):
        altered = bytearray(whole)
        altered[place] ^= 1 << int(random.integers(8))
        path.write_bytes(altered)
        refused("sha256 differs", zoo.load, folder)


@pytest.mark.parametrize(("change", "said"), [
    (lambda tensors: tensors.update(more=torch.zeros(1)), "more missing or left over"),
    (lambda tensors: tensors["head.bias"].fill_(torch.inf), r"head\.bias is not finite"),
    (lambda tensors: tensors.update({"novelty.means": torch.zeros(2, 8)}),
     "novelty: deviations, directions, threshold missing"),
])  # fmt: skip
def test_missing_left_over_and_infinite_tensors_are_refused(change, said, saved):
    rewrite(saved[1], change)
    refused(said, zoo.load, saved[1])


class Evil:
    """What a pickle may do when it is opened."""

    def __init__(self, how):
        self.how = how

    def __reduce__(self):
        return self.how


MARK = "opened"  # a file that a payload makes
PAYLOADS = {
    "mkdir": (os.mkdir, (MARK,)), "system": (os.system, (f"touch {MARK}",)),
    "eval": (eval, (f"open({MARK!r}, 'w')",)),
}  # fmt: skip


def as_pickle(payload, path):
    torch.save({"state_dict": {"x": Evil(payload)}, "global_step": 1}, path)


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_a_pickle_is_never_opened(payload, folder, tmp_path):
    """Renamed, with a card whose digest fits; as a checkpoint; and in a run's folder, resumed."""
    as_pickle(payload, path := folder / "weights.safetensors")
    refused("sha256 differs", zoo.load, folder)
    change_card(folder, lambda card: card.update(sha256=sha256(path)))
    refused("is no safetensors file, or damaged", zoo.load, folder)
    as_pickle(payload, folder / "model.ckpt")
    refused(r"is a checkpoint.* give the run's folder", zoo.load, folder / "model.ckpt")
    assert not (tmp_path / MARK).exists()


@pytest.mark.parametrize("digest", ["its own", "a fitting one"])
@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_run_goes_on_from_no_checkpoint_with_code(payload, digest, command, trained, tmp_path):
    """One line, nothing executed, the folder left as it is."""
    shutil.copytree(trained("image_cnn", **SMALL).folder, tmp_path / "runs/image_cnn/a")
    (last,) = zoo.Run(tmp_path / "runs/image_cnn/a").lasts
    as_pickle(PAYLOADS[payload], last)
    if digest == "a fitting one":
        last.with_name(f"{last.name}.sha256").write_text(sha256(last))
    longer = as_overrides({**SMALL, "name": "a", "trainer": {"max_epochs": 2}})
    code, _, err = command("train", *longer)
    assert code != 0
    assert "Traceback" not in err
    assert [path.exists() for path in (tmp_path / MARK, last)] == [False, True]


def test_a_folder_without_weights_or_card_says_so(folder):
    missing("no weights at", zoo.load, folder / "nowhere")
    (folder / "card.json").unlink()
    missing(r"card\.json is missing", zoo.load, folder)


HOSTILE = {
    "target": lambda card: card["model"].update(_target_="os.system"),
    "alias": lambda card: card["model"].update(_target_="zoo.pretrained.store.os.system"),
    "input": lambda card: card["info"]["input"].update(_target_="subprocess.Popen"),
    "loader": lambda card: card["info"]["input"].update(_target_="torch.load"),
    "arguments": lambda card: card["info"]["input"].update(command="touch opened"),
    "nested": lambda card: card["model"].update(widths={"_target_": "os.mkdir", "path": "opened"}),
    "sizes": lambda card: card["model"].update(widths=[-4]),
    "type": lambda card: card.update(model="image_cnn"),
    "digest": lambda card: card.update(sha256=None), "schema": lambda card: card.update(schema=99),
}  # fmt: skip


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_or_broken_card_is_one_line_and_builds_nothing(change, folder, tmp_path):
    change_card(folder, change)
    refused(r"^[^\n]+$", zoo.load, folder)
    assert not (tmp_path / MARK).exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema": 1}', "\xff"])
def test_what_is_no_card_says_so(text, folder):
    (folder / "card.json").write_text(text, encoding="latin-1")
    refused(r"card\.json (is no card|has schema|is incomplete)", zoo.load, folder)


# --- reuse ----------------------------------------------------------------------------------------


def test_another_number_of_classes_gives_a_fresh_last_layer_and_keeps_the_rest(saved, capsys):
    model, folder = saved
    loaded = zoo.load(folder, num_classes=3)
    assert "new       head.bias, head.weight" in capsys.readouterr().err
    assert loaded.head.weight.shape == (3, 8)
    assert loaded.classes is None
    for name, value in loaded.state_dict().items():
        assert "head" in name or torch.equal(value, model.state_dict()[name])
    assert len(loaded.predict(np.zeros((28, 28), np.uint8))[0]["probabilities"]) == 3


def test_only_an_argument_that_no_tensor_depends_on_may_change(saved):
    assert zoo.load(saved[1], dropout=0.5).hparams["dropout"] == 0.5
    said = (
        r"^\S+ does not fit its model: (blocks\S+, ){5}\.\.\. differ; blocks\.0\.\S+ is \(4, .*\)$"
    )
    refused(said, zoo.load, saved[1], widths=[5, 8])
    refused(r"no key named 'model\.depth'", zoo.load, saved[1], depth=3)


# --- names ----------------------------------------------------------------------------------------


@pytest.fixture
def shelf(saved, tmp_path, monkeypatch):
    """A folder of one's own: weights under a name, the default of their model, and a sub-folder."""
    model, folder = saved
    own = tmp_path / "own"
    own.mkdir()
    card = json.loads((folder / "card.json").read_text())
    store.save(model, {**card, "default": True}, own / "tiny.pets.safetensors")
    (own / "mine").mkdir()
    store.save(model, card, own / "mine")
    monkeypatch.setenv("ZOO_WEIGHTS", str(own))
    return own


def test_weights_of_ones_own_go_by_name_and_a_models_name_means_its_default(shelf, capsys):
    assert {"tiny.pets", "mine"} <= set(zoo.list_models(pretrained=True))
    assert zoo.list_models("tiny.*", pretrained=True) == ["tiny.pets"]
    for name in ("tiny.pets", "mine"):
        assert zoo.load(name).head.weight.shape == (10, 8)
    capsys.readouterr()
    zoo.create_model("tiny", pretrained=True)
    assert capsys.readouterr().err == "weights   tiny.pets\n"
    wanted = r"no weights named 'tiny\.pet': did you mean 'tiny\.pets'"
    refused(wanted, zoo.create_model, "tiny.pet", pretrained=True)


def test_half_precision_is_read_back_as_float32(saved, tmp_path):
    model, folder = saved
    card = json.loads((folder / "card.json").read_text())
    half = store.save(model, card, tmp_path / "half.safetensors", bits=16)
    assert half.stat().st_size < 0.7 * (folder / "weights.safetensors").stat().st_size
    loaded = zoo.load(half)
    assert loaded.head.weight.dtype == torch.float32
    torch.testing.assert_close(loaded.head.weight, model.head.weight, rtol=1e-3, atol=1e-6)


def test_long_tables_may_take_eight_bits_a_number(tmp_path):
    """Each row off by 1/254 of its largest number at most, however small or large the row is."""
    given = {"table": torch.randn(5000, 30) * torch.logspace(-3, 3, 5000)[:, None]}
    given |= {"short": torch.randn(10, 30), "ids": torch.arange(5000), "none": torch.zeros(5000, 2)}
    packed = pack(given, 8)
    assert packed["table"].dtype == packed["none"].dtype == torch.int8
    assert packed["short"].dtype == torch.float16
    found = unpack(packed)
    assert found.keys() == given.keys()
    bound = given["table"].abs().amax(1, keepdim=True) / 254
    assert ((found["table"] - given["table"]).abs() <= 1.01 * bound).all()
    assert all(torch.equal(found[name], given[name]) for name in ("ids", "none"))


# --- passed on ------------------------------------------------------------------------------------


def test_save_pretrained_makes_a_folder_that_from_pretrained_reads(saved, tmp_path):
    """A repository of the hub: weights, card, and a page with the head that the hub reads."""
    images = torch.randn(2, 1, 28, 28)
    model = zoo.load(saved[1])
    model.card |= FULL
    folder = model.save_pretrained(tmp_path / "repository")
    written = {path.name for path in folder.iterdir()}
    assert written == {"weights.safetensors", "card.json", "README.md"}
    assert (folder / "README.md").read_text().startswith("---\nlibrary_name: lightning-zoo")
    again = ImageCNN.from_pretrained(folder)
    torch.testing.assert_close(again(images), model(images), rtol=0, atol=0)
    assert again.classes == model.classes
    assert ImageCNN.from_pretrained(folder, num_classes=3).head.weight.shape == (3, 8)


def test_from_pretrained_wants_its_own_model_and_save_pretrained_a_card(saved, tmp_path):
    refused("holds a ImageCNN: GAN is wanted", GAN.from_pretrained, saved[1])
    refused("this model has no card", zoo.create_model("image_cnn").save_pretrained, tmp_path)


def put(name, layer):
    """In the place of a model's layer, or beside its layers, another one."""
    return lambda model: model.get_submodule(name.rpartition(".")[0]).add_module(
        name.rpartition(".")[2], layer
    )


OWN = type("Mine", (nn.Linear,), {})
CHANGED = {
    "head is .*out_features=3.* arguments .*out_features=10.* num_classes=3": put(
        "head", nn.Linear(8, 3)
    ),
    r"head is \S+Sequential\(": put("head", nn.Sequential(nn.Linear(8, 10))),
    r"head is \S+Mine\(": put("head", OWN(8, 10)),
    r"blocks\.1\.more\.2 is \S+ReLU": put("blocks.1.more.2", nn.ReLU()),
    r"blocks\.0\.more\.0 is .*stride=\(2, 2\)": lambda model: setattr(
        model.blocks[0].more[0], "stride", (2, 2)
    ),
    r"blocks\.2 is missing": lambda model: model.blocks.pop(2),
    "more is .*, and by the card's arguments is not there": put("more", nn.Linear(1, 1)),
    "scale is of shape": lambda model: model.register_buffer("scale", torch.ones(1)),
}


@pytest.mark.parametrize("said", CHANGED)
def test_layers_that_would_be_lost_are_refused_and_nothing_is_written(said, tmp_path):
    """A head of one's own, of another size or class; in the other layers, too."""
    model = zoo.load("image_cnn.digits")
    CHANGED[said](model)
    before = torch.random.get_rng_state()
    assert "\n" not in refused(said, model.save_pretrained, tmp_path / "mine")
    assert not (tmp_path / "mine").exists()
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("name", zoo.list_models(pretrained=True))
def test_what_was_not_changed_is_saved(name, tmp_path):
    """In half precision, compiled or frozen, it is the same model."""
    model = zoo.load(name).half().requires_grad_(False)
    model.compile()
    layers.check(model.train(), model.card["model"])


def test_push_to_hub_uploads_what_from_pretrained_fetches(saved, tmp_path, monkeypatch):
    """The hub's client is asked for the two files; what it fetches is verified as any folder."""
    hub = Mock()
    hub.create_repo.return_value = Mock(repo_id="somebody/pets")
    hub.upload_folder = lambda repo_id, folder_path, commit_message: (
        shutil.copytree(folder_path, tmp_path / "hub" / repo_id) and commit_message
    )
    monkeypatch.setattr("huggingface_hub.HfApi", client := Mock(return_value=hub))
    refused("this model has no card", zoo.create_model("image_cnn").push_to_hub, "pets")
    assert not hub.create_repo.called
    model, images = zoo.load(saved[1]), torch.randn(2, 1, 28, 28)
    model.card |= FULL
    asked = {"commit_message": "first", "private": True, "token": "secret"}
    assert model.push_to_hub("pets", **asked) == "first"
    client.assert_called_with(token="secret")
    hub.create_repo.assert_called_once_with("pets", private=True, exist_ok=True)
    fetched = [str(tmp_path / "hub/somebody/pets"), ConnectionError("no route\nto host")]
    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot := Mock(side_effect=fetched))
    told = {"revision": "v1", "token": "secret"}
    again = ImageCNN.from_pretrained("somebody/pets", **told)
    torch.testing.assert_close(again(images), model(images), rtol=0, atol=0)
    files = ["weights.safetensors", "card.json"]
    snapshot.assert_called_once_with("somebody/pets", allow_patterns=files, **told)
    missing(r"the hub does not give it: no route$", ImageCNN.from_pretrained, "somebody/pets")


def test_torch_hub_opens_every_model_and_its_weights(shelf):
    root = str(Path(zoo.__file__).resolve().parents[1])
    fresh = torch.hub.load(root, "image_cnn", source="local", widths=[4])
    assert fresh.head.weight.shape == (10, 4)
    loaded = torch.hub.load(root, "tiny.pets", source="local", pretrained=True)
    assert loaded.classes == INFO["classes"]


@pytest.mark.parametrize("words", [["test"], ["predict"], ["train", "trainer=smoke", "init="]])
def test_a_card_of_an_earlier_zoo_loads_and_else_says_what_it_lacks(words, folder, command):
    assert zoo.load(folder).classes == INFO["classes"]
    *first, last = words
    given = [*first, f"{last}{folder}"] if last.endswith("=") else [*words, str(folder)]
    assert "lacks name, choices, data, seen: an earlier zoo wrote it" in command.refused(*given)
