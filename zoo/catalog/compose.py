"""Overrides -> one resolved, checked config. Hydra composes; its errors become one line here.

`model=` and `data=` name a file of conf/, or a class of a package that the user trusts; a section
of `model._target_=package.Net` without `model=` is that class, with what the overrides say and no
number of another model's file.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from zoo.catalog.overrides import as_overrides
from zoo.catalog.own_data import PREFIX, own_data
from zoo.catalog.parsing import CLASSES, is_class, parse, quote, to_hydra
from zoo.catalog.registry import CHOICES, LOCK, Config, conf_folder, names, roots

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override
    from omegaconf import DictConfig

    from zoo.pretrained.store import Card

MISSPELT = 0.8  # how alike (difflib's ratio) a key that was given is to the one that was meant
FINE_TUNING = 0.1  # share of the learning rate of weights at which a run that starts from them goes


def compose_section(group: str, name: str, values: Mapping[str, Any] | None = None) -> Config:
    """The config of one model or data set by itself, without an experiment."""
    overrides = as_overrides({f"{group}.{key}": value for key, value in (values or {}).items()})
    section: Config = _compose(["~experiment", f"{group}={name}", *overrides])[0][group]
    return section


def compose(arguments: Sequence[str]) -> Config:
    """Compose a run from Hydra overrides, resolve it and check it.

    Without `experiment=` it is the one named after the model. Other data or another model drop its
    target and name. `init=` brings the weights' model with its arguments and a tenth of its rate.

    Raises:
        ValueError: any wrong name, key or value, in one line.
    """
    return compose_with_card(arguments)[0]


def compose_with_card(arguments: Sequence[str]) -> "tuple[Config, Card | None]":
    """As `compose`, and the card of the weights that `init=` names, which is read once, here."""
    from zoo.config import run_config, trainer

    values = _values(arguments)
    card = _read_card(values["init"], values.get("model")) if values.get("init") else None
    if card is not None:
        own = as_overrides({"model": _slow_down(card["model"])})
        arguments = [f"model={card['choices']['model']}", *own, *arguments]
    arguments, config, choices = _with_recipe(arguments, "experiment" in values)
    recipe = choices.get("experiment")
    if [*arguments] == [f"experiment={recipe}"]:
        recipe_config, recipe_choices = config, choices
    else:
        recipe_config, recipe_choices = _compose([f"experiment={recipe}"]) if recipe else ({}, {})
    lines, own_keys = own_data(config, choices, recipe_config, values)
    if lines:
        config = _compose([*lines, *arguments])[0]
    config = {key: value for key, value in config.items() if not key.startswith(PREFIX)} | own_keys
    if any(choices[group] != recipe_choices.get(group) for group in ("model", "data")):
        recipe, config["target"] = f"{choices['data']}_{choices['model']}", None
    if config["init"] != recipe_config.get("init"):
        config["target"] = None
    config = {"choices": {**choices, "experiment": recipe}, "logger": {}, **config}
    with _explain_strings(values):
        run_config.check(config)
    return trainer.expand(config), card


def _values(arguments: Sequence[str]) -> Config:
    """What the overrides set, by key.

    Raises:
        ValueError: one is for Hydra.
    """
    overrides = parse(arguments)
    if hydra := [one.input_line for one in overrides if one.is_hydra_override()]:
        raise ValueError(f"{hydra[0]} is for Hydra, which `zoo train` alone uses")
    return {one.key_or_group: one.value() for one in overrides if not one.is_delete()}


def _with_recipe(
    arguments: Sequence[str], is_named: bool
) -> tuple[Sequence[str], Config, dict[str, str]]:
    """Overrides with the experiment of the model's name, unless one is named; what comes of them.

    A class has no recipe.
    """
    config, choices = _compose(arguments)
    model, first = choices["model"], ""
    if not is_named and model in names("experiment"):
        first = f"experiment={model}"
    elif not is_named and is_class("model", model):
        first = "~experiment"
    if not first:
        return arguments, config, choices
    arguments = [first, *arguments]
    return arguments, *_compose(arguments)


@contextmanager
def _explain_strings(values: Mapping[str, Any]) -> Iterator[None]:
    """Say how a number is written where a name is wanted."""
    try:
        yield
    except ValueError as error:
        key = str(error).partition(" ")[0]
        if str(error).endswith("it should be a valid string") and key in values:
            raise ValueError(f"{error}: write '{key}=\"{values[key]}\"'") from error
        raise


def _read_card(source: Any, model: Any) -> "Card":
    """The card of some weights."""
    from zoo.config.schema import locate
    from zoo.pretrained import store

    card = store.require_complete(store.read(store.find(str(source))))
    locate(card["model"].get("_target_"), f"model._target_ of {source}")  # may be refused
    name = card["choices"]["model"]
    if model not in (None, name):
        raise ValueError(f"model is {model!r}: init={source} is a {name}; leave model= out")
    return card


def _slow_down(section: Mapping[str, Any]) -> Config:
    """A model's section with a share of its learning rates."""
    return {
        key: _slow_down(value) if isinstance(value, Mapping)
        else value * FINE_TUNING if key == "lr"
        else value
        for key, value in section.items()
    }  # fmt: skip


