"""Clips by 3-D convolution, by a recurrent layer over frames, and unfolded (S50-S53)."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import zoo
from tests.data import opened, seeded
from zoo.figures.kinds import Strip
from zoo.pretrained.load import attach
from zoo.video import Stage


@pytest.fixture(params=["video_conv3d", "video_recurrent"])
def model(request):
    return seeded(request.param)


@pytest.mark.parametrize("shape", [(10, 30, 30), (16, 48, 48), (1, 30, 30), (7, 33, 57)])
def test_any_length_and_size_will_do(model, shape):
    """S52, S53."""
    assert model(torch.randn(2, 1, *shape)).shape == (2, 4)


def test_the_order_of_the_frames_matters(model):
    clips = torch.randn(2, 1, 10, 30, 30)
    assert not torch.allclose(model(clips), model(clips.flip(2)), atol=1e-4)


def test_a_clip_of_each_class_is_shown_with_truth_and_answer(model):
    data = opened("moving_digits", limit=32, batch_size=8)
    model, (clips, labels) = attach(model, data.input, data.info), data.samples("test", 32)
    figures = model.figures((clips, labels))
    assert isinstance(figures["Worst mistakes"], Strip)
    shown = figures["A clip of each class"]
    assert [caption.split(",")[0] for caption in shown.captions] == data.info["classes"]
    first = int((labels == 2).nonzero()[0])
    np.testing.assert_array_equal(shown.clips[2], model.input.restore(clips)[first])


# 3-D convolution (S52)


def test_a_convolution_sums_over_time_as_over_space():
    """S52: by hand, 27 shifted products, one for each place of the kernel."""
    layer = Stage(2, 3, stride=1).first[0]
    clips = torch.randn(1, 2, 4, 5, 6)
    padded, weight = F.pad(clips, (1, 1, 1, 1, 1, 1)), layer.weight
    wanted = sum(
        torch.einsum("bcthw,oc->bothw", padded[:, :, t : t + 4, y : y + 5, x : x + 6], w)
        for t in range(3) for y in range(3) for x in range(3)
        for w in [weight[:, :, t, y, x]]
    )  # fmt: skip
    torch.testing.assert_close(layer(clips), wanted)


def test_time_is_not_halved_before_space():
    """C3D, section 3.2: so that motion is not merged too early."""
    model = zoo.create_model("video_conv3d", widths=[4, 8, 8])
    stem = model.stem(torch.zeros(1, 1, 8, 32, 32))
    assert stem.shape == (1, 4, 8, 8, 8)
    assert model.stages[0](stem).shape == (1, 8, 8, 8, 8)
    assert model.stages(stem).shape == (1, 8, 4, 4, 4)


def test_a_stage_adds_its_second_convolution_to_its_first():
    stage = Stage(2, 4, stride=2).eval()
    clips = torch.randn(1, 2, 4, 6, 6)
    first = stage.first(clips)
    torch.testing.assert_close(stage(clips), first + stage.second(first))


# The recurrent layer (S53)


@pytest.mark.parametrize(("cell", "step"), [("gru", nn.GRUCell), ("lstm", nn.LSTMCell)])
def test_frames_are_read_from_the_first_to_the_last(cell, step):
    """S53: the same weights, one frame at a time."""
    model = zoo.create_model("video_recurrent", cell=cell, hidden=8).eval()
    clips, loop, state = torch.randn(2, 1, 5, 30, 30), step(model.recurrent.input_size, 8), None
    weights = model.recurrent.state_dict().items()
    loop.load_state_dict({name.removesuffix("_l0"): weight for name, weight in weights})
    for frame in clips.unbind(2):
        state = loop(model.frame(frame), state)
    last = state[0] if cell == "lstm" else state
    torch.testing.assert_close(model(clips), model.head(last), atol=1e-5, rtol=1e-5)


def test_each_frame_is_seen_by_the_same_network_and_by_itself():
    """And it knows places: the mean over a whole frame would not tell where the digit is."""
    model, clips = zoo.create_model("video_recurrent").eval(), torch.randn(2, 1, 5, 30, 30)
    seen = model.frames(clips)
    clips[:, :, 3] = clips[:, :, 1]
    torch.testing.assert_close(model.frames(clips), seen[:, [0, 1, 2, 1, 4]])
    clips = torch.zeros(2, 1, 1, 32, 32)
    clips[0, :, :, 2:6, 2:6] = clips[1, :, :, 18:22, 18:22] = 3.0
    assert not torch.allclose(*model.frames(clips)[:, 0], atol=1e-3)


# Unfolded (S51)


# Learning


@pytest.mark.slow
def test_it_learns_the_direction_of_motion(trained):
    """S52: a clip that is shown backwards moves the other way, for only time tells."""
    small = {"data.train_samples": 1600, "trainer.max_epochs": 4, "baseline": None}
    run, data = trained("video_conv3d", **small), opened("moving_digits")
    assert run.results["test/accuracy"] > 0.97
    model, (clips, labels) = zoo.load(run.folder), data.samples("test", 200)
    with torch.inference_mode():
        answers = model.eval()(clips.flip(2)).argmax(1)
    opposite = (labels + 2) % 4  # right, up, left, down
    assert (answers == opposite).float().mean() > 0.95
