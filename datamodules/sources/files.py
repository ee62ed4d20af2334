"""What lies in a folder: the one finder of files, for training, `zoo predict` and the cache's key.

Links are followed, to each folder once. What programs leave behind counts as not there: hidden
files, @eaDir, Thumbs.db and their like. A file is of a kind by its ending, or, with another one or
none, by what is in it; the others are passed over and described.
"""

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from datamodules.inputs import picture_file, sound_file, text, video_file

LITTER = {
    "@eadir", "#recycle", "$recycle.bin", "__macosx", "__pycache__", "desktop.ini",
    "ehthumbs.db", "icon\r", "lost+found", "system volume information", "thumbs.db",
}  # fmt: skip
MANY = 8  # endings that a description names


@dataclass(frozen=True)
class Kind:
    """What the rows are: their name, the suffixes of their files, their column type on the hub."""

    plural: str
    suffixes: frozenset[str]
    feature: str  # a class of `datasets`
    example: str  # a bundled data set, which needs no download
    recognises: Callable[[Path], bool] = lambda path: False  # whatever its ending
    frames: frozenset[str] = frozenset()  # suffixes of pictures, a folder of which is a sample


PICTURES = Kind("pictures", picture_file.SUFFIXES, "Image", "digits", picture_file.recognises)
TEXTS = Kind("texts", text.SUFFIXES, "Value", "negated_reviews")
CLIPS = Kind(
    "videos", video_file.SUFFIXES, "Video", "moving_digits", video_file.recognises,
    picture_file.SUFFIXES,
)  # fmt: skip
SOUNDS = Kind("sounds", sound_file.SUFFIXES, "Audio", "plucked_strings", sound_file.recognises)
KINDS = (PICTURES, TEXTS, CLIPS, SOUNDS)


@dataclass(frozen=True)
class Files:
    """The samples below a folder, in the order of their paths, and what is passed over."""

    samples: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)  # files of another kind
    links: list[Path] = field(default_factory=list)  # to folders above or read already

    def passed_over(self, where: str = "") -> list[str]:
        """What is passed over, counted: "3 .txt, 1 .json"."""
        repeated = f"{len(self.links)} link(s) to folders above or read already ({{}})"
        return [
            *([f"{count_endings(self.others)}{where}"] if self.others else []),
            *([repeated.format(printable(self.links[0]))] if self.links else []),
        ]


class Folder(NamedTuple):
    """A folder, and the files in it."""

    path: Path
    files: list[Path]


def find_files(root: Path, kind: Kind) -> Files:
    """The samples of a kind below a folder; a folder of pictures below it is a clip.

    Raises:
        ValueError: a folder cannot be listed.
    """
    result = Files()
    for folder in walk(root, result.links):
        others: list[Path] = []
        for file in folder.files:
            (result.samples if is_sample(file, kind) else others).append(file)
        if folder.path != root and any(ending(file) in kind.frames for file in others):
            result.samples.append(folder.path)
            others = [file for file in others if ending(file) not in kind.frames]
        result.others.extend(others)
    result.samples.sort()
    return result


def passed_over(location: Path | str, kind: Kind) -> list[str]:
    """What is passed over where a folder is read from end to end, counted."""
    is_folder = isinstance(location, Path) and location.is_dir()
    return find_files(Path(location), kind).passed_over() if is_folder else []


def merge(parts: Iterable[Files]) -> Files:
    """What lies in several folders."""
    result = Files()
    for files in parts:
        result.samples.extend(files.samples)
        result.others.extend(files.others)
        result.links.extend(files.links)
    return result


def is_sample(file: Path, kind: Kind) -> bool:
    """Whether a file is of a kind; a picture is a clip if it moves."""
    if ending(file) in kind.frames:
        return ending(file) in kind.suffixes and kind.recognises(file)
    return ending(file) in kind.suffixes or kind.recognises(file)


def ending(path: Path) -> str:
    """The ending of a file, in small letters."""
    return path.suffix.lower()


# --- walking -------------------------------------------------------------------------------------


def walk(root: Path, repeated: list[Path] | None = None) -> Iterator[Folder]:
    """A folder and all below it, those behind links last.

    Args:
        repeated: gets the links to folders above them, or that were read before: these are not
            followed, so that loops end, and a class does not hold the others.

    Raises:
        ValueError: a folder cannot be listed.
    """
    waiting, links, real_paths = [root], deque[Path](), set[str]()
    while waiting or links:
        path = waiting.pop() if waiting else links.popleft()
        real_path = os.path.realpath(path)
        is_above = path != root and Path(os.path.realpath(path.parent)).is_relative_to(real_path)
        if is_above or real_path in real_paths:
            (repeated if repeated is not None else []).append(path)
            continue
        real_paths.add(real_path)
        folders, files = list_folder(path)
        yield Folder(path, files)
        for folder in folders:
            (links if folder.is_symlink() else waiting).append(folder)


def list_folder(folder: Path) -> tuple[list[Path], list[Path]]:
    """The folders and the files in a folder, links among them, in the order of their names.

    Raises:
        ValueError: it cannot be listed.
    """
    folders, files = [], []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if is_litter(entry.name):
                    continue
                path = folder / entry.name
                if path.is_dir() if entry.is_symlink() else entry.is_dir():
                    folders.append(path)
                elif entry.is_symlink() or entry.is_file():
                    files.append(path)
    except OSError as error:
        place = printable(error.filename or folder)
        raise ValueError(f"{place} cannot be read: {error.strerror}") from error
    return sorted(folders), sorted(files)


def is_litter(name: str) -> bool:
    """Whether a name is hidden, or one that programs leave behind."""
    return name.startswith(".") or name.lower() in LITTER


# --- describing ----------------------------------------------------------------------------------


def count_endings(files: Iterable[Path]) -> str:
    """How many files there are of each ending, the most frequent first."""
    counts = Counter(printable(ending(file)) or "without an ending" for file in files)
    parts = [f"{count:,} {name}" for name, count in counts.most_common()]
    rest = [f"{len(parts) - MANY} endings more"] if len(parts) > MANY else []
    return ", ".join([*parts[:MANY], *rest])


def printable(text: object) -> str:
    """A name as text: a byte of it that is not UTF-8 as \\udcXX."""
    return str(text).encode(errors="backslashreplace").decode()


def check_names(classes: Sequence[str]) -> None:
    """Refuse names that cannot be written down.

    Raises:
        ValueError: naming one.
    """
    for name in classes:
        if printable(name) != name:
            raise ValueError(
                f"the class {printable(name)!r} is not UTF-8: rename its folder, or save the table "
                "as UTF-8"
            )


def describe_error(error: Exception) -> str:
    """What an error says; of an operating system's the file and the reason."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename} cannot be read: {error.strerror}"
    return str(error)
