"""Raw data -> tensor and back, one file a kind. What is here travels with a model's weights.

Imports neither Lightning nor `datasets`, so that a loaded model needs neither to read a picture.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Any, ClassVar

import numpy as np
from torch import Tensor


class Input:
    """Raw samples of one kind as a batch; its attributes are its constructor's arguments."""

    kind: ClassVar[str]
    suffixes: ClassVar[frozenset[str]]  # of its files

    def config(self) -> dict[str, Any]:
        """What rebuilds this input, as a plain dict; of a package of the user's with its class."""
        cls = type(self)
        is_ours = cls.__module__.startswith("datamodules.")
        return {"kind": cls.kind if is_ours else f"{cls.__module__}.{cls.__name__}", **vars(self)}


def as_list(raws: Any, plural: str, dimensions: int | None = None) -> Sequence[Any]:
    """One raw sample, or several of them, as a list.

    Args:
        plural: what they are called.
        dimensions: of an array that holds several; None: an array is one sample.

    Raises:
        ValueError: there are none.
    """
    if isinstance(raws, np.ndarray | Tensor):
        raws = list(raws) if raws.ndim == dimensions else [raws]
    elif isinstance(raws, str | bytes) or not isinstance(raws, Sequence):
        raws = [raws]
    if not raws:
        raise ValueError(f"no {plural} given: the list is empty")
    return raws


def import_reader(package: str, plural: str, extra: str) -> Any:
    """A package that reads files of a kind; an error says how to install it if it is missing."""
    try:
        return import_module(package)
    except ImportError as error:
        raise ModuleNotFoundError(
            f'{plural} are read by the package {package}: pip install "lightning-zoo[{extra}]"'
        ) from error
