"""Free Spoken Digit as the hub has such sets: parquet with the columns audio (WAV) and label."""

import io
from pathlib import Path

import datasets
import numpy as np
import pyarrow
import soundfile
from pyarrow import parquet

from tests.tiny.audio_folder import tone

DIGITS = [str(i) for i in range(10)]
RATE = 8000


def write(folder: Path) -> dict[str, object]:
    """Write 50 training and 20 test sounds: digit i is a tone of 200 (i + 1) hertz."""
    (folder / "data").mkdir(parents=True)
    audio, label = datasets.Audio(sampling_rate=RATE), datasets.ClassLabel(names=DIGITS)
    kinds = {"audio": audio, "label": label, "speaker": datasets.Value("string")}
    for split, count in (("train", 50), ("test", 20)):
        labels = [i % 10 for i in range(count)]
        sounds = [recording(200 * (i + 1), 0.05 + 0.01 * n) for n, i in enumerate(labels)]
        rows = {"audio": sounds, "label": labels, "speaker": ["george"] * count}
        # `datasets` itself wants to encode anew
        table = pyarrow.table(rows, datasets.Features(kinds).arrow_schema)
        parquet.write_table(table, folder / "data" / f"{split}-00000-of-00001.parquet")
    return {"source": str(folder), "seconds": 0.1, "batch_size": 8}


def recording(pitch: float, seconds: float) -> dict[str, object]:
    """A cell of the column: the bytes of a WAV file of 16 bits."""
    file = io.BytesIO()
    soundfile.write(file, tone(pitch, seconds, RATE).astype(np.float32), RATE, format="WAV")
    return {"bytes": file.getvalue(), "path": None}
