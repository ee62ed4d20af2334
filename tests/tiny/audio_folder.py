"""Class folders of sounds of many rates, lengths and formats: high tones and low ones."""

from pathlib import Path

import numpy as np
import soundfile

FORMATS = {"PCM_16": "wav", "PCM_24": "wav", "PCM_U8": "wav", "PCM_S8": "flac", "VORBIS": "ogg"}


def write(folder: Path) -> dict[str, object]:
    """Write 60 sounds in two class folders: WAV, FLAC and Ogg, of one channel and of two."""
    random = np.random.default_rng(0)
    for name, pitch in (("high", 880), ("low", 220)):
        (folder / name).mkdir(parents=True)
        for i in range(30):
            subtype, ending = list(FORMATS.items())[i % len(FORMATS)]
            rate, seconds = [8000, 11_025, 16_000, 44_100][i % 4], random.uniform(0.1, 0.4)
            wave = tone(pitch * random.uniform(0.9, 1.1), seconds, rate)
            both = np.stack([wave, wave], 1) if i % 2 else wave
            soundfile.write(folder / name / f"{i}.{ending}", both, rate, subtype)
    return {"source": str(folder), "seconds": 0.25, "batch_size": 8}


def tone(pitch: float, seconds: float, rate: int) -> np.ndarray:
    """A sine (T,) of that many hertz that dies away."""
    t = np.arange(round(seconds * rate)) / rate
    return 0.8 * np.sin(2 * np.pi * pitch * t) * np.exp(-5 * t)
