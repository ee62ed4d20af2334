"""Overrides -> one resolved, checked config. Hydra composes; its errors become one line here."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from zoo.config.migrate import refuse_old
from zoo.utilities.compat import split_sweep
from zoo.utilities.errors import no_such

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

    from zoo.pretrained.store import Card
from zoo.catalog.registry import CHOICES, GROUPS, Config, conf_folder, names

FINE_TUNING = 0.1  # share of the learning rate of weights at which a run that starts from them goes


def compose_section(group: str, name: str, values: Mapping[str, Any] | None = None) -> Config:
    """The config of one model or data set by itself, without an experiment."""
    overrides = as_overrides({f"{group}.{key}": value for key, value in (values or {}).items()})
    section: Config = _compose(["~experiment", f"{group}={name}", *overrides])[0][group]
    return section


def compose(arguments: Sequence[str]) -> Config:
    """Compose a run from Hydra overrides, resolve it and check it.

    Without `experiment=` it is the one that is named after the model. Changing the model or the
    data of an experiment drops its target and its name. `init=` brings the model of those weights,
    with its arguments and a tenth of its learning rate.

    Raises:
        ValueError: any wrong name, key or value, in one line.
    """
    return compose_with_card(arguments)[0]


def compose_with_card(arguments: Sequence[str]) -> "tuple[Config, Card | None]":
    """As `compose`, and the card of the weights that `init=` names, which is read once, here."""
    from zoo.config import schema, trainer

    values = {one.key_or_group: one.value() for one in _parse(arguments) if not one.is_delete()}
    card = _read_card(values["init"], values.get("model")) if values.get("init") else None
    if card is not None:
        model = {key: value for key, value in card["model"].items() if key != "_target_"}
        own = as_overrides({"model": _slow_down(model)})
        arguments = [f"model={card['choices']['model']}", *own, *arguments]
    config, choices = _compose(arguments)
    if "experiment" not in values and choices["model"] in names("experiment"):
        config, choices = _compose([f"experiment={choices['model']}", *arguments])
    recipe = choices.get("experiment")
    recipe_config, recipe_choices = _compose([f"experiment={recipe}"]) if recipe else ({}, {})
    if any(choices[group] != recipe_choices.get(group) for group in ("model", "data")):
        recipe, config["target"] = f"{choices['data']}_{choices['model']}", None
    if config["init"] != recipe_config.get("init"):
        config["target"] = None
    config = {"choices": {**choices, "experiment": recipe}, **config}
    schema.check(config)
    return trainer.expand(config), card


def _read_card(source: Any, model: Any) -> "Card":
    """The card of some weights."""
    from zoo.pretrained import store

    card = store.require_complete(store.read(store.find(str(source))))
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


def sweep_jobs(arguments: Sequence[str]) -> list[list[str]]:
    """The jobs of a multirun: every combination of values as Hydra's basic sweeper splits them."""
    return split_sweep(_parse(arguments))


def as_overrides(values: Mapping[str, Any]) -> list[str]:
    """Python values as Hydra overrides, exactly: `{"model.widths": [8, 16]}` and nested dicts."""
    result = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            result += as_overrides({f"{key}.{name}": inner for name, inner in value.items()})
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


def _compose(arguments: Sequence[str]) -> tuple[Config, dict[str, str]]:
    """The resolved config as plain containers, and which file of each group went into it."""
    from hydra import compose
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    overrides = _parse(arguments)
    try:
        with _own_hydra():
            texts = [_allow_new_key(override) for override in overrides]
            config = compose("train", texts, return_hydra_config=True)
        choices = {g: c for g, c in config.hydra.runtime.choices.items() if g in CHOICES}
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
        parsed = OverridesParser.create().parse_overrides(list(arguments))
    except HydraException as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"cannot read the override: {reason}; write key=value") from error
    for one in parsed:
        if one.is_delete():
            refuse_old(one.key_or_group)
        if one.key_or_group in GROUPS and not one.is_sweep_override() and not one.is_delete():
            group, value = one.key_or_group, one.value()
            for name in value if isinstance(value, list) else [value]:
                if str(name) not in names(group):
                    raise ValueError(no_such(group, str(name), names(group)))
    return parsed


def _allow_new_key(override: "Override") -> str:
    """The override with `++` before a key, so that the schema, not Hydra, finds unknown keys."""
    if override.key_or_group in GROUPS or override.is_delete():
        return str(override.input_line)
    return "++" + str(override.input_line).lstrip("+")


@contextmanager
def _own_hydra() -> Iterator[None]:
    """Hydra on our folder, leaving alone a Hydra that the caller's program has set up."""
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.singleton import Singleton

    previous_state = Singleton.get_state()
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(conf_folder()), version_base="1.3"):
            yield
    finally:
        Singleton.set_state(previous_state)
