"""Weights and cards: what was saved is what is loaded, and nothing else is."""

import hashlib
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import zoo
from zoo import cards

FACTS = {
    "classes": list("abcdefghij"),
    "input": {
        "_target_": "datamodules.inputs.image.ImageInput",
        "image_size": 28, "channels": 1, "mean": [0.1], "std": [0.3],
    },
}  # fmt: skip


@pytest.fixture
def saved(tmp_path):
    """A model and the folder that it was saved in."""
    model = zoo.create_model("image_cnn", widths=[4, 8]).eval()
    section = {"_target_": "zoo.image_cnn.ImageCNN", **model.hparams}
    cards.save(model, {"model": section, "facts": FACTS}, tmp_path)
    return model, tmp_path


def rewrite(folder, change):
    """Change the tensors of a file, and the digest so that it fits."""
    path = folder / "weights.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)
    card = json.loads((folder / "card.json").read_text())
    card["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "card.json").write_text(json.dumps(card))


def test_a_loaded_model_gives_the_same_output_in_eval_mode(saved):
    model, folder = saved
    images = torch.randn(3, 1, 28, 28)
    for source in (folder, folder / "weights.safetensors", str(folder)):
        loaded = zoo.load(source)
        assert not loaded.training
        torch.testing.assert_close(loaded(images), model(images), rtol=0, atol=0)


def test_a_loaded_model_takes_raw_pictures_and_names_its_classes(saved):
    _, folder = saved
    answers = zoo.load(folder).predict([np.zeros((40, 30), np.uint8), np.ones((28, 28, 3))])
    assert len(answers) == 2
    assert answers[0]["label"] in "abcdefghij"


def test_every_flipped_bit_is_noticed(saved):
    _, folder = saved
    path = folder / "weights.safetensors"
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    for place in random.integers(0, len(whole), 50):
        altered = bytearray(whole)
        altered[place] ^= 1 << int(random.integers(8))
        path.write_bytes(altered)
        with pytest.raises(ValueError, match="sha256 differs"):
            zoo.load(folder)


def test_missing_left_over_and_infinite_tensors_are_refused(saved):
    _, folder = saved
    rewrite(folder, lambda tensors: tensors.update(more=torch.zeros(1)))
    with pytest.raises(ValueError, match="more missing or left over"):
        zoo.load(folder)
    rewrite(folder, lambda tensors: (tensors.pop("more"), tensors["head.bias"].fill_(torch.inf)))
    with pytest.raises(ValueError, match=r"head\.bias is not finite"):
        zoo.load(folder)


def test_a_pickle_under_that_name_is_not_opened(saved):
    _, folder = saved
    torch.save({"x": torch.zeros(1)}, folder / "weights.safetensors")
    with pytest.raises(ValueError, match="sha256 differs"):
        zoo.load(folder)


def test_a_checkpoint_is_refused_with_what_to_give_instead(tmp_path):
    with pytest.raises(ValueError, match="give the run's folder"):
        zoo.load(tmp_path / "last.ckpt")


def test_a_folder_without_weights_or_card_says_so(saved, tmp_path):
    with pytest.raises(FileNotFoundError, match="no weights at"):
        zoo.load(tmp_path / "nowhere")
    (tmp_path / "card.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"card\.json is missing"):
        zoo.load(tmp_path)


def test_a_card_cannot_name_a_class_outside_the_allow_list(saved):
    _, folder = saved
    card = json.loads((folder / "card.json").read_text())
    card["model"]["_target_"] = "os.system"
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(ValueError, match="must start with"):
        zoo.load(folder)
