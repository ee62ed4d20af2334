"""What several samples may be handed over as, for all kinds of inputs: S41, S71."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from PIL import Image

import zoo
from datamodules.inputs.characters import CharacterInput
from datamodules.inputs.clip import ClipInput
from datamodules.inputs.image import ImageInput
from datamodules.inputs.sound import SoundInput
from datamodules.inputs.text import TextInput
from datamodules.inputs.words import ContextInput
from tests.data import refused
from tests.datamodules.inputs.test_rules import OLD

INPUTS = {
    "text": TextInput(**OLD["text"]), "words": ContextInput(**OLD["words"]),
    "characters": CharacterInput(characters="a_b"), "sound": SoundInput(**OLD["sound"]),
    "clip": ClipInput(**OLD["clip"]),
    "image": ImageInput(image_size=4, channels=1, mean=[0.5], std=[0.2]),
}  # fmt: skip
SERIES = {
    "list": list, "tuple": tuple, "generator": lambda items: (item for item in items),
    "objects": lambda items: np.array(items, object),
    "Series": lambda items: pd.Series(items, index=[7, 7, "x"][: len(items)], dtype=object),
    "Index": pd.Index,
}  # fmt: skip
OF_TEXT = {
    **SERIES, "array": np.array, "Arrow": pa.array,
    "chunks": lambda items: pa.chunked_array([items]),
    "strings": lambda items: pd.Series(items, dtype="string"),
    "category": lambda items: pd.Series(items, dtype="category"),
}  # fmt: skip


@pytest.fixture
def paths(tmp_path):
    """Three files of each kind: a text, a picture, a sound and a folder of frames."""
    import soundfile

    for i in range(3):
        (tmp_path / f"{i}.txt").write_text("ab_"[i] + "_")
        Image.new("L", (5, 5), 80 * i).save(tmp_path / f"{i}.png")
        soundfile.write(tmp_path / f"{i}.wav", np.full(10, i / 4), 8000)
        (tmp_path / f"clip{i}").mkdir()
        for k in range(2):
            Image.new("L", (8, 8), 80 * i + k).save(tmp_path / f"clip{i}" / f"{k}.png")
    return lambda form: [tmp_path / form.format(i) for i in range(3)]


@pytest.mark.parametrize("form", SERIES)
@pytest.mark.parametrize(("kind", "name"), [
    ("text", "{}.txt"), ("image", "{}.png"), ("sound", "{}.wav"), ("clip", "clip{}"),
])  # fmt: skip
def test_paths_may_be_any_series(kind, name, form, paths):
    one, files = INPUTS[kind], paths(name)
    wanted = torch.cat([one(file) for file in files])  # a single path each
    assert wanted.shape[0] == 3
    assert torch.equal(one(SERIES[form](files)), wanted)
    if kind != "text":  # for which a string is the text itself
        names = [str(file) for file in files]
        assert torch.equal(one(OF_TEXT["array"](names)), wanted)
        assert torch.equal(one(OF_TEXT["strings"](names)), wanted)


@pytest.mark.parametrize("form", OF_TEXT)
@pytest.mark.parametrize("kind", ["text", "words", "characters"])
def test_texts_may_be_any_series(kind, form):
    one, texts = INPUTS[kind], ["a _", "_ b", "a _ a"]
    wanted = one(texts)
    assert torch.equal(one(OF_TEXT[form](texts)), wanted)
    assert torch.equal(one(OF_TEXT[form](texts[:1])), one(texts[0]))
    assert torch.equal(one([text.encode() for text in texts]), wanted)


def test_arrays_of_numbers_are_one_sample_or_several_by_their_axes():
    pixels = np.zeros((3, 4, 4, 1), np.uint8)
    for batch in (pixels, torch.from_numpy(pixels), list(pixels)):
        assert INPUTS["image"](batch).shape == (3, 1, 4, 4)
    assert INPUTS["image"](pixels[0]).shape == (1, 1, 4, 4)
    assert INPUTS["sound"](np.zeros(10, np.float32)).shape == (1, 10)
    assert INPUTS["text"](np.array("a")).tolist() == INPUTS["text"]("a").tolist()


BAD = {
    r"\[1\] is missing \(nan\): fill it in, or leave it out": pd.Series(["a _", float("nan")]),
    r"\[0\] is missing \(None\)": [None], r"\[0\] is missing \(NaT\)": [pd.NaT],
    r"\[1\] is missing \(<NA>\)": pd.Series(["_", pd.NA], dtype=object),
    "got DataFrame; of a table give one column": pd.DataFrame({"a": ["_"]}),
    "got dict": {"a": "_"}, "got set": {"_"}, "got Table": pa.table({"a": ["_"]}),
    "got ndarray": np.array([["_"]]), "the list is empty": pd.Series([], dtype=object),
}  # fmt: skip


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("said", BAD)
def test_what_is_no_series_of_samples_is_one_line(kind, said):
    assert "\n" not in refused(said, INPUTS[kind], BAD[said])


@pytest.mark.parametrize("form", OF_TEXT)
def test_a_model_answers_for_any_series_in_batches(form):
    model = zoo.load("text_cnn.negated_reviews")
    texts = ["a good film", "not a good film", "?"]
    answers = model.predict(OF_TEXT[form](texts), batch_size=2)
    assert [one["label"] for one in answers] == [model.predict(text)[0]["label"] for text in texts]
    assert len(model.explain(OF_TEXT[form](texts))) == 3


def test_other_models_of_texts_and_seeds_take_series_too(tmp_path):
    (tmp_path / "a.txt").write_text("def ")
    prompts = pd.Series(["def ", "class "], index=[5, 6])
    model = zoo.load("char_rnn.python_source")
    assert [one["next"] for one in model.predict(prompts)] == [
        one["next"] for one in model.predict(["def ", "class "])
    ]
    assert model.predict(Path(tmp_path / "a.txt")) == model.predict("def ")
    cbow = zoo.load("cbow.python_docs")
    assert cbow.predict(np.array(["class", "the _ of"])) == cbow.predict(["class", "the _ of"])
    gan = zoo.load("gan.digits")
    for seeds in (range(2), np.arange(2), pd.Series([0, 1]), ("0", "1")):
        np.testing.assert_array_equal(gan.predict(seeds), gan.predict([0, 1]))
