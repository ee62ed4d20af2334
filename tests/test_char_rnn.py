"""The character network: state from chunk to chunk, and what it writes (S83-S86)."""

import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import zoo
from datamodules.inputs.characters import CharacterInput
from tests.data import bare_trainer, learned, opened, refused
from zoo.catalog.compose import compose
from zoo.char_rnn import FIRST, Reader

CELLS = ["lstm", "gru", "rnn"]
WRONG = [{"length": 0}, {"temperature": -1.0}, {"temperature": math.nan}, {"seed": -1}]
ALPHABET = "\n abcdefghijklmnopqrst"


def make(cell="lstm", layers=2, **arguments):
    """A small network with an alphabet of its own."""
    torch.manual_seed(0)
    sizes = {"vocabulary_size": FIRST + len(ALPHABET), "embedding": 5, "width": 7, **arguments}
    model = zoo.create_model("char_rnn", cell=cell, layers=layers, **sizes)
    model.input = CharacterInput(characters=ALPHABET)
    return model.eval()


def stream(*shape):
    return torch.randint(FIRST, FIRST + len(ALPHABET), shape, generator=torch.manual_seed(0))


# --- state ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_the_loss_over_chunks_is_that_of_one_long_pass(cell, layers):
    """S85: the defining claim, to 1e-6 in float32 and 1e-12 in float64."""
    for dtype, near in ((torch.float32, 1e-6), (torch.float64, 1e-12)):
        model, text = make(cell, layers).to(dtype), stream(2, 31)
        inputs, targets = text[:, :-1], text[:, 1:]
        with torch.inference_mode():
            logits, _ = model.read(inputs)
            whole = F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())
            batches = zip(inputs.split(8, 1), targets.split(8, 1), strict=True)
            parts = [model.scores(batch, "val")["loss"] for batch in batches]
            reached, state = [], None
            for part in inputs.split(7, 1):
                found, state = model.read(part, state)
                reached.append(found)
        assert torch.cat(parts).mean().item() == pytest.approx(whole.item(), abs=1e-6)
        torch.testing.assert_close(torch.cat(reached, 1), logits, atol=near, rtol=near)


def test_gradients_stop_at_the_cut_and_each_stage_has_states_of_its_own():
    """S84: truncated back-propagation; row 50: none is in the weights, buffers are broadcast."""
    model, text = make(), stream(2, 9)
    for stage in ("train", "train", "val"):
        losses = model.scores((text[:, :-1], text[:, 1:]), stage)["loss"]
        losses.mean().backward()  # a second time through the same graph would raise
    assert not any(part.requires_grad for part in model.states["train"])
    assert model.states.keys() == {"train", "val"}
    assert not list(model.buffers())
    assert all(name.split(".")[0] in ("embedding", "rnn", "head") for name in model.state_dict())


def test_padding_is_no_character():
    model, text = make(), stream(2, 9)
    targets = text[:, 1:].clone()
    targets[1, 3:] = 0
    found = model.scores((text[:, :-1], targets), "test")
    assert found["loss"].shape == (8 + 3,)
    torch.testing.assert_close(found["bits_per_character"], found["loss"] / math.log(2))


def test_perplexity_is_the_exponential_of_the_loss_over_all_characters():
    data = opened("python_source", limit=128)
    model = zoo.create_model("char_rnn", vocabulary_size=data.info["vocabulary_size"], width=8)
    found = bare_trainer().test(model, datamodule=data, verbose=False)[0]
    assert found["test/perplexity"] == pytest.approx(math.exp(found["test/loss"]), rel=1e-4)


# --- training -------------------------------------------------------------------------------------


@pytest.fixture
def data(tmp_path):
    """4 streams of a text that is easy: 12 batches an epoch."""
    path = tmp_path / "text.txt"
    path.write_text("abcde fgh\n" * 60)
    sizes = {"batch_size": 4, "length": 8, "validation": 0.1, "test": 0.2}
    return lambda: opened("characters", source=str(path), **sizes)


@pytest.mark.filterwarnings("ignore:.*(num_workers|logging interval|not empty).*")
def test_an_epoch_begins_with_zero_state_and_so_does_each_validation(data, monkeypatch):
    model, began = make(vocabulary_size=24), []
    read = type(model).read

    def watched(self, ids, state=None):
        began.append((self.training, state is None))
        return read(self, ids, state)

    monkeypatch.setattr(type(model), "read", watched)
    loaders = data()
    bare_trainer(max_epochs=2).fit(model.train(), datamodule=loaders)
    for training, loader in ((True, loaders.train_dataloader()), (False, loaders.val_dataloader())):
        zero = [fresh for at, fresh in began if at is training]
        assert zero == ([True] + [False] * (len(loader) - 1)) * 2


