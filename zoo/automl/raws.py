"""Samples of the pool as people see and hear them, for a page."""

from collections.abc import Collection
from typing import Any

import numpy as np
from torch import Tensor

from datamodules.inputs import sound
from datamodules.sources.files import SOUNDS
from datamodules.utilities.windows import one_window
from zoo.metrics.choice import take


def raw_samples(data: Any, places: Collection[int]) -> tuple[dict[int, Any], float]:
    """Samples of opened data by their place in the pool, and their rate (0: none, or not known).

    Pictures, clips, texts, or waves; of a recording the window in its middle.
    """
    raws: dict[int, Any] = {}
    for split in ("train", "val"):
        pool = np.asarray(data.pool[split])
        rows = np.flatnonzero(np.isin(pool, [*places]))
        if len(rows):
            samples = one_window(take(data.arrays(split)[0], rows))
            samples = samples.numpy() if isinstance(samples, Tensor) else samples
            raws |= dict(zip(pool[rows].tolist(), samples, strict=True))
    if data.KIND is SOUNDS:
        raws = {place: sound.decode(ids, data.input.levels) for place, ids in raws.items()}
        return raws, float(data.input.sample_rate)
    return raws, 0.0
