"""The baseline's score on the same data, kept in the cache by what it depends on."""

import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any

from datamodules.utilities.cache import cached
from zoo.config import schema

Results = dict[str, Any]
VERSION = 4  # of the baselines; a change scores them anew


def baseline_results(section: Mapping[str, Any], data: Any, classifier: Any = None) -> Results:
    """`baseline`, `baseline/<metric>` and `baseline/train_seconds` for results.json.

    It is fitted only when it is not in the cache.

    Args:
        classifier: the evaluator's, where what a generator draws is scored.
    """
    baseline = schema.build(section, "baseline")
    own = {name: data.hparams[name] for name in getattr(baseline, "TAKES", ())}
    own |= {"fold": fold} if (fold := data.hparams.get("fold")) else {}
    identity = [data.info["digest"], data.info["samples"], type(classifier).__name__]
    depends = [VERSION, dict(section), *identity, *([own] if own else [])]
    scorer = {} if classifier is None else {"classifier": classifier}
    key = hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()[:16]

    def build(folder: Any) -> None:
        start = time.perf_counter()
        model = baseline.fit(data)
        seconds = round(time.perf_counter() - start, 2)
        scores = {"train_seconds": seconds, **model.score(data, **scorer)}
        results = {f"baseline/{name}": value for name, value in scores.items()}
        (folder / "scores.json").write_text(json.dumps({"baseline": model.title, **results}))

    text = (cached("baseline", key, build) / "scores.json").read_text()
    results: Results = json.loads(text)
    return results