@pytest.mark.parametrize("cell", CELLS)
def test_it_learns_a_short_text_by_heart(cell):
    model = make(cell, width=32, layers=1).train()
    text = model.input(["the cat sat on a mat"])

    def loss():
        model.states.clear()
        return model.scores((text[:, :-1], text[:, 1:]), "train")["loss"].mean()

    assert learned(model, 60, 2e-2, loss) < 0.1


# --- writing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_the_reader_gives_the_logits_of_the_network(cell, layers):
    """Row by row of `forward`, though no torch layer is called."""
    model, ids = make(cell, layers, width=33), stream(1, 50)
    reader = Reader(model)
    found = np.stack([reader.read(number) for number in ids[0].tolist()])
    torch.testing.assert_close(torch.from_numpy(found)[None], model(ids), atol=1e-5, rtol=1e-5)


def test_at_temperature_zero_each_character_is_the_likeliest():
    """S83: checked by reading the whole text anew for each."""
    model = make()
    text = "a b"
    for character in model.generate("a b", length=30, temperature=0):
        logits = model(model.input([text]))[0, -1, FIRST:]
        assert character == ALPHABET[int(logits.argmax())]
        text += character


def test_the_draws_follow_the_softmax_of_the_temperature():
    """The first character after a prompt, over many seeds: chi-square, 20 degrees of freedom."""
    model = make(layers=1)
    model.head.bias.data[FIRST:] = torch.linspace(0, 2, len(ALPHABET))
    drawn = [next(model.generate("abc", 1, 0.7, seed)) for seed in range(1000)]
    logits = model(model.input(["abc"]))[0, -1, FIRST:]
    expected = (logits / 0.7).softmax(0).detach().numpy() * 1000
    found = np.array([drawn.count(character) for character in ALPHABET])
    assert ((found - expected) ** 2 / expected).sum() < 45.3  # passed by 1 in 1000


def test_the_same_seed_writes_the_same_and_another_something_else():
    """S83: and a sample is the prompt and what follows, as it is written."""
    model = make()
    first, again, other = ("".join(model.generate("a", 40, 1.0, seed)) for seed in (3, 3, 4))
    assert first == again != other
    assert len(first) == 40
    assert set(first) <= set(ALPHABET)
    pieces = model.sample(prompt="a", length=10**9, temperature=1.0, seed=3)
    assert list(itertools.islice(pieces, 41)) == ["a", *first]


def test_unknown_characters_of_a_prompt_are_read_as_unknown():
    """Row 21."""
    model = make()
    assert len("".join(model.generate("aÄ", 5))) == 5
    refused("'ÄÖ' has no character that this model knows: it knows", model.generate, "ÄÖ", 5)
    refused("has no character that this model knows", model.sample, prompt="")
    refused(r"zoo\.load", zoo.create_model("char_rnn").generate, "a", 5)


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_number_is_refused_before_anything_is_written(wrong):
    refused("length must be 1 or more, the others 0 or more", make().sample, **wrong)


# --- the rest of the contract ---------------------------------------------------------------------


def test_an_answer_names_the_likeliest_characters_after_texts_of_any_length():
    model = make()
    (long, short), (alone,) = model.predict(["abcdefgh", "ab"]), model.predict("ab")
    assert short["next"] == alone["next"]
    assert short["probabilities"] == pytest.approx(alone["probabilities"], abs=1e-6)
    assert long["next"] == next(model.generate("abcdefgh", 1, 0))
    assert len(long["probabilities"]) == 5


def test_figures_show_what_it_writes_at_three_temperatures():
    model = make()
    ids = stream(4, 30)
    (text,) = model.figures((ids, ids)).values()
    start = model.input.restore(ids[:1])[0]
    assert len(text.passages) == len(text.captions) == 3
    assert all(passage.startswith(start) and len(passage) == 430 for passage in text.passages)


def test_ones_own_text_is_one_argument():
    """The recipe, and the baseline beside it, are those of char_rnn; docs/data.md trains it."""
    own, usual = compose(["data=characters", "data.source=mine.txt"]), compose(["model=char_rnn"])
    assert all(own[key] == usual[key] for key in ("model", "trainer", "baseline", "monitor"))
