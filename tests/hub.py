"""A data set as the hub has it: parquet files, and a card that names their splits."""

import io
from collections.abc import Iterable
from pathlib import Path

import datasets
import numpy as np
from PIL import Image

Split = tuple[np.ndarray, list[int]]
Texts = tuple[list[str], list[int]]


def write(
    folder: Path, config: str, column: str, classes: list[str], kind: str, splits: dict[str, Split]
) -> None:
    """Write each split's pixels (N, H, W) or (N, H, W, 3), uint8, as picture files, and labels."""
    card(folder, config, splits)
    columns = features(column, classes)
    for name, (pixels, labels) in splits.items():
        pictures = [{"bytes": encoded(picture, kind), "path": None} for picture in pixels]
        table = datasets.Dataset.from_dict({column: pictures, "label": labels}, columns)
        table.to_parquet(folder / config / f"{name}-00000-of-00001.parquet")


def write_texts(folder: Path, config: str, classes: list[str], splits: dict[str, Texts]) -> None:
    """Write each split's texts, and labels; -1 stands for none."""
    card(folder, config, splits)
    label = datasets.ClassLabel(names=classes)
    columns = datasets.Features({"text": datasets.Value("string"), "label": label})
    for name, (texts, labels) in splits.items():
        table = datasets.Dataset.from_dict({"text": texts, "label": labels}, columns)
        table.to_parquet(folder / config / f"{name}-00000-of-00001.parquet")


def card(folder: Path, config: str, splits: Iterable[str]) -> None:
    """Make the folder, with the card that names the files of each split."""
    (folder / config).mkdir(parents=True)
    paths = [f"  - split: {name}\n    path: {config}/{name}-*.parquet\n" for name in splits]
    head = f"---\nconfigs:\n- config_name: {config}\n  default: true\n  data_files:\n"
    (folder / "README.md").write_text(head + "".join(paths) + "---\n")


def features(column: str, classes: list[str]) -> datasets.Features:
    """What the columns hold, as the hub says it."""
    label = datasets.ClassLabel(names=classes)
    return datasets.Features({column: datasets.Image(), "label": label})


def encoded(pixels: np.ndarray, kind: str) -> bytes:
    """The bytes of a picture file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()
