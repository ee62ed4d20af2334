"""The arrays of a data set as files: `<split>_<name>.npy`, and a digest of what is in them."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]  # of a split, by name
WITH_PATHS = ("skipped", "passed_over", "notes")  # what is no part of the content


def load_arrays(folder: Path, split: str) -> Arrays:
    """The arrays of a split, mapped from disk; writing to them does not reach it."""
    files = sorted(folder.glob(f"{split}_*.npy"))
    return {f.stem.removeprefix(f"{split}_"): np.load(f, mmap_mode="c") for f in files}


def digest_of(folder: Path, metadata: Mapping[str, Any]) -> str:
    """Of the arrays in a folder and what goes with them, wherever they were read from."""
    content = {name: value for name, value in metadata.items() if name not in WITH_PATHS}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode())
    for file in sorted(folder.glob("*.npy")):
        array = np.load(file, mmap_mode="r")
        digest.update(f"{file.stem} {array.dtype} {array.shape}".encode())
        digest.update(array.reshape(-1).view(np.uint8))
    return digest.hexdigest()[:16]
