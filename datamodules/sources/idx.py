"""IDX, the format of MNIST's own files: a magic number, the shape, then the bytes of an array."""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np


def read(path: Path) -> np.ndarray:
    """The array of an IDX file of unsigned bytes, gzipped or not.

    Raises:
        ValueError: another magic number, or fewer or more bytes than its header says.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as file:
            data = file.read()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} is cut short or damaged: fetch it again") from error
    if len(data) < 4 or data[:3] != b"\0\0\x08" or len(data) < 4 + 4 * data[3]:
        raise ValueError(f"{path} is no IDX file of bytes: it starts with {data[:4]!r}")
    shape = tuple(np.frombuffer(data, ">u4", count=data[3], offset=4).tolist())
    body = np.frombuffer(data, np.uint8, offset=4 + 4 * data[3])
    if body.size != math.prod(shape):
        raise ValueError(
            f"{path} holds {body.size} bytes, its header says {math.prod(shape)}: fetch it again"
        )
    return body.reshape(shape)
