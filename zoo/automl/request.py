"""What an auto run is asked for, and the folder that it is done in.

runs/auto/<data>/<name>/auto.yaml; the same words with the same name go on there.
"""

import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from zoo.catalog import registry
from zoo.catalog.compose import compose
from zoo.catalog.overrides import as_overrides, escape
from zoo.catalog.own_data import OWN_BASELINE, PREFIX
from zoo.catalog.parsing import parse, trust
from zoo.config import run_config, schema
from zoo.training.run import flatten, locate_run
from zoo.training.samples import KINDS
from zoo.utilities.errors import no_such
from zoo.utilities.files import replace

Config = dict[str, Any]
MINUTES = 10
OWN = ("minutes", "name", "auto")  # the others are of each run
KEYS = ("data", "seed", "trainer")
FREE = ("command",)
FOLDS, SMALL = 5, 1000  # folds of sets with fewer training samples; larger ones have one split
LARGE_FOLDS = 10  # of which a large subset holds one out


@dataclass(frozen=True)
class Request:
    """One search.

    Args:
        words: the overrides of data, seed and trainer.
        minutes: that it may take.
        name: of its folder; None: date, time and four digits.
        choice: of conf/auto/; None: by the data.
    """

    words: tuple[str, ...]
    minutes: float = MINUTES
    name: str | None = None
    choice: str | None = None

    @cached_property
    def config(self) -> Config:
        """The composed config of a run on these data, of which the model does not count."""
        return compose([*self.words, "baseline=null", *as_overrides({"name": self.name})])

    @property
    def data(self) -> str:
        """The name of the data set."""
        return str(self.config["choices"]["data"])

    @cached_property
    def folder(self) -> Path:
        """Where all of it lies."""
        choices = {"experiment": f"auto/{self.data}"}
        return locate_run({"name": self.name, "choices": choices}).folder

    @cached_property
    def own_overrides(self) -> list[str]:
        """Overrides by which a network learns a set of the catalog as data of one's own."""
        from omegaconf import OmegaConf

        config = self.config
        cls: Any = schema.locate(config["data"]["_target_"])
        kind = KINDS[cls.KIND][0]
        if kind == self.data:
            return []
        own: Any = OmegaConf.to_container(OmegaConf.load(registry.file("data", kind)))
        sections = {key: own[key] for key in own if key.startswith(PREFIX) and key != OWN_BASELINE}
        return as_overrides({**sections, "data.batch_size": own["data"]["batch_size"]})

    @property
    def command(self) -> str:
        """What repeats it."""
        own = {"minutes": self.minutes, "auto": self.choice, "name": self.folder.name}
        more = [f"{key}={value}" for key, value in own.items() if value is not None]
        folders = [f"--config-dir={folder}" for folder in registry.config_dirs()]
        return shlex.join(["zoo", "auto", *folders, *self.words, *more])

    def open(self, fold: str | None = None) -> Any:
        """The data, as pipelines take them."""
        data = schema.build({**self.config["data"], **({"fold": fold} if fold else {})}, "data")
        data.prepare_data()
        data.setup("fit")
        return data

    def contents(self, listed: str) -> Config:
        """What auto.yaml holds.

        Args:
            listed: the list of candidates that was chosen.
        """
        own = {key: self.config[key] for key in KEYS}
        request = {"minutes": self.minutes, "auto": listed, "command": self.command}
        return {"choices": {"data": self.data}, **request, **own}


def read_words(arguments: Sequence[str]) -> Request:
    """What a command line asks for.

    Raises:
        ValueError: no data, a key that is not for this, a wrong name or value.
    """
    trust(arguments)
    own: Config = {}
    words = []
    for word, one in zip(arguments, parse(arguments), strict=True):
        key = str(one.key_or_group)
        if one.is_sweep_override() or one.is_delete():
            raise ValueError(f"{word}: zoo auto takes one value for a key, key=value")
        if key in OWN:
            own[key] = one.value()
        elif key.partition(".")[0] in KEYS and key != "data.fold":
            words.append(word)
        else:
            raise ValueError(refusal(word, key))
    if not any(word.lstrip("+").startswith("data=") for word in words):
        raise ValueError("give data=: image_folder, labelled_text, audio_folder or video_folder "
                         "with data.source=PATH, or a name of `zoo list data`")  # fmt: skip
    choice, name = own.get("auto"), own.get("name")
    if choice is not None:
        registry.file("auto", str(choice))  # before any data are read
    return Request(
        tuple(words), read_minutes(own.get("minutes", MINUTES)),
        None if name is None else str(name), None if choice is None else str(choice),
    )  # fmt: skip


def refusal(word: str, key: str) -> str:
    """Why a word is not for a search: its key is of a run, or of nothing at all."""
    of_run, takes = key.partition(".")[0], (*KEYS, *OWN)
    if of_run not in run_config.RunConfig.model_fields and not registry.is_group(of_run):
        return no_such("key", of_run, takes)
    hint = "which it makes by itself" if key == "data.fold" else "see conf/auto/"
    return f"{word!r} is not for zoo auto, {hint}: it takes {', '.join(takes)}"


def read_minutes(value: Any) -> float:
    """The minutes that were given.

    Raises:
        ValueError: they are no number above 0.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < value < math.inf:
        raise ValueError(f"minutes is {value!r}: it should be a number above 0")
    return float(value)


def folds_of(data: Any) -> list[str | None]:
    """What is held out, one after the other: folds, or once the validation split (None).

    None at all where no two samples are of one class.
    """
    if data.info["samples"]["train"] >= SMALL:
        return [f"0/{LARGE_FOLDS}" if data.is_subset else None]
    splits = ("train",) if data.is_subset else ("train", "val")
    labels = [data.arrays(split)[1] for split in splits]
    sizes = [sum((part == one).sum() for part in labels) for one in range(data.info["num_classes"])]
    count = min(FOLDS, sum(int(size) for size in sizes if size > 1))
    return [f"{i}/{count}" for i in range(count)] if count > 1 else []


@contextmanager
def hold(request: Request, contents: Mapping[str, Any]) -> Iterator[None]:
    """Have the folder alone, with what was asked for in it.

    Raises:
        ValueError: another process writes there, or it was asked for something else.
    """
    from omegaconf import OmegaConf

    folder, path = request.folder, request.folder / "auto.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ValueError(f"{folder} is being written by another process") from None
    try:
        if path.exists():
            old = OmegaConf.to_container(OmegaConf.load(path), resolve=True)
            check_same(old, contents, folder)  # type: ignore[arg-type]
        replace(path, OmegaConf.to_yaml(OmegaConf.create(escape(dict(contents)))))
        yield
    finally:
        lock.release()
        (folder / ".lock").unlink(missing_ok=True)


def check_same(old: Mapping[str, Any], new: Mapping[str, Any], folder: Path) -> None:
    """Refuse a folder in which something else was asked for, but for more minutes."""
    a, b = dict(flatten(old)), dict(flatten(new))
    b["minutes"] = a["minutes"] if b["minutes"] > a["minutes"] else b["minutes"]
    changed = [f"{k}: {a.get(k)!r} -> {b.get(k)!r}" for k in sorted(a | b)
               if a.get(k) != b.get(k) and k not in FREE]  # fmt: skip
    if changed:
        raise ValueError(
            f"{folder} has another config: {'; '.join(changed[:3])}; choose another name="
        )
