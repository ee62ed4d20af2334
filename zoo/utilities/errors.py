"""Errors as users see them: one line on stderr and an exit code.

    2   the user can fix it: a wrong name, value, file or folder (ValueError, OSError, ImportError)
    1   an internal failure, such as a loss that is not finite
    130 interrupted from the keyboard (SIGINT); 143 terminated (SIGTERM)

`ZOO_DEBUG=1` shows the traceback instead.
"""

import errno
import os
import signal
import sys
from collections.abc import Callable, Iterable
from difflib import get_close_matches

MANY = 30  # names that an error lists
FULL = (errno.ENOSPC, errno.EDQUOT)


class Failure(RuntimeError):
    """A failure of the program itself, with a message for users: exit code 1."""


class Stopped(Exception):
    """Stopped by a signal: exit code 128 + its number.

    Args:
        number: of the signal.
        step: after which a checkpoint was saved, where this process knows.
    """

    def __init__(self, number: int, step: int | None = None) -> None:
        self.number = number
        after = "" if step is None else f" after step {step:,}, which is saved"
        name = signal.Signals(number).name
        super().__init__(
            f"stopped by {name}{after}: the same command with name= goes on from there"
        )


def no_such(kind: str, name: str, names: Iterable[str]) -> str:
    """Say that there is no `kind` of that name, and which one may have been meant.

    >>> no_such("model", "image_cn", ["image_cnn", "gan"])
    "no model named 'image_cn': did you mean 'image_cnn'?"
    """
    names = sorted(set(names))
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    listing = ", ".join(names[:MANY]) + (f" and {len(names) - MANY} more" if names[MANY:] else "")
    hint = f"did you mean {close[0]!r}?" if close else f"there are {listing or 'none'}"
    return f"no {kind} named {name!r}: {hint}"


def exit_code(work: Callable[[], object]) -> int:
    """Do the work; turn whatever it raises into one line and the exit code that belongs to it."""
    try:
        work()
    except KeyboardInterrupt:
        print("zoo: interrupted", file=sys.stderr)
        return 130
    except Exception as error:
        if os.environ.get("ZOO_DEBUG") == "1":
            raise
        print(f"zoo: {line(error)}", file=sys.stderr)
        return code(error)
    return 0


def code(error: Exception) -> int:
    """The exit code that belongs to an error."""
    if isinstance(error, Stopped):
        return 128 + error.number
    return 2 if isinstance(error, ValueError | OSError | ImportError) else 1


def line(error: Exception) -> str:
    """The message of an error in one line, with its type where the message is not ours."""
    text = " ".join(str(error).split())
    if isinstance(error, OSError) and error.errno in FULL:
        return (
            f"the disk is full, {error.filename or 'a file'} could not be written: make room first"
        )
    own_kinds = ValueError | FileNotFoundError | FloatingPointError | Failure | Stopped
    ours = isinstance(error, own_kinds) or (isinstance(error, OSError) and error.errno is None)
    ours |= isinstance(error, ImportError) and error.name is None  # Python's own name a module
    return text if ours and text else f"{type(error).__name__}: {text} (ZOO_DEBUG=1 shows where)"
