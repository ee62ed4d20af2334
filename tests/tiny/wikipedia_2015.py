"""Wikipedia as the hub has it: parquet with the columns id, url, title and text."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.tiny.words import paragraphs


def write(folder: Path) -> dict[str, object]:
    """Write 60 articles of two paragraphs, in two files."""
    (folder / "20150501.en").mkdir(parents=True)
    texts = ["\n\n".join(pair) for pair in zip(paragraphs(60), paragraphs(60)[::-1], strict=True)]
    for part, some in enumerate((texts[:30], texts[30:])):
        ids = [str(30 * part + i) for i in range(len(some))]
        urls = [f"https://{i}" for i in ids]
        table = pa.table({"id": ids, "url": urls, "title": ids, "text": some})
        pq.write_table(table, folder / f"20150501.en/train-0000{part}-of-00002.parquet")
    return {"source": str(folder), "batch_size": 1000, "subsample": 1.0}
