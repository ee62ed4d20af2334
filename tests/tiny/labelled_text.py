"""A csv of text,label as a spreadsheet writes it: byte order mark, CRLF, quoted cells."""

import csv
from pathlib import Path

SAID = {
    "praise": "I liked it, all {i} minutes of it.",
    "blame": '{i} minutes,\nand "nothing" happens',
    "question": "Is it {i} minutes long?",
}


def write(folder: Path) -> dict[str, object]:
    """Write 60 texts of three classes."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "said.csv").open("w", newline="", encoding="utf-8-sig") as file:
        table = csv.writer(file)
        table.writerow(("text", "label"))
        for i in range(20):
            table.writerows((said.format(i=i), label) for label, said in SAID.items())
    return {"source": str(folder / "said.csv"), "batch_size": 8}
