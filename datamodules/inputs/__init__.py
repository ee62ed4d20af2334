"""Raw data -> tensor and back, one file a kind. What is here travels with a model's weights.

Imports neither Lightning nor `datasets`, so that a loaded model needs neither to read a picture.
"""

from collections.abc import Iterable, Mapping, Set
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from torch import Tensor


class Input:
    """Raw samples of one kind as a batch; its attributes are its constructor's arguments."""

    kind: ClassVar[str]
    plural: ClassVar[str]  # what its samples are called
    suffixes: ClassVar[frozenset[str]]  # of its files
    dimensions: ClassVar[int | None] = None  # of an array of numbers that holds several samples

    def config(self) -> dict[str, Any]:
        """What rebuilds this input, as a plain dict; of a package of the user's with its class."""
        cls = type(self)
        is_ours = cls.__module__.startswith("datamodules.")
        return {"kind": cls.kind if is_ours else f"{cls.__module__}.{cls.__name__}", **vars(self)}

    def as_list(self, raws: Any) -> list[Any]:
        """One raw sample, or several of them, as a list.

        Args:
            raws: several are a list, a tuple, a generator, a Series of pandas or polars, an array
                of paths or texts, or one of numbers that has the `dimensions` for it. All else,
                an open file too, is one.

        Raises:
            ValueError: there are none, one is missing, or they are a table or have no order.
        """
        samples = _several(raws, self.plural, self.dimensions)
        if not samples:
            raise ValueError(f"no {self.plural} given: the list is empty")
        for i, sample in enumerate(samples):
            if _is_missing(sample):
                raise ValueError(
                    f"{self.plural}[{i}] is missing ({sample}): fill it in, or leave it out"
                )
        return samples


def _several(raws: Any, plural: str, dimensions: int | None) -> list[Any]:
    shape = getattr(raws, "shape", ())
    if isinstance(raws, Tensor) or (isinstance(raws, np.ndarray) and raws.dtype.kind in "biufc"):
        return list(raws) if len(shape) == dimensions else [raws]
    if isinstance(raws, Mapping | Set) or len(shape) > 1:
        raise ValueError(
            f"{plural} are wanted, one or a list: got {type(raws).__name__}; of a table give one "
            "column"
        )
    if isinstance(raws, np.ndarray):
        return raws.reshape(-1).tolist()  # an array of one may have no axis
    if isinstance(raws, str | bytes | Path) or hasattr(raws, "read"):
        return [raws]
    if hasattr(raws, "to_pylist"):  # Arrow's, whose items are no Python
        raws = raws.to_pylist()
    return list(raws) if isinstance(raws, Iterable) else [raws]


def _is_missing(sample: Any) -> bool:
    """Whether it is None, a NaN, or what pandas has for them."""
    is_nan = isinstance(sample, float) and sample != sample
    return sample is None or is_nan or type(sample).__name__ in ("NAType", "NaTType")


def import_reader(package: str, plural: str, extra: str) -> Any:
    """A package that reads files of a kind; an error says how to install it if it is missing."""
    try:
        return import_module(package)
    except ImportError as error:
        raise ModuleNotFoundError(
            f'{plural} are read by the package {package}: pip install "lightning-zoo[{extra}]"'
        ) from error
