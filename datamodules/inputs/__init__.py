"""Raw data -> tensor and back, one file a kind. What is here travels with a model's weights.

Imports neither Lightning nor `datasets`, so that a loaded model needs neither to read a picture.
"""

from typing import Any


def config_of(one: Any) -> dict[str, Any]:
    """What rebuilds an input whose attributes are its constructor's arguments, as a plain dict."""
    return {"kind": one.kind, **vars(one)}
