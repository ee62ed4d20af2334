"""What all classifiers share: the weighted loss, against torch's."""

import pytest
import torch
import torch.nn.functional as F

import zoo
from tests.data import learned
from zoo.pretrained.load import attach


@pytest.fixture
def model():
    return zoo.create_model("text_cnn", vocabulary_size=20, num_classes=3).eval()


BATCH = torch.arange(2, 18).view(4, 4), torch.tensor([0, 2, 2, 1])


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_a_weighted_loss_is_torchs_up_to_its_divisor(model, smoothing):
    """Torch divides by the weights of the batch; here the mean over the data has the weight 1."""
    model.label_smoothing = smoothing
    model.loss_weights = torch.tensor([0.5, 1.0, 4.0])
    inputs, labels = BATCH
    losses = model.scores(BATCH, "train")["loss"]
    weights = model.loss_weights
    wanted = F.cross_entropy(model(inputs), labels, weights, label_smoothing=smoothing)
    torch.testing.assert_close(losses.sum() / weights[labels].sum(), wanted)


def test_weights_of_one_change_nothing_and_only_training_is_weighted(model):
    plain = {stage: model.scores(BATCH, stage)["loss"] for stage in ("train", "val", "test")}
    model.loss_weights = torch.ones(3)
    assert torch.equal(model.scores(BATCH, "train")["loss"], plain["train"])
    model.loss_weights = torch.tensor([9.0, 9.0, 9.0])
    for stage in ("val", "test"):
        assert torch.equal(model.scores(BATCH, stage)["loss"], plain[stage])


def test_the_weights_are_of_a_run_and_not_of_the_model(model, tmp_path):
    """They are in no state, and no card attaches them."""
    model.loss_weights = torch.ones(3)
    assert not [name for name in model.state_dict() if "weights" in name]
    told = zoo.create_model("text_cnn")
    assert attach(told, None, {"loss_weights": [1.0, 2.0]}).loss_weights is None


PICTURES, CLIPS, TEXTS = (16, 1, 28, 28), (8, 1, 6, 30, 30), (16, 12)
SIZES = {
    "image_cnn": (PICTURES, 60, 3e-3), "image_cnn_2017": (PICTURES, 60, 3e-3),
    "image_mlp": (PICTURES, 30, 1e-3), "video_unfolded": ((8, 1, 45, 60), 40, 3e-3),
    "video_conv3d": (CLIPS, 40, 3e-3), "video_recurrent": (CLIPS, 40, 3e-3),
    "text_cnn": (TEXTS, 60, 5e-3), "text_cnn_2017": (TEXTS, 60, 5e-3),
    "text_lstm": (TEXTS, 60, 5e-3), "text_lstm_2017": (TEXTS, 60, 5e-3),
    "sound_classifier": ((8, 320), 40, 1e-2), "sound_cnn": ((8, 1200), 40, 3e-3),
}  # fmt: skip


@pytest.mark.parametrize("name", SIZES)
def test_a_classifier_overfits_a_batch(name):
    torch.manual_seed(0)
    model, (shape, steps, rate) = zoo.create_model(name), SIZES[name]
    inputs = torch.randint(1, 128, shape) if len(shape) == 2 else torch.randn(shape)
    labels = torch.arange(len(inputs)) % model.hparams["num_classes"]
    last = learned(model, steps, rate, lambda: F.cross_entropy(model(inputs), labels))
    assert last < 0.1 or name == "image_cnn_2017"  # with its three dropouts
    assert F.cross_entropy(model.eval()(inputs), labels) < 0.1
