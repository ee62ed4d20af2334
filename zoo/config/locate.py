"""The allow-list: which classes a config may name."""

import re
from importlib import import_module
from inspect import Parameter, signature
from typing import Any, get_args, get_origin, get_type_hints

from typing_extensions import NotRequired, Unpack

from zoo.utilities import packages

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
KINDS = {  # of inputs: a card names the kind, so that it holds no import path
    "image": "datamodules.inputs.image.ImageInput",
    "text": "datamodules.inputs.text.TextInput",
    "text_ngrams": "datamodules.inputs.ngrams.NgramInput",
    "clip": "datamodules.inputs.clip.ClipInput",
    "sound": "datamodules.inputs.sound.SoundInput",
    "words": "datamodules.inputs.words.ContextInput",
    "characters": "datamodules.inputs.characters.CharacterInput",
}


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
