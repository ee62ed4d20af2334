"""Names -> configs -> objects. The folder conf/ is the catalog.

A file `conf/<group>/<name>.yaml` is a name that can be listed, shown, composed and built; nothing
is registered anywhere else. Hydra composes; this file asks it nicely and words its errors.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.utilities.errors import no_such

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override
    from pytorch_lightning import LightningDataModule, LightningModule

Config = dict[str, Any]
GROUPS = ("model", "data", "trainer", "logger", "experiment")
FINE_TUNING = 0.1  # share of the learning rate of weights at which a run that starts from them goes


def conf_folder() -> Path:
    """The folder conf/: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parent
    folders = (package / "conf", package.parent / "conf")
    return next(folder for folder in folders if folder.is_dir())


def names(group: str, pattern: str = "*") -> list[str]:
    """The names of a group that match a shell pattern."""
    stems = (path.stem for path in (conf_folder() / group).glob("*.yaml"))
    return sorted(stem for stem in stems if fnmatch(stem, pattern))


def list_models(filter: str = "*", pretrained: bool = False) -> list[str]:
    """Names of models, those that match a shell pattern such as `image_*`.

    Args:
        pretrained: of weights instead, <model>.<data>: what `zoo.load` takes.
    """
    if pretrained:
        from zoo.pretrained import store

        return [name for name in store.released() if fnmatch(name, filter)]
    return names("model", filter)


def list_data(filter: str = "*") -> list[str]:
    """Names of data sets."""
    return names("data", filter)


def list_experiments(filter: str = "*") -> list[str]:
    """Names of experiments: a model, its data and the recipe that trains it."""
    return names("experiment", filter)


def describe(group: str, name: str) -> str:
    """The first comment of a config: what it is, in one line."""
    path = conf_folder() / group / f"{name}.yaml"
    lines = (line[1:].strip() for line in path.read_text().splitlines() if line.startswith("#"))
    return next((line for line in lines if not line.startswith("@package")), "")


def create_model(name: str, pretrained: bool = False, **overrides: Any) -> "LightningModule":
    """Build a model with fresh weights, in the sizes of its embedded data, or a pretrained one.

    Args:
        name: one of `list_models()`; with `pretrained` also of `list_models(pretrained=True)`.
        pretrained: with its weights and input, in eval mode; see `zoo.load`. A model's name stands
            for its default weights, which are printed.
        overrides: constructor arguments that replace those of conf/model/<name>.yaml, or the
            card's; of pretrained ones another `num_classes` gives a fresh last layer.

    Raises:
        ValueError: no such model or argument, or a value out of its range.
    """
    if pretrained:
        from zoo.pretrained.load import load

        return load(name, **overrides)
    from zoo.config import schema

    return schema.build(section("model", name, overrides), "model")


def create_data(name: str, **overrides: Any) -> "LightningDataModule":
    """Build a datamodule; `prepare_data()` and `setup()` are the caller's (or the Trainer's).

    Args:
        name: one of `list_data()`.
        overrides: constructor arguments that replace those of conf/data/<name>.yaml.

    Raises:
        ValueError: no such data or argument, or a value out of its range.
    """
    from zoo.config import schema

    return schema.build(section("data", name, overrides), "data")


def section(group: str, name: str, values: Mapping[str, Any] | None = None) -> Config:
    """The config of one model or data set by itself, without an experiment."""
    mine = overrides({f"{group}.{key}": value for key, value in (values or {}).items()})
    chosen: Config = _composed(["~experiment", f"{group}={name}", *mine])[0][group]
    return chosen


def compose(arguments: Sequence[str]) -> Config:
    """Compose a run from Hydra overrides, resolve it and check it.

    Without `experiment=` it is the one that is named after the model. Changing the model or the
    data of an experiment drops its proof and its name. `init=` brings the model of those weights,
    with its arguments and a tenth of its learning rate.

    Raises:
        ValueError: any wrong name, key or value, in one line.
    """
    from zoo.config import schema

    given = {one.key_or_group: one.value() for one in _parse(arguments) if not one.is_delete()}
    if given.get("init"):
        arguments = [*_started_from(given["init"], given.get("model")), *arguments]
    config, choices = _composed(arguments)
    if "experiment" not in given and choices["model"] in names("experiment"):
        config, choices = _composed([f"experiment={choices['model']}", *arguments])
    recipe = choices.get("experiment")
    written, own = _composed([f"experiment={recipe}"]) if recipe else ({}, {})
    if any(choices[group] != own.get(group) for group in ("model", "data")):
        recipe, config["proof"] = f"{choices['data']}_{choices['model']}", None
    if config["init"] != written.get("init"):
        config["proof"] = None
    config = {"choices": {**choices, "experiment": recipe}, **config}
    schema.check(config)
    return config


