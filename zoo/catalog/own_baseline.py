"""The baseline that stands beside a run on data of one's own, in place of its recipe's."""

from collections.abc import Mapping
from typing import Any

from zoo.catalog.overrides import as_overrides

OWN = "own_baseline"  # the key of a data set's file that holds it
JUDGED_BY = "test/accuracy"  # what it measures


def own_baseline(
    section: Mapping[str, Any] | None, choices: Mapping[str, str], recipe: Mapping[str, Any]
) -> list[str]:
    """Overrides that put it in the place of the recipe's, if this is for the same: classes.

    A recipe that has these data itself keeps its own.

    Args:
        section: what the data set's file has under `OWN`; None where it has nothing.
        choices: the file of each group that was chosen.
        recipe: the config of the experiment alone.
    """
    if section is None or not is_for_own_data(choices, recipe):
        return []
    return ["baseline=null", *as_overrides({"baseline": section})]


def is_for_own_data(choices: Mapping[str, str], recipe: Mapping[str, Any]) -> bool:
    """Whether a recipe of other data, which learns classes, is used on those that were chosen."""
    judged = (recipe.get("target") or {}).get("metric")
    return judged == JUDGED_BY and recipe["data"]["name"] != choices["data"]
