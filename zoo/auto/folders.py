"""The folders of members: what is copied into a predictor's, and what is read from there."""

import shutil
from pathlib import Path

from zoo.auto import cards
from zoo.auto.members import Member, NetworkMember
from zoo.auto.pipelines import load_pipeline
from zoo.pretrained import store
from zoo.pretrained.load import load


def open_member(folder: Path, name: str) -> Member:
    """A member in a predictor's folder."""
    place = folder / cards.MEMBERS / Path(name).name
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