def _started_from(source: Any, asked: Any) -> list[str]:
    """The overrides that bring the model of some weights.

    Raises:
        ValueError: no such weights, or another model is asked for.
    """
    from zoo.pretrained import store

    card = store.whole(store.read(store.find(str(source))))
    if asked not in (None, card["choices"]["model"]):
        name = card["choices"]["model"]
        raise ValueError(f"model is {asked!r}: init={source} is a {name}; leave model= out")
    section = {key: value for key, value in card["model"].items() if key != "_target_"}
    return [f"model={card['choices']['model']}", *overrides({"model": _slower(section)})]


def _slower(section: Mapping[str, Any]) -> Config:
    """A model's section with a share of its learning rates."""
    return {
        key: _slower(value) if isinstance(value, Mapping)
        else value * FINE_TUNING if key == "lr"
        else value
        for key, value in section.items()
    }  # fmt: skip


def sweep(arguments: Sequence[str]) -> list[list[str]]:
    """The jobs of a multirun: every combination of values as Hydra's basic sweeper splits them."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

    jobs = BasicSweeper.split_arguments(_parse(arguments), None)
    return [list(job) for job in jobs[0]]


def overrides(values: Mapping[str, Any]) -> list[str]:
    """Python values as Hydra overrides, exactly: `{"model.widths": [8, 16]}` and nested dicts."""
    result = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            result += overrides({f"{key}.{name}": inner for name, inner in value.items()})
        else:
            result.append(f"{key}={_literal(value, bare=key in GROUPS)}")
    return result


def _literal(value: Any, bare: bool = False) -> str:
    """A value in Hydra's override grammar."""
    if value is None:
        return "null"
    if isinstance(value, bool | int | float):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "[" + ",".join(_literal(item, bare) for item in value) + "]"
    text = str(value)
    if bare:
        return text
    return "'" + text.replace("\\'", "\\\\'").replace("'", "\\'") + "'"


def _composed(arguments: Sequence[str]) -> tuple[Config, dict[str, str]]:
    """The resolved config as plain containers, and which file of each group went into it."""
    from hydra import compose
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    asked = _parse(arguments)
    try:
        with _hydra():
            config = compose("train", [_lenient(a) for a in asked], return_hydra_config=True)
        choices = {g: c for g, c in config.hydra.runtime.choices.items() if g in GROUPS}
        plain = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
        for key in OmegaConf.missing_keys(plain):
            raise ValueError(f"{key} is missing: give it with {key}=...")
        return OmegaConf.to_container(plain, resolve=True), choices  # type: ignore[return-value]
    except OmegaConfBaseException as error:
        where = f"{error.full_key}: " if getattr(error, "full_key", None) else ""
        raise ValueError(where + str(error).splitlines()[0]) from error
    except HydraException as error:
        raise ValueError(" ".join(str(error).split())) from error


def _parse(arguments: Sequence[str]) -> "list[Override]":
    """Overrides as Hydra understands them, with every name of a group checked."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        asked = OverridesParser.create().parse_overrides(list(arguments))
    except HydraException as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"cannot read the override: {reason}; write key=value") from error
    for one in asked:
        if one.key_or_group in GROUPS and not one.is_sweep_override() and not one.is_delete():
            _check_name(one.key_or_group, one.value())
    return asked


def _check_name(group: str, value: Any) -> None:
    """Refuse a name that is not in its group, with the nearest that is."""
    for name in value if isinstance(value, list) else [value]:
        if str(name) not in names(group):
            raise ValueError(no_such(group, str(name), names(group)))


def _lenient(one: "Override") -> str:
    """The override with `++` before a key, so that the schema, not Hydra, finds unknown keys."""
    if one.key_or_group in GROUPS or one.is_delete():
        return str(one.input_line)
    return "++" + str(one.input_line).lstrip("+")


@contextmanager
def _hydra() -> Iterator[None]:
    """Hydra on our folder, leaving alone a Hydra that the caller's program has set up."""
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.singleton import Singleton

    theirs = Singleton.get_state()
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(conf_folder()), version_base="1.3"):
            yield
    finally:
        Singleton.set_state(theirs)
