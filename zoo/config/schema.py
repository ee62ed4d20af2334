"""A section of a config with a `_target_`: its class, its arguments, its object.

Its schema is the signature of the class. Classes are located only in our packages and in those that
the user names, and only if they are what a config may build.
"""

import re
from collections.abc import Mapping
from importlib import import_module
from inspect import Parameter, signature
from types import MappingProxyType, NoneType
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from typing_extensions import NotRequired, TypedDict, Unpack

from zoo.config.migrate import KEYS, KINDS
from zoo.utilities import packages
from zoo.utilities.errors import no_such

BUILDABLE = {
    "LightningModule", "LightningDataModule", "Callback", "Logger", "Strategy", "Profiler",
    "BaseEstimator", "Input",
}  # fmt: skip
WANTED = {  # of a section: the base by name, and what it is
    "model": ("LightningModule", "a model, which is a LightningModule,"),
    "data": ("InMemory", "a datamodule, built on one of ours,"),
    "baseline": ("BaseEstimator", "a baseline, which is an estimator,"),
    "logger": ("Logger", "a logger"),
    "callbacks": ("Callback", "a callback"),
    "input": ("Input", "an input, built on datamodules.inputs.Input,"),
}
KIND = re.compile("constrained-.*|bool|int|float|str")  # pydantic's names of what a union takes
WRONG_KIND = ("_type", "_float")  # errors of it that say less than those of a value's own kind
STRICT = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)
OPEN = ConfigDict(extra="allow", strict=True, arbitrary_types_allowed=True)


def is_class(choice: str) -> bool:
    """Whether what was chosen of a group is a class itself, package.module.Class, not a file."""
    return "." in choice


def build(config: Mapping[str, Any], key: str) -> Any:
    """Check a section with a `_target_` and build its object. Arguments are plain values."""
    check_arguments(config, key)
    arguments = {name: value for name, value in config.items() if name != "_target_"}
    return locate(config["_target_"])(**arguments)


def build_input(config: Mapping[str, Any]) -> Any:
    """The input that a card describes: its kind and its constructor's arguments.

    A kind is one of ours, or a class of a package that the user names.

    Raises:
        ValueError: no such kind, or arguments that it does not take.
    """
    arguments = dict(config)
    kind = str(arguments.pop("kind", None))
    if kind not in KINDS and not is_class(kind):
        raise ValueError(no_such("kind of input", kind, KINDS))
    return build({"_target_": KINDS.get(kind, kind), **arguments}, "input")


def check_arguments(section: Mapping[str, Any], key: str, complete: bool = True) -> None:
    """Check a section with a `_target_` against the signature of that class.

    Args:
        complete: whether all that the class needs must be there.
    """
    if "_target_" not in section:
        raise ValueError(f"{key} has no _target_: it names the class to build")
    arguments = {name: value for name, value in section.items() if name != "_target_"}
    cls = locate(section["_target_"], f"{key}._target_")
    validate(arguments_of(cls, complete), arguments, f"{key}.")


def locate(target: str, key: str = "_target_") -> type:
    """The class that a config names, if it is one that a config may build.

    Args:
        key: where it stands; of model, data, baseline, logger and input it says what it must be.

    Raises:
        ValueError: of a package that the user has not named, not there, or of another kind.
        ImportError: another package `datamodules` hides the zoo's.
    """
    packages.check_datamodules()
    package, dot, _ = str(target).partition(".")
    if not (dot and package.isidentifier()):
        raise ValueError(f"{key} is {target!r}: package.module.Class is wanted")
    if not packages.is_trusted(package):
        raise ValueError(
            f"{key} is {target!r}: you have not named the package {package!r}, and only those that "
            f"you name are run; if you trust it, set {packages.VARIABLE}={package}"
        )
    packages.find(package)
    module, _, name = target.rpartition(".")
    try:
        cls = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"{key} is {target!r}: there is no such class ({error})") from error
    except Exception as error:  # of what the user's module does when it is imported
        reason = f"{type(error).__name__}: {error}"
        raise ValueError(f"{key} is {target!r}: importing {module} fails: {reason}") from error
    base, kind = WANTED.get(re.split(r"\W", key)[0], ("", "what a config may build"))
    bases = {base} if base else BUILDABLE
    is_own = isinstance(cls, type) and cls.__module__.partition(".")[0] == package
    if not (is_own and bases & {one.__name__ for one in cls.__mro__}):  # no import is needed
        raise ValueError(f"{key} is {target!r}: not {kind} of that package")
    located: type = cls
    return located


