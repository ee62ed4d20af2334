"""Tables in the formats that people have them in."""

import csv
import json

import pyarrow as pa
from pyarrow import parquet


def write(path, columns):
    """A table of columns in the format of its ending."""
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if path.suffix == ".parquet":
        parquet.write_table(pa.table(columns), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        with path.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",")
            table.writerows([columns, *(row.values() for row in rows)])
    return path
