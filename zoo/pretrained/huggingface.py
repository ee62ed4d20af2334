"""Models in repositories of the Hugging Face hub, and in folders of the same layout.

    weights.safetensors  card.json  README.md

The hub's `ModelHubMixin` is not used: it writes the arguments a second time, into a config.json,
which no digest covers and which wins over the card, and importing it takes 0.3 s.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
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


def push(
    model: Model,
    repo_id: str,
    *,
    commit_message: str = "Upload model",
    private: bool | None = None,
    token: str | None = None,
) -> str:
    """Upload a loaded model in one commit; see `ZooModule.push_to_hub`."""
    from huggingface_hub import HfApi

    api = HfApi(token=token)
    with TemporaryDirectory() as folder:
        save(model, Path(folder))
        repo_id = api.create_repo(repo_id, private=private, exist_ok=True).repo_id
        return api.upload_folder(repo_id=repo_id, folder_path=folder, commit_message=commit_message)


def load(
    source: str | Path,
    *,
    revision: str | None = None,
    token: str | None = None,
    **overrides: Any,
) -> Any:
    """Load a model from a folder or the hub; see `ZooModule.from_pretrained`."""
    if Path(source).exists():
        return load_weights(Path(source), **overrides)
    from huggingface_hub import snapshot_download

    patterns = [f"weights{store.ENDING}", "card.json"]
    try:
        folder = snapshot_download(
            str(source), revision=revision, token=token, allow_patterns=patterns
        )
    except Exception as error:  # the hub's client raises a dozen kinds
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise FileNotFoundError(
            f"{source}: there is no such folder, and the hub does not give it: {reason}"
        ) from error
    return load_weights(Path(folder), **overrides)
