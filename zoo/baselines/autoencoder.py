"""What autoencoders compete with: principal components, and the median of a neighbourhood."""

from typing import Any

import numpy as np
import torch
from scipy.ndimage import median_filter
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA

from zoo.config.types import Positive
from zoo.nn.noise import Noise, psnr, seeded, spoil


class PCAReconstruction(BaseEstimator):
    """The best linear code: pictures drawn again from their first principal components.

    What is drawn is clipped to [0, 1], which can only bring it nearer to the picture.

    Args:
        code_size: components kept, and so numbers in a code.
    """

    title = "principal components"

    def __init__(self, *, code_size: Positive) -> None:
        self.code_size = code_size

    def fit(self, datamodule: Any) -> "PCAReconstruction":
        """Fit on the training pixels."""
        self.pca_ = PCA(self.code_size, random_state=0).fit(_flat(datamodule, "train"))
        return self

    def score(self, datamodule: Any) -> dict[str, float]:
        """Mean squared error on the test pixels in [0, 1]."""
        pixels = _flat(datamodule, "test")
        restored = self.pca_.inverse_transform(self.pca_.transform(pixels)).clip(0, 1)
        return {"test/mse": float(np.square(restored - pixels).mean())}


class MedianFilter(BaseEstimator):
    """Each pixel becomes the median of a square about it; there is nothing to learn.

    Args:
        size: side of the square in pixels.
        noise: what spoils the pictures, as in the model; it is drawn with a fixed seed.
    """

    title = "median filter"

    def __init__(self, *, size: Positive, noise: Noise) -> None:
        self.size, self.noise = size, noise

    def fit(self, datamodule: Any) -> "MedianFilter":
        """Do nothing."""
        return self

    def score(self, datamodule: Any) -> dict[str, float]:
        """Mean squared error, and mean PSNR in decibels, against the clean test pixels."""
        clean = _images(datamodule, "test")
        restored = self.restore(spoil(clean, self.noise, seeded(0)).numpy())
        errors = (torch.from_numpy(restored) - clean).square().mean((1, 2, 3))
        return {"test/mse": float(errors.mean()), "test/psnr": float(psnr(errors).mean())}

    def restore(self, images: np.ndarray) -> np.ndarray:
        """Map spoiled images (N, C, H, W) to filtered ones; at the border pixels are mirrored."""
        return median_filter(images, (1, 1, self.size, self.size), mode="reflect")


def _images(datamodule: Any, split: str) -> torch.Tensor:
    """The images of a split, (N, C, H, W), in [0, 1]."""
    pixels = datamodule.arrays(split)[0].astype(np.float32) / 255
    return torch.from_numpy(pixels.transpose(0, 3, 1, 2))


def _flat(datamodule: Any, split: str) -> np.ndarray:
    """The pixels of a split, (N, H * W * C), in [0, 1]."""
    pixels: np.ndarray = datamodule.arrays(split)[0].astype(np.float32) / 255
    return pixels.reshape(len(pixels), -1)
