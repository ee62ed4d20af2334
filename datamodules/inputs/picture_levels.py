"""A picture of any mode -> 8 bits a channel, upright, on white.

Pillow cuts what has more bits than it shows: floats become black, and 12 bits in 16 nearly so. So
grey is scaled here, each file by itself and everywhere by the same rule:

- where a TIFF states SMinSampleValue and SMaxSampleValue, from the one to the other;
- whole numbers by the fewest of 8, 12 and 16 bits that hold the largest of them;
- floats as they are, which must lie in [0, 1].
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from datamodules.inputs.file_errors import Defect

PHOTOMETRIC, BITS, LOWEST, HIGHEST = 262, 258, 340, 341  # tags of TIFF 6.0
TWELVE, SIXTEEN = 4095, 65535
ALPHA = ("LA", "PA", "RGBA", "RGBa")
OUTSIDE = "is wanted, or the tags SMinSampleValue and SMaxSampleValue"


@dataclass(frozen=True)
class Levels:
    """What a file says of its numbers."""

    limits: tuple[float, float] | None  # what is black and what is white
    top: int | None  # the largest of whole numbers
    white_is_zero: bool
    sixteen_bits: bool  # a channel


def upright(original: Any) -> Any:
    """A PIL image turned as its EXIF data say, of 8 bits a channel, laid on white.

    Raises:
        Defect: its numbers are not finite, or nothing says which of them is white.
    """
    from PIL import Image, ImageOps

    levels = _levels(original)
    picture = ImageOps.exif_transpose(original)  # a copy, without tags
    if picture.mode[0] in "IF":  # I;16, I;16B, ..., I, F
        return Image.fromarray(_grey(picture, levels))
    if levels.sixteen_bits:
        _check_colours(picture)
    if picture.mode == "LAB":
        return _lab_to_rgb(picture)
    if picture.mode == "La":
        picture = picture.convert("LA")
    if picture.mode in ALPHA or "transparency" in picture.info:
        over = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    return picture


def _levels(original: Any) -> Levels:
    """What stands in the header of a picture that is not decoded yet."""
    tags, tile = getattr(original, "tag_v2", {}), str(getattr(original, "tile", ""))
    lowest, highest = (np.ravel(tags.get(tag, np.nan))[0] for tag in (LOWEST, HIGHEST))
    top = TWELVE if tags.get(BITS, ())[:1] == (12,) else None
    if original.format == "PPM" and ";16" not in tile:
        top = SIXTEEN  # Pillow has scaled it by the largest value that the file states
    return Levels(
        limits=(lowest, highest) if -np.inf < lowest < highest < np.inf else None,
        top=top,
        white_is_zero=tags.get(PHOTOMETRIC) == 0,
        sixteen_bits=";16" in tile,
    )


def _grey(picture: Any, levels: Levels) -> np.ndarray:
    """The pixels (H, W), uint8, of grey with more than 8 bits."""
    values = np.asarray(picture)
    if not np.isfinite(values).all():
        raise Defect("has values that are not finite")
    if levels.limits:
        low, high = levels.limits
        pixels = _bytes((values.astype(np.float32) - low) / (high - low))
    elif picture.mode == "F":
        _check_range(values, 1, f"floats: [0, 1] {OUTSIDE}")
        pixels = _bytes(values)
    else:
        _check_range(values, SIXTEEN, f"whole numbers: [0, {SIXTEEN}] {OUTSIDE}")
        top = levels.top or next(top for top in (255, TWELVE, SIXTEEN) if values.max() <= top)
        pixels = (values.astype(np.uint32) * 255 // top).clip(0, 255).astype(np.uint8)
    pixels = 255 - pixels if levels.white_is_zero else pixels
    if "transparency" in picture.info:
        pixels = np.where(values == picture.info["transparency"], 255, pixels).astype(np.uint8)
    return pixels


def _bytes(values: np.ndarray) -> np.ndarray:
    """Floats, clipped to [0, 1], as uint8."""
    return (values.clip(0, 1) * 255).round().astype(np.uint8)


def _check_range(values: np.ndarray, top: int, rule: str) -> None:
    if values.min() < 0 or values.max() > top:
        raise Defect(f"reaches from {values.min():g} to {values.max():g} in {rule}")


def _check_colours(picture: Any) -> None:
    """Refuse 16 bits a colour of which the upper 8, which Pillow keeps, hold nothing.

    Of a colour that stands for transparent the upper 8 bits are kept, too.
    """
    if picture.mode in ("RGB", "RGBA") and max(top for _, top in picture.getextrema()[:3]) < 16:
        raise Defect(
            f"has 16 bits a colour and none above {TWELVE}, of which Pillow keeps next to "
            "nothing: save it with 8 bits a colour"
        )
    if isinstance(clear := picture.info.get("transparency"), tuple):
        picture.info["transparency"] = tuple(value >> 8 for value in clear)


def _lab_to_rgb(picture: Any) -> Any:
    """CIE L*a*b*, white D50, in sRGB."""
    from PIL import ImageCms

    lab, rgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.profileToProfile(picture, lab, rgb, outputMode="RGB")
