"""Standard output whose reader may go away, as in `zoo list | head`."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any


class ReaderGone(Exception):
    """Nobody reads stdout any longer."""


class Stdout:
    """Standard output that says so by `ReaderGone`, which no library takes for an error of its own.

    A BrokenPipeError may be any pipe's, and rich ends the process for it with exit code 1. What
    cannot be encoded, as a file's name that is not UTF-8, is written with backslashes.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> Any:
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            raise ReaderGone from None
        except UnicodeEncodeError as error:
            plain = text.encode(error.encoding, "backslashreplace").decode(error.encoding)
            return self._stream.write(plain)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except BrokenPipeError:
            raise ReaderGone from None


@contextmanager
def until_reader_is_gone() -> Iterator[None]:
    """End the work within, without an error, when nobody reads what it prints."""
    try:
        with redirect_stdout(sys.stdout and Stdout(sys.stdout)):  # None where there is none
            yield
            print(end="", flush=True)
    except ReaderGone:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # where the rest may go
