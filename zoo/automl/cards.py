"""What lies beside a pipeline or a predictor: a card with the sha256 of every file, and its own.

<folder>/card.json  <folder>/pipeline.skops       a pipeline
<folder>/card.json  <folder>/members/<name>/      a predictor; a member is a run or a pipeline
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.utilities.files import replace

SCHEMA = 1
CARD, PIPELINE, MEMBERS = "card.json", "pipeline.skops", "members"

Card = dict[str, Any]


def kind_of(folder: Path) -> str | None:
    """What lies in a folder: "predictor", "pipeline", or None, which may be a network's weights."""
    if (folder / MEMBERS).is_dir():
        return "predictor"
    if (folder / PIPELINE).is_file():
        return "pipeline"
    try:
        kind = json.loads((folder / CARD).read_bytes())["kind"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return kind if kind in ("predictor", "pipeline") else None


def seal(folder: Path, card: Mapping[str, Any]) -> Card:
    """Write a folder's card, last of all: with its schema, and what each file's bytes add up to."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / CARD)
    names = {path.relative_to(folder).as_posix(): digest(path.read_bytes()) for path in files}
    complete = {"schema": SCHEMA, **without_digest(card), "files": names}
    complete["sha256"] = digest(as_text(complete).encode())
    replace(folder / CARD, as_text(complete))
    return complete


def read(folder: Path, kind: str) -> Card:
    """A folder's card, after it and every file that it names were checked.

    Args:
        kind: predictor or pipeline.

    Raises:
        FileNotFoundError: the card or a file is missing.
        ValueError: it is damaged or altered, of another schema or kind; a file is altered.
    """
    path = folder / CARD
    if not path.is_file():
        raise FileNotFoundError(f"no card in {folder}: {CARD} is missing")
    try:
        text = path.read_bytes().decode()
        card = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{path} is no card: {error}") from error
    schema = card.get("schema") if isinstance(card, dict) else None
    if schema not in range(1, SCHEMA + 1):
        raise ValueError(f"{path} has schema {schema!r}: this zoo reads 1 to {SCHEMA}")
    expected = digest(as_text(without_digest(card)).encode())
    if as_text(card) != text or card.get("sha256") != expected:
        raise ValueError(f"{path} was altered (sha256 differs): fetch it again")
    if card.get("kind") != kind:
        raise ValueError(f"{path} is of a {card.get('kind')}, not of a {kind}")
    for name, expected in card["files"].items():
        check(folder / name, expected)
    return dict(card)


def check(path: Path, expected: str) -> None:
    """Refuse a file that is missing or altered."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: the card beside it names it")
    if digest(path.read_bytes()) != expected:
        raise ValueError(f"{path} is not what its card describes (sha256 differs): fetch it again")


def without_digest(card: Mapping[str, Any]) -> Card:
    return {key: value for key, value in card.items() if key != "sha256"}


def as_text(card: Mapping[str, Any]) -> str:
    """A card as its file has it, the same for the same card."""
    return json.dumps(card, indent=1)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
