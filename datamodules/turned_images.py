"""Pictures with a value each, and such that were turned, with the question by which angle.

data/pets/cat/1.jpg     as for images.py; a batch is images (B, C, H, W) and angles (B,)
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from datamodules.bundled.digits import digits
from datamodules.images import Images
from datamodules.loading.storage import Arrays
from datamodules.sources.rows import Rows, Source
from datamodules.sources.splits import divide

REACH = 60.0  # degrees, uniform in +-, of turned pictures: further round and a 6 is a 9
TURNS = 0  # the seed of the angles


class MeasuredImages(Images):
    """Pictures with a value each in place of a class: rows of (picture, value).

    A batch is images (B, C, H, W), float, normalised, and values (B,), float, in their unit. The
    labels of the rows serve to divide the pictures evenly, no more.
    """

    ARRAYS: ClassVar = ("pixels", "values")
    SPOILS: ClassVar[tuple[str, ...]] = ("mixup", "cutmix")  # options that would change the value
    UNIT: ClassVar[str] = "y"

    def make_context(self, rows: Rows) -> tuple[int, int, int]:
        return super().make_context(Rows([raw for raw, _ in rows.raws], rows.labels))

    def decode(
        self, rows: Rows, split: str, shape: tuple[int, int, int], skipped: list[str]
    ) -> Arrays:
        """Pixels (N, H, W, C), uint8; values (N,), float32; and labels (N,)."""
        raws, values = zip(*rows.raws, strict=True)
        indexed = Rows(raws, np.arange(len(raws)), rows.numbers, rows.where)
        arrays = super().decode(indexed, split, shape, skipped)
        readable = arrays["labels"]
        return {
            "pixels": arrays["pixels"],
            self.ARRAYS[1]: np.array(values, np.float32)[readable],
            "labels": rows.labels[readable],
        }

    def fit(self, metadata: dict[str, Any]) -> dict[str, Any]:
        """The info without classes, but with the unit and the moments of what is measured.

        Raises:
            ValueError: augmentation would change the value.
        """
        for name in self.SPOILS:
            if value := self.hparams["augment"].get(name):
                raise ValueError(
                    f"data.augment.{name} is {value}: it would change the {self.ARRAYS[1][:-1]} "
                    "that is asked for; leave it out"
                )
        info = super().fit(metadata)
        rest = {name: info[name] for name in info.keys() - {"num_classes", "classes"}}
        return {**rest, "unit": self.UNIT, **self.target_moments(metadata)}

    def target_moments(self, metadata: dict[str, Any]) -> dict[str, float]:
        """Mean and deviation of the training values; 1 where all are the same."""
        values = self.arrays("train")[1].astype(np.float64)
        return {"target_mean": float(values.mean()), "target_std": float(values.std()) or 1.0}


class TurnedImages(MeasuredImages):
    """Pictures with another question than what they show: by which angle is each turned?

    Each is turned about its centre by an angle of its own, drawn once, positive counter-clockwise;
    a batch is images (B, C, H, W), float, normalised, and angles (B,), float, in degrees. `augment`
    must leave the angle alone.
    """

    BUNDLED: ClassVar[Mapping[str, Callable[[], Any]]] = {"turned_digits": digits}
    ARRAYS: ClassVar = ("pixels", "angles")
    SPOILS: ClassVar = (
        "rotation_range", "shear_degrees", "horizontal_flip", "vertical_flip", "mixup", "cutmix",
    )  # fmt: skip
    UNIT: ClassVar = "degrees"

    def read_source(self, location: Path | str, scratch: Path) -> Source:
        """Rows of (picture, angle), in the three splits."""
        source = super().read_source(location, scratch)
        hparams, random = self.hparams, np.random.default_rng(TURNS)
        source = divide(source, hparams["validation"], hparams["test"], seed=0)
        angles = {
            name: random.uniform(-REACH, REACH, len(rows.labels)).astype(np.float32)
            for name, rows in source.splits.items()
        }
        mean, std = (moment(angles["train"], dtype=np.float64) for moment in (np.mean, np.std))
        self.moments = {"target_mean": round(float(mean), 4), "target_std": round(float(std), 4)}
        pairs = {
            name: Rows(list(zip(rows.raws, angles[name], strict=True)), rows.labels)
            for name, rows in source.splits.items()
        }
        return replace(source, splits=pairs)

    def context_metadata(self, context: tuple[int, int, int]) -> dict[str, Any]:
        """Mean and deviation of all training angles, whatever part of them is used."""
        return self.moments

    def target_moments(self, metadata: dict[str, Any]) -> dict[str, float]:
        return {name: metadata[name] for name in ("target_mean", "target_std")}

    def decode(
        self, rows: Rows, split: str, shape: tuple[int, int, int], skipped: list[str]
    ) -> Arrays:
        """Pixels (N, H, W, C), uint8, turned; angles (N,), float32; and labels (N,)."""
        arrays = super().decode(rows, split, shape, skipped)
        return {**arrays, "pixels": turn_images(arrays["pixels"], arrays["angles"])}


def turn_images(pixels: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Turn pictures (N, H, W, C), uint8, about their centres by angles (N,) in degrees.

    Bilinear; what comes in from outside is black. A positive angle turns counter-clockwise.
    """
    from scipy.ndimage import rotate

    result = np.empty_like(pixels)
    for i, (picture, angle) in enumerate(zip(pixels, angles, strict=True)):
        rotated = rotate(picture.astype(np.float32), angle, reshape=False, order=1, mode="constant")
        result[i] = rotated.round().clip(0, 255)
    return result
