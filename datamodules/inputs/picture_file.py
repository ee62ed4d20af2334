"""A picture as a file, bytes, a PIL image or an array -> pixels."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from torch import Tensor

from datamodules.inputs.file_errors import Defect, name_of, named_errors, open_raw
from datamodules.inputs.picture_levels import upright

SUFFIXES = frozenset({
    ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".bmp", ".gif", ".webp", ".tif",
    ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".avif", ".jp2", ".j2k", ".jpf", ".jpx",
    ".heic", ".heif",
})  # fmt: skip
# Of what Pillow opens: not what starts programs (EPS, WMF), holds other files (ICO, ICNS), or has
# no mark to know it by (TGA). HEIF is there where the package pillow-heif has registered it.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM", "AVIF", "JPEG2000", "HEIF")
PAGED = frozenset({".tif", ".tiff", ".gif", ".webp", ".apng", ".avif"})  # may have several pages
MEGAPIXELS = "ZOO_MAX_MEGAPIXELS"
LARGE = 25_000_000  # pixels; a larger JPEG is decoded at a half, a quarter or an eighth
OPENING = Lock()  # Pillow's own limit of pixels is one for all threads
HEIC = (b"ftypheic", b"ftypheix", b"ftyphevc", b"ftypmif1", b"ftypmsf1")


def decode(raw: Any, image_size: int, channels: int) -> np.ndarray:
    """Map one raw picture to pixels (image_size, image_size, channels), uint8.

    It is turned as its EXIF data say, laid on white where it is transparent, cropped to a square
    about its centre and resized; only the first frame or page is taken.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: not a picture, damaged, or too large (`max_pixels`); the message names it.
    """
    from PIL import Image, ImageOps

    size = (image_size, image_size)
    ready = isinstance(raw, np.ndarray) and raw.dtype == np.uint8 and raw.shape[:2] == size
    if ready and raw.size == image_size**2 * channels:
        return raw.reshape(*size, channels)
    with open_picture(raw) as original:
        picture = upright(original).convert("L" if channels == 1 else "RGB")
        if picture.size != size:
            picture = ImageOps.fit(picture, size, Image.Resampling.BILINEAR)
        return np.asarray(picture, np.uint8).reshape(*size, channels)


def recognises(path: Path) -> bool:
    """Whether a file is a picture by what is in it, whatever its ending; nothing is decoded."""
    try:
        with open_picture(path):
            return True
    except (ValueError, OSError):
        return False


def has_pages(path: Path) -> bool:
    """Whether a file has several pages or frames, of which the first alone is read."""
    try:
        with open_picture(path) as picture:
            return bool(getattr(picture, "is_animated", False))
    except (ValueError, OSError):
        return False


def max_pixels() -> int:
    """The most that a picture may have: 25 million, or $ZOO_MAX_MEGAPIXELS million.

    Raises:
        ValueError: the variable is no positive number.
    """
    text = os.environ.get(MEGAPIXELS)
    if text is None:
        return LARGE
    try:
        pixels = int(float(text) * 1e6)
    except (ValueError, OverflowError):
        pixels = 0
    if pixels < 1:
        raise ValueError(f"{MEGAPIXELS} is {text!r}: a positive number is wanted, such as 100")
    return pixels


@contextmanager
def open_picture(raw: Any) -> Iterator[Any]:
    """Open a picture without decoding it; its size is read from the header and checked.

    Args:
        raw: a path, bytes, a PIL image, or an array or tensor of (H, W), (H, W, C) or (C, H, W).

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: not a picture, too large (`max_pixels`), or found damaged inside the `with`.
    """
    from PIL import Image

    with named_errors(name_of(raw, "picture"), "picture", "is damaged"):
        array = isinstance(raw, np.ndarray | Tensor)
        image = Image.fromarray(_pixels(np.asarray(raw))) if array else raw
        if isinstance(image, Image.Image):
            if not image.width * image.height:
                raise Defect(f"has no pixels: {image.width} x {image.height}")
            yield image
            return
        with open_raw(raw, "picture") as file, open_file(file) as picture:
            _shrink(picture)
            yield picture


def check_size(picture: Any) -> None:
    """Refuse what has more than `max_pixels`: a PIL image, or a frame of a video.

    A JPEG that is to be decoded small may have 16 times as many; a progressive one, whose
    coefficients are held in full, four times as many.

    Raises:
        Defect: it is too large.
    """
    width, height, most = picture.width, picture.height, max_pixels()
    if _is_jpeg(picture):
        most *= 4 if picture.info.get("progressive") else 16
    if width * height > most:
        raise Defect(
            f"is too large ({width} x {height} pixels): at most {most:,} are read; scale it down, "
            f"or set {MEGAPIXELS} to more than {max_pixels() / 1e6:g}"
        )


def _is_jpeg(picture: Any) -> bool:
    return getattr(picture.format, "upper", str)() in ("JPEG", "MPO")


def _shrink(picture: Any) -> None:
    """Have a JPEG above 25 megapixels decoded at a half, a quarter or an eighth."""
    pixels = picture.width * picture.height
    if _is_jpeg(picture) and pixels > LARGE:
        by = next((by for by in (2, 4) if pixels <= by * by * LARGE), 8)
        picture.draft(None, (picture.width // by, picture.height // by))


def open_file(file: Any) -> Any:
    """An open file as a PIL image, not decoded yet.

    Raises:
        Defect: it is of no kind that is read, or too large.
    """
    from PIL import Image, UnidentifiedImageError

    Image.init()
    formats = [name for name in FORMATS if name in Image.OPEN]
    with OPENING:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None  # ours is checked next
        try:
            picture = Image.open(file, formats=formats)
        except UnidentifiedImageError as error:
            raise Defect(_unknown(file, formats)) from error
        finally:
            Image.MAX_IMAGE_PIXELS = limit
    check_size(picture)
    return picture


def _unknown(file: Any, formats: list[str]) -> str:
    """Why Pillow knows no such picture."""
    from PIL import Image

    file.seek(0)
    start = file.read(16)
    if start[4:12] in HEIC:
        return (
            "is no picture that Pillow reads: HEIC, which needs the package pillow-heif, "
            "registered with Pillow; or save it as JPEG"
        )
    kind = [name for name in formats if (accept := Image.OPEN[name][1]) and accept(start)]
    if len(start) > 3 and kind:
        return f"is no picture that Pillow reads: {kind[0]} of a rare kind, or damaged"
    return f"is no picture of a known kind ({', '.join(formats)})"


def _pixels(array: np.ndarray) -> np.ndarray:
    """An array of one picture as (H, W) or (H, W, C), uint8."""
    if array.ndim == 3 and array.shape[2] not in (1, 3, 4) and array.shape[0] in (1, 3, 4):
        array = array.transpose(1, 2, 0)
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise Defect(
            f"has the shape {array.shape}: (H, W), (H, W, C) or (C, H, W) is wanted, "
            "with 1, 3 or 4 channels on the last or first axis"
        )
    if not array.size:
        raise Defect(f"has no pixels: its shape is {array.shape}")
    if array.dtype != np.uint8:
        if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
            raise Defect(f"has pixels of type {array.dtype}: they must lie in [0, 1], or be uint8")
        array = (array * 255).round().astype(np.uint8)
    return array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array
