"""What an earlier zoo wrote, in today's terms: the one place that lifts cards and configs.

Schema 2 has other keys, kinds of inputs instead of import paths, and classes that have moved.
Cards, a run's configs and results, and what its checkpoints say are read through `migrate`.
"""

from typing import Any

from zoo.config.locate import KINDS

KEYS = {
    "facts": "info", "embedded": "bundled", "judge": "evaluator", "proof": "target",
    "mirror": "flip_tta",
}  # fmt: skip
CLASSES = {
    "datamodules.images.TurnedImages": "datamodules.turned_images.TurnedImages",
    "datamodules.reviews.Reviews": "datamodules.texts.Texts",
    "zoo.training.metrics.CSVLogger": "zoo.training.csv_logger.CSVLogger",
    "zoo.windows.StackedWindows": "zoo.baselines.windows.StackedWindows",
}
INPUTS = {target: kind for kind, target in KINDS.items()}


def refuse_old(key: str) -> None:
    """Raise ValueError for a dotted key that is called otherwise now, naming the new one."""
    new = ".".join(KEYS.get(part, part) for part in key.split("."))
    if new != key:
        raise ValueError(f"{key} is called {new} now")


def migrate(value: Any) -> Any:
    """A card, a config or a part of one, with today's keys, kinds and classes."""
    if isinstance(value, list):
        return [migrate(item) for item in value]
    if not isinstance(value, dict):
        return value
    lifted = {KEYS.get(key, key): migrate(inner) for key, inner in value.items()}
    target = lifted.get("_target_")
    if target in INPUTS:
        return {"kind": INPUTS[lifted.pop("_target_")], **lifted}
    return {**lifted, "_target_": CLASSES[target]} if target in CLASSES else lifted
