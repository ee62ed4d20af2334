"""How long a recipe of other data trains on data of one's own: by their size."""

from collections.abc import Collection, Mapping
from typing import Any

from zoo.catalog.own_baseline import is_for_own_data

OWN_TRAINING = "own_training"  # the key of a data set's file, and of a run, that holds it
LENGTH = "trainer.max_epochs"  # of the user's, or of another file than the recipe's: it counts


def own_training(
    section: Mapping[str, Any] | None,
    config: Mapping[str, Any],
    choices: Mapping[str, str],
    recipe: Mapping[str, Any],
    overridden: Collection[str],
) -> dict[str, Any]:
    """The key of the run's config that has it, if it is for this run.

    Args:
        section: what the data set's file has under `OWN_TRAINING`, None where it has nothing: the
            steps to take, in so many epochs at least and at most.
        config: what was composed.
        choices: the file of each group that was chosen.
        recipe: the config of the experiment alone.
        overridden: the keys that the user gave.
    """
    if section is None or LENGTH in overridden or not is_for_own_data(choices, recipe):
        return {}
    if config["trainer"]["max_epochs"] != recipe["trainer"]["max_epochs"]:
        return {}
    return {OWN_TRAINING: section}
