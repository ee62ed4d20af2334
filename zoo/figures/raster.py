"""Arrays as PNG and WAV files."""

import io
import math
from collections.abc import Mapping
from wave import Wave_write

import numpy as np

from zoo.figures.kinds import Grid, Images

LINE = 28  # pixels of the line that a caption has
GAP = 4  # pixels between the pictures of a sheet
TILE = 96  # pixels, about, of a small picture once enlarged
MAP = 64  # pixels, about, of a feature map once enlarged
MAPS = 16  # of a layer
ACROSS = 8  # of them in a row


def filters(weights: np.ndarray) -> Grid:
    """Show convolution filters (out, in, kh, kw): zero is mid-grey, each has its own range.

    Three input channels are red, green and blue; of any other number the mean is shown.
    """
    planes = np.moveaxis(np.asarray(weights, dtype=np.float32), 1, -1)  # (out, kh, kw, in)
    if planes.shape[-1] != 3:
        planes = planes.mean(axis=-1)  # (out, kh, kw)
    reach = np.abs(planes).max(axis=tuple(range(1, planes.ndim)), keepdims=True)
    scaled = planes / np.maximum(reach, np.finfo(np.float32).tiny)  # [-1, 1]
    images = np.rint(127.5 + 127.5 * scaled).astype(np.uint8)
    return Grid(images, columns=math.ceil(math.sqrt(2 * len(images))))  # twice as wide as high


def feature_maps(layers: Mapping[str, np.ndarray]) -> Grid:
    """Show what layers make of a picture: maps (C, H, W) by name, a sheet for each layer.

    Of each the channels with the highest mean, the highest first. Zero is black, or what is lowest
    if there is less; each map has its own white.
    """
    strongest = {name: maps[np.argsort(-maps.mean((1, 2)), kind="stable")[:MAPS]]
              for name, maps in layers.items()}  # fmt: skip
    captions = [
        f"{name}: {_count(len(strongest[name]), len(maps))}, {maps.shape[1]} x {maps.shape[2]}"
        for name, maps in layers.items()
    ]
    sheets = [tile_images(_grey_levels(maps)) for maps in strongest.values()]
    return Grid(sheets, captions, columns=2)


def _count(count: int, total: int) -> str:
    return f"the {count} most active of {total} maps" if count < total else f"{total} maps"


def _grey_levels(maps: np.ndarray) -> np.ndarray:
    """Maps (N, H, W) as grey levels, uint8; one that is the same all over is black."""
    low = np.minimum(maps.min((1, 2), keepdims=True), 0)
    reach = maps.max((1, 2), keepdims=True) - low
    reach[np.ptp(maps, axis=(1, 2)) == 0] = np.inf
    return np.rint(255 * (maps - low) / reach).astype(np.uint8)


def tile_images(images: Images, columns: int = ACROSS, tile: int = MAP) -> np.ndarray:
    """Pictures of one size as one picture (H, W, 3), enlarged to about `tile` pixels each."""
    sheet = _make_sheet(images, columns, tile)
    return np.where(sheet[:, :, 3:], sheet[:, :, :3], np.uint8(255))


def draw_captioned(grid: Grid) -> bytes:
    """Draw the pictures of a grid as they are as one PNG, one below the other under its caption."""
    from PIL import Image, ImageDraw

    images = [_rgba(image)[:, :, :3] for image in grid.images]
    height = sum(image.shape[0] + LINE + GAP for image in images)
    width = max(image.shape[1] for image in images)
    sheet = Image.new("RGB", (width + 2 * GAP, height), "white")
    write, y = ImageDraw.Draw(sheet), 0
    for image, caption in zip(images, grid.captions, strict=True):
        write.text((GAP, y + LINE / 2), caption, "black", anchor="lm", font_size=LINE / 2)
        sheet.paste(Image.fromarray(image), (GAP, y + LINE))
        y += LINE + image.shape[0] + GAP
    sheet.save(file := io.BytesIO(), "PNG")
    return file.getvalue()


def png(grid: Grid, tile: int = TILE) -> bytes:
    """Draw all pictures of a grid as one PNG; small ones are enlarged to about `tile` pixels."""
    from PIL import Image

    sheet = Image.fromarray(_make_sheet(grid.images, grid.columns, tile))
    sheet.save(file := io.BytesIO(), "PNG")
    return file.getvalue()


def _make_sheet(images: Images, columns: int, tile: int) -> np.ndarray:
    """Pictures side by side as one (H, W, 4), enlarged to about `tile` pixels; gaps are clear."""
    images = [_rgba(image) for image in images]
    height, width = (max(image.shape[axis] for image in images) for axis in (0, 1))
    scale = max(1, tile // max(height, width))
    down, across = scale * height + GAP, scale * width + GAP
    columns = min(columns, len(images))
    rows = math.ceil(len(images) / columns)
    sheet = np.zeros((rows * down - GAP, columns * across - GAP, 4), dtype=np.uint8)
    for i, image in enumerate(images):
        y, x = i // columns * down, i % columns * across
        large = image.repeat(scale, axis=0).repeat(scale, axis=1)
        sheet[y : y + large.shape[0], x : x + large.shape[1]] = large
    return sheet


def _rgba(image: np.ndarray) -> np.ndarray:
    """(H, W), (H, W, 1) or (H, W, 3) -> (H, W, 4), opaque; the gaps of a sheet stay clear."""
    colours = np.broadcast_to(np.atleast_3d(image), (*image.shape[:2], 3))
    return np.dstack([colours, np.full(image.shape[:2], 255, dtype=np.uint8)])


def wav(wave: np.ndarray, rate: int) -> bytes:
    """A wave (T,) in [-1, 1] as a WAV file: 16 bits, one channel; what is louder is clipped.

    Raises:
        ValueError: a value is not finite.
    """
    wave = np.asarray(wave, dtype=np.float64)
    if not np.isfinite(wave).all():
        raise ValueError("the wave has values that are not finite: a sound needs them in [-1, 1]")
    steps = np.rint(32767 * wave.clip(-1, 1)).astype("<i2")
    with Wave_write(file := io.BytesIO()) as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(steps.tobytes())
    return file.getvalue()
