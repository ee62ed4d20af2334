"""Data sets opened as a run opens them, and a small run."""

from typing import Any

import zoo

SMALL = {  # a run of seconds, for `zoo.train("image_cnn", **SMALL)`
    "model": {"widths": [4, 8]}, "data": {"limit": 200, "batch_size": 20},
    "trainer": {"max_epochs": 1}, "baseline": None,
}  # fmt: skip


def opened(name: str, **overrides: Any) -> Any:
    """A datamodule of the catalog, prepared and set up."""
    data = zoo.create_data(name, **overrides)
    data.setup("fit")
    return data