def parameters(cls: type) -> dict[str, Parameter]:
    """The constructor's parameters by name, without self, annotated with types.

    What several classes take stands in a TypedDict: `**shared: Unpack[Shared]`, whose keys are
    parameters, too; those that are NotRequired have a default.
    """
    hints = _hints(cls.__init__)  # type: ignore[misc]
    arguments: dict[str, Parameter] = {}
    for name, parameter in list(signature(cls.__init__).parameters.items())[1:]:  # type: ignore[misc]
        hint = hints.get(name, Any)
        if parameter.kind not in (Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL):
            arguments[name] = parameter.replace(annotation=hint)
        elif get_origin(hint) is Unpack:
            (shared,) = get_args(hint)
            for key, kind in get_type_hints(shared, include_extras=True).items():
                optional = get_origin(kind) is NotRequired
                default = None if optional else Parameter.empty
                kind = get_args(kind)[0] if optional else kind
                arguments[key] = Parameter(
                    key, Parameter.KEYWORD_ONLY, default=default, annotation=kind
                )
    return arguments


def _hints(function: Any) -> dict[str, Any]:
    """The annotations of a function; a name that is there for a type checker alone is anything."""
    unknown: dict[str, Any] = {}
    while True:
        try:
            return get_type_hints(function, localns=unknown, include_extras=True)
        except NameError as error:
            if error.name is None or error.name in unknown:
                return {}
            unknown[error.name] = Any


def arguments_of(
    cls: type, complete: bool = True, narrower: Mapping[str, Any] = MappingProxyType({})
) -> Any:
    """A TypedDict with the constructor's annotations, strict; closed, but for a logger's kwargs.

    Args:
        complete: whether what has no default must be there.
        narrower: types that stand in place of an annotation.
    """
    types = {name: narrower.get(name, p.annotation) for name, p in parameters(cls).items()}
    fields = {
        name: types[name] if complete and p.default is Parameter.empty else NotRequired[types[name]]
        for name, p in parameters(cls).items()
    }
    arguments: Any = TypedDict(cls.__name__, fields)  # type: ignore[misc]
    return with_config(OPEN if is_open(cls) else STRICT)(arguments)


def kinds(cls: type) -> list[str]:
    """The names of a class and of those that it stands on."""
    return [base.__name__ for base in cls.__mro__]


def is_open(cls: type) -> bool:
    """Whether a logger hands on arguments that it does not name."""
    parts = signature(cls.__init__).parameters.values()  # type: ignore[misc]
    return "Logger" in kinds(cls) and any(part.kind is Parameter.VAR_KEYWORD for part in parts)


def validate(schema: Any, values: Mapping[str, Any], prefix: str) -> None:
    """Check values against a model or TypedDict; `prefix` stands before the keys in an error."""
    try:
        TypeAdapter(schema).validate_python(dict(values))
    except ValidationError as error:
        errors = sorted(error.errors(), key=lambda e: e["type"].endswith(WRONG_KIND))
        problems = [_problem(e, schema, prefix) for e in errors]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise ValueError(problems[0] + more) from None


def _problem(error: Any, schema: Any, prefix: str) -> str:
    """One of pydantic's errors as a line."""
    parts = [str(part) for part in error["loc"]]
    *path, name = [one for one in parts if not (one.endswith(("]", ")")) or KIND.fullmatch(one))]
    section = prefix + "".join(f"{part}." for part in path)
    key = section + name
    if error["type"] == "extra_forbidden":
        if name in KEYS:
            return f"{key} is called {section}{KEYS[name]} now"
        for part in path:
            hint = get_type_hints(schema)[part]
            schema = next((one for one in get_args(hint) if one is not NoneType), hint)
        return no_such("key", key, [section + one for one in get_type_hints(schema)])
    if error["type"] == "missing":
        return f"{key} is missing: give it with {key}=..."
    message = error["msg"][0].lower() + error["msg"][1:]
    return f"{key} is {error['input']!r}: {message.replace('input should', 'it should')}"
