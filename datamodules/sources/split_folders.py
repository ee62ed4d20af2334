"""Which folders of a data set are splits, and which are classes.

train/cat  test/cat             splits are known by their names, see `split_of`
seg_train/seg_train/cat         a folder that holds nothing but a folder is passed through
car/1.png  train/1.png          a class may be called like a split: it has no classes in it
a/cat a/dog  b/cat b/dog        splits or classes: not clear, and refused
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

from datamodules.sources.files import (
    TEXTS,
    Files,
    Kind,
    count_endings,
    ending,
    find_files,
    is_sample,
    list_folder,
    printable,
    walk,
)
from datamodules.sources.rows import SPLITS

UNLABELLED = "unsup"  # beside the classes of aclImdb_v1: reviews without a label
PLAIN = {  # words that say nothing beside the name of a split
    "set", "seg", "data", "dataset", "split", "folder", "image", "images", "img", "imgs",
    "pictures", "photos", "video", "videos", "clips", "audio", "sounds", "text", "texts",
    "samples", "files",
}  # fmt: skip
TABLE = "or name files and labels in a table"


def find_splits(folder: Path, kind: Kind) -> tuple[dict[str, Path], list[str]]:
    """The folder of each split, `all` where there are none, and what is passed over beside them.

    Raises:
        ValueError: what the folders are is not clear.
    """
    root = pass_through(folder, kind)
    folders = class_folders(root, kind)
    names = split_names(folders)
    divided = {d: split for d, split in names.items() if inner_folders(d, kind)}
    is_clear = len({*names.values()}) > 1
    if not divided:
        if is_clear:
            raise ValueError(
                f"{list_names(names)} in {printable(root)} are splits, but hold no classes: put "
                f"one folder a class into each, {TABLE}"
            )
        refuse_alike(folders, kind)
        return {"all": root}, []
    others = [d for d in folders if d not in divided]
    if not is_clear and any(find_files(d, kind).samples for d in others):
        first = printable(next(iter(divided)))
        raise ValueError(
            f"{first} has folders in it, and beside it lie {list_names(others)}: is it a split or "
            f"a class? set data.source={first} to take it alone, {TABLE}"
        )
    parts = {s: pass_through(d, kind, in_split=True) for s, d in by_split(divided).items()}
    return parts, [*map(describe_folder, others), *describe_beside(root, kind)]


# --- folders in a folder -------------------------------------------------------------------------


def class_folders(folder: Path, kind: Kind) -> list[Path]:
    """The folders in a folder that may be classes."""
    folders, _ = list_folder(folder)
    return [d for d in folders if kind is not TEXTS or d.name != UNLABELLED]


def inner_folders(folder: Path, kind: Kind) -> list[Path]:
    """The folders in a folder, but for those that are clips."""
    folders = class_folders(folder, kind)
    return [d for d in folders if not kind.frames or not is_clip(d, kind)]


def is_clip(folder: Path, kind: Kind) -> bool:
    """Whether a folder holds the frames of a clip: pictures, and neither folders nor clips."""
    folders, files = list_folder(folder)
    frames = [file for file in files if ending(file) in kind.frames]
    clips = any(ending(file) in kind.suffixes - kind.frames for file in files)
    return bool(frames) and not folders and not clips and not is_sample(frames[0], kind)


def pass_through(folder: Path, kind: Kind, in_split: bool = False) -> Path:
    """The folder itself, or the only one in it if that holds several, as in unpacked archives."""
    here = folder
    while len(inside := inner_folders(here, kind)) == 1:
        is_split = not in_split and split_of(inside[0].name)[0] is not None
        if is_split or len(class_folders(here, kind)) > 1 or has_loose(here, kind):
            break
        here = inside[0]
    return here if inside else folder


def has_loose(folder: Path, kind: Kind) -> bool:
    """Whether samples lie in the folder itself."""
    return any(ending(file) in kind.suffixes for file in list_folder(folder)[1])


def describe_beside(folder: Path, kind: Kind) -> list[str]:
    """What lies beside the folders in a folder.

    Raises:
        ValueError: a link that leads nowhere, which may have been a class.
    """
    folders, files = list_folder(folder)
    for file in files:
        if not ending(file) and file.is_symlink() and not file.exists():
            raise ValueError(f"{printable(file)} is a link to nothing: mend or remove it")
    unlabelled = [d for d in folders if d not in class_folders(folder, kind)]
    where = f" beside the folders of {printable(folder)}"
    return [*Files(others=files).passed_over(where), *map(describe_folder, unlabelled)]


def describe_folder(folder: Path) -> str:
    """A folder that is passed over, with what is in it."""
    files = [file for inside in walk(folder) for file in inside.files]
    return f"the folder {printable(folder)} ({count_endings(files) or 'empty'})"


# --- names of splits -----------------------------------------------------------------------------


def split_of(name: str) -> tuple[str | None, tuple[str, ...]]:
    """The split that a folder's name speaks of, if any, and the other words in it.

    >>> split_of("asl_alphabet_train")
    ('train', ('asl', 'alphabet'))
    """
    words = re.findall("[a-z]+", re.sub("([a-z])([A-Z])", r"\1 \2", name).lower())
    words = [word if word in PLAIN else word.removesuffix("set") for word in words]
    splits = [SPLITS[word] for word in words if word in SPLITS]
    rest = tuple(word for word in words if word not in SPLITS and word not in PLAIN)
    return (splits[0] if len(splits) == 1 else None), rest


def split_names(folders: Iterable[Path]) -> dict[Path, str]:
    """Those of some folders whose names are a split's, with the split.

    Words that are not plain are a data set's name: two splits at least have the same.
    """
    names = {folder: split_of(folder.name) for folder in folders}
    splits_of: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for split, rest in names.values():
        splits_of[rest] |= {split} if split else set()
    return {
        folder: split
        for folder, (split, rest) in names.items()
        if split and (not rest or len(splits_of[rest]) > 1)
    }


def by_split(names: dict[Path, str]) -> dict[str, Path]:
    """The folder of each split.

    Raises:
        ValueError: there are two of one.
    """
    parts: dict[str, Path] = {}
    for folder, split in names.items():
        if split in parts:
            raise ValueError(
                f"{printable(parts[split])} and {printable(folder)} are both the {split} split: "
                "put their classes together, or move one of them away"
            )
        parts[split] = folder
    return parts


def refuse_alike(folders: Iterable[Path], kind: Kind) -> None:
    """Refuse folders whose own folders have the same names: which of them are the classes?

    Raises:
        ValueError: naming two of them.
    """
    names = {folder: {one.name for one in inner_folders(folder, kind)} for folder in folders}
    many = [folder for folder in names if len(names[folder]) > 1]
    for one, other in combinations(many, 2):
        if len(same := sorted(names[one] & names[other])) > 1:
            raise ValueError(
                f"{printable(one)} and {printable(other)} hold folders of the same names "
                f"({printable(', '.join(same[:3]))}): call splits train, val and test, set "
                f"data.source={printable(one)} to take one of them, {TABLE}"
            )


def list_names(folders: Iterable[Path]) -> str:
    """Some folders by their names."""
    names = [folder.name for folder in folders]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return printable(", ".join(names[:5])) + more
