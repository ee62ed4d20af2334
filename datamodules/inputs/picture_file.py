"""A picture as a file, bytes, a PIL image or an array -> pixels."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

MAX_PIXELS = 25_000_000
SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}
)
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")


def decode(raw: Any, image_size: int, channels: int) -> np.ndarray:
    """Map one raw picture to pixels (image_size, image_size, channels), uint8.

    It is turned as its EXIF data say, laid on white where it is transparent, cropped to a square
    about its centre and resized; only the first frame of an animation is taken.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: not a picture, damaged, or of more than 25 megapixels; the message names it.
    """
    from PIL import Image, ImageOps

    size = (image_size, image_size)
    ready = isinstance(raw, np.ndarray) and raw.dtype == np.uint8 and raw.shape[:2] == size
    if ready and raw.size == image_size**2 * channels:
        return raw.reshape(*size, channels)
    with open_picture(raw) as original:
        picture = eight_bit(ImageOps.exif_transpose(original))
        picture = picture.convert("L" if channels == 1 else "RGB")
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


@contextmanager
def open_picture(raw: Any) -> Iterator[Any]:
    """Open a picture without decoding it; its size is read from the header and checked.

    Args:
        raw: a path, bytes, a PIL image, or an array or tensor of (H, W), (H, W, C) or (C, H, W).

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: not a picture, of more than 25 megapixels, or found damaged inside the `with`.
    """
    from PIL import Image, UnidentifiedImageError

    name = str(raw) if isinstance(raw, str | Path) else f"a picture ({type(raw).__name__})"
    array = isinstance(raw, np.ndarray | Tensor)
    image = Image.fromarray(_pixels(np.asarray(raw))) if array else raw
    try:
        if isinstance(image, Image.Image):
            yield image
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our limit is lower
            file = Image.open(io.BytesIO(raw) if isinstance(raw, bytes) else raw, formats=FORMATS)
        with file as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise Image.DecompressionBombError(f"{picture.width} x {picture.height} pixels")
            yield picture
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{name}: there is no such picture") from error
    except UnidentifiedImageError as error:
        raise ValueError(f"{name} is no picture of a known kind ({', '.join(FORMATS)})") from error
    except Image.DecompressionBombError as error:
        raise ValueError(
            f"{name} is too large ({error}): at most {MAX_PIXELS:,} are read"
        ) from error
    except Exception as error:  # Pillow raises a dozen kinds for damaged files
        raise ValueError(f"{name} is damaged: {error}") from error


def eight_bit(picture: Any) -> Any:
    """Bring 16-bit grey to 8 bits and lay transparent pictures on white."""
    from PIL import Image

    if picture.mode.startswith("I"):  # 16 bits a pixel
        return Image.fromarray((np.asarray(picture).clip(0, 65535) // 257).astype(np.uint8))
    if picture.mode in ("LA", "PA", "RGBA", "RGBa") or "transparency" in picture.info:
        over = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    return picture


def _pixels(array: np.ndarray) -> np.ndarray:
    """An array of one picture as (H, W) or (H, W, C), uint8."""
    if array.ndim == 3 and array.shape[2] not in (1, 3, 4) and array.shape[0] in (1, 3, 4):
        array = array.transpose(1, 2, 0)
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise ValueError(
            f"a picture has the shape {array.shape}: (H, W), (H, W, C) or (C, H, W) is wanted, "
            "with 1, 3 or 4 channels on the last or first axis"
        )
    if array.dtype != np.uint8:
        if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
            raise ValueError(f"pixels of type {array.dtype} must lie in [0, 1], or be uint8")
        array = (array * 255).round().astype(np.uint8)
    return array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array
