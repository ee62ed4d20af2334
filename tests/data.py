"""Data sets opened as a run opens them."""

from typing import Any

import zoo


def opened(name: str, **overrides: Any) -> Any:
    """A datamodule of the catalog, prepared and set up."""
    data = zoo.create_data(name, **overrides)
    data.setup("fit")
    return data
