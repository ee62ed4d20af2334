"""Rotten Tomatoes as the hub has it: parquet, lower-case sentences with spaced punctuation."""

from pathlib import Path

from tests import hub


def write(folder: Path) -> dict[str, object]:
    """Write 40 training, 10 validation and 10 test sentences, the positive ones first."""
    splits = {"train": sentences(20), "validation": sentences(5), "test": sentences(5)}
    hub.write_texts(folder, "default", ["neg", "pos"], splits)
    return {"source": str(folder), "batch_size": 8}


def sentences(count: int) -> hub.Texts:
    good = [f"the {i}-minute film , like its hero , is worth seeing ." for i in range(count)]
    bad = [f"it's {i} minutes too long , and it doesn't work ." for i in range(count)]
    return good + bad, [1] * count + [0] * count
