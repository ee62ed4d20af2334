"""The hub's layout: parquet files, read by the library `datasets`, here or from the hub."""

import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies


def connect(hub: str, example: str, seconds: float = 2) -> None:
    """Probe the hub, or the proxy before it, once; without it `datasets` retries for 23 s.

    Args:
        example: a bundled data set, which needs no download.

    Raises:
        FileNotFoundError: nobody answers; the message names the ways out.
    """
    address = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    server = urlsplit(getproxies().get("https", address))
    try:
        socket.create_connection((server.hostname, server.port or 443), timeout=seconds).close()
    except OSError as error:
        raise FileNotFoundError(
            f"no connection to the hub, where {hub} is ({error.strerror or error}): connect, or "
            "give data.source=PATH, or put the data in a folder of $ZOO_DATA (now "
            f"{os.environ.get('ZOO_DATA') or 'not set'}); data={example} needs no download"
        ) from error


def tables(location: Path | str, scratch: Path) -> Any:
    """The splits of a data set of the hub, or of a local folder in its layout, as tables."""
    import datasets

    if isinstance(location, Path) and location.is_file():
        from pyarrow import parquet

        return {"all": datasets.Dataset(parquet.read_table(location))}
    datasets.disable_progress_bars()
    return datasets.load_dataset(str(location), cache_dir=str(scratch))


class Cells(Sequence[Any]):
    """An Arrow column of texts, or of structs (bytes, path), row by row."""

    def __init__(self, cells: Any) -> None:
        self.cells = cells

    def __len__(self) -> int:
        return len(self.cells)

    def __getitem__(self, index: Any) -> Any:
        value = self.cells[int(index)].as_py()
        if not isinstance(value, dict):
            return value
        return value["bytes"] if value["bytes"] is not None else Path(value["path"])


def column(features: Any, kind: str, location: Path | str) -> str:
    """The first column of that kind."""
    for name, feature in features.items():
        if type(feature).__name__ == kind:
            return str(name)
    raise ValueError(f"{location} has no {kind} column: found {', '.join(features)}")
