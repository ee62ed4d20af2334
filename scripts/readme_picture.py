"""The picture of README: what six of the released networks see, draw, write and sound like.

    python -m scripts.readme_picture docs/zoo.png

Nothing is trained, and no drawing is picked: each is that of seed 0.
"""

import sys
from io import BytesIO
from itertools import islice
from pathlib import Path
from textwrap import fill
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image

import zoo

INK, PALE, BLUE, RED = "#1c2733", "#8795a5", "#2563ab", "#c2410c"
CAPITALS = {
    "france": "paris", "germany": "berlin", "italy": "rome", "spain": "madrid",
    "russia": "moscow", "greece": "athens",
}  # fmt: skip


def sheet(pictures: list[np.ndarray], columns: int, gap: int = 2) -> np.ndarray:
    """Pictures (H, W) row by row on one, each brought to levels in [0, 1], NaN between them."""
    levels = [(picture - picture.min()) / max(np.ptp(picture), 1e-9) for picture in pictures]
    tiles = [np.pad(one, gap, constant_values=np.nan) for one in levels]
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return np.vstack(rows)


def digits() -> np.ndarray:
    """The first test picture (H, W, C) of each digit."""
    data: Any = zoo.create_data("digits")
    data.prepare_data()
    data.setup("test")
    pixels, labels = data.arrays("test")
    return np.stack([pixels[labels == digit][0] for digit in range(10)])


def draw_gan(axes: Any) -> None:
    """Six noises, a row each, in ten digits."""
    model: Any = zoo.load("gan_conditional.digits")
    images = np.stack(model.by_class(6)).reshape(10, 6, 28, 28)
    axes.imshow(sheet([*images.swapaxes(0, 1).reshape(60, 28, 28)], 10), cmap="gray")


def draw_maps(axes: Any) -> None:
    """A digit, and what two layers make of it: twelve of their maps each."""
    picture = digits()[4]
    model: Any = zoo.load("image_cnn.digits")
    maps = model.features([picture], layers=["blocks.0.halve.3", "blocks.0.more.2"])
    tiles = [tile for part in maps.values() for tile in part[0, :12].numpy()]
    axes.imshow(picture[:, :, 0], cmap="gray", extent=(0, 1.7, 1.15, 2.85))
    axes.imshow(sheet(tiles, 6, gap=1), cmap="magma", extent=(2, 8, 0, 4))
    axes.set(xlim=(0, 8), ylim=(0, 4))


def draw_denoising(axes: Any) -> None:
    """Clean, spoiled, restored."""
    model: Any = zoo.load("autoencoder_denoising.digits")
    images = torch.from_numpy(digits()).permute(0, 3, 1, 2) / 255
    grid = model.figures((images, torch.arange(10)))["Pictures, spoiled, and restored"]
    axes.imshow(sheet([image[:, :, 0] for image in grid.images], 10), cmap="gray")


def draw_words(axes: Any) -> None:
    """Countries and their capitals in the plane in which they differ most."""
    model: Any = zoo.load("cbow.wikipedia_2015")
    names, vectors = model.word_vectors()
    words = [*CAPITALS, *CAPITALS.values()]
    selection = vectors[[names.index(word) for word in words]]
    left, sizes, _ = np.linalg.svd(selection - selection.mean(0), full_matrices=False)
    x, y = (left[:, :2] * sizes[:2]).T
    half = len(CAPITALS)
    axes.plot([x[:half], x[half:]], [y[:half], y[half:]], color=PALE, lw=0.8, zorder=0)
    for start, colour in ((0, BLUE), (half, RED)):
        axes.scatter(x[start : start + half], y[start : start + half], s=14, color=colour)
    for word, a, b in zip(words, x, y, strict=True):
        axes.annotate(word, (a, b), (3, 3), textcoords="offset points", fontsize=7.5, color=INK)
    axes.margins(0.16, 0.1)


def draw_text(axes: Any) -> None:
    """What a network of characters writes."""
    model: Any = zoo.load("char_rnn.tinyshakespeare")
    text = "".join(islice(model.sample(prompt="ROMEO:", length=600), 600))
    lines = [fill(line, 42) for line in text.splitlines()]
    top = "\n".join("\n".join(lines).splitlines()[:14])
    axes.text(0, 1, top, family="monospace", fontsize=7.5, va="top", color=INK, linespacing=1.45)


def draw_sound(axes: Any) -> None:
    """A wave a note, the lowest below."""
    model: Any = zoo.load("wavenet.plucked_strings")
    colours = plt.get_cmap("viridis")(np.linspace(0, 0.85, 8))
    for height, wave in enumerate(model.sample(seconds=0.2).waves):
        axes.plot(np.asarray(wave) * 0.6 + height, lw=0.6, color=colours[height])
    axes.margins(0, 0.02)


PANELS = {
    "gan_conditional draws the digits it is asked for": draw_gan,
    "image_cnn: what its layers make of a digit": draw_maps,
    "autoencoder_denoising: clean, spoiled, restored": draw_denoising,
    "cbow: a country and its capital": draw_words,
    "char_rnn goes on from ROMEO:": draw_text,
    "wavenet plays eight notes, sample by sample": draw_sound,
}


def main(path: Path) -> None:
    """Draw all panels and write the file."""
    figure, grid = plt.subplots(2, 3, figsize=(11, 5.6), layout="constrained")
    for axes, (title, draw) in zip(grid.flat, PANELS.items(), strict=True):
        draw(axes)
        axes.set_title(title, fontsize=9.5, color=INK)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_frame_on(False)
        axes.set_anchor("N")
    file = BytesIO()
    figure.savefig(file, dpi=110)
    plt.close(figure)
    Image.open(file).convert("RGB").quantize(128).save(path, optimize=True)  # a third of the size


if __name__ == "__main__":
    main(Path(sys.argv[1]))
