"""Weights passed on: a folder in the layout of a repository of the Hugging Face hub.

    weights.safetensors  card.json  README.md

`hf upload USER/NAME FOLDER` publishes it; `from_pretrained("USER/NAME")` fetches it.
"""

from pathlib import Path
from typing import Any

from zoo.pretrained import model_card, store
from zoo.pretrained.load import load as load_weights
from zoo.utilities.protocols import Model


def save(model: Model, folder: Path) -> Path:
    """Write a loaded model to a folder; see `ZooModule.save_pretrained`."""
    card = store.require_complete(model.card)
    info = {**card["info"], "classes": model.classes}
    folder.mkdir(parents=True, exist_ok=True)
    store.save(model, {**card, "info": info}, folder)
    (folder / "README.md").write_text(model_card.readme(card), encoding="utf-8")
    return folder


def load(source: str | Path, **overrides: Any) -> Any:
    """Load a model from a folder or the hub; see `ZooModule.from_pretrained`."""
    if Path(source).exists():
        return load_weights(Path(source), **overrides)
    from huggingface_hub import snapshot_download

    patterns = [f"weights{store.ENDING}", "card.json"]
    try:
        folder = snapshot_download(str(source), allow_patterns=patterns)
    except Exception as error:  # the hub's client raises a dozen kinds
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise FileNotFoundError(
            f"{source}: there is no such folder, and the hub does not give it: {reason}"
        ) from error
    return load_weights(Path(folder), **overrides)
