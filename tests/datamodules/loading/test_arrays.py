"""Arrays in the cache: what they are known by, and the digest of their content."""

import json
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

import zoo
from datamodules.loading import arrays
from datamodules.sources.rows import NAMES
from tests.data import opened
from tests.tiny import image_folder
from zoo.config import schema
from zoo.config.migrate import migrate

WEIGHTS = Path(zoo.__file__).with_name("weights")
CARDS = [migrate(json.loads(path.read_text())) for path in WEIGHTS.glob("*.json")]
BUNDLED = {  # by digest; python_docs and python_source are others under another Python
    card["info"]["digest"]: card["data"]
    for card in CARDS
    if card["info"]["bundled"]
    and not card["data"]["name"].startswith("python")
    and card["choices"]["model"] != "sound_cnn"  # whose card came later
}


@pytest.fixture
def folder(tmp_path):
    image_folder.write(tmp_path / "pets")
    return tmp_path / "pets"


def digest(folder, **overrides):
    return opened("image_folder", source=str(folder), batch_size=8, **overrides).info["digest"]


def test_moving_the_data_keeps_their_digest(folder, tmp_path):
    before, copy = digest(folder), tmp_path / "other" / "animals"
    shutil.copytree(folder, copy)
    for path in copy.rglob("*.*"):
        os.utime(path, (0, 0))
    assert digest(copy) == before


def test_another_format_of_the_cache_keeps_the_digest(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    before = digest(folder)
    monkeypatch.setattr(arrays, "CACHE_VERSION", arrays.CACHE_VERSION + 1)
    assert digest(folder) == before
    assert len([path for path in (tmp_path / "cache").iterdir() if path.is_dir()]) == 2


def pixel(folder):
    path = next(iter(sorted(folder.rglob("*.png"))))
    with Image.open(path) as picture:
        picture.putpixel((picture.width // 2, picture.height // 2), (0, 255, 0))
        picture.save(path)


def name(folder):
    (folder / "dark").rename(folder / "dim")


def label(folder):
    shutil.move(folder / "dark" / "0.jpg", folder / "bright" / "dark.jpg")


@pytest.mark.parametrize("change", [pixel, name, label])
def test_other_content_is_another_digest(change, folder):
    before = digest(folder)
    change(folder)
    assert digest(folder) != before


def test_the_words_of_texts_are_of_the_digest(tmp_path):
    """Their arrays are numbers of words, which other words may have, too."""
    digests = set()
    for yes, no in (("good", "bad"), ("fine", "poor")):
        path = tmp_path / f"{yes}.csv"
        path.write_text("text,label\n" + f"{yes},1\n{no},0\n" * 20)
        data = opened("labelled_text", source=str(path), batch_size=8)
        digests.add(data.info["digest"].split("-")[1])
    assert len(digests) == 2


def test_preparing_keeps_no_state(folder, monkeypatch):
    """Lightning prepares in one process and sets up in all: these find the folder themselves."""
    asked = {"source": str(folder), "batch_size": 8}
    first, other = (zoo.create_data("image_folder", **asked) for _ in range(2))
    state = dict(vars(first))
    first.prepare_data()
    assert vars(first) == state
    monkeypatch.setattr(type(other), "build", None)  # nothing is read again
    other.setup("fit")
    assert set(other.splits) == set(NAMES)


@pytest.mark.parametrize("digest", BUNDLED)
def test_the_digest_of_before_is_known(digest):
    """Cards that were written when the digest was the cache's key name it as we do."""
    assert schema.build(BUNDLED[digest], "data").former_digest == digest
