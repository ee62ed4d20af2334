"""Small picture files, and a cache that no other test has filled."""

import io
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "own_cache"))
    return tmp_path / "own_cache"


@pytest.fixture(scope="session")
def keras() -> Any:
    """Keras, which brings no backend of its own up here."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setenv("KERAS_BACKEND", os.environ.get("KERAS_BACKEND", "torch"))
        warnings.simplefilter("ignore")
        import keras.src.legacy.preprocessing.image
        import keras.utils
    return keras


@pytest.fixture
def encoded() -> Callable[..., bytes]:
    """Pixels or a PIL image as the bytes of a file."""

    def encode(picture: Any, kind: str = "PNG", **options: Any) -> bytes:
        if isinstance(picture, np.ndarray):
            picture = Image.fromarray(picture)
        file = io.BytesIO()
        picture.save(file, kind, **options)
        return file.getvalue()

    return encode


@pytest.fixture
def class_folders(tmp_path: Path) -> Callable[..., Path]:
    """Folders of grey pictures: `class_folders({"cat": 3, "train/dog": 2})`."""

    def write(counts: dict[str, int], size: int = 8, name: str = "pets") -> Path:
        for number, (place, count) in enumerate(counts.items()):
            folder = tmp_path / name / place
            folder.mkdir(parents=True)
            for i in range(count):
                pixels = np.full((size, size), 10 * number + i, np.uint8)
                Image.fromarray(pixels).save(folder / f"{i}.png")
        return tmp_path / name

    return write
