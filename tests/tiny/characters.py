"""One's own text: a file in UTF-8, with a mark, lines of Windows and letters beyond ASCII."""

from pathlib import Path


def write(folder: Path) -> dict[str, object]:
    """Write 4,000 characters."""
    folder.mkdir(parents=True, exist_ok=True)
    line = "Zwölf Boxkämpfer jagen Viktor quer über den Sylter Deich.\r\n"
    (folder / "mine.txt").write_bytes(("\ufeff" + line * 100)[:4000].encode())
    return {"source": str(folder / "mine.txt"), "batch_size": 8, "length": 16}
