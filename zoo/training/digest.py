"""What a score depends on: a run's config, and the definitions that its code reaches.

The code is that of the classes that the config names and of the roots below; see definitions.py.
In which module a definition stands does not count, so moving it unsettles no figure.
"""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import zoo
from zoo.training.canonical import OURS
from zoo.training.definitions import Code, short_hash

ROOTS = ("zoo.training.fit.run_experiment", "zoo.training.baseline.baseline_results")
LEAVES = {  # what is not followed, and why
    "zoo.training.results.finish": "writes card and report, when all is measured",
    "zoo.training.results.describe_run": "says what ran",
    "zoo.distributed.collectives.unresponsive_ranks": "names processes that are gone",
    "zoo.training.callbacks.ProgressBar": "shows how far a run is",
    "zoo.config.schema.check_arguments": "refuses a config, or lets it be",
    "zoo.catalog.compose.compose": "its configs are in the digest themselves, the evaluator's too",
    "zoo.catalog.registry.conf_folder": "finds conf/, which is composed into the digest",
    "zoo.pretrained.store.released": "finds weights, whose content is in the digest",
    "figures": "a model's method: pictures for the report",
    "export_spec": "a model's method: what is exported",
    "save_pretrained": "a model's method: writes a folder",
    "push_to_hub": "a model's method: publishes a folder",
    "from_pretrained": "a model's method: reads a folder",
}
IGNORED_KEYS = (  # keys of a run's config that no score depends on
    "name", "seed", "force", "logger", "target", "choices", "command", "save_every", "timeout",
    "smoke",
)  # fmt: skip
WEIGHTS = Path(zoo.__file__).with_name("weights")

Config = Mapping[str, Any]


def digest(configs: Iterable[Config], seeds: Iterable[int]) -> str:
    """Of a run's resolved config, its evaluator's where it has one, its seeds and their code."""
    parts = [_scoring_part(config) for config in configs]
    roots = {*ROOTS, *(root for config in parts for root in _targets(config))}
    text = json.dumps([_bare(parts), [*seeds], code().texts(roots)], sort_keys=True)
    return short_hash(text)


@cache
def code() -> Code:
    """The code of this installation."""
    return Code(Path(zoo.__file__).parents[1], LEAVES)


def _scoring_part(config: Config) -> dict[str, Any]:
    """The part of a config that a score depends on; an empty key is as one that is not there."""
    part = {k: v for k, v in config.items() if k not in IGNORED_KEYS and v not in (None, {})}
    return {**part, "data": {k: v for k, v in part["data"].items() if k != "about"}}


def _targets(config: Config) -> list[str]:
    """The classes of ours that a config's sections name."""
    targets = [one.get("_target_", "") for one in config.values() if isinstance(one, Mapping)]
    return [target for target in targets if target.split(".")[0] in OURS]


def _bare(value: Any) -> Any:
    """A config with each class by its name alone, and weights by name and content."""
    if isinstance(value, list):
        return [_bare(one) for one in value]
    if isinstance(value, str):
        weights = WEIGHTS / f"{value}.safetensors"
        return [value, short_hash(weights.read_bytes())] if weights.is_file() else value
    if not isinstance(value, Mapping):
        return value
    return {k: v.rpartition(".")[2] if k == "_target_" else _bare(v) for k, v in value.items()}
