"""What a report shows of texts that were classified.

Shapes: B texts, K classes.
"""

import numpy as np

from zoo.figures.kinds import Bars

EACH = 4  # right answers, and wrong ones, whose words the report shows
BINS = 8  # of the lengths of texts


def examples(labels: np.ndarray, probabilities: np.ndarray) -> list[int]:
    """Some samples with the right answer, of all classes in turn, and the surest mistakes."""
    answers, sure = probabilities.argmax(1), probabilities.max(1)
    right = [np.flatnonzero((answers == labels) & (labels == k)) for k in np.unique(labels)]
    each = -(-EACH // len(right))
    wrong = np.flatnonzero(answers != labels)
    surest = wrong[np.argsort(-sure[wrong], kind="stable")]
    return [*np.concatenate([rows[:each] for rows in right])[:EACH], *surest[:EACH]]


def accuracy_by_length(lengths: np.ndarray, right: np.ndarray) -> Bars:
    """The accuracy of texts of about one length, as many in each bin as ties allow.

    Args:
        lengths: words of each text (B,).
        right: whether the answer is, (B,).
    """
    lowest = np.quantile(lengths, np.arange(BINS) / BINS, method="higher")
    bins = np.digitize(lengths, np.unique(lowest)[1:])
    names, shares = [], []
    for i in range(bins.max() + 1):
        inside = lengths[bins == i]
        low, high = inside.min(), inside.max()
        span = f"{low} to {high} words" if low < high else f"{low} words"
        names.append(f"{span} ({len(inside):,} texts)")
        shares.append(100 * right[bins == i].mean())
    return Bars(names, shares, "accuracy %, by the number of words that are read of a text")
