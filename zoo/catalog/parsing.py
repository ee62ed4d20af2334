"""What is typed after a verb, as Hydra's grammar reads it: names checked, quotes explained."""

from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from zoo.catalog import registry
from zoo.config.migrate import refuse_old
from zoo.utilities import packages
from zoo.utilities.compat import split_sweep
from zoo.utilities.errors import no_such

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

CLASSES = ("model", "data")  # groups of which a class may be named instead of a file
LISTS = ("logger", "callbacks")  # groups of which several files may be chosen


class Names:
    """What Hydra asks for the files of a group that a glob chooses from."""

    @staticmethod
    def get_group_options(group: str, *_: Any, **__: Any) -> list[str]:
        return registry.names(group)


def parse(arguments: Sequence[str]) -> "list[Override]":
    """Overrides as Hydra understands them, with every name of a group checked.

    Raises:
        ValueError: one that cannot be read, a wrong name, or a glob that chooses nothing.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    parsed, parser = [], OverridesParser.create()
    for argument in arguments:
        try:
            with registry.LOCK:
                parsed.append(parser.parse_override(argument))
        except HydraException as error:
            reason = str(error).splitlines()[0]
            raise ValueError(
                f"cannot read the override: {reason}; write key=value{quote(argument)}"
            ) from error
    for one in parsed:
        one.config_loader = Names()  # type: ignore[assignment]
        _check_names(one)
    return parsed


def _check_names(one: "Override") -> None:
    """Refuse what names no file of its group."""
    if one.is_delete():
        refuse_old(one.key_or_group)
        if one.key_or_group in LISTS:  # which Hydra would not find
            raise ValueError(f"{one.input_line}: {one.key_or_group}=[] leaves it out")
    elif one.is_sweep_override():
        if one.is_discrete_sweep() and not [*one.sweep_iterator()]:
            group, _, glob = str(one.input_line).partition("=")
            raise ValueError(no_such(group, glob, registry.names(group)))
    elif (group := one.key_or_group) in registry.GROUPS:
        for name in value if isinstance(value := one.value(), list) else [value]:
            if name is None:
                empty = f"{group}=[]" if group in LISTS else f"~{group}"
                raise ValueError(f"{one.input_line} chooses no file: {empty} leaves it out")
            if str(name) in registry.names(group) or is_class(group, name):
                continue
            is_path = group in CLASSES and "." in str(name)
            hint = f"; a class of your own is {group}._target_={name}" if is_path else ""
            raise ValueError(no_such(group, str(name), registry.names(group)) + hint)


def is_class(group: str, name: Any) -> bool:
    """Whether it is a class of a package that may be built from."""
    package, dot, _ = str(name).partition(".")
    return group in CLASSES and bool(dot) and packages.is_trusted(package)


def quote(argument: str) -> str:
    """How to give a value that Hydra's grammar would take apart."""
    key, _, value = argument.partition("=")
    text = value.replace("\\", "\\\\").replace('"', '\\"')
    return f", and in quotes what has other signs in it: '{key}=\"{text}\"'" if value else ""


def to_hydra(override: "Override") -> list[str]:
    """The override with `++` before a key, so that the schema, not Hydra, finds unknown keys.

    An empty dict, which Hydra would merge into what is there, replaces it.
    """
    key = override.key_or_group
    if override.is_hydra_override() or override.is_delete() or registry.is_group(key):
        return [str(override.input_line)]
    text = "++" + str(override.input_line).lstrip("+")
    return [f"++{key}=null", text] if override.value() == {} else [text]


def sweep_jobs(arguments: Sequence[str]) -> list[list[str]]:
    """The jobs of a multirun: every combination of values as Hydra's basic sweeper splits them."""
    return split_sweep(parse(arguments))


def take_search_path(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The folders of `hydra.searchpath=[...]`, and the other overrides.

    Raises:
        ValueError: one that names no folder.
    """
    folders, others = [], []
    for argument in arguments:
        if argument.lstrip("+").partition("=")[0] != "hydra.searchpath":
            others.append(argument)
            continue
        value = parse([argument])[0].value()
        for place in value if isinstance(value, list) else [value]:
            folders.append(_folder_of(str(place)))
    return folders, others


def _folder_of(place: str) -> str:
    """The folder of `file:///folder`, `pkg://package.conf` or a path."""
    scheme, colon, rest = place.partition("://")
    if not colon or scheme == "file":
        return rest or place
    spec = find_spec(rest.replace("/", ".")) if scheme == "pkg" and _is_importable(rest) else None
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(f"hydra.searchpath names {place!r}: there is no such package of configs")
    return next(iter(spec.submodule_search_locations))


def _is_importable(name: str) -> bool:
    """Whether the package above a module is there."""
    return packages.find(name.replace("/", ".").partition(".")[0]) is not None


def trust(arguments: Sequence[str]) -> None:
    """Let the packages be built from whose classes the user's own overrides name.

    It is for what a person typed, or a Python program wrote: never for what is read from a file.
    """
    values = ((one.key_or_group, one.value()) for one in parse(arguments) if not one.is_delete())
    packages.trust(target for key, value in values for target in _targets(key, value))


def _targets(key: str, value: Any) -> Iterator[Any]:
    """The classes that an override names."""
    if key.endswith("_target_"):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _targets(str(name), inner)
