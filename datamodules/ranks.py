"""Keras' integer form of IMDB: reviews as ranks of words, `imdb.npz` beside its word index.

    imdb.npz                 x_train, y_train, x_test, y_test: lists of ranks, labels 0 and 1
    imdb_word_index.json     {"the": 1, "and": 2, ...}: the rank of each word by its frequency

The lists are pickled. Their program is read, not run: what it makes besides lists of whole numbers
is never looked up, so a file can do no more than be wrong.
`keras.datasets.imdb.load_data` adds 3 to each rank and a start mark; the files have neither.
"""

import json
import pickletools
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

MARK = object()  # where a list of arguments begins
TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def read(folder: Path) -> dict[str, tuple[list[str], np.ndarray]]:
    """The texts of each split, words separated by spaces, and their labels (N,).

    Raises:
        ValueError: no word index, a damaged file, or a rank that is not in the index.
    """
    path = next(folder.glob("*.npz"))
    names = words(folder)
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = {Path(name).stem: array(archive, name) for name in archive.namelist()}
    except (ValueError, IndexError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} cannot be read ({error}): fetch it again") from error
    found = {}
    for split in ("train", "test"):
        if not {f"x_{split}", f"y_{split}"} <= set(arrays):
            raise ValueError(
                f"{path} holds {', '.join(arrays)}: x_{split} and y_{split} are needed"
            )
        texts = [text(ranks, names, path) for ranks in arrays[f"x_{split}"]]
        found[split] = texts, np.array(arrays[f"y_{split}"], np.int64)
        if len(found[split][1]) != len(texts):
            raise ValueError(
                f"{path} has {len(texts)} texts in {split}, and another number of labels"
            )
    return found


def words(folder: Path) -> dict[int, str]:
    """The word of each rank."""
    index = folder / "imdb_word_index.json"
    if not index.is_file():
        raise ValueError(f"{folder} has no {index.name} beside its .npz: put it there")
    return {rank: word for word, rank in json.loads(index.read_text()).items()}


def text(ranks: list[int], names: dict[int, str], path: Path) -> str:
    """The words of a review."""
    try:
        return " ".join(names[rank] for rank in ranks)
    except KeyError as error:
        raise ValueError(f"{path} has the rank {error}, which the word index has not") from None
    except TypeError:
        raise ValueError(f"{path} has {ranks!r} for a review: a list of ranks is wanted") from None


def array(archive: zipfile.ZipFile, name: str) -> Any:
    """One array of an npz: of numbers, or of lists of them."""
    with archive.open(name) as file:
        npy.read_magic(file)
        shape, _, kind = npy.read_array_header_1_0(file)
        rest = file.read()
    return lists(rest) if kind.hasobject else np.frombuffer(rest, kind).reshape(shape)


def lists(program: bytes) -> list[Any]:
    """The last list in what a pickle says its array is made of: that of the array's items.

    Raises:
        ValueError: it is no array of objects.
    """
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    for code, given, _ in pickletools.genops(program):
        step(code.name, given, stack, memo)
    state = stack[-1]
    if not isinstance(state, tuple) or not isinstance(state[-1], list):
        raise ValueError("it holds no array of lists")
    return state[-1]


def step(name: str, given: Any, stack: list[Any], memo: dict[int, Any]) -> None:
    """Do what an instruction of a pickle does to lists and numbers; a call is its arguments."""
    if name in ("PROTO", "FRAME", "STOP"):
        return
    if name in ("BINPUT", "LONG_BINPUT", "MEMOIZE"):
        memo[len(memo) if given is None else given] = stack[-1]
    elif name in ("BINGET", "LONG_BINGET"):
        stack.append(memo[given])
    elif name in ("EMPTY_LIST", "MARK"):
        stack.append([] if name == "EMPTY_LIST" else MARK)
    elif name in ("APPEND", "APPENDS"):
        items = [stack.pop()] if name == "APPEND" else taken(stack)
        stack[-1].extend(items)
    elif name == "TUPLE":
        stack.append(tuple(taken(stack)))
    elif name in TUPLES:
        stack[len(stack) - TUPLES[name] :] = [tuple(stack[len(stack) - TUPLES[name] :])]
    elif name in ("REDUCE", "BUILD"):  # function and arguments; object and state
        stack[-2:] = stack[-1:]
    elif name == "STACK_GLOBAL":
        stack[-2:] = [None]
    else:
        stack.append(given)


def taken(stack: list[Any]) -> list[Any]:
    """What stands above the last mark, which goes, too."""
    at = len(stack) - 1 - stack[::-1].index(MARK)
    items, stack[at:] = stack[at + 1 :], []
    return items
