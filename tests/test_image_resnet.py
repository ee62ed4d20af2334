"""Residual networks: torchvision's function, with a stem for small pictures and its own weights."""

from urllib.error import URLError

import pytest
import torch
from torchvision.models import ResNet18_Weights, get_model

import zoo
from tests.data import missing, refused, seeded


def torchvisions(model):
    """Torchvision's own network with a model's weights."""
    own = model.hparams
    theirs = get_model(f"resnet{own['depth']}", num_classes=own["num_classes"])
    tensors = model.state_dict()
    theirs.load_state_dict({n.replace("head.", "fc."): tensors[n] for n in tensors})
    return theirs.eval()


@pytest.mark.parametrize("depth", [18, 50])
def test_with_the_same_weights_it_is_torchvisions_network(depth):
    model = seeded("image_resnet", depth=depth, stem="imagenet", channels=3, num_classes=7)
    for layer in model.modules():  # as after some training
        if isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(layer.running_mean, -0.1, 0.1)
            torch.nn.init.uniform_(layer.running_var, 0.5, 1.5)
    images = torch.randn(2, 3, 70, 90)
    with torch.inference_mode():
        torch.testing.assert_close(model(images), torchvisions(model)(images), rtol=1e-4, atol=1e-4)


def test_the_small_stem_keeps_the_size_and_the_other_divides_it_by_four():
    image = torch.zeros(1, 1, 32, 32)
    for stem, side in (("small", 32), ("imagenet", 8)):
        model = seeded("image_resnet", stem=stem)
        assert model.maxpool(model.conv1(image)).shape == (1, 64, side, side)
        assert model.forward_features(image).shape == (1, 512)


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A network whose weights lie in torch's cache as if they were torchvision's; no network."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def unreachable(*_, **__):
        raise URLError("no route")

    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    torch.manual_seed(1)
    network = get_model("resnet18").eval()
    path = tmp_path / "hub" / "checkpoints" / ResNet18_Weights.DEFAULT.url.rpartition("/")[2]
    path.parent.mkdir(parents=True)
    torch.save(network.state_dict(), path)
    network.fc = torch.nn.Identity()
    return network, path


def started(**options):
    model = zoo.create_model("image_resnet", weights="imagenet", **options)
    model.setup("fit")
    return model.eval()


def test_training_starts_from_torchvisions_weights(published):
    images = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        wanted = published[0](images)
        colour = started(stem="imagenet", channels=3).forward_features(images)
        torch.testing.assert_close(colour, wanted, rtol=1e-4, atol=1e-5)
        grey = images[:, :1]
        wanted = published[0](grey.expand(-1, 3, -1, -1))
        found = started(stem="imagenet").forward_features(grey)
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)
    small = started(stem="small")
    assert torch.equal(small.layer4[1].conv2.weight, published[0].layer4[1].conv2.weight)


def test_what_it_has_learned_since_is_not_overwritten(published):
    model = started()
    torch.nn.init.zeros_(model.layer1[0].conv1.weight)
    again = zoo.create_model("image_resnet", weights="imagenet")
    again.load_state_dict(model.state_dict())
    again.setup("fit")
    assert not again.layer1[0].conv1.weight.any()


def test_weights_that_cannot_be_had_are_one_line_that_says_where_to_put_them(published):
    path = published[1]
    path.unlink()
    model = zoo.create_model("image_resnet", weights="imagenet")  # which needs none
    said = f"no ImageNet weights at {path}.*no route.*put htt"
    missing(said, model.setup, "fit")


def test_weights_of_another_number_of_channels_are_refused(published):
    refused("channels is 2: model.weights=imagenet takes 1 or 3", started, channels=2)