def _compose(arguments: Sequence[str]) -> tuple[Config, dict[str, str]]:
    """The resolved config as plain containers, and which file of each group went into it."""
    from omegaconf import OmegaConf

    overrides = parse(arguments)
    classes = _chosen_classes(overrides)
    with _in_one_line(overrides):
        config = compose_hydra(overrides)
        choices = {g: c for g, c in config.hydra.runtime.choices.items() if g in CHOICES} | classes
        plain = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
        _set_classes(plain, classes, _of_classes(overrides))
        for key in OmegaConf.missing_keys(plain):
            near = get_close_matches(key, [one.key_or_group for one in overrides], 1, MISSPELT)
            instead = f", not {near[0]}=" if near else ""
            raise ValueError(f"{key} is missing: give it with {key}=...{instead}")
        return OmegaConf.to_container(plain, resolve=True), choices  # type: ignore[return-value]


def compose_hydra(overrides: "list[Override]") -> "DictConfig":
    """What Hydra composes of our folders, unchecked, its own section `hydra` with it.

    Raises:
        ValueError: it cannot, in one line.
    """
    from hydra import compose

    own = _of_classes(overrides)
    texts = [text for one in overrides if one not in own for text in to_hydra(one)]
    with _in_one_line(overrides), own_hydra():
        return compose("train", [*search_path(), *texts], return_hydra_config=True)


@contextmanager
def _in_one_line(overrides: "list[Override]") -> Iterator[None]:
    """Say what Hydra and OmegaConf raise in one line."""
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError  # type: ignore[import-untyped]

    try:
        yield
    except OmegaConfBaseException as error:
        where = f"{error.full_key}: " if getattr(error, "full_key", None) else ""
        raise ValueError(where + str(error).splitlines()[0]) from error
    except (HydraException, YAMLError) as error:
        several = next((one.input_line for one in overrides if one.is_sweep_override()), "")
        hint = f"; write key=value{quote(several)}" if several else ""
        raise ValueError(" ".join(str(error).split()) + hint) from error


def _chosen_classes(overrides: "list[Override]") -> dict[str, str]:
    """The groups of which a class is chosen, not a file."""
    values: Config = {one.key_or_group: one.value() for one in overrides if not one.is_delete()}
    names = {group: str(values.get(group, values.get(f"{group}._target_"))) for group in CLASSES}
    return {group: name for group, name in names.items() if is_class(group, name)}


def _of_classes(overrides: "list[Override]") -> "list[Override]":
    """The overrides of sections of which a class is chosen, which Hydra is not given."""
    classes = _chosen_classes(overrides)
    return [one for one in overrides if str(one.key_or_group).split(".")[0] in classes]


def _set_classes(config: "DictConfig", classes: Mapping[str, str], own: "list[Override]") -> None:
    """Make the sections of which a class is chosen from the overrides alone."""
    from omegaconf import OmegaConf

    OmegaConf.set_struct(config, False)
    for group, target in classes.items():
        config[group] = {"_target_": target}
    for one in own:
        if one.is_delete():
            raise ValueError(f"{one.input_line}: there is no such key: a class was chosen")
        if "." in one.key_or_group:
            OmegaConf.update(config, one.key_or_group, one.value(), force_add=True)


def search_path() -> list[str]:
    """Where Hydra looks besides our own folder."""
    folders = [f"file://{folder}" for folder in roots()[1:]]
    return as_overrides({"hydra.searchpath": folders}) if folders else []


@contextmanager
def own_hydra() -> Iterator[None]:
    """Hydra on our folder, leaving alone a Hydra that the caller's program has set up."""
    from hydra import initialize_config_dir

    from zoo.utilities.compat import hydra_of_its_own

    folder = str(conf_folder())
    with LOCK, hydra_of_its_own(), initialize_config_dir(folder, version_base="1.3"):
        yield
