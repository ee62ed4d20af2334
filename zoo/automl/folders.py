"""The folders of members: what is copied into a predictor's, and what is read from there."""

import shutil
from pathlib import Path

from zoo.automl import cards
from zoo.automl.members import Member, NetworkMember
from zoo.automl.pipelines import load_pipeline
from zoo.pretrained import store
from zoo.pretrained.load import load

OLD = ".old"  # behind the name of a folder that is being replaced


def place_of(folder: Path, name: str) -> Path:
    """Where a member lies in a predictor's folder.

    Raises:
        ValueError: its name is none of a folder.
    """
    if name in ("", ".", "..") or Path(name).name != name:
        raise ValueError(f"a member is called {name!r}: it needs the name of a folder")
    return folder / cards.MEMBERS / name


def open_member(folder: Path, name: str) -> Member:
    """A member in a predictor's folder."""
    place = place_of(folder, name)
    if cards.kind_of(place) == "pipeline":
        return load_pipeline(place, name)
    return NetworkMember(name, load(place))


def copy_member(source: Path, target: Path) -> None:
    """Copy what a member needs: a pipeline's folder, or of a run's the weights and their card."""
    if cards.kind_of(source) == "pipeline":
        files = [*cards.read(source, "pipeline")["files"], cards.CARD]
    else:
        files = [store.find(source).name, cards.CARD]
    target.mkdir(parents=True)
    for name in files:
        shutil.copyfile(source / name, target / name)


def exchange(new: Path, folder: Path) -> None:
    """Put a new folder in place of one that may be there, which is until then."""
    old = folder.with_name(folder.name + OLD)
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)  # removing it would take its time
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
