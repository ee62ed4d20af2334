"""Features of a released network, for a classifier of scikit-learn."""

from functools import cache
from typing import Any

import numpy as np

from zoo.baselines.stateless import Stateless
from zoo.pretrained.load import load


class NetworkFeatures(Stateless):
    """What the last layer of a network with released weights sees of each sample.

    Args:
        weights: a released name, such as image_cnn.cifar10.
    """

    def __init__(self, weights: str) -> None:
        self.weights = weights

    def compute(self, X: Any) -> np.ndarray:
        """Map N samples, as the network's `features` takes them, to (N, F)."""
        rows: np.ndarray = network(self.weights).features(list(X)).flatten(1).float().numpy()
        return rows


@cache
def network(weights: str) -> Any:
    """The network, loaded once."""
    return load(weights)
