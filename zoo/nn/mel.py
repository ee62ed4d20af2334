"""Filters along pitch as it is heard, for log-mel spectrograms.

Shapes: M bands.
"""

import numpy as np


def mel_filters(rate: int, window: int, bands: int) -> np.ndarray:
    """Triangles (M, window / 2 + 1), evenly spaced in mel = 2595 log10(1 + hertz / 700).

    The formula is O'Shaughnessy's (1987, Speech Communication, p. 150).
    """
    mels = np.linspace(0, 2595 * np.log10(1 + rate / 2 / 700), bands + 2)
    corners = 700 * (10 ** (mels / 2595) - 1)  # in hertz
    frequencies = np.fft.rfftfreq(window, 1 / rate)
    low, middle, high = (corners[i : i + bands, None] for i in range(3))
    rising, falling = (
        (frequencies - low) / (middle - low),
        (high - frequencies) / (high - middle),
    )
    return np.maximum(np.minimum(rising, falling), 0)
