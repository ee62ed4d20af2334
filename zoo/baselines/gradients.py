"""Histograms of gradients, after Dalal & Triggs 2005, "Histograms of oriented gradients".

Shapes: N pictures of H x W pixels and C channels, O orientations, G x G cells.
"""

import numpy as np

from zoo.baselines.stateless import Stateless

CLIP = 0.2  # the most of a block that one number may be (section 6.4, "L2-Hys")
CHUNK = 256  # pictures at a time, so that their gradients need little memory


class GradientHistograms(Stateless):
    """Which way edges run in each cell of a picture, and how strong they are.

    Each pixel votes with the length of its gradient, in the channel where that is longest, for the
    two orientations next to its own, without a sign, and for the cells next to it, linearly. Of
    blocks of 2 x 2 cells each is normalised (L2, clipped, L2). A picture has as many cells whatever
    its size, so that pictures of any size have as many features.

    Args:
        cells: along each side.
        orientations: between 0 and 180 degrees.
    """

    def __init__(self, cells: int = 8, orientations: int = 9) -> None:
        self.cells, self.orientations = cells, orientations

    def compute(self, X: np.ndarray) -> np.ndarray:
        """Map pictures (N, H, W, C), uint8, to (N, (G - 1) ** 2 * 4 O), float32."""
        chunks = [X[i : i + CHUNK] for i in range(0, len(X), CHUNK)]
        return np.concatenate([blocks(self.histograms(chunk)) for chunk in chunks])

    def histograms(self, pictures: np.ndarray) -> np.ndarray:
        """The votes of each cell (N, G, G, O), before they are normalised."""
        angles, lengths = gradients(pictures)
        places = angles / np.pi * self.orientations  # 0 is an edge that stands upright
        lower = np.floor(places)
        share, lower = places - lower, lower.astype(int) % self.orientations
        rows, columns = (nearness(size, self.cells) for size in angles.shape[1:])
        votes = []
        for one in range(self.orientations):
            own = np.where(lower == one, 1 - share, 0)
            own += np.where((lower + 1) % self.orientations == one, share, 0)
            votes.append(rows @ (lengths * own).astype(np.float32) @ columns.T)
        return np.stack(votes, 3)


def gradients(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Direction in [0, pi) and length of each pixel's gradient, both (N, H, W); 0 at the edges."""
    values = pictures.astype(np.float32) / 255
    down, right = np.zeros_like(values), np.zeros_like(values)
    down[:, 1:-1] = values[:, 2:] - values[:, :-2]
    right[:, :, 1:-1] = values[:, :, 2:] - values[:, :, :-2]
    lengths = np.hypot(down, right)
    longest = lengths.argmax(3)[..., None]
    down, right, lengths = (
        np.take_along_axis(one, longest, 3)[..., 0] for one in (down, right, lengths)
    )
    return np.arctan2(down, right) % np.pi, lengths


def nearness(size: int, cells: int) -> np.ndarray:
    """How much each of so many pixels counts in each cell (G, size): all of it, or of two parts."""
    places = (np.arange(size) + 0.5) / size * cells - 0.5  # in cells, from the first one's centre
    places = places.clip(0, cells - 1)
    return np.maximum(1 - np.abs(places - np.arange(cells)[:, None]), 0).astype(np.float32)


def blocks(votes: np.ndarray) -> np.ndarray:
    """Blocks of 2 x 2 cells (N, G, G, O), each normalised, in a row (N, (G - 1) ** 2 * 4 O)."""
    parts = (votes[:, :-1, :-1], votes[:, :-1, 1:], votes[:, 1:, :-1], votes[:, 1:, 1:])
    rows = unit(np.concatenate(parts, 3))
    rows = unit(np.minimum(rows, CLIP))
    return rows.reshape(len(votes), -1)


def unit(rows: np.ndarray) -> np.ndarray:
    """Vectors along the last axis, brought to length 1; next to nothing stays so."""
    return rows / np.sqrt((rows**2).sum(-1, keepdims=True) + 1e-4)
