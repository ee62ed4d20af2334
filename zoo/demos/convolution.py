"""Image filters: a small kernel slid over a picture, as convolutional layers do with learned ones.

Each result is the sum of the pixels under the kernel, weighted by its numbers. Layers, and the
functions here, lay the kernel on the pixels as it is written, which is cross-correlation;
convolution in the mathematical sense turns it by 180 degrees first.

Shapes: pictures (H, W, C) with C channels, each filtered by itself; N kernels (N, kh, kw) with odd
sides; results (H', W', C), where H' = H + 2 p - kh + 1 with p = (kh - 1) / 2 rows of zeros above
and below for the border `same`, and p = 0 for `valid`; columns alike.
"""

from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F

Border = Literal["same", "valid"]

KERNELS = {
    "emboss": [[[4, 0, 0], [0, 0, 0], [0, 0, -4]]],
    "blur": [[[0.04] * 5] * 5],  # the mean of 25 pixels
    "sharpen": [[[0, -1, 0], [-1, 5, -1], [0, -1, 0]]],
    "sobel": [  # the gradient's two parts: across and down
        [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
        [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
    ],
}
LARGEST = 1_000_000  # weight; sums of larger ones are of no use to a picture


def kernels(text: str) -> np.ndarray:
    """The kernels (N, kh, kw) of a name in KERNELS, or the one written as "4 0 0; 0 0 0; 0 0 -4".

    Raises:
        ValueError: neither, rows of unequal length, an even side, or a weight that is not finite.
    """
    if text in KERNELS:
        return np.array(KERNELS[text], np.float64)
    try:
        rows = [[float(number) for number in row.split()] for row in text.split(";")]
    except ValueError as error:
        raise ValueError(
            f"the kernel {text!r} is neither one of {', '.join(KERNELS)} nor rows of numbers "
            "divided by ';', such as '4 0 0; 0 0 0; 0 0 -4'"
        ) from error
    widths = [len(row) for row in rows]
    if len(set(widths)) > 1:
        lengths = ", ".join(map(str, widths))
        raise ValueError(
            f"the rows of the kernel {text!r} have {lengths} numbers: give each as many"
        )
    if len(rows) % 2 == 0 or widths[0] % 2 == 0:
        raise ValueError(
            f"the kernel {text!r} is {len(rows)} x {widths[0]}: both sides must be odd, so that "
            "one weight is in the middle"
        )
    kernel = np.array([rows])
    if not (np.abs(kernel) <= LARGEST).all():  # also of nan
        raise ValueError(f"the kernel {text!r} has a weight outside of -{LARGEST:,} to {LARGEST:,}")
    return kernel


def padding(kernel: np.ndarray, border: Border) -> tuple[int, int]:
    """Rows and columns of zeros on each side of a picture, for a kernel (..., kh, kw)."""
    height, width = kernel.shape[-2:]
    return (height // 2, width // 2) if border == "same" else (0, 0)


def result_size(size: tuple[int, int], kernel: np.ndarray, border: Border) -> tuple[int, int]:
    """Height and width of the result for a picture of height and width `size`.

    Raises:
        ValueError: the kernel is larger than the picture, and the border `valid`.
    """
    pads, sides = padding(kernel, border), kernel.shape[-2:]
    height, width = (n + 2 * p - k + 1 for n, p, k in zip(size, pads, sides, strict=True))
    if height < 1 or width < 1:
        raise ValueError(
            f"a kernel of {sides[0]} x {sides[1]} fits nowhere into a picture of {size[0]} x "
            f"{size[1]}: the border 'same' pads it with zeros"
        )
    return height, width


def responses(pixels: np.ndarray, kernels: np.ndarray, border: Border) -> np.ndarray:
    """Slide kernels (N, kh, kw) over pixels (H, W, C): weighted sums (N, H', W', C)."""
    result_size(pixels.shape[:2], kernels, border)
    planes = torch.from_numpy(pixels).double().permute(2, 0, 1)[:, None]  # (C, 1, H, W)
    sums = F.conv2d(planes, torch.from_numpy(kernels.copy())[:, None], padding=border)
    return sums.permute(1, 2, 3, 0).numpy()  # from (C, N, H', W')


def combine(responses: np.ndarray) -> np.ndarray:
    """What is shown of (N, ...): one kernel's response, or the magnitude of several."""
    return responses[0] if len(responses) == 1 else np.sqrt((responses**2).sum(axis=0))


def window(
    pixels: np.ndarray, kernel: np.ndarray, border: Border, at: tuple[int, int]
) -> np.ndarray:
    """The pixels (kh, kw, C) under a kernel whose middle lies at (row, column); zero outside.

    Raises:
        ValueError: outside of the picture, or too near its border for `valid`.
    """
    pads, sides = padding(kernel, "same"), kernel.shape[-2:]
    first = (0, 0) if border == "same" else pads
    last = [n - 1 - f for n, f in zip(pixels.shape, first, strict=False)]
    if not all(f <= i <= t for f, i, t in zip(first, at, last, strict=True)):
        raise ValueError(
            f"the kernel's middle does not come to {at[0]},{at[1]}: it goes over rows "
            f"{first[0]} to {last[0]} and columns {first[1]} to {last[1]}"
        )
    padded = np.pad(pixels, [(pad, pad) for pad in (*pads, 0)])
    return padded[at[0] : at[0] + sides[0], at[1] : at[1] + sides[1]]


def format_sum(kernel: np.ndarray, under: np.ndarray) -> tuple[list[str], float]:
    """The weighted sum of pixels (kh, kw) under a kernel (kh, kw): its lines as text, its value."""
    weights = [[f"{weight:g}" for weight in row] for row in kernel]
    wide = max(len(weight) for row in weights for weight in row)
    lines = [
        " + ".join(f"({w:>{wide}} x {p:>3})" for w, p in zip(*row, strict=True))
        for row in zip(weights, under.tolist(), strict=True)
    ]
    return lines, float((kernel * under).sum()) + 0.0  # + 0.0: no negative zero


def level_of_zero(kernels: np.ndarray) -> int:
    """The grey level that stands for a sum of zero: 128 for one kernel whose weights sum to zero.

    Half of the sums of such a kernel are negative. Others keep the brightness, and a magnitude is
    never negative: there zero is black.
    """
    balanced = abs(kernels.sum()) <= 1e-9 * np.abs(kernels).sum()
    return 128 if len(kernels) == 1 and balanced else 0


def to_grey_levels(sums: np.ndarray, kernels: np.ndarray) -> np.ndarray:
    """The combined sums of these kernels as grey levels, uint8, clipped to 0..255."""
    return np.rint(sums + level_of_zero(kernels)).clip(0, 255).astype(np.uint8)


def print_kernels(kernels: np.ndarray, flip: bool) -> None:
    """The weights, and how they are laid on the pixels."""
    laid = "turned by 180 degrees (convolution)" if flip else "as written (cross-correlation)"
    print(f"kernel    {kernels[0].size} weights, the same at every pixel, laid on it {laid}")
    for kernel in kernels:
        for row in kernel:
            print("         " + "".join(f" {weight:>5g}" for weight in row))
        print()


def print_size(size: tuple[int, int], kernels: np.ndarray, border: Border) -> None:
    """The size of the result, and how it comes about."""
    pads, sides = padding(kernels, border), kernels.shape[1:]
    height, width = result_size(size, kernels, border)
    sums = [f"({n} + 2 x {p} - {k} + 1)" for n, p, k in zip(size, pads, sides, strict=True)]
    how = "padded with zeros" if border == "same" else "skipped where the kernel does not fit"
    print(f"border    {border}, {how}: size + 2 x padding - kernel + 1 =")
    print(f"          {sums[0]} x {sums[1]} = {height} x {width} pixels, height x width")


def print_levels(sums: np.ndarray, kernels: np.ndarray) -> None:
    """How sums become grey levels."""
    zero = level_of_zero(kernels)
    outside = ((sums + zero < 0) | (sums + zero > 255)).mean()
    what = f"sum + {zero}, as the weights sum to zero" if zero else "sum"
    what = "magnitude of both sums" if len(kernels) > 1 else what
    print(f"shown     {what}; clipped to 0..255 ({outside:.1%} lie outside)")


def print_sum(colour: str, kernels: np.ndarray, under: np.ndarray) -> None:
    """The weighted sum of the pixels (kh, kw) under each kernel, and the level that is shown."""
    print(f"  {colour}")
    values = []
    for kernel in kernels:
        rows, value = format_sum(kernel, under)
        values.append(value)
        print("      " + "\n    + ".join(rows))
        print(f"    = {value:g}")
    total = combine(np.array(values))
    if len(values) > 1:
        squares = " + ".join(f"({value:g})^2" for value in values)
        print(f"    magnitude sqrt({squares}) = {total:.1f}")
    print(f"    shown as {to_grey_levels(total, kernels)}")
