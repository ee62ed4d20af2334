"""Pictures that were turned, with the question by which angle.

data/pets/cat/1.jpg     as for images.py; a batch is images (B, C, H, W) and angles (B,)
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from datamodules.bundled.digits import digits
from datamodules.images import Images
from datamodules.loading.arrays import Arrays
from datamodules.sources.rows import Rows, Source
from datamodules.sources.splits import divide

REACH = 60.0  # degrees, uniform in +-, of turned pictures: further round and a 6 is a 9
TURNS = 0  # the seed of the angles
SPOILS = (  # options that would change the angle
    "rotation_range", "shear_degrees", "horizontal_flip", "vertical_flip", "mixup", "cutmix",
)  # fmt: skip


class TurnedImages(Images):
    """Pictures with another question than what they show: by which angle is each turned?

    Each is turned about its centre by an angle of its own, drawn once, positive counter-clockwise;
    the classes serve to divide the pictures evenly, no more. A batch is images (B, C, H, W), float,
    normalised, and angles (B,), float, in degrees. `augment` must leave the angle alone.
    """

    BUNDLED: ClassVar[Mapping[str, Callable[[], Any]]] = {"turned_digits": digits}
    ARRAYS: ClassVar = ("pixels", "angles")

    def found(self, location: Path | str, scratch: Path) -> Source:
        """Rows of (picture, angle), in the three splits."""
        source = super().found(location, scratch)
        own, random = self.hparams, np.random.default_rng(TURNS)
        source = divide(source, own["validation"], own["test"], seed=0)
        angles = {
            name: random.uniform(-REACH, REACH, len(rows.labels)).astype(np.float32)
            for name, rows in source.splits.items()
        }
        self.moments = target_moments(angles["train"])
        pairs = {
            name: Rows(list(zip(rows.raws, angles[name], strict=True)), rows.labels)
            for name, rows in source.splits.items()
        }
        return Source(pairs, source.classes)

    def shared(self, rows: Rows) -> tuple[int, int, int]:
        return super().shared(Rows([raw for raw, _ in rows.raws], rows.labels))

    def remembered(self, shared: tuple[int, int, int]) -> dict[str, Any]:
        """Mean and deviation of all training angles, whatever part of them is used."""
        return self.moments

    def decode(
        self, rows: Rows, split: str, shared: tuple[int, int, int], skipped: list[str]
    ) -> Arrays:
        """Pixels (N, H, W, C), uint8, turned; angles (N,), float32; and labels (N,)."""
        raws, angles = zip(*rows.raws, strict=True)
        numbered = Rows(raws, np.arange(len(raws)))
        made = super().decode(numbered, split, shared, skipped)
        kept = made["labels"]
        turns = np.array(angles, np.float32)[kept]
        return {
            "pixels": turned(made["pixels"], turns),
            "angles": turns,
            "labels": rows.labels[kept],
        }

    def fit(self, known: dict[str, Any]) -> dict[str, Any]:
        """Facts without classes, but with the unit and the moments of what is measured.

        Raises:
            ValueError: augmentation would change the angle.
        """
        for name in SPOILS:
            if value := self.hparams["augment"].get(name):
                raise ValueError(
                    f"data.augment.{name} is {value}: it would change the angle that is asked for; "
                    "leave it out"
                )
        info = super().fit(known)
        told = {name: info[name] for name in info.keys() - {"num_classes", "classes"}}
        measured = {name: known[name] for name in ("target_mean", "target_std")}
        return {**told, "unit": "degrees", **measured}


def target_moments(targets: np.ndarray) -> dict[str, float]:
    """Mean and deviation of targets (N,), by name."""
    mean, std = targets.mean(dtype=np.float64), targets.std(dtype=np.float64)
    return {"target_mean": round(float(mean), 4), "target_std": round(float(std), 4)}


def turned(pixels: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Turn pictures (N, H, W, C), uint8, about their centres by angles (N,) in degrees.

    Bilinear; what comes in from outside is black. A positive angle turns counter-clockwise.
    """
    from scipy.ndimage import rotate

    found = np.empty_like(pixels)
    for i, (picture, angle) in enumerate(zip(pixels, angles, strict=True)):
        done = rotate(picture.astype(np.float32), angle, reshape=False, order=1, mode="constant")
        found[i] = done.round().clip(0, 255)
    return found
