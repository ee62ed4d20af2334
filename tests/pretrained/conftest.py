"""A small model as it is saved."""

import pytest

import zoo
from tests.pretrained.test_store import INFO
from zoo.pretrained import store


@pytest.fixture
def saved(tmp_path):
    """A model and the folder that it was saved in."""
    model = zoo.create_model("image_cnn", widths=[4, 8]).eval()
    section = {"_target_": "zoo.image_cnn.ImageCNN", **model.hparams}
    (tmp_path / "mine").mkdir()
    store.save(model, {"model": section, "info": INFO}, tmp_path / "mine")
    return model, tmp_path / "mine"
