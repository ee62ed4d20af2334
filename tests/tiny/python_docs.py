"""The standard library's documentation is embedded: there is nothing to write."""

from pathlib import Path


def write(folder: Path) -> dict[str, object]:
    """Say how to read 1,000 documents; in fewer, too few words have a plural to be scored by."""
    return {"limit": 1000, "batch_size": 2000, "subsample": 1.0}
