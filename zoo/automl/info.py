"""A predictor's card as people read it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.automl.cards import MEMBERS
from zoo.pretrained import model_card
from zoo.utilities.scores import is_part

MEMBER = ("member", "what", "weight", "temperature", "size")


def member_rows(folder: Path, card: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """What each member is, counts and takes on disk; a pipeline by itself is its folder."""
    rows: list[tuple[str, ...]] = []
    for one in card["members"]:
        place = folder / MEMBERS / one["name"]
        files = (place if place.is_dir() else folder).glob("*")
        size = f"{sum(file.stat().st_size for file in files) / 1e6:.1f} MB"
        numbers = f"{100 * one['weight']:.1f} %", f"{one['temperature']:.3g}"
        rows.append((one["name"], f"{one['kind']}: {one['title']}", *numbers, size))
    return rows


def describe(card: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The facts of a card as (name, value): scores, classes, data, and what warns."""
    metrics = [name for name in card["metrics"] if not is_part(name)]
    return [
        *((name, model_card.score(card, name)) for name in metrics),
        ("classes", ", ".join(card["info"]["classes"])),
        ("data seen", ", ".join(card["seen"]) or "not stated"),
        ("licence of the data", card.get("licence") or "not stated"),
        ("limits", card.get("limits") or "not stated"),
        ("unlike the data", f"{card['warns']} tells" if card["warns"] else "nothing tells it"),
    ]
