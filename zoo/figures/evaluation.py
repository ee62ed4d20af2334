"""Pictures of a test: of a classifier's answers, of a regressor's."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zoo.figures.kinds import Audio, Confusion, Curve, Grid, Images, Picture, Samples, Strip, Table

WORST = 24  # mistakes shown as pictures
WORST_TEXTS = 12
WORST_ROWS = 8  # of clips and of sounds, which take a row each
TEXT = 200  # characters, about, that are shown of a text


def classification(
    probabilities: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
    samples: Samples | None = None,
    rate: int = 0,
) -> dict[str, Picture]:
    """Draw how well a classifier does, from probabilities (N, C) and labels (N,).

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
    if samples is not None and np.trace(counts) < len(labels):
        worst, descriptions = _worst_mistakes(probabilities, labels, classes)
        pictures["Worst mistakes"] = _draw_samples([samples[i] for i in worst], descriptions, rate)
    return pictures


def draw_answers(
    samples: Sequence[Any], truths: Sequence[str], answers: Sequence[Mapping[str, Any]],
    rate: float, columns: int = 4,
) -> Picture:  # fmt: skip
    """Raw samples of one kind, the truth beside what a classifier answered."""
    descriptions = [
        (truth, answer["label"], f"{100 * answer['probability']:.0f} %")
        for truth, answer in zip(truths, answers, strict=True)
    ]
    return _draw_samples(samples, descriptions, rate, "{}, answered {} ({} sure)", columns)


def regression(
    values: np.ndarray,
    targets: np.ndarray,
    unit: str,
    mean: float,
    images: Images | None = None,
) -> dict[str, Picture]:
    """Draw how well a regressor does, from values (N,) and the truths (N,) in the same unit.

    Args:
        mean: of the training targets: what would be answered without looking.
        shown: the N pictures; without them no mistakes.
    """
    errors, order = np.abs(values - targets), np.argsort(targets, kind="stable")
    ends = [float(targets.min()), float(targets.max())]
    answers = targets[order].tolist(), values[order].tolist()
    figures: dict[str, Picture] = {
        "Answers beside the truth": Curve(
            {"answered": answers, "right": (ends, ends)}, f"truth, {unit}", f"answer, {unit}"
        ),
        "Errors": _errors({"always the mean": np.abs(targets - mean), "answered": errors}, unit),
    }
    if images is not None:
        worst = np.argsort(-errors, kind="stable")[:WORST]
        captions = [f"{targets[i]:.0f} {unit} taken for {values[i]:.0f}" for i in worst]
        figures["Worst mistakes"] = Grid([images[i] for i in worst], captions)
    return figures


def _errors(errors: Mapping[str, np.ndarray], unit: str) -> Table:
    """Mean, median, 90 % quantile and maximum of each name's absolute errors (N,)."""
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


def _percent(part: int, total: int) -> str:
    return f"{100 * part / total:.1f}" if total else "-"  # 0/0: never asked, or never answered


def _worst_mistakes(
    probabilities: np.ndarray, labels: np.ndarray, classes: Sequence[str]
) -> tuple[np.ndarray, list[tuple[str, str, str]]]:
    """The mistakes by index, the surest first; and (truth, answer, confidence) of each."""
    answers, scores = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(answers != labels)
    worst = wrong[np.argsort(-scores[wrong], kind="stable")][:WORST]
    rows = [(classes[labels[i]], classes[answers[i]], f"{100 * scores[i]:.0f} %") for i in worst]
    return worst, rows


def _draw_samples(
    samples: Sequence[Any],
    answers: Sequence[tuple[str, str, str]],
    rate: float,
    caption: str = "{} taken for {} ({} sure)",
    columns: int = 8,
) -> Picture:
    """The picture for samples of one kind, each with its (truth, answer, confidence)."""
    if isinstance(samples[0], str):
        rows = [(*answer, _truncate(text)) for answer, text in zip(answers, samples, strict=True)]
        return Table(("truth", "answer", "sure", "text"), rows[:WORST_TEXTS])
    captions = [caption.format(*answer) for answer in answers]
    if samples[0].ndim == 4:
        return Strip(samples[:WORST_ROWS], captions[:WORST_ROWS], rate)
    if samples[0].ndim == 1:
        return Audio(samples[:WORST_ROWS], int(rate), captions[:WORST_ROWS])
    return Grid(samples, captions, columns)


def _truncate(text: str) -> str:
    return text if len(text) <= TEXT else text[: TEXT - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def spectra(waves: dict[str, np.ndarray], rate: int) -> Curve:
    """Levels of waves (T,) by frequency, in decibels below the loudest."""
    lines = {}
    for name, wave in waves.items():
        power = np.abs(np.fft.rfft(wave * np.hanning(len(wave)))) ** 2 + 1e-12
        frequencies = np.fft.rfftfreq(len(wave), 1 / rate)
        lines[name] = (frequencies.tolist(), (10 * np.log10(power / power.max())).tolist())
    return Curve(lines, "frequency, Hz", "level, dB")
