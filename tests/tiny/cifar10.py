"""CIFAR-10 as the hub has it, but JPEG bytes: parquet with the columns img and label."""

import io
from pathlib import Path

import datasets
import numpy as np
from PIL import Image

CLASSES = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
]  # fmt: skip
FEATURES = datasets.Features({"img": datasets.Image(), "label": datasets.ClassLabel(names=CLASSES)})
CARD = """---
configs:
- config_name: plain_text
  default: true
  data_files:
  - split: train
    path: plain_text/train-*.parquet
  - split: test
    path: plain_text/test-*.parquet
---
"""


def write(folder: Path) -> dict[str, object]:
    """Write 50 training and 20 test pictures; each class has its own colour."""
    (folder / "plain_text").mkdir(parents=True)
    (folder / "README.md").write_text(CARD)
    random = np.random.default_rng(0)
    colours = random.integers(30, 225, (10, 3))
    for split, count in (("train", 50), ("test", 20)):
        labels = [i % 10 for i in range(count)]
        noise = random.normal(0, 10, (count, 32, 32, 3))
        pixels = (colours[labels][:, None, None] + noise).clip(0, 255).astype(np.uint8)
        rows = {"img": [{"bytes": jpeg(p), "path": None} for p in pixels], "label": labels}
        table = datasets.Dataset.from_dict(rows, FEATURES)
        table.to_parquet(folder / "plain_text" / f"{split}-00000-of-00001.parquet")
    return {"source": str(folder), "batch_size": 8}


def jpeg(pixels: np.ndarray) -> bytes:
    """The bytes of a JPEG file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()
