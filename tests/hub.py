"""A data set of pictures as the hub has it: parquet files, and a card that names their splits."""

import io
from pathlib import Path

import datasets
import numpy as np
from PIL import Image

Split = tuple[np.ndarray, list[int]]


def write(
    folder: Path, config: str, column: str, classes: list[str], kind: str, splits: dict[str, Split]
) -> None:
    """Write each split's pixels (N, H, W) or (N, H, W, 3), uint8, as picture files, and labels."""
    (folder / config).mkdir(parents=True)
    paths = [f"  - split: {name}\n    path: {config}/{name}-*.parquet\n" for name in splits]
    head = f"---\nconfigs:\n- config_name: {config}\n  default: true\n  data_files:\n"
    (folder / "README.md").write_text(head + "".join(paths) + "---\n")
    columns = features(column, classes)
    for name, (pixels, labels) in splits.items():
        pictures = [{"bytes": encoded(picture, kind), "path": None} for picture in pixels]
        table = datasets.Dataset.from_dict({column: pictures, "label": labels}, columns)
        table.to_parquet(folder / config / f"{name}-00000-of-00001.parquet")


def features(column: str, classes: list[str]) -> datasets.Features:
    """What the columns hold, as the hub says it."""
    label = datasets.ClassLabel(names=classes)
    return datasets.Features({column: datasets.Image(), "label": label})


def encoded(pixels: np.ndarray, kind: str) -> bytes:
    """The bytes of a picture file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()
