"""Parts of the catalog's data sets, written as a user has data."""

import csv
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

import zoo
from datamodules.sources.files import CLIPS, TEXTS
from datamodules.sources.rows import Rows
from datamodules.sources.splits import divide, first, stratified_order
from zoo.catalog.compose import compose
from zoo.training.samples import KINDS

TEST, HELD_OUT = 2000, 800  # samples, at most, all classes in proportion
FOLDER = Path("runs") / "own_data"


class Own(NamedTuple):
    """Data as a user has them: the kind, as `data=` takes it, and where they lie."""

    kind: str
    source: Path

    @property
    def overrides(self) -> list[str]:
        return [f"data={self.kind}", f"data.source={self.source}"]

    def section(self, seed: int, more: Sequence[str] = ()) -> dict[str, Any]:
        """The config of a run on them, by more overrides."""
        return compose([*self.overrides, f"seed={seed}", *more])


def write_data(
    name: str, count: int, seed: int, folder: Path = FOLDER, held_out: bool = False
) -> Own:
    """So many samples of a data set of the catalog, and its test split, unless they are there.

    Args:
        held_out: take other training samples for the test split.
    """
    data = zoo.create_data(name)
    kind = KINDS[data.KIND][0]
    place = (folder / "data" / f"{name}-{count}-{seed}{'-held_out' * held_out}").absolute()
    if place.exists():
        return Own(kind, place)
    with TemporaryDirectory() as scratch:
        source = data.read_source(data.locate(), Path(scratch))
        carved = divide(source, data.hparams["validation"], data.hparams["test"], seed=0)
        train, test = carved.splits["train"], carved.splits["test"]
        order = stratified_order(train.labels, seed)
        others = train.take(np.sort(order[count:][:HELD_OUT]))
        test = others if held_out else test.take(first(test.labels, TEST, 0))
        part = place.with_name(f"{place.name}.part")
        for split, rows in {"train": train.take(np.sort(order[:count])), "test": test}.items():
            if data.KIND is TEXTS:
                write_table(rows, source.classes, part, split)
            else:
                write_files(rows, source.classes, part / split, data.KIND is CLIPS)
    part.rename(place)
    return Own(kind, place)


def write_table(rows: Rows, classes: Sequence[str], folder: Path, split: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{split}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for raw, label in zip(rows.raws, rows.labels, strict=True):
            writer.writerow([as_text(raw), classes[label]])


def as_text(raw: Any) -> str:
    return raw.read_text("utf-8") if isinstance(raw, Path) else str(raw)


def write_files(rows: Rows, classes: Sequence[str], folder: Path, of_clips: bool) -> None:
    """A folder a class; a file that is there is linked, and other clips are folders of frames."""
    for i, (raw, label) in enumerate(zip(rows.raws, rows.labels, strict=True)):
        place = folder / classes[label] / f"{i:05}"
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(raw, Path):
            place.with_suffix(raw.suffix).symlink_to(raw.absolute())
        elif isinstance(raw, bytes):
            place.write_bytes(raw)
        elif of_clips:
            place.mkdir()
            for t, frame in enumerate(raw):
                Image.fromarray(frame.squeeze()).save(place / f"{t:04}.png")
        else:
            Image.fromarray(raw.squeeze()).save(place.with_suffix(".png"))
