"""What `zoo auto` tries: the list in conf/auto/ of the data set's name, or of its kind."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from zoo.catalog import registry
from zoo.config import schema
from zoo.training.samples import KINDS

GROUP, PIPELINE = "auto", "pipeline"
NAME = re.compile(r"\w[\w.+=-]*")  # of a candidate, which is a folder's


class Candidate(NamedTuple):
    """What may learn the data.

    Args:
        overrides: of a network; None for a pipeline.
    """

    name: str
    overrides: tuple[str, ...] | None

    @property
    def kind(self) -> str:
        return PIPELINE if self.overrides is None else "network"


class Candidates(NamedTuple):
    """What is tried, in this order, and the baseline that has the pipelines."""

    listed: list[Candidate]
    pipelines: Any


def find_list(choice: str | None, data: str, datamodule: Any) -> str:
    """The name of the list: what was chosen, else the data set's own, else that of its kind.

    Raises:
        ValueError: there is none of the name that was chosen, or the data have no classes.
    """
    if choice is not None:
        return registry.file(GROUP, choice).stem
    if "classes" not in datamodule.info:
        raise ValueError(f"{data} has no classes: zoo auto chooses among classifiers")
    return data if data in registry.names(GROUP) else KINDS[datamodule.KIND][0]


def read_list(name: str) -> Candidates:
    """The candidates of a list.

    Raises:
        ValueError: it is no such list.
    """
    from omegaconf import OmegaConf

    path = registry.file(GROUP, name)
    section: Any = OmegaConf.to_container(OmegaConf.load(path), resolve=True)
    if not isinstance(section, Mapping) or section.keys() != {"pipelines", "candidates"}:
        raise ValueError(f"{path}: it should have two keys, pipelines and candidates")
    for key, value in section.items():
        if not isinstance(value, Mapping) or not value:
            raise ValueError(f"{path}: {key} is {value!r}: it should be a section with keys")
    listed = [_candidate(str(path), *item) for item in section["candidates"].items()]
    return Candidates(listed, schema.build(section["pipelines"], f"{GROUP}.pipelines"))


def _candidate(path: str, name: Any, value: Any) -> Candidate:
    """A line of the list."""
    is_network = isinstance(value, list) and all(isinstance(one, str) for one in value)
    if not NAME.fullmatch(str(name)) or not (value == PIPELINE or is_network):
        raise ValueError(
            f"{path}: candidates.{name} is {value!r}: it should be a name for a folder, and "
            f"{PIPELINE} or a list of overrides, such as [model=image_cnn]"
        )
    return Candidate(str(name), tuple(value) if is_network else None)
