"""Models in repositories of the Hugging Face hub, and in folders of the same layout.

    weights.safetensors  card.json  README.md

The hub's `ModelHubMixin` is not used: it writes the arguments a second time, into a config.json,
which no digest covers and which wins over the card, and importing it takes 0.3 s.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from typing_extensions import Self

from zoo.pretrained import load, model_card, store


class HubMixin:
    """Gives a model the methods by which the hub's users save, publish and load one."""

    card: dict[str, Any] | None
    classes: list[str] | None

    def save_pretrained(self, folder: str | Path) -> Path:
        """Write this model to a folder that `from_pretrained` and `zoo.load` read.

        It is laid out as a repository of the hub, with a page that the hub shows: `push_to_hub`, or
        `hf upload USER/NAME FOLDER`, publishes it.

        Raises:
            ValueError: the model has no card: it was made by `create_model`, not loaded; or other
                layers than its arguments build.
        """
        card, folder = store.require_complete(self.card), Path(folder)
        full_card = {**card, "info": {**card["info"], "classes": self.classes}}
        store.save(self, full_card, folder)  # type: ignore[arg-type]
        (folder / "README.md").write_text(model_card.readme(card), encoding="utf-8")
        return folder

    def push_to_hub(
        self,
        repo_id: str,
        *,
        commit_message: str = "Upload model",
        private: bool | None = None,
        token: str | None = None,
    ) -> str:
        """Upload what `save_pretrained` writes, in one commit, and return its address."""
        from huggingface_hub import HfApi

        api = HfApi(token=token)
        with TemporaryDirectory() as folder:
            self.save_pretrained(folder)
            repo_id = api.create_repo(repo_id, private=private, exist_ok=True).repo_id
            return api.upload_folder(
                repo_id=repo_id, folder_path=folder, commit_message=commit_message
            )

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        revision: str | None = None,
        token: str | None = None,
        **overrides: Any,
    ) -> Self:
        """Load a model from a folder of `save_pretrained`, or from a repository on the hub.

        Args:
            source: a folder, or USER/NAME.
            revision, token: of the repository.
            overrides: constructor arguments other than the card's; see `zoo.load`.

        Raises:
            FileNotFoundError: no such folder, and no such repository or no connection.
            ValueError: another model's folder; else as `zoo.load`.
        """
        is_here = Path(source).exists()
        folder = source if is_here else download(str(source), revision, token)
        model = load.load(Path(folder), **overrides)
        if not isinstance(model, cls):
            raise ValueError(f"{source} holds a {type(model).__name__}: {cls.__name__} is wanted")
        return model


def download(repo_id: str, revision: str | None, token: str | None) -> str:
    """The folder to which the hub's client has fetched weights and card.

    Raises:
        FileNotFoundError: no such repository, or no connection.
    """
    from huggingface_hub import snapshot_download

    patterns = [f"weights{store.ENDING}", "card.json"]
    try:
        return snapshot_download(repo_id, revision=revision, token=token, allow_patterns=patterns)
    except Exception as error:  # the hub's client raises a dozen kinds
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise FileNotFoundError(
            f"{repo_id}: there is no such folder, and the hub does not give it: {reason}"
        ) from error
