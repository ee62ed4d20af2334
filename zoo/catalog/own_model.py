"""What a model's recipe is given on data of one's own, besides its length and its baseline."""

from collections.abc import Collection, Mapping
from typing import Any

from zoo.catalog.overrides import as_overrides
from zoo.catalog.own_baseline import is_for_own_data

OWN_MODEL = "own_model"  # keys of a data set's file: by model, sections of a run's config;
OWN_VECTORS = "own_vectors"  # and what its word vectors may start from, which a run's config has
RATE = "model.optimizer.lr"  # the user's counts as it is
START = ("init", "model.vectors", "model.embeddings", "model.embedding")  # the user's, which count


def own_model(
    section: Mapping[str, Any] | None, choices: Mapping[str, str], recipe: Mapping[str, Any],
    overridden: Collection[str],
) -> list[str]:  # fmt: skip
    """Overrides of the recipe of a model's name; none of other recipes, nor where `init` is given.

    Args:
        section: what the data set's file has under `OWN_MODEL`, None where it has nothing.
        choices: the file of each group that was chosen.
        recipe: the config of the experiment alone.
        overridden: the keys that the user gave.
    """
    own = (section or {}).get(choices["model"])
    if own is None or "init" in overridden or not is_basic(choices, recipe):
        return []
    return as_overrides(own)


def is_basic(choices: Mapping[str, str], recipe: Mapping[str, Any]) -> bool:
    """Whether the recipe of a model's name is used on data of one's own."""
    return choices.get("experiment") == choices["model"] and is_for_own_data(choices, recipe)


def own_vectors(
    section: Mapping[str, Any] | None, choices: Mapping[str, str], recipe: Mapping[str, Any],
    overridden: Collection[str],
) -> dict[str, Any]:  # fmt: skip
    """The key of the run's config that names what may be started from, if it is for this run.

    Args:
        section: what the data set's file has under `OWN_VECTORS`; the others as for `own_model`.
    """
    sources = ((section or {}).get("sources") or {}).get(choices["model"])
    if not section or not sources or {*START} & {*overridden} or not is_basic(choices, recipe):
        return {}
    slower = 1.0 if RATE in overridden else section["slower"]
    return {OWN_VECTORS: {"sources": sources, "least": section["least"], "slower": slower}}
