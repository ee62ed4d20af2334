"""The baseline's score on the same data, kept in the cache by what it depends on."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from datamodules.sources import cached
from zoo import schema

VERSION = 1  # of the baselines; a change scores them anew


def baseline_results(section: Mapping[str, Any], data: Any) -> dict[str, Any]:
    """`baseline` and `baseline/<metric>` for results.json; fitted only when not in the cache."""
    made = schema.build(section, "baseline")
    own = {name: data.hparams[name] for name in getattr(made, "TAKES", ())}
    told = [data.facts["digest"], data.facts["samples"], type(data.judge).__name__]
    depends = [VERSION, dict(section), *told, *([own] if own else [])]
    key = hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()[:16]

    def build(folder: Any) -> None:
        fitted = made.fit(data)
        found = {f"baseline/{name}": value for name, value in fitted.score(data).items()}
        (folder / "scores.json").write_text(json.dumps({"baseline": fitted.title, **found}))

    found: dict[str, Any] = json.loads((cached("baseline", key, build) / "scores.json").read_text())
    return found
