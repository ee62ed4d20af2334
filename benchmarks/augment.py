"""Augmentation of small pictures: our batches against Keras, kornia and torchvision.

Ours gathers shuffled batches of bytes and gives floats: rotation, both shifts, shear, zoom, channel
shift and flips, a draw for each picture, bilinear, parity with Keras tested
(tests/datamodules/transforms/test_keras_parity.py). The peers:

    ImageDataGenerator   Keras' own, the same options; its flow() uses one core
    kornia               RandomAffine and flips, a draw for each picture; no channel shift
    torchvision          v2 on the whole batch, which draws once for all of it; no channel shift

The rows on one core give every side one thread; those on two give ours and kornia two.
"""

import os
import warnings
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import torch

from benchmarks.common import Row, compare, show
from datamodules.loading.batches import Batches
from datamodules.transforms.augment import Augment, Options
from datamodules.transforms.standardise import whiten, whitening_matrix

COUNT, BATCH, WHITENED = 4096, 256, 1024
OPTIONS: Options = {
    "rotation_range": 15, "width_shift_range": 0.1, "height_shift_range": 0.1, "shear_degrees": 10,
    "zoom_range": 0.1, "channel_shift_range": 0.08, "horizontal_flip": True, "vertical_flip": True,
}  # fmt: skip


def rate(work: Callable[[], Any], pictures: int) -> float:
    """Pictures per second."""
    start = perf_counter()
    work()
    return pictures / (perf_counter() - start)


def ours(pixels: np.ndarray, threads: int) -> Callable[[], float]:
    """Whole epochs of shuffled, augmented batches."""
    loader = Batches((torch.from_numpy(pixels),), BATCH, shuffle=True)
    augment = Augment(OPTIONS)

    def epoch() -> None:
        for batch in loader:
            augment(batch.tensors[0].permute(0, 3, 1, 2), batch.key)

    return lambda: with_threads(threads, lambda: rate(epoch, COUNT))


def with_threads(threads: int, work: Callable[[], float]) -> float:
    """What `work` gives with so many threads."""
    torch.set_num_threads(threads)
    return work()


def keras(pixels: np.ndarray) -> Callable[[], float]:
    """Two batches of ImageDataGenerator.flow."""
    flow = generator(
        rotation_range=15, width_shift_range=0.1, height_shift_range=0.1, shear_range=10,
        zoom_range=0.1, channel_shift_range=20.0, horizontal_flip=True, vertical_flip=True,
        fill_mode="nearest",
    ).flow(pixels, np.zeros(COUNT), batch_size=BATCH)  # fmt: skip
    return lambda: with_threads(1, lambda: rate(lambda: [next(flow) for _ in range(2)], 2 * BATCH))


def generator(**options: Any) -> Any:
    """Keras' ImageDataGenerator, on its torch backend."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from keras.src.legacy.preprocessing.image import ImageDataGenerator
    return ImageDataGenerator(**options)


def kornia(pixels: np.ndarray, threads: int) -> Callable[[], float]:
    """Its batched modules, a draw for each picture."""
    import kornia.augmentation as of

    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()
    steps = torch.nn.Sequential(
        of.RandomAffine(15, (0.1, 0.1), (0.9, 1.1), 10, padding_mode="border", p=1.0),
        of.RandomHorizontalFlip(),
        of.RandomVerticalFlip(),
    )
    return lambda: with_threads(threads, lambda: batched(images, steps))


def torchvision(pixels: np.ndarray, threads: int) -> Callable[[], float]:
    """Its transforms of a whole batch, one draw for all of it."""
    from torchvision.transforms import v2

    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()
    steps = v2.Compose([
        v2.RandomHorizontalFlip(),
        v2.RandomVerticalFlip(),
        v2.RandomAffine(
            15, (0.1, 0.1), (0.9, 1.1), 10, interpolation=v2.InterpolationMode.BILINEAR
        ),
    ])  # fmt: skip
    return lambda: with_threads(threads, lambda: batched(images, steps))


def batched(images: torch.Tensor, steps: Callable[[Any], Any]) -> float:
    """Pictures per second of steps over batches of floats."""

    def epoch() -> None:
        for start in range(0, COUNT, BATCH):
            steps(images[start : start + BATCH].float() / 255)

    return rate(epoch, COUNT)


def zca(pixels: np.ndarray) -> Row:
    """Whitening alone, by a matrix that is fitted; Keras whitens picture by picture."""
    images = torch.from_numpy(pixels[:WHITENED]).permute(0, 3, 1, 2).float() / 255
    matrix = whitening_matrix(
        [images - images.mean((0, 2, 3), True)], tuple(images.shape[1:]), 1e-3
    )
    theirs = generator(zca_whitening=True)
    theirs.mean = np.zeros((1, 1, 3), np.float32)
    theirs.zca_whitening_matrix = matrix.numpy()
    few = pixels[:BATCH].astype(np.float32) / 255

    def keras_side() -> float:
        return rate(lambda: [theirs.standardize(picture.copy()) for picture in few], len(few))

    def our_side() -> float:
        return rate(lambda: [whiten(part, matrix) for part in images.split(BATCH)], WHITENED)

    return compare("ImageDataGenerator", our_side, keras_side)


@torch.no_grad()
def main() -> None:
    """The whole comparison."""
    random = np.random.default_rng(0)
    colour = random.integers(0, 256, (COUNT, 32, 32, 3), dtype=np.uint8)
    grey = random.integers(0, 256, (COUNT, 28, 28, 1), dtype=np.uint8)
    rows = {
        "32x32x3, one core": compare("ImageDataGenerator", ours(colour, 1), keras(colour)),
        "32x32x3, two cores": compare("ImageDataGenerator", ours(colour, 2), keras(colour)),
        "28x28x1, one core": compare("ImageDataGenerator", ours(grey, 1), keras(grey)),
        "32x32x3, one core, kornia": compare("kornia", ours(colour, 1), kornia(colour, 1)),
        "32x32x3, two cores, kornia": compare("kornia", ours(colour, 2), kornia(colour, 2)),
        "32x32x3, one core, batch": compare(
            "torchvision, batch", ours(colour, 1), torchvision(colour, 1)
        ),
        "32x32x3, two cores, batch": compare(
            "torchvision, batch", ours(colour, 2), torchvision(colour, 2)
        ),
        "ZCA 32x32x3, float32": zca(colour),
    }
    show(rows, f"images/s, batch {BATCH}")


if __name__ == "__main__":
    main()
