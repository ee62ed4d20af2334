"""Tiny Shakespeare as it is passed around: input.txt, speeches with their speakers' names."""

from pathlib import Path


def write(folder: Path) -> dict[str, object]:
    """Write 5,000 characters."""
    folder.mkdir(parents=True, exist_ok=True)
    speech = (
        "First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak, speak.\n\n"
    )
    (folder / "input.txt").write_text((speech * 100)[:5000])
    return {"source": str(folder), "batch_size": 8, "length": 16}
