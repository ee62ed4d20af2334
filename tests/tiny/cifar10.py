"""CIFAR-10 as the hub has it, but JPEG bytes: parquet with the columns img and label."""

from pathlib import Path

import numpy as np

from tests import hub

CLASSES = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
]  # fmt: skip


def write(folder: Path) -> dict[str, object]:
    """Write 50 training and 20 test pictures; each class has its own colour."""
    random = np.random.default_rng(0)
    colours = random.integers(30, 225, (10, 3))
    splits = {"train": photos(50, colours, random), "test": photos(20, colours, random)}
    hub.write(folder, "plain_text", "img", CLASSES, "JPEG", splits)
    return {"source": str(folder), "batch_size": 8}


def photos(count: int, colours: np.ndarray, random: np.random.Generator) -> hub.Split:
    labels = [i % 10 for i in range(count)]
    noise = random.normal(0, 10, (count, 32, 32, 3))
    return (colours[labels][:, None, None] + noise).clip(0, 255).astype(np.uint8), labels
