"""Raw picture -> tensor and back. What is here travels with a model's weights.

Imports neither Lightning nor `datasets`, so that a loaded model needs neither to read a picture.
"""

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

MAX_PIXELS = 25_000_000
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")


class ImageInput:
    """Pictures of any size and mode as a normalised batch.

    Args:
        image_size: side of the square that each picture is brought to, in pixels.
        channels: 1 (grey) or 3 (red, green, blue).
        mean, std: per channel, of pixels in [0, 1].
    """

    def __init__(self, *, image_size: int, channels: int, mean: list[float], std: list[float]) -> None:
        self.image_size, self.channels = image_size, channels
        self.mean, self.std = mean, std

    @classmethod
    def fit(cls, pixels: np.ndarray) -> "ImageInput":
        """Take size, mean and deviation from training pixels (N, H, W, C), uint8."""
        levels = np.arange(256) / 255
        counts = [np.bincount(pixels[..., c].ravel(), minlength=256) for c in range(pixels.shape[3])]
        shares = np.stack(counts) / np.sum(counts[0])  # (C, 256): no copy of the pixels as floats
        mean = shares @ levels
        std = np.sqrt(np.maximum(shares @ levels**2 - mean**2, 0))
        std[std < 1e-6] = 1.0  # a constant channel stays finite
        return cls(
            image_size=pixels.shape[1],
            channels=pixels.shape[3],
            mean=[round(float(m), 6) for m in mean],
            std=[round(float(s), 6) for s in std],
        )

    def config(self) -> dict[str, Any]:
        """What rebuilds this input, as a plain dict."""
        return {"_target_": f"{type(self).__module__}.{type(self).__name__}", **vars(self)}

    def __call__(self, raws: Any) -> Tensor:
        """Map pictures (path, bytes, PIL image or array, or a list of them) to (B, C, H, W)."""
        many = raws if isinstance(raws, Sequence) and not isinstance(raws, str | bytes) else [raws]
        pixels = np.stack([self.decode(raw) for raw in many])
        return self.normalise(self.scale(torch.from_numpy(pixels)))

    def decode(self, raw: Any) -> np.ndarray:
        """Map one raw picture to pixels (H, W, C), uint8."""
        return decode(raw, self.image_size, self.channels)

    def scale(self, pixels: Tensor) -> Tensor:
        """Map pixels (B, H, W, C), uint8, to images (B, C, H, W) in [0, 1], channels last in memory."""
        return pixels.permute(0, 3, 1, 2).float().div_(255)

    def normalise(self, images: Tensor) -> Tensor:
        """Subtract the mean and divide by the deviation; (B, C, H, W)."""
        mean = torch.tensor(self.mean, device=images.device).view(1, -1, 1, 1)
        std = torch.tensor(self.std, device=images.device).view(1, -1, 1, 1)
        return (images - mean) / std

    def restore(self, images: Tensor) -> np.ndarray:
        """Map a normalised batch (B, C, H, W) back to pixels (B, H, W, C), uint8."""
        mean = torch.tensor(self.mean, device=images.device).view(1, -1, 1, 1)
        std = torch.tensor(self.std, device=images.device).view(1, -1, 1, 1)
        pixels = (images.float() * std + mean).mul(255).round().clamp(0, 255).byte()
        return pixels.permute(0, 2, 3, 1).cpu().numpy()


def decode(raw: Any, image_size: int, channels: int) -> np.ndarray:
    """Map one raw picture to pixels (image_size, image_size, channels), uint8.

    It is turned as its EXIF data say, laid on white where it is transparent, cropped to a square
    about its centre and resized; only the first frame of an animation is taken.

    Raises:
        ValueError: not a picture, damaged, or of more than 25 megapixels; the message names it.
    """
    from PIL import Image, ImageOps

    if isinstance(raw, np.ndarray) and raw.dtype == np.uint8 and raw.shape[:2] == (image_size, image_size):
        if raw.ndim == 2 and channels == 1:
            return raw[:, :, None]
        if raw.shape[2:] == (channels,):
            return raw
    picture = open_picture(raw)
    try:
        picture = _eight_bit(ImageOps.exif_transpose(picture))
        picture = picture.convert("L" if channels == 1 else "RGB")
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"{_name(raw)} is damaged: {error}") from error
    if picture.size != (image_size, image_size):
        picture = ImageOps.fit(picture, (image_size, image_size), Image.Resampling.BILINEAR)
    return np.asarray(picture, np.uint8).reshape(image_size, image_size, channels)


def open_picture(raw: Any) -> Any:
    """Open a picture without decoding it; its size is read from the header and checked.

    Args:
        raw: a path, bytes, a PIL image, or an array or tensor of (H, W), (H, W, C) or (C, H, W).

    Raises:
        ValueError: not a picture, or of more than 25 megapixels.
    """
    from PIL import Image

    if isinstance(raw, Image.Image):
        return raw
    if isinstance(raw, np.ndarray | Tensor):
        return Image.fromarray(_pixels(np.asarray(raw)))
    file = io.BytesIO(raw) if isinstance(raw, bytes) else raw
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is lower
            picture = Image.open(file, formats=FORMATS)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{_name(raw)}: there is no such picture") from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"{_name(raw)} is too large: {error}") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"{_name(raw)} is no picture that can be read ({', '.join(FORMATS)})") from error
    if picture.width * picture.height > MAX_PIXELS:
        size = f"{picture.width} x {picture.height}"
        raise ValueError(f"{_name(raw)} is {size} pixels: at most {MAX_PIXELS:,} are read; make it smaller")
    return picture


def _name(raw: Any) -> str:
    """What to call a raw picture in a message."""
    return str(raw) if isinstance(raw, str | Path) else f"a picture of {len(raw):,} bytes"


def _eight_bit(picture: Any) -> Any:
    """Bring 16-bit grey to 8 bits and lay transparent pictures on white."""
    from PIL import Image

    if picture.mode.startswith("I"):  # 16 bits a pixel
        return Image.fromarray((np.asarray(picture).clip(0, 65535) // 257).astype(np.uint8))
    if picture.mode in ("LA", "PA", "RGBA", "RGBa") or "transparency" in picture.info:
        over = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    return picture


def _pixels(array: np.ndarray) -> np.ndarray:
    """An array of one picture as (H, W) or (H, W, C), uint8.

    Raises:
        ValueError: another layout, naming the axis, or floats outside [0, 1].
    """
    if array.ndim == 3 and array.shape[2] not in (1, 3, 4) and array.shape[0] in (1, 3, 4):
        array = array.transpose(1, 2, 0)
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise ValueError(
            f"a picture has the shape {array.shape}: (H, W), (H, W, C) or (C, H, W) is wanted, "
            "with 1, 3 or 4 channels on the last or first axis"
        )
    if array.dtype != np.uint8:
        if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
            raise ValueError(f"pixels of type {array.dtype} must lie in [0, 1], or be uint8 in 0..255")
        array = (array * 255).round().astype(np.uint8)
    return array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array
