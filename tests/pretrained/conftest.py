"""A small model as it is saved."""

import functools

import pytest
from torch.onnx._internal.exporter._registration import ONNXRegistry

import zoo
from tests.pretrained.test_store import INFO
from zoo.pretrained import store


@pytest.fixture(scope="session", autouse=True)
def translations():
    """torch's functions of ONNX, which each export reads anew from their source, are read once."""
    with pytest.MonkeyPatch.context() as patch:
        read = functools.cache(ONNXRegistry.from_torchlib)
        patch.setattr(ONNXRegistry, "from_torchlib", staticmethod(read))
        yield


@pytest.fixture
def saved(tmp_path):
    """A model and the folder that it was saved in."""
    model = zoo.create_model("image_cnn", widths=[4, 8]).eval()
    section = {"_target_": "zoo.image_cnn.ImageCNN", **model.hparams}
    (tmp_path / "mine").mkdir()
    store.save(model, {"model": section, "info": INFO}, tmp_path / "mine")
    return model, tmp_path / "mine"
