"""Keras' integer form of IMDB: reviews as ranks of words, `imdb.npz` beside its word index.

    imdb.npz                 x_train, y_train, x_test, y_test: lists of ranks, labels 0 and 1
    imdb_word_index.json     {"the": 1, "and": 2, ...}: the rank of each word by its frequency

The lists are pickled, so they are read by an unpickler that makes nothing but lists and arrays.
`keras.datasets.imdb.load_data` adds 3 to each rank and a start mark; the files have neither.
"""

import codecs
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

ALLOWED = {  # what makes an array of lists, and bytes in a pickle of Python 2's time
    "numpy.core.multiarray._reconstruct": np.zeros(0).__reduce__()[0],
    "numpy._core.multiarray._reconstruct": np.zeros(0).__reduce__()[0],
    "numpy.ndarray": np.ndarray,
    "numpy.dtype": np.dtype,
    "_codecs.encode": codecs.encode,
}


def read(folder: Path) -> dict[str, tuple[list[str], np.ndarray]]:
    """The texts of each split, words separated by spaces, and their labels (N,).

    Raises:
        ValueError: no word index, a damaged file, or a rank that is not in the index.
    """
    (path,) = folder.glob("*.npz")
    names = words(folder)
    with zipfile.ZipFile(path) as archive:
        arrays = {Path(name).stem: array(archive, name, path) for name in archive.namelist()}
    found = {}
    for split in ("train", "test"):
        if not {f"x_{split}", f"y_{split}"} <= set(arrays):
            raise ValueError(
                f"{path} holds {', '.join(arrays)}: x_{split} and y_{split} are needed"
            )
        texts = [text(ranks, names, path) for ranks in arrays[f"x_{split}"]]
        found[split] = texts, arrays[f"y_{split}"].astype(np.int64)
    return found


def words(folder: Path) -> dict[int, str]:
    """The word of each rank."""
    index = folder / "imdb_word_index.json"
    if not index.is_file():
        raise ValueError(f"{folder} has no {index.name} beside its .npz: put it there")
    return {rank: word for word, rank in json.loads(index.read_text()).items()}


def text(ranks: Any, names: dict[int, str], path: Path) -> str:
    """The words of a review."""
    try:
        return " ".join(names[rank] for rank in ranks)
    except KeyError as error:
        raise ValueError(f"{path} has the rank {error}, which the word index has not") from None


def array(archive: zipfile.ZipFile, name: str, path: Path) -> np.ndarray:
    """One array of an npz, of numbers or of lists of numbers."""
    try:
        with archive.open(name) as file:
            npy.read_magic(file)
            shape, _, kind = npy.read_array_header_1_0(file)
            if not kind.hasobject:
                return np.frombuffer(file.read(), kind).reshape(shape)
            loaded: np.ndarray = Lists(file).load()
            return loaded
    except (ValueError, pickle.UnpicklingError, zipfile.BadZipFile, EOFError) as error:
        raise ValueError(f"{path}: {name} cannot be read ({error}): fetch it again") from error


class Lists(pickle.Unpickler):
    """Makes lists and arrays, and refuses all else that a pickle may ask for."""

    def find_class(self, module: str, name: str) -> Any:
        if (made := ALLOWED.get(f"{module}.{name}")) is None:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is no list or array")
        return made
