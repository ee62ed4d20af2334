"""What a model can show: pictures as plain data.

A model's `figures` returns {title: picture}; the report and the commands draw
these few kinds, so that a model file holds no drawing code.

Shapes: N samples, C classes; pictures (H, W) grey or (H, W, 3) RGB, uint8;
clips (T, H, W, 1 or 3), uint8; waves (T,), float in [-1, 1]; filters (out, in, kh, kw).
"""

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from wave import Wave_write

import numpy as np

Images = Sequence[np.ndarray] | np.ndarray
Samples = Sequence[np.ndarray] | Sequence[str] | np.ndarray  # raw, all of one kind

LINE = 28  # pixels of the line that a caption has
GAP = 4  # pixels between the pictures of a sheet
TILE = 96  # pixels, about, of a small picture once enlarged
WORST = 24  # mistakes shown as pictures
WORST_TEXTS = 12
WORST_ROWS = 8  # of clips and of sounds, which take a row each
MAP = 64  # pixels, about, of a feature map once enlarged
MAPS = 16  # of a layer
ACROSS = 8  # of them in a row
TEXT = 200  # characters, about, that are shown of a text


@dataclass(frozen=True)
class Grid:
    """Pictures side by side; captions are one for each picture, or none at all."""

    images: Images
    captions: Sequence[str] = ()
    columns: int = 8


@dataclass(frozen=True)
class Strip:
    """Clips (T, H, W, 1 or 3), each a row of its frames; `rate` in frames per second, 0: unknown.

    Captions are one for each clip, or none at all; so they are in Text and Audio.
    """

    clips: Images
    captions: Sequence[str] = ()
    rate: float = 0


@dataclass(frozen=True)
class Text:
    """Passages as they stand, with their spaces and line ends."""

    passages: Sequence[str]
    captions: Sequence[str] = ()


@dataclass(frozen=True)
class Tinted:
    """Passages word by word, each word with a weight: for something above zero, against it below.

    Captions are one for each passage, or none at all.
    """

    passages: Sequence[Sequence[tuple[str, float]]]
    captions: Sequence[str] = ()
    legend: str = ""


@dataclass(frozen=True)
class Audio:
    """Sounds to be heard: waves (T,) in [-1, 1], all at `rate` samples per second."""

    waves: Images
    rate: int
    captions: Sequence[str] = ()


@dataclass(frozen=True)
class Bars:
    """A bar for each name, from zero to its value, which may be negative."""

    names: Sequence[str]
    values: Sequence[float]
    y_label: str = ""


@dataclass(frozen=True)
class Curve:
    """Named lines in one pair of axes, each of them (x values, y values).

    Bands are (lowest, highest) for each x value of the line of that name; not each needs one. With
    `log_x` equal ratios of x are equally far apart, and what is not above zero is left out.
    """

    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]]
    x_label: str
    y_label: str
    bands: Mapping[str, tuple[Sequence[float], Sequence[float]]] = field(default_factory=dict)
    log_x: bool = False


@dataclass(frozen=True)
class Scatter:
    """Names at places (P, 2) of a plane, of which only the distances mean something.

    Lines join pairs of names, by their row. Groups, one for each name or none at all, have a
    colour each. The first names are the most important: where there is no room for all, the last
    ones are dots alone.
    """

    points: np.ndarray
    names: Sequence[str]
    lines: Sequence[tuple[int, int]] = ()
    groups: Sequence[str] = ()


@dataclass(frozen=True)
class Table:
    """Cells as they shall be read; columns of numbers are aligned where they are drawn."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Confusion:
    """Counts (C, C): row = the truth, column = the answer."""

    matrix: np.ndarray
    classes: Sequence[str]


Picture = Grid | Strip | Text | Tinted | Audio | Bars | Curve | Scatter | Table | Confusion


def classification(
    probabilities: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
    shown: Samples | None = None,
    rate: int = 0,
) -> dict[str, Picture]:
    """Show how a classifier answers, from probabilities (N, C) and labels (N,).

    Args:
        shown: the N raw samples: pictures, texts, clips or waves; without them no mistakes.
        rate: frames per second of clips (0: unknown), samples per second of waves.
    """
    probabilities, labels = np.asarray(probabilities), np.asarray(labels)
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(counts, (labels, probabilities.argmax(axis=1)), 1)
    pictures: dict[str, Picture] = {
        "Confusion matrix": Confusion(counts, classes),
        "Per class": _per_class(counts, classes),
    }
    if shown is not None and np.trace(counts) < len(labels):
        worst, said = _worst_mistakes(probabilities, labels, classes)
        pictures["Worst mistakes"] = _samples([shown[i] for i in worst], said, rate)
    return pictures


def answered(
    samples: Sequence[Any], truths: Sequence[str], answers: Sequence[Mapping[str, Any]], rate: float
) -> Picture:
    """Raw samples of one kind, the truth beside what a classifier answered."""
    said = [
        (truth, one["label"], f"{100 * one['probability']:.0f} %")
        for truth, one in zip(truths, answers, strict=True)
    ]
    return _samples(samples, said, rate, "{}, answered {} ({} sure)", columns=4)


def regression(
    values: np.ndarray,
    targets: np.ndarray,
    unit: str,
    mean: float,
    shown: Images | None = None,
) -> dict[str, Picture]:
    """Show how a model answers that gives values (N,), beside the truths (N,) in the same unit.

    Args:
        mean: of the training targets: what would be answered without looking.
        shown: the N pictures; without them no mistakes.
    """
    errors, order = np.abs(values - targets), np.argsort(targets, kind="stable")
    ends = [float(targets.min()), float(targets.max())]
    answers = targets[order].tolist(), values[order].tolist()
    found: dict[str, Picture] = {
        "Answers beside the truth": Curve(
            {"answered": answers, "right": (ends, ends)}, f"truth, {unit}", f"answer, {unit}"
        ),
        "Errors": _errors({"always the mean": np.abs(targets - mean), "answered": errors}, unit),
    }
    if shown is not None:
        worst = np.argsort(-errors, kind="stable")[:WORST]
        said = [f"{targets[i]:.0f} {unit} taken for {values[i]:.0f}" for i in worst]
        found["Worst mistakes"] = Grid([shown[i] for i in worst], said)
    return found


def _errors(errors: Mapping[str, np.ndarray], unit: str) -> Table:
    """Of each name's absolute errors (N,) the mean, the median, what 90 % stay below, the most."""
    rows = [
        (name, *(f"{value:.2f}" for value in (e.mean(), *np.quantile(e, [0.5, 0.9, 1.0]))))
        for name, e in errors.items()
    ]
    return Table((f"error, {unit}", "mean", "median", "90 % below", "largest"), rows)


