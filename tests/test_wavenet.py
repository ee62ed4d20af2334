"""WaveNet, its cached generation, and the classifier on the same stack (S89)."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import zoo
from datamodules.inputs.sound import SoundInput
from tests.data import learned, refused, seeded
from zoo.figures import kinds
from zoo.wavenet import Frames, ResidualBlock, Stack, amplitudes, sounding, spectra

SMALL = {"levels": 16, "channels": 8, "skip_channels": 12, "layers": 4, "num_classes": 3}


def made(**overrides):
    """A small WaveNet whose classes differ."""
    model = seeded("wavenet", **{**SMALL, **overrides})
    torch.nn.init.normal_(model.conditions.weight)
    return model


@pytest.fixture
def model():
    return made()


@pytest.fixture
def ready(model):
    """One that has its input and classes, as a loaded one has."""
    model.input = SoundInput(sample_rate=1000, levels=16, length=50)
    model.classes = ["A", "B", "C"]
    return model


# --- what makes it a WaveNet ----------------------------------------------------------------------


@pytest.mark.parametrize("stacks", [1, 2])
def test_the_future_does_not_reach_the_past(stacks):
    model, before = made(stacks=stacks), torch.randint(16, (2, 60))
    after = torch.cat([before[:, :40], (before[:, 40:] + 1) % 16], 1)
    torch.testing.assert_close(model(before)[..., :40], model(after)[..., :40], atol=0, rtol=0)
    assert not torch.allclose(model(before)[..., 40], model(after)[..., 40])


FIELDS = [(1, 1, 2), (4, 1, 16), (3, 2, 15), (3, 3, 22)]


@pytest.mark.parametrize(("layers", "stacks", "field"), FIELDS)
def test_the_receptive_field_is_what_the_gradient_reaches(layers, stacks, field):
    """1 + stacks (2^layers - 1) samples, the newest among them: section 2.1."""
    model, seen = made(layers=layers, stacks=stacks), []
    model.embedding.register_forward_hook(lambda *call: seen.append(call[2]))
    logits = model(torch.randint(16, (1, 40)))
    (slope,) = torch.autograd.grad(logits[0, :, 35].sum(), seen)
    reached = slope[0].abs().sum(1) > 0  # (T,)
    assert reached.nonzero()[:, 0].tolist() == list(range(36 - field, 36))
    assert model.receptive_samples == field == 1 + stacks * (2**layers - 1)


def test_the_lectures_stack_of_ten_layers_sees_1024_samples(classifier, model):
    """Section 2.1: dilations 1 to 512; and the classifier stands on the same stack."""
    dilations = Stack(2, 2, layers=10, stacks=1).dilations
    assert (1 + sum(dilations), dilations[-1]) == (1024, 512)
    assert type(classifier.stack) is type(model.stack) is Stack


def test_a_block_is_the_gated_unit_of_the_paper():
    """tanh(W_f * x + V_f h) sigmoid(W_g * x + V_g h), equation 2 and section 2.5."""
    block, x, told = ResidualBlock(3, 5), torch.randn(2, 3, 20), torch.randn(2, 6, 1)
    past = F.pad(x, (4, 0))[..., :20]
    taps = torch.stack(block.gated.weight[..., 0].split(3, dim=1), dim=2)  # (6, 3, 2 taps)
    convolved = F.conv1d(F.pad(x, (4, 0)), taps, block.gated.bias, dilation=4) + told
    h = convolved[:, :3].tanh() * convolved[:, 3:].sigmoid()
    out = F.conv1d(h, block.output.weight, block.output.bias)
    torch.testing.assert_close(block(x, past, told), (x + out[:, :3], out[:, 3:]))


# --- generation -----------------------------------------------------------------------------------


def naively(model, labels, length, seed):
    """Draw ids as the cached generation does, but the whole past through `forward` each time."""
    random = torch.Generator().manual_seed(seed)
    ids = torch.full((len(labels), 1), model.hparams.levels // 2)
    while ids.shape[1] < length:
        shares = model(ids, labels)[..., -1].softmax(1)
        ids = torch.cat([ids, torch.multinomial(shares, 1, generator=random)], dim=1)
    return ids


@torch.inference_mode()
def test_cached_and_naive_generation_draw_identical_ids():
    model, labels = made(stacks=2).double(), torch.tensor([0, 2])
    cached = model.generate(labels, length=100, temperature=1.0, seed=3)
    assert torch.equal(cached, naively(model, labels, 100, seed=3))
    assert cached.unique().numel() > 8


def test_a_queue_is_as_long_as_its_dilation(model):
    """So a step costs one pass of each layer, and memory does not grow."""
    queues = model.stack.queues(torch.zeros(2, 8, 1))
    assert [len(queue) for queue in queues] == model.stack.dilations == [1, 2, 4, 8]


def test_seed_class_and_temperature_decide_what_is_drawn(model):
    def drawn(label=0, **how):
        how = {"length": 60, "temperature": 1.0, "seed": 0, **how}
        return model.generate(torch.tensor([label]), **how).tolist()

    assert drawn() == drawn()
    assert drawn() != drawn(seed=1)
    assert drawn() != drawn(label=1)
    assert drawn(temperature=0) == drawn(temperature=0, seed=1) != drawn()


def test_a_sample_is_a_sound_of_the_seconds_and_class_asked_for(ready):
    sound = ready.sample(seconds=0.2, label="B")
    assert isinstance(sound, kinds.Audio)
    assert (len(sound.waves), len(sound.waves[0]), sound.rate) == (1, 200, 1000)
    assert list(sound.captions) == ["B"]
    assert np.abs(sound.waves[0]).max() <= 1
    assert list(ready.sample(seconds=0.05).captions) == ["A", "B", "C"]
    refused("label is 'D': it must be one of A, B, C", ready.sample, label="D")
    refused("seconds is 0", ready.sample, seconds=0.0)
    refused("temperature -1", ready.sample, temperature=-1.0)
    refused(r"zoo\.load", made().sample)  # without an input


# --- scores ---------------------------------------------------------------------------------------


def test_an_untrained_output_costs_the_logarithm_of_the_levels(model):
    for parameter in model.head[-1].parameters():
        torch.nn.init.zeros_(parameter)
    scores = model.scores((torch.randint(16, (4, 30)), torch.zeros(4, dtype=torch.int64)), "val")
    torch.testing.assert_close(scores["bits_per_sample"], torch.full((4,), 4.0))
    torch.testing.assert_close(scores["loss"], torch.full((4,), math.log(16)))


def test_padding_is_not_scored(model):
    """Silence in the middle is; a run of it at the end is none of the sound."""
    ids = torch.randint(9, 16, (1, 30))
    ids[:, 10:14] = 8
    padded = F.pad(ids, (0, 20), value=8)
    assert sounding(padded, 8).sum() == 30
    sounds = (padded, ids, torch.full((1, 9), 8))
    losses = [model.scores((x, torch.zeros(1).long()), "val")["loss"].item() for x in sounds]
    assert losses == [losses[1], losses[1], 0.0]


def test_without_a_class_it_is_the_mean_of_all(model):
    ids = torch.randint(16, (2, 20))
    assert not torch.allclose(model(ids, torch.tensor([0, 0])), model(ids, torch.tensor([1, 1])))
    with torch.no_grad():
        model.conditions.weight[:] = model.conditions.weight.mean(0)
    torch.testing.assert_close(model(ids), model(ids, torch.tensor([1, 2])))


def test_an_answer_is_the_level_that_likely_comes_next(model):
    logits = torch.zeros(2, 16, 5)
    logits[1, 3, -1] = 100
    assert [*model.postprocess(logits)[1].values()] == pytest.approx([3, 1.0])


def test_figures_put_drawn_sounds_beside_real_ones(ready):
    figures = ready.figures((torch.randint(16, (6, 50)), torch.tensor([0, 1, 2, 0, 1, 2])))
    sounds, seen = figures["Real sounds and drawn ones"], figures["Receptive field"]
    assert len(sounds.waves) == len(sounds.captions) == 8
    assert list(sounds.captions[:2]) == ["A, real", "A, drawn"]
    assert [row[2] for row in seen.rows] == ["2", "4", "8", "16"]
    assert seen.rows[-1][3] == "16.0"  # milliseconds at 1 kHz
    assert "Spectrum of A" in figures


def test_a_spectrum_peaks_at_the_pitch():
    wave = np.sin(2 * np.pi * 120 * np.arange(1000) / 1000)
    hertz, level = spectra({"a": wave}, 1000).lines["a"]
    assert hertz[int(np.argmax(level))] == 120
    assert max(level) == 0


@pytest.mark.slow
def test_it_learns_a_tone_by_heart_and_plays_its_harmonics():
    """Trained on one tone for each of two classes, what it draws peaks at the tone asked for."""
    torch.manual_seed(0)
    model = zoo.create_model("wavenet", num_classes=2, channels=16, skip_channels=32, layers=6)
    model.input = SoundInput(sample_rate=1000, levels=256, length=300)
    model.classes, t = ["low", "high"], np.arange(300) / 1000
    tones = [0.5 * np.sin(2 * np.pi * (pitch * t + s)) for pitch in (40, 100) for s in (0, 0.4)]
    batch = model.input(tones), torch.tensor([0, 0, 1, 1])
    assert learned(model, 100, 1e-2, lambda: model.scores(batch, "train")["loss"].mean()) < 1.0
    for pitch, label in ((40, "low"), (100, "high")):
        (wave,) = model.eval().sample(seconds=0.6, label=label).waves
        power = np.abs(np.fft.rfft(wave[200:] * np.hanning(400))) ** 2
        assert abs(np.fft.rfftfreq(400, 1e-3)[power.argmax()] - pitch) < 6


# --- the classifier -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def classifier():
    return zoo.create_model("sound_classifier")


def test_frames_begin_as_a_spectrogram():
    """A tone is loudest in the band of its pitch: |Fourier transform|^2 of a Hann window."""
    frames = Frames(channels=64, window=256, stride=64)
    tone = torch.sin(2 * math.pi * 1000 * torch.arange(1000) / 8000)[None]
    cosine, sine = frames.filters(tone[:, None]).chunk(2, dim=1)
    power = cosine**2 + sine**2  # (1, 64, F), bands of 62.5 Hz
    assert set(power.argmax(1).flatten().tolist()) <= {15, 16}
    assert frames(tone).shape == (1, 64, 12)


def test_amplitudes_are_those_that_the_input_restores():
    ids = torch.arange(256)[None]
    one = SoundInput(sample_rate=8000, levels=256, length=256)
    torch.testing.assert_close(amplitudes(ids, 256)[0], torch.from_numpy(one.restore(ids)[0]))


def test_a_classifier_takes_sounds_of_any_length_from_a_window_on(classifier):
    classifier.eval()
    for length in (256, 2000, 5000):
        assert classifier(torch.randint(256, (2, length))).shape == (2, 8)
    short = torch.zeros(1, 255, dtype=torch.int64)
    refused("255 samples on axis 1: at least 256 are needed", classifier, short)
