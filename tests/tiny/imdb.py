"""IMDB as the hub has it: parquet with the columns text and label, negative ones first."""

from pathlib import Path

from tests import hub

VERDICTS = (
    "{i} people left the room.<br /><br />I don't know why, but it is a waste of {i} hours!",
    "It's a rare film: {i} of {i} stars.<br /><br />\"Wonderful\", says my wife (she's 7.5 today).",
)


def write(folder: Path) -> dict[str, object]:
    """Write 48 training, 16 test and 8 unlabelled reviews; some are longer than a model reads."""
    splits = {"train": reviews(24), "test": reviews(8), "unsupervised": (reviews(4)[0], [-1] * 8)}
    hub.write_texts(folder, "plain_text", ["neg", "pos"], splits)
    return {"source": str(folder), "batch_size": 8}


def reviews(count: int) -> hub.Texts:
    """So many of each class, sorted by class as the hub's are."""
    texts = [
        "So it goes on and on. " * (30 * (i % 5)) + verdict.format(i=i)
        for verdict in VERDICTS
        for i in range(count)
    ]
    return texts, [0] * count + [1] * count
