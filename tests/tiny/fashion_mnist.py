"""Fashion-MNIST as Debian's dataset-fashion-mnist has it: four gzipped IDX files."""

import gzip
from pathlib import Path

import numpy as np

from tests.tiny.mnist import digits


def write(folder: Path) -> dict[str, object]:
    """Write 50 training and 20 test pictures: class i is a bright row at 2 i + 4."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    for split, count in (("train", 50), ("t10k", 20)):
        pixels, labels = digits(count, random)
        (folder / f"{split}-images-idx3-ubyte.gz").write_bytes(idx(pixels.swapaxes(1, 2)))
        (folder / f"{split}-labels-idx1-ubyte.gz").write_bytes(idx(np.array(labels, np.uint8)))
    return {"source": str(folder), "batch_size": 8}


def idx(array: np.ndarray) -> bytes:
    """A gzipped IDX file of unsigned bytes."""
    shape = np.array(array.shape, ">u4").tobytes()
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + shape + array.tobytes())
