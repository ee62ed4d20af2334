"""What all data sets share: arrays prepared once in the cache, opened by setup, served as gathers.

A data set says how its arrays are made (`build`), which of them a batch takes (`ARRAYS`), what a
model must agree on (`fit`), and how a gathered batch becomes what a model takes (`batch`).
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor
from typing_extensions import TypedDict

from datamodules.loading.loaders import Loaders
from datamodules.loading.storage import Arrays, digest_of, load_arrays
from datamodules.sources.locate import fingerprint, locate
from datamodules.sources.rows import NAMES
from datamodules.utilities import cache
from datamodules.utilities.catalogued import Catalogued

Positive = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(gt=0, lt=1)]  # of the samples, for another split
CACHE_VERSION = 3  # of the files that are written here; a change makes them anew


class About(TypedDict, total=False):
    """What a card says of a data set: a part of its config."""

    licence: str
    part_of: str  # the data set from whose training split it is taken
    copy: str  # what was done to it since it was published
    one_way_up: str  # what a flip makes of a sample, where that is something else
    limits: str  # what a model that saw nothing else does not know


class DataArguments(TypedDict):
    """What each data set takes, besides hub and batch_size, whose ranges differ."""

    name: str  # what it is called: its folder in $ZOO_DATA and in the cache
    source: str | None  # a file or folder of the user's; None looks by name
    about: About
    validation: Fraction  # share that becomes this split where the data set has none of its own
    test: Fraction
    train_samples: Positive | None  # train on so many only: stratified, seeded, nested
    limit: Positive | None  # take at most so many of each split, before decoding
    seed: Annotated[int, Field(ge=0)]  # of order and augmentation; the splits have their own


class InMemory(Loaders, metaclass=Catalogued):
    """A data set whose splits are arrays.

    A subclass takes `DataArguments`, hub and batch_size, and saves them as hyperparameters.
    """

    MAKER: ClassVar = "zoo.create_data(NAME)"
    BUNDLED: ClassVar[Mapping[str, Callable[[], Any]]] = {}  # by name: what needs no download
    ARRAYS: ClassVar[tuple[str, ...]] = ()  # what a batch gathers from, in this order
    ARRAY_ARGUMENTS: ClassVar[tuple[str, ...]] = ()  # those that the arrays depend on
    INPUT: ClassVar[type]  # what makes its batches of raw data
    FORMAT: ClassVar[int] = 1  # of the arrays; a change makes them anew

    folder: Path | None = None  # of the arrays, where the cache is not to have them
    model_classes: list[str] | None = None
    splits: dict[str, Arrays]

    @property
    def bundled(self) -> bool:
        """Whether the data come with the package or are generated."""
        return self.hparams["source"] is None and self.hparams["name"] in self.BUNDLED

    @property
    def notes(self) -> list[str]:
        """Lines that a run prints of the data, after how many there are."""
        return []

    def shrink_batch(self, world_size: int) -> str | None:
        """Make the global batch no larger than the data allow, and say so in a line."""
        return None

    def origin(self) -> str:
        """What bundled data depend on besides their name."""
        return str(self.hparams["name"])

    def use_input(
        self, model_input: Any, info: Mapping[str, Any], classes: list[str] | None = None
    ) -> None:
        """Take a model's input, and its classes, instead of fitting one; before `prepare_data`.

        Args:
            model_input: the one that came with the model.
            info: of the data that the model saw.
            classes: names in the model's order; None leaves these data their own.

        Raises:
            ValueError: the model takes another kind of data.
        """
        if not isinstance(model_input, self.INPUT):
            raise ValueError(
                f"the model takes what {type(model_input).__name__} reads, and "
                f"{self.hparams['name']} gives what {self.INPUT.__name__} reads: choose other data"
            )
        sizes = {**info, **vars(model_input)}
        names = sizes.keys() & self.hparams.keys() - {"about"}
        self.hparams.update({name: sizes[name] for name in names})
        self.model_input, self.model_classes = model_input, classes

    def array_arguments(self) -> dict[str, Any]:
        """The arguments that the arrays depend on, with their values."""
        return {key: self.hparams[key] for key in self.ARRAY_ARGUMENTS}

    def cache_key(self, former: bool = False, **version: int) -> str:
        """What the cache knows the arrays by: where the data lie, and how they are read."""
        arguments = {**self.array_arguments(), "of": self.FORMAT, **version}
        return fingerprint(self.locate(), former, **arguments)

    @property
    def former_digest(self) -> str:
        """What was stored as the digest before it was of the content: the cache key of then."""
        return f"{self.hparams['name']}-{self.cache_key(former=True)}"

    def locate(self) -> Path | str:
        """Where the data are: a path or an id on the hub; of bundled data their origin."""
        if self.bundled:
            return self.origin()
        return locate(*(self.hparams[name] for name in ("name", "source", "hub")))

    def prepare_data(self) -> None:
        """Decode the data into the cache, once; later calls and processes find the arrays."""
        self.follow_model()
        self.cache_folder()

    def cache_folder(self) -> Path:
        """The folder of the arrays, which is filled where there is none."""
        name = self.hparams["name"]

        def build(part: Path) -> None:
            info = self.build(self.locate(), part)
            origin = {"bundled": self.bundled, "digest": f"{name}-{digest_of(part, info)}"}
            (part / "info.json").write_text(json.dumps({**info, **origin}))

        if self.folder is not None:
            if not self.folder.exists():
                self.folder.mkdir(parents=True)
                build(self.folder)
            return self.folder
        return cache.cached(name, self.cache_key(cache=CACHE_VERSION), build)

    def build(self, location: Path | str, part: Path) -> dict[str, Any]:
        """Write `<split>_<array>.npy` files to a folder; return the info that setup needs again.

        Args:
            location: see `locate`.
        """
        raise NotImplementedError

    def setup(self, stage: str = "fit") -> None:
        """Open the arrays and say what a model must agree on; the same for each stage."""
        self.follow_model()
        folder = self.cache_folder()
        metadata = json.loads((folder / "info.json").read_text())
        self.splits = {name: load_arrays(folder, name) for name in NAMES}
        origin = {name: metadata[name] for name in ("bundled", "digest")}
        self.info = {**origin, "about": self.hparams["about"], **self.fit(metadata)}
        self.info["input"] = self.input.config()
        self.equip_model()

    def fit(self, metadata: dict[str, Any]) -> dict[str, Any]:
        """Make `self.input` from the training split, and the info, `samples` in it."""
        raise NotImplementedError

    def tensors(self, split: str) -> tuple[Tensor, ...]:
        """What a batch gathers from, each (N, ...)."""
        return tuple(torch.from_numpy(self.splits[split][name]) for name in self.ARRAYS)

    def samples(self, split: str, count: int) -> Any:
        """`count` samples of a split as one batch."""
        return self.batch(tuple(t[:count] for t in self.tensors(split)), None)
