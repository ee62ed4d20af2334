"""Weights and their cards: all that is needed to rebuild a model, without data, Hydra or pickle.

A weights file holds the tensors; the card beside it the model's class and arguments, the info of
its data, its metrics, and the sha256 that each load is checked against:

    <folder>/weights.safetensors  <folder>/card.json         a run's, and of `save_pretrained`
    <model>.<data>.safetensors    <model>.<data>.json        released: in zoo/weights, $ZOO_WEIGHTS

Tensors named `novelty.*` belong to no layer: they tell how far an input is from the training data.
"""

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from zoo.config.migrate import migrate
from zoo.utilities.errors import no_such
from zoo.utilities.files import replace
from zoo.utilities.protocols import Model, input_of, is_zoo_module

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.pretrained.quantize import Bits

SCHEMA = 2
FOLDER = Path(__file__).parents[1] / "weights"  # those that come with the package
ENDING, CHECKPOINTS = ".safetensors", (".ckpt", ".pt", ".pth", ".bin")
REQUIRED = {"model": dict, "info": dict, "sha256": str}  # of a card, besides its schema
NOVELTY, INPUT = "novelty.", "input."  # how names of tensors begin that are not the model's own

Card = dict[str, Any]


# --- where they are -------------------------------------------------------------------------------


def released() -> dict[str, Path]:
    """The weights that go by name: those in $ZOO_WEIGHTS, and those that come with the package."""
    user_folder = os.environ.get("ZOO_WEIGHTS")
    folders = [FOLDER, *([Path(user_folder).expanduser()] if user_folder else [])]
    paths: dict[str, Path] = {}
    for folder in folders:
        paths |= {file.stem: file for file in folder.glob(f"*{ENDING}") if file.stem != "weights"}
        paths |= {file.parent.name: file for file in folder.glob(f"*/weights{ENDING}")}
    return dict(sorted(paths.items()))


def find(source: str | Path) -> Path:
    """The weights file of a released name, of a model's name, of a run's folder, or itself.

    A model's name stands for those of its weights whose card says `default`, which are printed.

    Raises:
        FileNotFoundError: there are no weights at that path.
        ValueError: no such name, or a checkpoint.
    """
    name, weights = str(source), released()
    if name in weights and not isinstance(source, Path):
        return weights[name]
    if is_path(source):
        return _file(Path(source))
    default_names = defaults(weights)
    if name in default_names:
        print(f"weights   {default_names[name]}", file=sys.stderr)
        return weights[default_names[name]]
    if Path(name).exists():
        return _file(Path(name))
    raise ValueError(no_such("weights", name, [*weights, *default_names]))


def defaults(weights: Mapping[str, Path]) -> dict[str, str]:
    """The weights that each model's bare name stands for."""
    return {name.split(".")[0]: name for name, path in weights.items() if read(path).get("default")}


def is_path(source: str | Path) -> bool:
    """Whether it can only be a path, not a name."""
    name = str(source)
    return isinstance(source, Path) or os.sep in name or name.endswith((ENDING, *CHECKPOINTS))


def _file(path: Path) -> Path:
    """The weights in a folder, or the file itself."""
    if path.suffix in CHECKPOINTS:
        raise ValueError(
            f"{path} is a checkpoint: give the run's folder or its weights.safetensors"
        )
    file = path / f"weights{ENDING}" if path.is_dir() else path
    if not file.is_file():
        raise FileNotFoundError(f"no weights at {file}: give a run's folder or a .safetensors file")
    return file


def _card_path(path: Path) -> Path:
    """The path of a weights file's card."""
    return path.with_name("card.json") if path.stem == "weights" else path.with_suffix(".json")


# --- writing --------------------------------------------------------------------------------------


