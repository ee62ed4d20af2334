"""Python values as Hydra overrides, exactly."""

import os
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from math import ceil
from typing import Any

from zoo.catalog.registry import GROUPS

NAME = re.compile(r"\w[\w-]*")  # a key that may stand between dots


def as_overrides(values: Mapping[str, Any]) -> list[str]:
    """Python values as overrides: `{"model.widths": [8, 16]}` and nested dicts.

    A dict changes the keys that it has and leaves the others; an empty one empties what is there,
    but for a section (model, data, trainer). So two replace one: `{"data.augment": {},
    "data.augment.zoom_range": 0.2}`. NumPy's and torch's numbers and arrays are taken as lists,
    a timedelta as days:hours:minutes:seconds.

    Raises:
        ValueError: a value that no config can hold, such as a model.
    """
    result = []
    for key, value in values.items():
        value = _plain(value, key)
        if isinstance(value, dict) and (key in GROUPS or (value and all(map(_is_name, value)))):
            result += as_overrides({f"{key}.{name}": inner for name, inner in value.items()})
        else:
            result.append(f"{key}={_literal(value, bare=key in GROUPS)}")
    return result


def escape(value: Any) -> Any:
    """A value in which OmegaConf finds no interpolation: each `${` gets a backslash."""
    if isinstance(value, Mapping):
        return {key: escape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [escape(inner) for inner in value]
    return re.sub(r"(\\*)\$\{", r"\1\1\\${", value) if isinstance(value, str) else value


def _is_name(key: Any) -> bool:
    return isinstance(key, str) and bool(NAME.fullmatch(key))


def _plain(value: Any, key: str) -> Any:
    """A value as numbers, strings, lists and dicts."""
    if hasattr(value, "tolist"):  # NumPy's, torch's
        value = value.tolist()
    if isinstance(value, Mapping):
        return {name: _plain(inner, f"{key}.{name}") for name, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(inner, key) for inner in value]
    if isinstance(value, timedelta):
        minutes, seconds = divmod(ceil(value.total_seconds()), 60)
        value = f"{minutes // 1440:02}:{minutes // 60 % 24:02}:{minutes % 60:02}:{seconds:02}"
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError(
        f"{key} is of {type(value).__name__}: a config holds numbers, strings, lists and dicts"
    )


def _literal(value: Any, bare: bool = False) -> str:
    """A plain value in Hydra's override grammar."""
    if value is None:
        return "null"
    if isinstance(value, bool | int | float):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ",".join(_literal(item, bare) for item in value) + "]"
    if isinstance(value, dict):
        pairs = (f"{_escape_key(key)}:{_literal(inner)}" for key, inner in value.items())
        return "{" + ",".join(pairs) + "}"
    if bare:
        return str(value)
    text = re.sub(r"(\\*)'", r"\1\1\\'", escape(str(value)))
    return "'" + re.sub(r"(\\+)\Z", r"\1\1", text) + "'"


def _escape_key(key: Any) -> str:
    """A dict's key, which Hydra's grammar does not let stand in quotes."""
    return re.sub(r"([\\()\[\]{}:=, \t])", r"\\\1", str(key))
