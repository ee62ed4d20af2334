"""Every data set in miniature: in a format of its own, or a part of what is bundled."""

from importlib import import_module
from pathlib import Path

FEW, CLIPS = {"limit": 64, "batch_size": 16}, {"limit": 32, "batch_size": 8}
BUNDLED: dict[str, dict[str, object]] = {
    "digits": FEW, "digits_flipped": FEW, "turned_digits": FEW, "negated_reviews": FEW,
    "moving_digits": CLIPS, "moving_digits_shuffled": CLIPS, "moving_digits_still": CLIPS,
    "plucked_strings": {"limit": 64, "seconds": 0.1, "batch_size": 8},
    "python_source": {"limit": 64, "batch_size": 8, "length": 16},
    # in fewer documents, too few words have a plural to be scored by
    "python_docs": {"limit": 1000, "batch_size": 2000, "subsample": 1.0},
}  # fmt: skip


def write(name: str, folder: Path) -> dict[str, object]:
    """Write a data set of the catalog: the overrides with which it is read."""
    return BUNDLED.get(name) or import_module(f"tests.tiny.{name}").write(folder)
