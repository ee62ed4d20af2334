"""Weights and their cards: all that is needed to rebuild a model, without data, Hydra or pickle.

`weights.safetensors` holds the tensors, `card.json` beside it the model's class and arguments, the
facts of its data, its metrics, and the sha256 that each load is checked against.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.nn import ZooModule

SCHEMA = 1


def save(model: "ZooModule", card: Mapping[str, Any], folder: Path) -> Path:
    """Write weights.safetensors and card.json into a folder; the card gets schema and sha256."""
    from safetensors.torch import save_file

    path = folder / "weights.safetensors"
    part = path.with_suffix(".part")
    save_file({k: v.detach().cpu().contiguous() for k, v in model.state_dict().items()}, part)
    full = {"schema": SCHEMA, **card, "sha256": _digest(part)}
    os.replace(part, path)
    part = folder / "card.part"
    part.write_text(json.dumps(full, indent=2))
    os.replace(part, folder / "card.json")
    return path


def load(source: str | Path) -> "ZooModule":
    """Rebuild a model from a run's folder or its weights file: in eval mode, with its input.

    Raises:
        FileNotFoundError: there are no weights or no card.
        ValueError: a checkpoint or another format, altered or damaged weights, tensors that are
            missing, left over or not finite.
    """
    path = _weights_file(Path(source))
    card = _card(path)
    model: ZooModule = attach(_built(card), card["facts"])
    model.load_state_dict(_tensors(path, card["sha256"], set(model.state_dict())))
    return model.eval()


def attach(model: Any, facts: Mapping[str, Any]) -> Any:
    """Give a model the input and the classes that its data's facts describe."""
    from zoo.catalog import build

    if "input" in facts:
        model.input = build(facts["input"], "facts.input")
    model.classes = facts.get("classes")
    return model


def _built(card: Mapping[str, Any]) -> Any:
    from zoo.catalog import build

    return build(card["model"], "card.model")


def _weights_file(path: Path) -> Path:
    """The weights in a folder, or the file itself."""
    if path.suffix in (".ckpt", ".pt", ".pth", ".bin"):
        raise ValueError(
            f"{path} is a checkpoint: give the run's folder or its weights.safetensors"
        )
    file = path / "weights.safetensors" if path.is_dir() else path
    if not file.is_file():
        raise FileNotFoundError(f"no weights at {file}: give a run's folder or a .safetensors file")
    return file


def _card(path: Path) -> dict[str, Any]:
    """The card beside a weights file."""
    beside = path.with_name("card.json") if path.stem == "weights" else path.with_suffix(".json")
    if not beside.is_file():
        raise FileNotFoundError(f"no card beside {path}: {beside.name} is missing")
    card: dict[str, Any] = json.loads(beside.read_text())
    if card.get("schema") != SCHEMA:
        raise ValueError(f"{beside} has schema {card.get('schema')!r}: this zoo reads {SCHEMA}")
    return card


def _tensors(path: Path, sha256: str, wanted: set[str]) -> dict[str, Any]:
    """The tensors of a file, after its digest, names and values were checked."""
    from safetensors.torch import load

    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ValueError(f"{path} is not what its card describes (sha256 differs): fetch it again")
    tensors = load(data)
    if set(tensors) != wanted:
        differ = sorted(set(tensors) ^ wanted)[:5]
        raise ValueError(f"{path} does not fit its model: {', '.join(differ)} missing or left over")
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise ValueError(f"{path}: {name} is not finite")
    return tensors


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
