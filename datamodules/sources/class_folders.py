"""Class folders: [split/]<class>/1.png, with any folders below; links are followed."""

from collections.abc import Mapping
from pathlib import Path

from datamodules.sources import columns
from datamodules.sources.files import Files, Kind, count_endings, find_files, merge, printable
from datamodules.sources.rows import Rows, Source
from datamodules.sources.split_folders import class_folders, describe_beside, find_splits

ByClass = Mapping[str, Files]  # of one split


def read(folder: Path, kind: Kind) -> Source:
    """The samples of all class folders; the classes are in the order of their names.

    Raises:
        ValueError: no samples, a class without any, or it is not clear what the folders are.
    """
    parts, beside_splits = find_splits(folder, kind)
    contents = {
        split: {one.name: find_files(one, kind) for one in class_folders(part, kind)}
        for split, part in parts.items()
    }
    inside = merge([files for by_class in contents.values() for files in by_class.values()])
    if not inside.samples:
        raise ValueError(describe_layout(folder, kind, inside))
    check_classes(parts, contents, kind)
    classes = sorted({name for by_class in contents.values() for name in by_class})
    splits = {split: make_rows(by_class, classes) for split, by_class in contents.items()}
    beside = [line for part in parts.values() for line in describe_beside(part, kind)]
    passed_over = [*inside.passed_over(), *beside, *beside_splits]
    return Source(splits, classes, passed_over=passed_over)


def make_rows(by_class: ByClass, classes: list[str]) -> Rows:
    """The samples of a split, class by class."""
    pairs = [(sample, name) for name, files in by_class.items() for sample in files.samples]
    numbers = columns.class_numbers([name for _, name in pairs], classes)
    return Rows([sample for sample, _ in pairs], numbers)


def check_classes(parts: Mapping[str, Path], contents: Mapping[str, ByClass], kind: Kind) -> None:
    """Refuse a class without samples, and one that is not trained on.

    Raises:
        ValueError: naming its folder.
    """
    train = contents.get("train")
    for split, by_class in contents.items():
        for name, files in by_class.items():
            place = printable(parts[split] / name)
            if not files.samples:
                inside = f", only {count_endings(files.others)}" if files.others else ""
                raise ValueError(
                    f"{place} has no {kind.plural} in it{inside}: each folder beside it is a "
                    "class; remove it, or name files and labels in a table"
                )
            if train is not None and name not in train:
                raise ValueError(
                    f"{place}: the training split has no class of this name; rename or remove it, "
                    f"or set data.source={printable(parts['train'])}"
                )


def describe_layout(folder: Path, kind: Kind, files: Files) -> str:
    """What to say where there are no samples at all."""
    suffix = min(kind.suffixes, key=lambda one: (one not in (".png", ".mp4"), one))
    inside = f" (only {count_endings(files.others)})" if files.others else ""
    place = printable(folder)
    return (
        f"no {kind.plural} in {place}{inside}: put them into one folder a class, such as "
        f"{place}/cat/1{suffix} and {place}/dog/1{suffix}"
    )
