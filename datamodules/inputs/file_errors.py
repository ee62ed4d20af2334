"""Whatever a library raises while it reads a file -> one line that names the file."""

import io
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any


class Defect(Exception):
    """What is wrong with a file, as a sentence that begins after its name."""


def name_of(raw: Any, noun: str) -> str:
    """What an error calls a raw sample: its path, or what it is."""
    return str(raw) if isinstance(raw, str | Path) else f"a {noun} ({type(raw).__name__})"


class _File(io.BufferedReader):
    """A file whose `read` asks for no more memory than it has bytes, whatever its header says."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(io.FileIO(path))
        self.size = self.seek(0, io.SEEK_END)
        self.seek(0)

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self.size if size is None or size < 0 else min(size, self.size))


def open_raw(raw: Any, noun: str) -> Any:
    """A path, the bytes of a file, or an open file, for reading bytes in a `with`.

    Raises:
        Defect: it is none of them.
    """
    if isinstance(raw, bytes | bytearray | memoryview):
        return io.BytesIO(raw)
    if isinstance(raw, str | Path):
        return _File(raw)
    if hasattr(raw, "read"):
        return nullcontext(raw)
    raise Defect(f"is no {noun}: a path, the bytes of a file or an array is wanted")


@contextmanager
def named_errors(name: str, noun: str, verdict: str) -> Iterator[None]:
    """Turn what is raised inside into a line about the file.

    Args:
        name: of the file.
        noun: what it should be: picture, sound or video.
        verdict: what it is if a library fails on it, such as "is damaged".

    Raises:
        FileNotFoundError: there is no such file.
        ModuleNotFoundError: the package that reads it is not installed.
        ValueError: anything else, also a lack of memory.
    """
    try:
        yield
    except ModuleNotFoundError:
        raise
    except Defect as error:
        raise ValueError(f"{name} {error}") from error
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{name}: there is no such {noun}") from error
    except (PermissionError, IsADirectoryError) as error:
        raise ValueError(f"{name} cannot be opened: {error.strerror}") from error
    except MemoryError as error:
        raise ValueError(f"{name} needs more memory than there is") from error
    except Exception as error:  # the libraries raise two dozen kinds for damaged files
        # libav and libsndfile tell the reason without an object's address
        text = getattr(error, "strerror", "") or getattr(error, "error_string", "") or str(error)
        reason = " ".join(text.split()) or type(error).__name__
        raise ValueError(f"{name} {verdict}: {reason}") from error