def save(model: Model, card: Mapping[str, Any], path: Path, bits: "Bits" = 32) -> Path:
    """Write a model's tensors and its card; the card gets schema and sha256.

    Args:
        path: a folder, or the weights file.
        bits: of a number; see quantize.py.

    Raises:
        ValueError: the model has other layers than the card's arguments build.
    """
    from safetensors.torch import save as to_bytes

    from zoo.pretrained import layers
    from zoo.pretrained.quantize import pack

    layers.check(model, card["model"])
    file = path if path.suffix == ENDING else path / f"weights{ENDING}"
    detector, reader = getattr(model, "novelty", None), input_of(model)
    novelty = detector.tensors() if is_zoo_module(model) and detector else {}
    input_tensors = reader.tensors() if hasattr(reader, "tensors") else {}
    tensors = {
        **model.state_dict(),
        **{NOVELTY + name: tensor for name, tensor in novelty.items()},
        **{INPUT + name: tensor for name, tensor in input_tensors.items()},
    }
    data = to_bytes(pack(tensors, bits))
    file.parent.mkdir(parents=True, exist_ok=True)
    replace(file, data)
    complete = {"schema": SCHEMA, **card, "sha256": hashlib.sha256(data).hexdigest()}
    replace(_card_path(file), json.dumps(complete, indent=1))
    return file


# --- reading --------------------------------------------------------------------------------------


class Weights(NamedTuple):
    """A weights file and its card, with the tensors of the model, of its novelty and its input."""

    path: Path
    card: Card
    tensors: "dict[str, Tensor]"
    novelty: "dict[str, Tensor]"
    input: "dict[str, Tensor]"


def open_weights(source: str | Path, card: Card | None = None) -> Weights:
    """All that is stored of a model, verified; see `find` for the source.

    Args:
        card: of these weights, if it was read already.
    """
    path = find(source)
    card = card or read(path)
    tensors = read_tensors(path, card["sha256"])
    novelty, input_tensors = _pop_prefix(tensors, NOVELTY), _pop_prefix(tensors, INPUT)
    return Weights(path, card, tensors, novelty, input_tensors)


def _pop_prefix(tensors: "dict[str, Tensor]", prefix: str) -> "dict[str, Tensor]":
    """Remove the tensors whose names begin with a prefix, and return them without it."""
    names = [name for name in tensors if name.startswith(prefix)]
    return {name.removeprefix(prefix): tensors.pop(name) for name in names}


def read(path: Path) -> Card:
    """The card of a weights file.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is damaged, or of another schema.
    """
    file = _card_path(path)
    if not file.is_file():
        raise FileNotFoundError(f"no card beside {path}: {file.name} is missing")
    try:
        card = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{file} is no card: {error}") from error
    schema = card.get("schema") if isinstance(card, dict) else None
    if schema not in range(1, SCHEMA + 1):
        raise ValueError(f"{file} has schema {schema!r}: this zoo reads 1 to {SCHEMA}")
    card = {**migrate(card), "schema": SCHEMA}
    for key, kind in REQUIRED.items():
        if not isinstance(card.get(key), kind):
            raise ValueError(f"{file} is incomplete: {key} is {card.get(key)!r}")
    return card


def require_complete(card: Card | None) -> Card:
    """Return a card if it says which run the weights come from.

    Raises:
        ValueError: there is none, or an earlier zoo wrote it.
    """
    if card is None:
        raise ValueError("this model has no card: load it from a run or by its name (zoo.load)")
    if missing := [key for key in ("name", "choices", "data", "seen") if key not in card]:
        raise ValueError(
            f"the card of these weights lacks {', '.join(missing)}: an earlier zoo wrote it; they "
            "load (zoo.load), but for this train them again"
        )
    return card


def read_tensors(path: Path, sha256: str) -> "dict[str, Tensor]":
    """The tensors of a file, after its digest and its values were checked."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    from zoo.pretrained.quantize import unpack

    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ValueError(f"{path} is not what its card describes (sha256 differs): fetch it again")
    try:
        tensors = unpack(load(data))
    except (SafetensorError, KeyError) as error:
        raise ValueError(f"{path} is no safetensors file, or damaged: {error}") from error
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise ValueError(f"{path}: {name} is not finite")
    return tensors
