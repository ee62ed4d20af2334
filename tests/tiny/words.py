"""One's own running text: one .txt file of paragraphs."""

from pathlib import Path

import numpy as np

ANIMALS = ["cat", "dog", "horse", "bird"]
PLACES = ["house", "garden", "river", "field"]


def write(folder: Path) -> dict[str, object]:
    """Write 60 paragraphs of a few words."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "story.txt").write_text("\n\n".join(paragraphs(60)), encoding="utf-8")
    # each word of so small a vocabulary is frequent: thinned out, next to nothing would be left
    return {"source": str(folder / "story.txt"), "batch_size": 1000, "subsample": 1.0}


def paragraphs(count: int) -> list[str]:
    """Sentences of which animal goes where."""
    random = np.random.default_rng(0)

    def sentence() -> str:
        return f"The {random.choice(ANIMALS)} goes to the {random.choice(PLACES)}, it says."

    return [" ".join(sentence() for _ in range(3)) for _ in range(count)]
