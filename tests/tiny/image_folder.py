"""Class folders of photographs in many sizes: bright ones and dark ones."""

from pathlib import Path

import numpy as np
from PIL import Image


def write(folder: Path) -> dict[str, object]:
    """Write 60 pictures in two class folders, PNG and JPEG."""
    random = np.random.default_rng(0)
    for name, level in (("bright", 200), ("dark", 50)):
        (folder / name).mkdir(parents=True)
        for i in range(30):
            height, width = random.integers(16, 40, 2)
            pixels = random.normal(level, 20, (height, width, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{i}.{'png' if i % 2 else 'jpg'}")
    return {"source": str(folder), "batch_size": 8}