def _per_class(counts: np.ndarray, classes: Sequence[str]) -> Table:
    right, truths, answers = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    rows = [
        (name, str(n), _percent(hit, a), _percent(hit, n), _percent(2 * hit, n + a))
        for name, hit, n, a in zip(classes, right, truths, answers, strict=True)
    ]
    return Table(("class", "samples", "precision %", "recall %", "F1 %"), rows)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "-"  # 0/0: never asked, or never answered


def _worst_mistakes(
    probabilities: np.ndarray, labels: np.ndarray, classes: Sequence[str]
) -> tuple[np.ndarray, list[tuple[str, str, str]]]:
    """Which samples were mistaken, the surest first; and for each (truth, answer, sure)."""
    answers, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(answers != labels)
    worst = wrong[np.argsort(-sure[wrong], kind="stable")][:WORST]
    said = [(classes[labels[i]], classes[answers[i]], f"{100 * sure[i]:.0f} %") for i in worst]
    return worst, said


def _samples(
    samples: Sequence[Any],
    said: Sequence[tuple[str, str, str]],
    rate: float,
    caption: str = "{} taken for {} ({} sure)",
    columns: int = 8,
) -> Picture:
    """The picture for samples of one kind, each with its (truth, answer, sure)."""
    if isinstance(samples[0], str):
        rows = [(*words, _cut(text)) for words, text in zip(said, samples, strict=True)]
        return Table(("truth", "answer", "sure", "text"), rows[:WORST_TEXTS])
    captions = [caption.format(*words) for words in said]
    if samples[0].ndim == 4:
        return Strip(samples[:WORST_ROWS], captions[:WORST_ROWS], rate)
    if samples[0].ndim == 1:
        return Audio(samples[:WORST_ROWS], int(rate), captions[:WORST_ROWS])
    return Grid(samples, captions, columns)


def _cut(text: str) -> str:
    return text if len(text) <= TEXT else text[: TEXT - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


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
    chosen = {name: maps[np.argsort(-maps.mean((1, 2)), kind="stable")[:MAPS]]
              for name, maps in layers.items()}  # fmt: skip
    captions = [
        f"{name}: {_of(len(chosen[name]), len(maps))}, {maps.shape[1]} x {maps.shape[2]}"
        for name, maps in layers.items()
    ]
    return Grid([tiled(_levels(maps)) for maps in chosen.values()], captions, columns=2)


def _of(shown: int, whole: int) -> str:
    return f"the {shown} most active of {whole} maps" if shown < whole else f"{whole} maps"


def _levels(maps: np.ndarray) -> np.ndarray:
    """Maps (N, H, W) as grey levels, uint8; one that is the same all over is black."""
    low = np.minimum(maps.min((1, 2), keepdims=True), 0)
    reach = maps.max((1, 2), keepdims=True) - low
    reach[np.ptp(maps, axis=(1, 2)) == 0] = np.inf
    return np.rint(255 * (maps - low) / reach).astype(np.uint8)


def tiled(images: Images, columns: int = ACROSS, tile: int = MAP) -> np.ndarray:
    """Pictures of one size as one picture (H, W, 3), enlarged to about `tile` pixels each."""
    sheet = _sheet(images, columns, tile)
    return np.where(sheet[:, :, 3:], sheet[:, :, :3], np.uint8(255))


def labelled(grid: Grid) -> bytes:
    """Draw the pictures of a grid as they are as one PNG, one below the other under its caption."""
    from PIL import Image, ImageDraw

    images = [_rgba(image)[:, :, :3] for image in grid.images]
    height = sum(image.shape[0] + LINE + GAP for image in images)
    width = max(image.shape[1] for image in images)
    whole = Image.new("RGB", (width + 2 * GAP, height), "white")
    write, y = ImageDraw.Draw(whole), 0
    for image, caption in zip(images, grid.captions, strict=True):
        write.text((GAP, y + LINE / 2), caption, "black", anchor="lm", font_size=LINE / 2)
        whole.paste(Image.fromarray(image), (GAP, y + LINE))
        y += LINE + image.shape[0] + GAP
    whole.save(file := io.BytesIO(), "PNG", optimize=True)
    return file.getvalue()


def png(grid: Grid, tile: int = TILE) -> bytes:
    """Draw all pictures of a grid as one PNG; small ones are enlarged to about `tile` pixels."""
    from PIL import Image

    Image.fromarray(_sheet(grid.images, grid.columns, tile)).save(
        file := io.BytesIO(), "PNG", optimize=True
    )
    return file.getvalue()


def _sheet(images: Images, columns: int, tile: int) -> np.ndarray:
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
