"""A classifier of recordings with windows: the mean of what it says of these (S50, S89)."""

import numpy as np
import pytest
import torch
from torch import nn

import zoo
from datamodules.inputs.clip import ClipInput
from datamodules.inputs.sound import SoundInput
from datamodules.utilities.windows import cut
from tests.data import refused
from zoo.figures.kinds import Confusion, Strip
from zoo.metrics.novelty import NoveltyDetector
from zoo.nn.supervised import Classifier

LENGTH = 100


class Ear(Classifier):
    """Tells whether a wave is above zero or below, from its mean."""

    def __init__(self):
        super().__init__(label_smoothing=0.0)
        self.head = nn.Linear(1, 2, bias=False)
        self.head.weight.data[:] = torch.tensor([[20.0], [-20.0]])
        self.classes, self.calls = ["above", "below"], []

    def forward(self, ids):
        self.calls.append(len(ids))
        return self.head((ids.float() / 255 - 0.5).mean(1, keepdim=True))


@pytest.fixture
def ear():
    return Ear().eval()


def hear(model, windows):
    model.input = SoundInput(sample_rate=1000, levels=256, length=LENGTH, windows=windows)
    return model


def late(sign, length=3 * LENGTH):
    """A wave whose class shows in its last third alone."""
    wave = np.zeros(length)
    wave[2 * length // 3 :] = 0.5 * sign
    return wave


def shares(logits):
    odds = np.exp(logits.detach().double().numpy())
    return odds / odds.sum(1, keepdims=True)


def test_what_shows_late_is_heard_with_windows_only(ear):
    waves = [late(1), late(-1), late(1, 5 * LENGTH), late(-1, 7 * LENGTH)]
    wanted = ["above", "below", "above", "below"]
    answers = {windows: hear(ear, windows).predict(waves) for windows in ("one", "spread")}
    assert [answer["label"] for answer in answers["spread"]] == wanted
    assert [answer["label"] for answer in answers["one"]] == ["above"] * 4
    assert {round(answer["probability"], 2) for answer in answers["one"]} == {0.52}


def test_an_answer_is_the_mean_over_windows_by_numpy(ear):
    windows = hear(ear, "spread").input([late(1), late(-1, 7 * LENGTH)])
    logits = ear(windows.inputs)
    wanted = np.stack([part.mean(0) for part in np.split(shares(logits), [3])])
    for answer, share in zip(ear.predict([late(1), late(-1, 700)]), wanted, strict=True):
        assert [*answer["probabilities"].values()] == pytest.approx(share.tolist(), rel=1e-5)
    scores = ear.scores((windows, torch.tensor([0, 1])), "val")
    np.testing.assert_allclose(scores["loss"].detach(), -np.log(wanted[[0, 1], [0, 1]]), rtol=1e-5)
    assert scores["accuracy"].tolist() == [1, 1]  # of recordings, not of ten windows


def test_windows_reach_the_network_a_few_at_once(ear):
    windows = hear(ear, "spread").input([late(1, 40 * LENGTH) for _ in range(3)])
    both = ear.logits(windows)
    assert ear.calls == [40, 40, 40]
    torch.testing.assert_close(both, windows.log_mean(ear(windows.inputs)))
    assert len(ear.predict([late(1, 40 * LENGTH)] * 5, batch_size=2)) == 5


def test_each_window_is_answered_by_itself(ear):
    """Also by a model that reads one, and beyond as many as are judged."""
    for windows in ("one", "spread"):
        answers = hear(ear, windows).predict_windows(late(-1, 90 * LENGTH + 10))
        assert len(answers) == 91
        assert (answers[0]["begin"], answers[-1]["end"]) == (0, pytest.approx(9.01))
        assert [answer["end"] - answer["begin"] for answer in answers] == pytest.approx([0.1] * 91)
        assert {answer["label"] for answer in answers if answer["begin"] > 6.1} == {"below"}
    refused("TextCNN reads no windows", zoo.create_model("text_cnn").predict_windows, "a")


def test_features_and_novelty_are_of_the_mean(ear):
    waves = [late(1), late(-1, 500)]
    windows = hear(ear, "spread").input(waves)
    each = (windows.inputs.float() / 255 - 0.5).mean(1, keepdim=True)
    wanted = torch.stack([each[:3].mean(0), each[3:].mean(0)])
    torch.testing.assert_close(ear.features(waves), wanted)
    torch.testing.assert_close(ear.features(waves, ["head"])["head"], ear.head(wanted).detach())
    random = torch.randn(300, 1, generator=torch.Generator().manual_seed(0)) * 0.08
    ear.novelty = NoveltyDetector.fit(random, torch.arange(300) % 2, random)
    answers = ear.predict([*waves, np.full(500, 1.0)])
    assert [answer.get("warning", "")[:6] for answer in answers] == ["", "", "unlike"]
    warned = ["warning" in answer for answer in ear.predict_windows(waves[0])]
    also = ["warning" in answer for answer in hear(ear, "one").predict_windows(waves[0])]
    assert (warned, also) == ([False] * 3, [False, False, True])


def test_figures_are_of_recordings(ear):
    batch = hear(ear, "spread").input([late(-1), late(1), late(1)]), torch.tensor([0, 0, 1])
    figures = ear.figures(batch)
    confusion = figures["Confusion matrix"]
    assert isinstance(confusion, Confusion)
    assert confusion.matrix.tolist() == [[1, 1], [1, 0]]
    assert len(figures["Worst mistakes"].waves) == 2
    assert len(figures["Worst mistakes"].waves[0]) == LENGTH


@pytest.mark.parametrize("unfold", [False, True])
def test_a_clip_is_answered_by_the_mean_and_shown_by_a_window(unfold):
    """By the image network, too, where its frames are tiled."""
    torch.manual_seed(0)
    name = "video_unfolded" if unfold else "video_conv3d"
    model = zoo.create_model(name, num_classes=3).eval()
    model.input = ClipInput(
        image_size=30, channels=1, frames=4, rate=10.0, unfold=unfold, mean=[0.5], std=[0.3],
        windows="spread",
    )  # fmt: skip
    model.classes = ["a", "b", "c"]
    clips = list(np.random.default_rng(0).integers(0, 255, (2, 11, 30, 30)).astype(np.uint8))
    windows = model.input(clips)
    assert windows.counts.tolist() == [3, 3]
    wanted = shares(model(windows.inputs)).reshape(2, 3, 3).mean(1)
    for answer, share in zip(model.predict(clips), wanted, strict=True):
        assert [*answer["probabilities"].values()] == pytest.approx(share.tolist(), rel=1e-4)
    figures = model.figures((windows, torch.tensor([2, 0])))
    if not unfold:
        strip = figures["A clip of each class"]
        assert isinstance(strip, Strip)
        answers = [answer["label"] for answer in model.predict(clips[::-1])]
        assert [*strip.captions] == [f"a, answered {answers[0]}", f"c, answered {answers[1]}"]


def test_a_sound_model_is_scored_by_the_mean_and_goes_on_after_the_end():
    torch.manual_seed(0)
    model = zoo.create_model("wavenet", levels=16, channels=8, layers=3, num_classes=2).eval()
    torch.nn.init.normal_(model.conditions.weight)
    ids, labels = [torch.randint(16, (length,)) for length in (30, 70)], torch.tensor([0, 1])
    windows = cut(ids, 20)  # two, and four
    scores = model.scores((windows, labels), "val")
    for i, (begin, end) in enumerate([(0, 2), (2, 6)]):
        alone = windows.inputs[begin:end], labels[[i] * (end - begin)]
        mean = model.scores(alone, "val")["bits_per_sample"].mean()
        torch.testing.assert_close(scores["bits_per_sample"][i], mean)
    answers = model.predict_batch(windows)
    assert answers == model.postprocess(model(windows.inputs[[1, 5]]))
