"""What a recipe of other data is given on data of one's own: `own_...` of the data set's file.

`own_baseline` and `own_model` become overrides that the user's come after; `own_training` and
`own_vectors` are keys of the run's config, which count once the data are there.
"""

from collections.abc import Collection, Mapping
from typing import Any

from zoo.catalog.overrides import as_overrides

PREFIX = "own_"  # of the keys
OWN_BASELINE, OWN_MODEL = "own_baseline", "own_model"
OWN_TRAINING, OWN_VECTORS = "own_training", "own_vectors"
JUDGED_BY = "test/accuracy"  # of recipes that learn classes
LENGTH = "trainer.max_epochs"  # of the user's, or of another file than the recipe's: it counts
MONITOR, LAST = "monitor", {"monitor": "epoch", "mode": "max"}  # of the last epoch
RATE = "model.optimizer.lr"  # the user's counts as it is
START = ("init", "model.vectors", "model.embeddings", "model.embedding")  # the user's, which count
Config = Mapping[str, Any]


def own_data(
    config: Config, choices: Mapping[str, str], recipe: Config, overridden: Collection[str]
) -> tuple[list[str], dict[str, Any]]:
    """Overrides and keys of the run's config; none for a recipe that has these data itself.

    Args:
        config: what was composed, with the data set's sections.
        choices: the file of each group that was chosen.
        recipe: the config of the experiment alone.
        overridden: the keys that the user gave.
    """
    judged = (recipe.get("target") or {}).get("metric")
    if judged != JUDGED_BY or recipe["data"]["name"] == choices["data"]:
        return [], {}
    lines, keys = _baseline(config), _training(config, recipe, overridden)
    if choices.get("experiment") == choices["model"]:  # the recipe of the model's name
        lines += _model(config, choices["model"], overridden)
        keys |= _vectors(config, choices["model"], overridden)
    return lines, keys


def _baseline(config: Config) -> list[str]:
    """Overrides that put the data set's baseline in the place of the recipe's."""
    section = config.get(OWN_BASELINE)
    return [] if section is None else ["baseline=null", *as_overrides({"baseline": section})]


def _model(config: Config, model: str, overridden: Collection[str]) -> list[str]:
    """Overrides for a model, unless it comes with its arguments."""
    section = (config.get(OWN_MODEL) or {}).get(model)
    return [] if section is None or "init" in overridden else as_overrides(section)


def _training(config: Config, recipe: Config, overridden: Collection[str]) -> dict[str, Any]:
    """How long to train (`zoo.config.run_config.Length`), and what is kept of it."""
    section, keys = config.get(OWN_TRAINING), {}
    if section is None:
        return {}
    if section.get("keep") == "last" and not config["early_stopping"] and MONITOR not in overridden:
        keys = LAST
    is_recipes = config["trainer"]["max_epochs"] == recipe["trainer"]["max_epochs"]
    return keys | ({OWN_TRAINING: section} if is_recipes and LENGTH not in overridden else {})


def _vectors(config: Config, model: str, overridden: Collection[str]) -> dict[str, Any]:
    """What word vectors may start from (`zoo.config.run_config.Start`)."""
    section = config.get(OWN_VECTORS) or {}
    sources = (section.get("sources") or {}).get(model)
    if not sources or {*START} & {*overridden}:
        return {}
    slower = 1.0 if RATE in overridden else section["slower"]
    return {OWN_VECTORS: {**section, "sources": sources, "slower": slower}}
