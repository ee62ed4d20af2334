"""The source code of Python's standard library."""

import sysconfig
from pathlib import Path

from datamodules.sources.text_file import read

SOURCE_CODE = "\t\n" + "".join(map(chr, range(ord(" "), ord("~") + 1)))  # what else: unknown
MODULES = (  # of the standard library; what a version of Python lacks is left out
    "base64", "calendar", "cmd", "code", "codecs", "collections/__init__", "contextlib", "copy",
    "csv", "dataclasses", "fractions", "functools", "gettext", "gzip", "heapq", "html/parser",
    "json/decoder", "logging/__init__", "os", "pprint", "queue", "random", "selectors", "shlex",
    "smtplib", "socket", "socketserver", "string", "tempfile", "textwrap", "threading", "timeit",
    "traceback", "types", "urllib/parse", "uuid", "warnings", "weakref", "zipapp",
)  # fmt: skip


def modules() -> list[str]:
    """The source of well-known modules of the standard library, as it is installed.

    Raises:
        FileNotFoundError: this Python has no source files.
    """
    folder = Path(sysconfig.get_path("stdlib"))
    paths = [path for name in MODULES if (path := folder / f"{name}.py").is_file()]
    if not paths:
        raise FileNotFoundError(f"no source of the standard library in {folder}: use another data=")
    return [read(path) for path in paths]
